"""The documented script: `nocigram train` with the defaults of the guide.

python train_multitask.py --annotations ./Annotations --videos ./Videos --epochs 50 --batch_size 2
"""

import sys

from nocigram.cli.main import main

GUIDE_DEFAULTS = {"wandb_entity": "grassknoted", "wandb_project": "prj_mouse_pain"}

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]], defaults={"train": GUIDE_DEFAULTS}))
