"""Which labelled trials a checkpoint is scored on, and whether it has seen them."""

from dataclasses import dataclass
from pathlib import Path

from nocigram.config.commands import EvaluateOptions
from nocigram.core.errors import InputError
from nocigram.data.array_cache import content_hash
from nocigram.data.records import Discovery, Recording, Trial
from nocigram.data.split import read_split
from nocigram.models.checkpoint import Checkpoint
from nocigram.prediction import Predictor


@dataclass(frozen=True, kw_only=True)
class ChosenTrials:
    """Trials to score."""

    trials: list[Trial]
    seen: tuple[str, ...]
    """Their recordings that trained the model; more than none only with --allow_seen."""

    @property
    def stamp(self) -> str | None:
        """What every result has to say beside its numbers; None where nothing was seen."""
        if not self.seen:
            return None
        return f"The model was trained on {', '.join(self.seen)}: these scores say nothing about new animals"


def choose_trials(found: Discovery, options: EvaluateOptions, predictor: Predictor) -> ChosenTrials:
    """The trials of --split that the model can judge. Recordings are known by their content.

    Raises:
        InputError: there are none, or some are of recordings that trained the model and --allow_seen was not given.
    """
    checkpoint = predictor.checkpoint
    sides = {name: sides_of(recording, checkpoint) for name, recording in found.recordings.items()}
    wanted = options.split
    if wanted == "auto":
        wanted = "val" if any("val" in side for side in sides.values()) else "all"
    trials = _of_split(wanted, found, sides, checkpoint)
    if not trials:
        raise InputError(
            f"--split {options.split}: expected its trials in the folder, got none of them. "
            "Use --split all for new data."
        )
    if predictor.needs.only_with_pose:
        trials = _with_pose(trials, found)
    seen = tuple(sorted({trial.recording for trial in trials if "train" in sides[trial.recording]}))
    if seen and not options.allow_seen:
        raise _seen_error(seen, checkpoint)
    chosen = ChosenTrials(trials=trials, seen=seen)
    print(f"[info] Scoring {len(trials)} trials (--split {wanted})")
    if chosen.stamp is not None:
        print(f"[warn] {chosen.stamp}")
    _tell_of_relations(chosen, sides, checkpoint)
    return chosen


def sides_of(recording: Recording, checkpoint: Checkpoint) -> set[str]:
    """What a checkpoint's training used a recording for, `train` or `val`, whatever its files are called now."""
    files = {"video_sha256": recording.info.path if recording.info else None, "pose_sha256": recording.pose_file}
    hashes = {key: content_hash(path) for key, path in files.items() if path is not None}
    return {
        side
        for record in checkpoint.seen
        if any(record[key] == value for key, value in hashes.items())
        for side in record["sides"]
    }


def _of_split(wanted: str, found: Discovery, sides: dict[str, set[str]], checkpoint: Checkpoint) -> list[Trial]:
    """The trials of one side of the checkpoint's split, of a split file, or all."""
    if wanted == "all":
        return found.trials
    if wanted not in ("train", "val", "test"):
        return read_split(Path(wanted)).trials(found, "val")
    names = {*checkpoint.split[wanted]}
    named = [trial for trial in found.trials if trial.name in names]
    # another recording may have the name of one of the training
    return named if wanted == "test" else [trial for trial in named if wanted in sides[trial.recording]]


def _with_pose(trials: list[Trial], found: Discovery) -> list[Trial]:
    """Without the trials whose recording has no pose; says which.

    Raises:
        InputError: none has one.
    """
    blind = sorted({trial.recording for trial in trials if not found.recordings[trial.recording].can_be_followed})
    if blind:
        print(f"[warn] not scored, since no frame of them has two visible keypoints: {', '.join(blind)}")
    seeing = [trial for trial in trials if trial.recording not in blind]
    if not seeing:
        raise InputError("evaluate: expected recordings with pose for this model, got none. Give --poses.")
    return seeing


def _seen_error(seen: tuple[str, ...], checkpoint: Checkpoint) -> InputError:
    """Why these trials are not scored."""
    refit = " (with --refit the validation animals train, too)" if checkpoint.extra.get("is_refit") else ""
    return InputError(
        f"evaluate: expected recordings that did not train the model{refit}, got {', '.join(seen)}, known by their "
        "content. Score others; or train with --test_animals and score --split test; or use nocigram crossval. "
        "--allow_seen scores them all the same, and stamps the results."
    )


def _tell_of_relations(chosen: ChosenTrials, sides: dict[str, set[str]], checkpoint: Checkpoint) -> None:
    """Say what makes scores too high although the recordings did not train the model."""
    unseen = [trial for trial in chosen.trials if trial.recording not in chosen.seen]
    chose = sorted({trial.recording for trial in unseen if "val" in sides[trial.recording]})
    if chose:
        print(f"[info] {', '.join(chose)} chose the model's epoch and thresholds, so the scores are a little too high")
    trained = {record["animal"] for record in checkpoint.seen if "train" in record["sides"]}
    if relatives := sorted({trial.animal for trial in unseen} & trained):
        print(
            f"[warn] {', '.join(relatives)}: animals of this name trained the model with other recordings. If they are "
            "the same, the scores are too high for new animals"
        )
