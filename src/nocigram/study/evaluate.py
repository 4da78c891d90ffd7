"""`nocigram evaluate`: score a checkpoint on labelled recordings."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from nocigram.config.commands import EvaluateOptions
from nocigram.config.data import DataOptions
from nocigram.core.actions import ActionScheme
from nocigram.core.errors import InputError, NoSamplesError
from nocigram.core.files import write_json
from nocigram.data.appearance import appearance_of_source
from nocigram.data.array_cache import content_hash
from nocigram.data.discover import discover_from
from nocigram.data.inventory import skips_table
from nocigram.data.outside import sentence
from nocigram.data.records import Discovery, Recording, Trial
from nocigram.data.sources import Source, default_cache_dir, sources_of
from nocigram.data.split import read_split
from nocigram.data.trial_windows import TrialWindows
from nocigram.evaluation import Scores, TrialPrediction, best_thresholds, score_trials
from nocigram.prediction import Predictor
from nocigram.prediction.caution import NO_STATISTICS, TrainingLooks, write_outside
from nocigram.report import draw_confusion, draw_ethograms


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Scores, and the predictions that they are of."""

    scores: Scores
    predictions: list[TrialPrediction]


def evaluate(options: EvaluateOptions) -> Evaluation:
    """Score a checkpoint; print a table, write metrics.json and figures.

    Raises:
        NoSamplesError: no usable trial.
        InputError: checkpoint, folders or split can't be used.
    """
    predictor = Predictor.load(options.checkpoint, accelerator=options.accelerator)
    found = discover_for(predictor, options)
    trials = _chosen_trials(found, options, predictor)
    sources = sources_for(predictor, found, trials, options)
    out = options.out or options.checkpoint.resolve().parent / "evaluation"
    _say_outside(predictor, sources, out)
    predictions = predict_trials(predictor, found, trials, sources)
    scores = score_trials(predictions, classes=predictor.classes)
    if predictor.decoder.kind != "none":
        before = score_trials([trial.undecoded() for trial in predictions], classes=predictor.classes)
        print(f"[info] --smooth {predictor.decoder.kind}: {before.change_to(scores)}")
    print(scores.as_text())
    _write(out, scores, predictions, found.scheme)
    return Evaluation(scores=scores, predictions=predictions)


def predict_trials(
    predictor: Predictor, found: Discovery, trials: list[Trial], sources: dict[str, Source]
) -> list[TrialPrediction]:
    """The model's answer to every frame of labelled trials."""
    windows = TrialWindows(found=found, trials=trials, sources=sources, window_T=predictor.window_T)

    def run(inputs: dict[str, Tensor]) -> tuple[Tensor, Tensor | None]:
        output = predictor.run(inputs)
        return output.action_logits, output.keypoints

    return [predictor.decoder.decoded(trial) for trial in windows.answered(run)]


def _say_outside(predictor: Predictor, sources: Mapping[str, Source], out: Path) -> None:
    """Which recordings don't look like those of the training: a line each, and all numbers in a csv."""
    looks = TrainingLooks.of(predictor.checkpoint, needs=predictor.needs, skeleton=predictor.skeleton)
    if not looks.are_known:
        print(f"[info] {NO_STATISTICS}")
        return
    likelihood_thr = float(predictor.checkpoint.args["kp_likelihood_thr"])
    rows = []
    for source in sources.values():
        seen = appearance_of_source(
            source, needs=predictor.needs, likelihood_thr=likelihood_thr, img_size=predictor.img_size
        )
        rows += (own := looks.beside(seen))
        if (said := sentence(own)) is not None:
            print(said)
    write_outside(out / "outside_training.csv", rows)


def sources_for(
    predictor: Predictor, found: Discovery, trials: list[Trial], options: EvaluateOptions
) -> dict[str, Source]:
    """The recordings of trials with what the model needs of them, decoded as in training."""
    return sources_of(
        [found.recordings[name] for name in sorted({trial.recording for trial in trials})],
        needs=predictor.needs,
        crop=predictor.crop,
        img_size=predictor.img_size,
        cache_dir=options.cache_dir or default_cache_dir(options.videos),
    )


