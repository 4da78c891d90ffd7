"""One cell of a study: a model trained on one side of a fold with one seed, and its answers to the animals held out."""

import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from nocigram.config.commands import TrainOptions
from nocigram.config.labelled import LabelledFolders
from nocigram.config.records import unflat
from nocigram.core.errors import InputError
from nocigram.core.files import write_json
from nocigram.core.version import VERSION
from nocigram.data.records import Discovery, Recording, Trial
from nocigram.data.sources import default_cache_dir
from nocigram.data.split import Split
from nocigram.evaluation import TrialPrediction
from nocigram.prediction import Predictor
from nocigram.study.evaluate import discover_for, predict_trials, sources_for
from nocigram.study.jobs import as_file_name
from nocigram.study.predictions_file import load_predictions, save_predictions
from nocigram.training import train

_PLACES = ("annotations", "videos", "poses", "recordings", "actions", "skeleton", "out", "cache_dir", "split")
"""Where things lie; what is in them is in the cell's fingerprint of the data."""
_WITHOUT_EFFECT = (
    *_PLACES,
    *("accelerator", "num_workers", "resume", "use_tensorboard", "use_wandb", "wandb_entity", "wandb_project"),
)
"""Options that may differ without making a finished cell another one."""

PREDICTIONS, RECORD = "predictions.npz", "cell.json"
"""Files of a cell; the record is written last, so a cell that was cut off has none."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a cell found besides its predictions."""

    n_parameters: int
    training_minutes: float
    """Wall time of the training, decoding included where the cache was empty."""
    frames_per_s: float
    """Of predicting one recording that was held out, from its files to actions."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One training and what it is tested on."""

    row: str
    """Approach or ablation."""
    fold: int
    """From 1."""
    options: TrainOptions
    """With the seed; where to write, and the split, are the cell's."""
    split: Split
    """All three sides."""
    data: str
    """Fingerprint of the content of the data."""
    study: Path
    """Folder of all cells."""

    @property
    def name(self) -> str:
        """As messages and logs write it."""
        return f"{self.row} fold {self.fold} seed {self.options.machine.seed}"

    @property
    def folder(self) -> Path:
        """Where it writes."""
        return self.study / as_file_name(self.name)

    @property
    def is_finished(self) -> bool:
        """It ran to its end before, with the same options, split and data."""
        try:
            record = json.loads((self.folder / RECORD).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        is_same = isinstance(record, dict) and record.get("asked") == self._asked()
        return is_same and (self.folder / PREDICTIONS).is_file()

    def arguments(self) -> dict[str, Any]:
        """Plain arguments of `run_cell`."""
        return {
            "asked": self._asked(),
            "options": self._placed().flat(),
            "sides": {side: list(getattr(self.split, side)) for side in ("train", "val", "test")},
            "folder": str(self.folder),
        }

    def outcome(self) -> Outcome:
        """What the finished cell found."""
        record = json.loads((self.folder / RECORD).read_text(encoding="utf-8"))
        return Outcome(**record["outcome"])

    def predictions(self) -> list[TrialPrediction]:
        """What the finished cell said of the trials that were held out."""
        return load_predictions(self.folder / PREDICTIONS)

    def _placed(self) -> TrainOptions:
        """The options with the cell's folder, and the cache that all cells share."""
        options = self.options
        cache_dir = options.view.cache_dir or default_cache_dir(options.data.videos)
        return replace(
            options,
            view=replace(options.view, cache_dir=cache_dir),
            machine=replace(options.machine, out=self.folder, resume=False),
        )

    def _asked(self) -> dict[str, Any]:
        """What decides the cell's result, as JSON gives it back."""
        values = {name: value for name, value in self.options.flat().items() if name not in _WITHOUT_EFFECT}
        sides = [self.split.train, self.split.val, self.split.test]
        content: dict[str, Any] = json.loads(
            json.dumps({**values, "sides": sides, "data": self.data, "nocigram": VERSION})
        )
        return content


def run_cell(*, asked: dict[str, Any], options: dict[str, Any], sides: dict[str, list[str]], folder: str) -> None:
    """Train, predict what was held out, write both. Arguments are plain, since another process may call it.

    Args:
        asked: kept beside the result, to know it again.
        options: flags of training.
        sides: names of the trials for training, for choosing and for the test.
        folder: of the cell.

    Raises:
        InputError: as `train`; or a trial that was held out can't be predicted.
    """
    place = Path(folder)
    (place / RECORD).unlink(missing_ok=True)  # an earlier cell's, until this one has ended
    split = Split(split_by="animal", **{side: tuple(names) for side, names in sides.items()})
    split.save(place / "split.json")
    started = time.perf_counter()
    checkpoint = train(unflat(TrainOptions, {**options, "split": str(place / "split.json")}))
    minutes = (time.perf_counter() - started) / 60
    predictor = Predictor.load(checkpoint, accelerator=options["accelerator"])
    folders = unflat(LabelledFolders, options)
    found = discover_for(predictor, folders)
    trials = split.trials(found, "test")
    if missing := sorted(set(split.test) - {trial.name for trial in trials}):
        raise InputError(
            f"{', '.join(missing)}: expected trials that {predictor.checkpoint.approach} can use, got none of them. "
            "See nocigram check, or leave the approach out."
        )
    sources = sources_for(predictor, found, trials, folders)
    save_predictions(place / PREDICTIONS, predict_trials(predictor, found, trials, sources))
    outcome = Outcome(
        n_parameters=predictor.n_parameters,
        training_minutes=minutes,
        frames_per_s=_frames_per_s(predictor, _first_recording(found, trials)),
    )
    write_json(place / RECORD, {"asked": asked, "outcome": asdict(outcome)})


def _first_recording(found: Discovery, trials: list[Trial]) -> Recording:
    """The recording whose prediction is timed."""
    return found.recordings[min(trial.recording for trial in trials)]


def _frames_per_s(predictor: Predictor, recording: Recording) -> float:
    """Speed of predicting a whole recording."""
    started = time.perf_counter()
    n_frames = sum(len(part.actions) for part in predictor.stream(recording, warn=lambda _: None))
    return n_frames / (time.perf_counter() - started)
