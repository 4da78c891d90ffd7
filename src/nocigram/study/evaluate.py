"""`nocigram evaluate`: score a checkpoint on labelled recordings."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from torch import Tensor

from nocigram.config.commands import EvaluateOptions
from nocigram.config.data import DataOptions
from nocigram.config.labelled import LabelledFolders
from nocigram.core.actions import ActionScheme
from nocigram.core.files import real_path, write_json
from nocigram.data.discover import discover_from
from nocigram.data.inventory import require_trials, tell_skips, tell_warnings
from nocigram.data.records import Discovery, Trial
from nocigram.data.sources import Source, default_cache_dir, sources_of
from nocigram.data.trial_windows import TrialWindows
from nocigram.evaluation import (
    Events,
    HumanCeiling,
    Scores,
    TrialPrediction,
    best_thresholds,
    events_as_text,
    score_events,
    score_trials,
)
from nocigram.models.temperature import calibrated
from nocigram.prediction import Predictor
from nocigram.study.chosen_trials import ChosenTrials, choose_trials
from nocigram.study.event_files import events_as_dict, write_events
from nocigram.study.figures import draw_figures
from nocigram.study.human_files import ceiling_of, human_as_dict, second_of, write_human
from nocigram.study.unlike import tell_unlike


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Scores, and the predictions that they are of."""

    scores: Scores
    predictions: list[TrialPrediction]
    events: Events
    human: HumanCeiling | None
    """None without a second person."""
    temperature: float
    """What the model's probabilities were calibrated with."""
    chosen: ChosenTrials

    def as_dict(self) -> dict[str, object]:
        """The content of metrics.json."""
        return {
            **self.scores.as_dict(),
            "temperature": self.temperature,
            "boundary_tolerance": self.predictions[0].boundary_tolerance,
            "seen_in_training": list(self.chosen.seen),
            **events_as_dict(self.events),
            **human_as_dict(self.human),
        }


def evaluate(options: EvaluateOptions) -> Evaluation:
    """Score a checkpoint; print a table, write metrics.json and figures.

    Raises:
        NoSamplesError: no usable trial.
        InputError: checkpoint, folders or split can't be used.
    """
    predictor = Predictor.load(options.checkpoint, accelerator=options.accelerator)
    found = discover_for(predictor, options.labelled)
    chosen = choose_trials(found, options, predictor)
    second = second_of(found, chosen.trials, options=options.events)
    sources = sources_for(predictor, found, chosen.trials, options.labelled)
    out = options.out or real_path(options.checkpoint).parent / "evaluation"
    tell_unlike(predictor, sources, out / "outside_training.csv")
    answers = predict_trials(predictor, found, chosen.trials, sources)
    predictions = with_tolerance(answers, options.boundary_tolerance)
    scores = score_trials(predictions, classes=predictor.classes)
    if predictor.decoder.kind != "none":
        before = score_trials([trial.undecoded() for trial in predictions], classes=predictor.classes)
        print(f"[info] --smooth {predictor.decoder.kind}: {before.change_to(scores)}")
    print(scores.as_text())
    events = score_events(predictions, classes=predictor.classes, onset_tolerance_s=options.events.onset_tolerance_s)
    print(f"\n{events_as_text(events)}")
    result = Evaluation(
        scores=scores,
        predictions=predictions,
        events=events,
        human=ceiling_of(predictions, second, classes=predictor.classes, options=options.events),
        temperature=predictor.temperature,
        chosen=chosen,
    )
    _write(out, result, found.scheme)
    return result


def with_tolerance(predictions: Sequence[TrialPrediction], n_frames: int) -> list[TrialPrediction]:
    """The same trials, to be scored without the frames beside changes of action; says so."""
    tolerant = [replace(trial, boundary_tolerance=n_frames) for trial in predictions]
    if n_frames:
        n_scored = sum(int(trial.scored.sum()) for trial in tolerant)
        n_left_out = n_scored - sum(int(trial.counted.sum()) for trial in tolerant)
        print(
            f"[info] --boundary_tolerance {n_frames}: {n_left_out} of {n_scored} labelled frames lie beside a change "
            "of action and count in no score of frames"
        )
    return tolerant


def predict_trials(
    predictor: Predictor, found: Discovery, trials: list[Trial], sources: dict[str, Source]
) -> list[TrialPrediction]:
    """The model's answer to every frame of labelled trials."""
    windows = TrialWindows(found=found, trials=trials, sources=sources, window_T=predictor.window_T)

    def run(inputs: dict[str, Tensor]) -> tuple[Tensor, Tensor | None]:
        output = predictor.run(inputs)
        return output.action_logits, output.keypoints

    decoder, temperature = predictor.decoder, predictor.temperature
    return [calibrated(decoder.decoded(trial), temperature) for trial in windows.answered(run)]


def sources_for(
    predictor: Predictor, found: Discovery, trials: list[Trial], folders: LabelledFolders
) -> dict[str, Source]:
    """The recordings of trials with what the model needs of them, decoded as in training."""
    return sources_of(
        [found.recordings[name] for name in sorted({trial.recording for trial in trials})],
        needs=predictor.needs,
        crop=predictor.crop,
        img_size=predictor.img_size,
        cache_dir=folders.cache_dir or default_cache_dir(folders.videos),
    )


def discover_for(predictor: Predictor, folders: LabelledFolders) -> Discovery:
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
        annotations=folders.annotations,
        videos=folders.videos,
        poses=folders.poses,
        recordings=folders.recordings,
        individual=folders.individual,
        fps=folders.fps or predictor.fps,
        kp_likelihood_thr=predictor.likelihood_thr,
        min_frames=int(checkpoint.args["min_frames"]),
    )
    found = discover_from(data, scheme=scheme, needs=predictor.needs, skeleton=predictor.skeleton)
    tell_warnings(found)
    require_trials(found)
    tell_skips(found)
    return found


def _write(out: Path, result: Evaluation, scheme: ActionScheme) -> None:
    """metrics.json, thresholds.json, the tables and the figures; all say so where the model had seen the recordings."""
    stamp = result.chosen.stamp
    tuned = best_thresholds(result.predictions, classes=scheme.classes)
    thresholds: dict[str, object] = {name: {"threshold": each.threshold, "f1": each.f1} for name, each in tuned.items()}
    if stamp is not None:
        thresholds["seen_in_training"] = list(result.chosen.seen)
    write_json(out / "metrics.json", result.as_dict())
    write_events(out, result.events, colours=scheme.colours, stamp=stamp)
    write_human(out, result.human, stamp=stamp)
    write_json(out / "thresholds.json", thresholds)
    draw_figures(out, result.predictions, scores=result.scores, scheme=scheme, stamp=stamp)
    print(f"[info] Results: {out}")
