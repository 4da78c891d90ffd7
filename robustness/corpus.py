"""Folders with a fault each, and what every command makes of them.

    python -m robustness.corpus                  all of them
    python -m robustness.corpus --only csv       those whose kind or name has this word
    python -m robustness.corpus --list           their names

Each case is a copy of a small healthy study with one fault in it. Whatever the fault: no traceback, no hang, no label
or keypoint on another frame, no half-written file, an unchanged input, and a message that names file and fix. The last
line is JSON; the exit status is 1 if anything failed.
"""

import argparse
import faulthandler
import json
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import torch

from robustness import annotation_cases, checkpoint_cases, place_cases, pose_cases, table_cases, video_cases
from robustness.cases import Case
from robustness.judging import Truth, failures_of
from robustness.study import Healthy

CASES: list[Case] = [
    case
    for module in (video_cases, pose_cases, annotation_cases, table_cases, checkpoint_cases, place_cases)
    for case in module.CASES
]
_MOST_S = 1200
"""A case that takes longer than this hangs in a library, where no signal reaches it; then all ends."""


def main() -> int:
    """Run the cases and print what failed."""
    parser = argparse.ArgumentParser(description="Folders with a fault each.")
    parser.add_argument("--only", default="", metavar="WORD", help="cases whose kind or name has this word")
    parser.add_argument("--list", action="store_true", help="print names, run nothing")
    given = parser.parse_args()
    cases = [case for case in CASES if given.only in f"{case.kind}: {case.name}"]
    if given.list:
        print("\n".join(f"{case.kind}: {case.name}" for case in cases))
        return 0
    torch.set_num_threads(1)
    for what in place_cases.LEFT_OUT:
        print(f"left out: {what}")
    with tempfile.TemporaryDirectory(prefix="nocigram-corpus-") as name:
        n_failed = _run(cases, Path(name).resolve())
    print(json.dumps({"cases": len(cases), "failures": n_failed}))
    return 1 if n_failed or not cases else 0


def _run(cases: list[Case], place: Path) -> int:
    """Each case on a copy of its own; returns how many failed."""
    started = time.perf_counter()
    healthy = Healthy.made(place / "origin")
    truth = Truth.of(healthy.copied(place / "truth"))
    failed: Counter[str] = Counter()
    for number, case in enumerate(cases):
        faulthandler.dump_traceback_later(_MOST_S, exit=True)
        folder = place / f"case{number}"
        study = healthy.copied(folder)
        failures = failures_of(case, study, truth, healthy_names=healthy.names)
        os.chdir(place)
        study.restore()
        shutil.rmtree(folder)
        for failure in failures:
            print(f"FAILED {case.kind}: {case.name}: {failure}", flush=True)
        failed[case.kind] += bool(failures)
    faulthandler.cancel_dump_traceback_later()
    for kind, n_cases in Counter(case.kind for case in cases).items():
        print(f"{kind:12} {n_cases:4} cases, {failed[kind]} failed")
    print(f"{time.perf_counter() - started:.0f} s")
    return failed.total()


if __name__ == "__main__":
    sys.exit(main())