def discover_for(predictor: Predictor, options: EvaluateOptions) -> Discovery:
    """The folders, read as in training.

    Raises:
        NoSamplesError: no usable trial.
        InputError: a folder is missing, or a table contradicts itself.
    """
    checkpoint = predictor.checkpoint
    scheme = ActionScheme(
        names=tuple(checkpoint.scheme["names"]),
        merges=checkpoint.scheme["merges"],
        ignore=frozenset(checkpoint.scheme["ignore"]),
    )
    data = DataOptions(
        annotations=options.annotations,
        videos=options.videos,
        poses=options.poses,
        recordings=options.recordings,
        individual=options.individual,
        fps=options.fps or predictor.fps,
        kp_likelihood_thr=float(checkpoint.args["kp_likelihood_thr"]),
        min_frames=int(checkpoint.args["min_frames"]),
    )
    found = discover_from(data, scheme=scheme, needs=predictor.needs, skeleton=predictor.skeleton)
    for warning in found.warnings:
        print(warning)
    if not found.trials:
        raise NoSamplesError(f"No samples found!\n{skips_table(found)}")
    if found.skipped:
        print(skips_table(found))
    return found


def _chosen_trials(found: Discovery, options: EvaluateOptions, predictor: Predictor) -> list[Trial]:
    """The trials to score; says which, and whether the model was trained on them."""
    wanted, split = options.split, predictor.checkpoint.split
    sides = {name: _sides(recording, predictor) for name, recording in found.recordings.items()}
    if wanted == "auto":
        wanted = "val" if any("val" in side for side in sides.values()) else "all"
    if wanted == "all":
        trials = found.trials
    elif wanted in ("val", "train"):
        names = set(split[wanted])
        trials = [trial for trial in found.trials if trial.name in names and wanted in sides[trial.recording]]
    else:
        trials = read_split(Path(wanted)).trials(found, "val")
    if not trials:
        raise InputError(
            f"--split {options.split}: expected its trials in the folder, got none of them. "
            "Use --split all for new data."
        )
    if predictor.needs.only_with_pose:
        blind = sorted({trial.recording for trial in trials if not found.recordings[trial.recording].can_be_followed})
        if blind:
            print(f"[warn] not scored, since no frame of them has two visible keypoints: {', '.join(blind)}")
        trials = [trial for trial in trials if trial.recording not in blind]
        if not trials:
            raise InputError("evaluate: expected recordings with pose for this model, got none. Give --poses.")
    trained_on = sorted({trial.recording for trial in trials if "train" in sides[trial.recording]})
    print(f"[info] Scoring {len(trials)} trials (--split {wanted})")
    if trained_on:
        print(f"[warn] The model was trained on {', '.join(trained_on)}: these scores say nothing about new animals")
    return trials


def _sides(recording: Recording, predictor: Predictor) -> set[str]:
    """What the model's training used a recording for, whatever its files are called now."""
    files = {"video_sha256": recording.info.path if recording.info else None, "pose_sha256": recording.pose_file}
    hashes = {key: content_hash(path) for key, path in files.items() if path is not None}
    return {
        side
        for record in predictor.checkpoint.seen
        if any(record[key] == value for key, value in hashes.items())
        for side in record["sides"]
    }


def _write(out: Path, scores: Scores, predictions: list[TrialPrediction], scheme: ActionScheme) -> None:
    """metrics.json, thresholds.json and the figures."""
    tuned = best_thresholds(predictions, classes=scheme.classes)
    thresholds = {name: {"threshold": each.threshold, "f1": each.f1} for name, each in tuned.items()}
    write_json(out / "metrics.json", scores.as_dict())
    write_json(out / "thresholds.json", thresholds)
    draw_confusion(scores, classes=scheme.classes, colours=scheme.colours, path=out / "confusion.png")
    draw_ethograms(predictions, classes=scheme.classes, colours=scheme.colours, path=out / "ethograms.png")
    print(f"[info] Results: {out}")
