"""Commands that are killed at random moments, run again, and compared with undisturbed ones.

    python -m robustness.kills              at least 56 kills
    python -m robustness.kills --kills 12   fewer
    python -m robustness.kills --only train those of phases whose name has this word

Each round starts a command in an empty folder, kills it (SIGKILL, with all that it started) once or several times at
moments drawn from the time that it takes undisturbed, and lets it run to its end. After every kill, whatever has a
final name has to be whole. In the end every result has to be equal to that of the undisturbed run. The last line is
JSON; the exit status is 1 if anything failed.
"""

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch: sums in one order, and no threads to fork

from robustness.children import command, finished, killed, started
from robustness.equal import differences
from robustness.study import DEVICE, TINY, TREES, Healthy, Study
from robustness.whole import broken_files

_MOST_KILLS_A_ROUND = 3
_N_KILLS = 56
_NETWORK = (
    "--approach",
    "pose_only",
    "--members",
    "1",
    "--hidden_dim",
    "8",
    "--epochs",
    "2",
    "--min_windows",
    "16",
    *DEVICE,
)
_OVERRIDES = """
pose_trees: {trees: 2, tree_depth: 2}
pose_only: {members: 1, hidden_dim: 8, epochs: 2, min_windows: 16, num_workers: 0}
"""


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A command, and how it is run again after a kill."""

    name: str
    arguments: Callable[[Study], list[str]]
    resumes: bool = False
    """With --resume, where there is a point to resume from."""
    is_cold: bool = False
    """The cache is empty at the start of each round; else it is full."""

    def again(self, study: Study) -> list[str]:
        """The command after a kill."""
        folder = study.out / "training"
        has_point = (folder / "resume.ckpt").is_file() and (folder / "options.json").is_file()
        return [*self.arguments(study), *(["--resume"] if self.resumes and has_point else [])]


def _training(*flags: str) -> Callable[[Study], list[str]]:
    """A training on the study."""
    return lambda study: ["train", *_places(study), "--cache_dir", str(study.cache), "--out", str(study.out), *flags]


def _places(study: Study) -> list[str]:
    return [word for flag, path in study.folders.items() for word in (f"--{flag}", str(path))]


def _comparing(study: Study) -> list[str]:
    overrides = study.place / "overrides.yaml"
    overrides.write_text(_OVERRIDES)
    how = [
        "--approaches",
        "pose_trees,pose_only",
        "--overrides",
        str(overrides),
        "--jobs",
        "2",
        *DEVICE,
    ]
    return ["compare", *_places(study), "--cache_dir", str(study.cache), "--out", str(study.out), *how]


PHASES = (
    Phase(name="caching and training", arguments=_training(*TINY), resumes=True, is_cold=True),
    Phase(
        name="training", arguments=_training(*TINY, "--epochs", "4", "--use_ema", "--ema_decay", "0.9"), resumes=True
    ),
    Phase(
        name="training the encoder",
        arguments=_training(*TINY, "--epochs", "2", "--freeze_backbone_epochs", "0"),
        resumes=True,
    ),
    Phase(name="training twice (--refit)", arguments=_training(*_NETWORK), resumes=True),
    Phase(name="growing trees", arguments=_training(*TREES), is_cold=True),
    Phase(
        name="predicting",
        arguments=lambda s: ["predict", str(s.checkpoint), str(s.folders["videos"]), "--out", str(s.out), *DEVICE],
    ),
    Phase(
        name="evaluating",
        arguments=lambda s: [
            *("evaluate", str(s.checkpoint), *_places(s), "--cache_dir", str(s.cache), "--out", str(s.out)),
            *("--split", "all", *DEVICE),
        ],
    ),
    Phase(name="comparing", arguments=_comparing),
    Phase(
        name="crossval",
        arguments=lambda s: ["crossval", *_training(*TREES)(s)[1:]],
    ),
)


def main() -> int:
    """Run rounds until enough was killed in each phase."""
    parser = argparse.ArgumentParser(description="Commands killed at random moments.")
    parser.add_argument(
        "--kills", type=int, default=_N_KILLS, metavar="N", help="at least so many, shared by the phases"
    )
    parser.add_argument("--only", default="", metavar="WORD", help="phases whose name has this word")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    given = parser.parse_args()
    phases = [phase for phase in PHASES if given.only in phase.name]
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="nocigram-kills-") as name:
        place = Path(name).resolve()
        status = finished(started(lambda: 0 if Healthy.made(place / "origin") else 1, log=place / "origin.log"))
        if status != 0:
            print((place / "origin.log").read_text())
            return 1
        for phase in phases:
            log = place / "phase.log"
            counts += _tried(phase, place, n_kills=-(-given.kills // len(phases)), seed=given.seed, log=log)
    print(json.dumps({"kills": counts["kills"], "failures": counts["failures"]}))
    return 1 if counts["failures"] or counts["kills"] < given.kills else 0


def _tried(phase: Phase, place: Path, *, n_kills: int, seed: int, log: Path) -> Counter[str]:
    """Rounds of one phase."""
    rng = random.Random(f"{phase.name} {seed}")
    folder, expected = place / "round", place / "expected"
    shutil.rmtree(expected, ignore_errors=True)
    study = _fresh(phase, folder, place)
    log.unlink(missing_ok=True)
    begin = time.monotonic()
    if (status := finished(started(command(phase.arguments(study)), log=log))) != 0:
        print(f"FAILED {phase.name}: undisturbed, ended with {status}: {log.read_text()[-1500:]}")
        return Counter(failures=1)
    duration_s = time.monotonic() - begin
    study.out.rename(expected)
    shutil.rmtree(place / "full", ignore_errors=True)
    if study.cache.is_dir():
        study.cache.rename(place / "full")
    counts: Counter[str] = Counter()
    while counts["kills"] < n_kills and counts["rounds"] < 4 * n_kills:
        wanted = min(rng.randint(1, _MOST_KILLS_A_ROUND), n_kills - counts["kills"])
        study = _fresh(phase, folder, place)
        n_done, faults = _round(phase, study, [rng.uniform(0, duration_s) for _ in range(wanted)], expected, log)
        counts += Counter(kills=n_done, rounds=1, failures=bool(faults))
        for fault in faults:
            print(f"FAILED {phase.name}, round {counts['rounds']}: {fault}", flush=True)
    print(
        f"{phase.name:26} {counts['kills']:3} kills in {counts['rounds']} rounds, {counts['failures']} failed, "
        f"undisturbed {duration_s:.1f} s",
        flush=True,
    )
    return counts


def _fresh(phase: Phase, folder: Path, place: Path) -> Study:
    """The study in a folder of the same name each time, with an empty or a full cache."""
    origin = Healthy.at(place / "origin")
    shutil.rmtree(folder, ignore_errors=True)
    study = origin.copied(folder)
    study.out = folder / "out"
    study.cache = folder / "cache"
    if not phase.is_cold and (place / "full").is_dir():
        shutil.copytree(place / "full", study.cache)
    return study


def _round(phase: Phase, study: Study, moments_s: list[float], expected: Path, log: Path) -> tuple[int, list[str]]:
    """Kill at these moments, one after the other, then run to the end; returns the kills and what was wrong."""
    log.unlink(missing_ok=True)
    n_kills, faults = 0, []
    for moment_s in moments_s:
        if not killed(started(command(phase.again(study)), log=log), after_s=moment_s):
            break
        n_kills += 1
        faults += [f"after a kill at {moment_s:.2f} s: {fault}" for fault in _unfinished(study)]
    status = finished(started(command(phase.again(study)), log=log))
    if status != 0:
        return n_kills, [*faults, f"run again, it ended with {status}: {log.read_text()[-1500:]}"]
    faults += [f"run again: {fault}" for fault in (*_unfinished(study), *differences(expected, study.out))]
    return n_kills, faults


def _unfinished(study: Study) -> list[str]:
    """Files that look finished and are not."""
    return [fault for folder in (study.out, study.cache) for fault in broken_files(folder, was_killed=True)]


if __name__ == "__main__":
    sys.exit(main())
