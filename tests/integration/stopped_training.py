"""`nocigram` in a process that sends itself a signal before a given batch of training.

python stopped_training.py SIGNAL EPOCH BATCH ARGUMENTS...
"""

import os
import signal
import sys

import torch

import nocigram.training.schedule
from nocigram.cli.main import main
from nocigram.training.module import ActionModule


def stop_at(epoch: int, batch: int, *, by: signal.Signals) -> None:
    """Send a signal to this process before the batch, both counted from 0."""
    training_step = ActionModule.training_step

    def step(module, windows, batch_idx):
        if (module.current_epoch, batch_idx) == (epoch, batch):
            os.kill(os.getpid(), by)
        return training_step(module, windows, batch_idx)

    ActionModule.training_step = step


if __name__ == "__main__":
    torch.set_num_threads(1)
    nocigram.training.schedule.PLATEAU_PATIENCE = int(os.environ.get("PLATEAU_PATIENCE", "4"))
    name, epoch, batch = sys.argv[1:4]
    stop_at(int(epoch), int(batch), by=signal.Signals[name])
    sys.exit(main(sys.argv[4:]))
