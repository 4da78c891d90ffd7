"""Run benchmarks.

    python -m benchmarks.run                 all of them
    python -m benchmarks.run cache_frames    one
    python -m benchmarks.run --quick         small, to see that they work

The last line is JSON.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import torch

from benchmarks.epochs import frozen_epoch
from benchmarks.frames import cache_frames
from benchmarks.measure import Measured, Setting
from benchmarks.simulating import simulate_study

BENCHMARKS: dict[str, Callable[[Setting], Measured]] = {
    "cache_frames": cache_frames,
    "simulate_study": simulate_study,
    "frozen_epoch": frozen_epoch,
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Ratios measured in one run.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--quick", action="store_true", help="small, to see that they work")
    parser.add_argument("--inputs", type=Path, default=Path(".nocigram/benchmarks"), help="folder of generated inputs")
    given = parser.parse_args()
    if unknown := sorted(set(given.names) - set(BENCHMARKS)):
        parser.error(f"expected names among {', '.join(BENCHMARKS)}, got {', '.join(unknown)}")
    setting = Setting(
        inputs=given.inputs,
        n_trials=1 if given.quick else 3,
        img_size=64 if given.quick else 112,
        n_repeats=1 if given.quick else 3,
    )
    results = {}
    for name in given.names or BENCHMARKS:
        measured = BENCHMARKS[name](setting)
        print(measured.as_text(), flush=True)
        results[name] = {**asdict(measured), "ratio": measured.ratio, "share_of_limit": measured.share_of_limit}
    print(json.dumps({"n_threads": torch.get_num_threads(), "results": results}))


if __name__ == "__main__":
    main()
