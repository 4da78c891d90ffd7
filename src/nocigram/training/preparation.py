"""Everything before the first step of training: data found, divided, announced and brought into memory maps."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from nocigram.config.commands import TrainOptions
from nocigram.core.actions import UNSCORED
from nocigram.core.bouts import without_edges
from nocigram.core.errors import Fault, InputError
from nocigram.core.ranges import FrameRange
from nocigram.data.appearance import Appearance, appearance_of_source
from nocigram.data.discover import discover_from
from nocigram.data.inventory import require_trials, skips_table, tell_skips, tell_warnings
from nocigram.data.records import Discovery, Recording, Skip, Trial
from nocigram.data.scheme_file import read_scheme
from nocigram.data.sources import Source, default_cache_dir, sources_of
from nocigram.data.split import Split, leaks, make_split, read_split, require_animals
from nocigram.data.trial_windows import TrialWindows
from nocigram.training.epochs import EpochPlanner, TrainSpan
from nocigram.training.files import RunFiles
from nocigram.training.rare import Distribution, distribution_of


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Data, ready to train on."""

    found: Discovery
    split: Split
    train_trials: list[Trial]
    val_trials: list[Trial]
    distribution: Distribution
    """Of the training trials, before boosting."""
    extra: list[Recording]
    """Recordings with pose and no annotation, which train the keypoint head."""
    sources: dict[str, Source] = field(default_factory=dict)
    """By name of the recording; empty until `with_sources`."""
    appearances: tuple[Appearance, ...] = ()
    """What each of the sources looks like."""
    planner: EpochPlanner
    cache_dir: Path

    @property
    def fps(self) -> float:
        """Frame rate that the model is to know: the median over the recordings with trials."""
        names = sorted({trial.recording for trial in (*self.train_trials, *self.val_trials)})
        return float(np.median([self.found.recordings[name].fps for name in names]))

    def windows_of(self, trials: list[Trial], *, window_T: int, boundary_tolerance: int = 0) -> TrialWindows:
        """Trials, whole: as the model is shown them outside of training, and as trees grow from them."""
        return TrialWindows(
            found=self.found,
            trials=trials,
            sources=self.sources,
            window_T=window_T,
            boundary_tolerance=boundary_tolerance,
        )


def prepare(options: TrainOptions) -> Prepared:
    """Find and divide the data and print what the guide promises; nothing is decoded.

    Raises:
        NoSamplesError: no usable trial.
        InputError: the data can't be divided, or an option contradicts them.
    """
    print(f"[info] Discovering videos in {options.data.videos}...")
    scheme = read_scheme(options.data.actions)
    found = _usable(discover_from(options.data, scheme=scheme, needs=options.model.needs), options)
    kept_out = options.split.test_animal_names
    require_animals(found, kept_out)
    split = _split_of(found, options, kept_out)
    train_trials, val_trials = split.trials(found, "train"), split.trials(found, "val")
    if not train_trials or not val_trials:
        raise InputError(
            f"--split: expected its trials in the folder, got {len(train_trials)} for training and {len(val_trials)} "
            "for validation. Give the split of these data, or leave the flag out."
        )
    _announce(found, split, train_trials, val_trials)
    judges = {trial.animal for trial in (*val_trials, *split.trials(found, "test"))} | {*kept_out}
    extra = _extra(found, judges, options)
    distribution = _distribution(found, train_trials)
    spans = _spans(found, train_trials, extra, options)
    return Prepared(
        found=found,
        split=split,
        train_trials=train_trials,
        val_trials=val_trials,
        distribution=distribution,
        extra=extra,
        planner=_planner(spans, distribution, options),
        cache_dir=options.view.cache_dir or default_cache_dir(options.data.videos),
    )


def with_everyone(prepared: Prepared, options: TrainOptions) -> Prepared:
    """The same data with the validation trials among those that train."""
    trials = [*prepared.train_trials, *prepared.val_trials]
    distribution = _distribution(prepared.found, trials)
    planner = _planner(_spans(prepared.found, trials, prepared.extra, options), distribution, options)
    whole = {name: source.n_frames for name, source in prepared.sources.items()}
    return replace(prepared, train_trials=trials, distribution=distribution, planner=planner.within(whole))


def with_sources(prepared: Prepared, options: TrainOptions) -> Prepared:
    """With every recording ready to be cut into windows; videos that are not in the cache yet are decoded.

    Raises:
        InputError: a video can't be decoded.
    """
    used = {trial.recording for trial in (*prepared.train_trials, *prepared.val_trials)}
    used |= {recording.name for recording in prepared.extra}
    recordings = [prepared.found.recordings[name] for name in sorted(used)]
    sources = sources_of(
        recordings,
        needs=options.model.needs,
        crop=options.view.crop,
        img_size=options.view.img_size,
        cache_dir=prepared.cache_dir,
    )
    whole = {name: source.n_frames for name, source in sources.items()}
    short = [
        Skip(trial.path, (_past_what_decodes(trial, whole[trial.recording]),))
        for trial in (*prepared.train_trials, *prepared.val_trials)
        if trial.stop > whole[trial.recording]
    ]
    if short:
        raise InputError(
            f"{len(short)} trials: expected videos that decode as far as their headers say, got fewer frames.\n"
            f"{skips_table(replace(prepared.found, skipped=short))}\nRepair the videos, or remove these trials."
        )
    appearances = tuple(
        appearance_of_source(
            source,
            needs=options.model.needs,
            likelihood_thr=options.data.kp_likelihood_thr,
            img_size=options.view.img_size,
        )
        for source in sources.values()
    )
    return replace(prepared, sources=sources, appearances=appearances, planner=prepared.planner.within(whole))


def _distribution(found: Discovery, trials: Sequence[Trial]) -> Distribution:
    """Scored frames of each action."""
    return distribution_of([found.labels_of(trial) for trial in trials], classes=found.scheme.classes)


def _past_what_decodes(trial: Trial, n_frames: int) -> Fault:
    """A trial with frames that the video's header claims and that aren't there."""
    return Fault(
        where=trial.path.name,
        expected=f"frames among the {n_frames} that decode",
        got=str(trial.span),
        fix="Repair the video, or remove the trial.",
    )


def _spans(
    found: Discovery, trials: Sequence[Trial], extra: Sequence[Recording], options: TrainOptions
) -> list[TrainSpan]:
    """Where training windows may be cut from."""
    n_frames = options.loss.loss_boundary_tolerance
    labels = [found.labels_of(trial) for trial in trials]
    kept = [without_edges(actions, n_frames) for actions in labels]
    if n_frames:
        n_labelled, n_kept = (sum(int((a != UNSCORED).sum()) for a in group) for group in (labels, kept))
        print(
            f"[info] --loss_boundary_tolerance {n_frames}: {n_labelled - n_kept} of {n_labelled} labelled frames "
            "don't count in the loss"
        )
    return [
        *(TrainSpan(recording=t.recording, span=t.span, actions=a) for t, a in zip(trials, kept, strict=True)),
        *(TrainSpan(recording=r.name, span=FrameRange(0, min(r.n_frames, len(r.xy_px))), actions=None) for r in extra),
    ]


def _extra(found: Discovery, judges: Collection[str], options: TrainOptions) -> list[Recording]:
    """Recordings without annotation that train the keypoint head: none of an animal that judges the model."""
    if not options.learns_from_unlabelled:
        return []
    extra = [recording for recording in found.unlabelled if recording.animal not in judges]
    if extra:
        names = ", ".join(recording.name for recording in extra)
        print(f"[info] {len(extra)} recordings without annotation train the keypoint head alone: {names}")
    if kept_out := [recording.name for recording in found.unlabelled if recording.animal in judges]:
        print(f"[info] not used, since their animals judge the model: {', '.join(kept_out)}")
    return extra


def _usable(found: Discovery, options: TrainOptions) -> Discovery:
    """Without trials that this run can't use; printed are warnings and skips."""
    if options.model.needs.only_with_pose:
        found = found.with_pose()
    tell_warnings(found)
    require_trials(found)
    tell_skips(found)
    return found


def _split_of(found: Discovery, options: TrainOptions, kept_out: Sequence[str]) -> Split:
    """The split that was given, or a new one; a leak is said.

    Raises:
        InputError: the given split trains or chooses by an animal that is to be kept out.
    """
    earlier = RunFiles(options.out, options.model.approach).split
    given = earlier if options.machine.resume and earlier.is_file() else options.split.split
    if given is not None:
        split = read_split(given)
        named, there = {*split.train, *split.val, *split.test}, {trial.name for trial in found.trials}
        if missing := sorted(named - there):
            print(f"[warn] {given.name} names trials that are not in the folder: {', '.join(missing)}")
        if left_out := sorted(there - named):
            print(f"[warn] {given.name} does not name these trials, so they are left out: {', '.join(left_out)}")
        _require_kept_out(split, found, kept_out)
    else:
        chosen = make_split(
            found.without_animals(kept_out),
            split_by=options.split.split_by,
            val_share=options.split.val_share,
            seed=options.machine.seed,
        )
        split = replace(chosen, test=tuple(trial.name for trial in found.trials if trial.animal in kept_out))
    if shared := leaks(found, split):
        print(
            f"[warn] LEAK: {', '.join(shared)} are on more than one side of the split, so scores will be higher than "
            "on new animals. Use --split_by animal for numbers to report."
        )
    return split


def _require_kept_out(split: Split, found: Discovery, kept_out: Sequence[str]) -> None:
    """Raise an `InputError` when a split trains or chooses by an animal of --test_animals."""
    used = {trial.animal for side in ("train", "val") for trial in split.trials(found, side)}
    if both := sorted(used & set(kept_out)):
        raise InputError(
            f"--test_animals: expected animals that --split neither trains nor chooses by, got {', '.join(both)}. "
            "Leave one of the two flags out."
        )


def _announce(found: Discovery, split: Split, train_trials: Sequence[Trial], val_trials: Sequence[Trial]) -> None:
    """The guide's lines on what was found."""
    print(f"[info] Found {len(found.trials)} (video, trial) pairs")
    print(f"[info] split by {split.split_by}: validation on {', '.join(sorted({t.animal for t in val_trials}))}")
    print(f"[info] train samples before boosting: {len(train_trials)}")
    print(f"[info] val samples: {len(val_trials)}")
    if kept_out := split.trials(found, "test"):
        animals = ", ".join(sorted({trial.animal for trial in kept_out}))
        print(f"[info] kept out for good: {animals} ({len(kept_out)} trials); score them with evaluate --split test")


def _planner(spans: Sequence[TrainSpan], distribution: Distribution, options: TrainOptions) -> EpochPlanner:
    """The plan of the epochs. Trees are grown from every frame once and follow no plan, so none is announced."""
    threshold, cap = options.loss.rare_threshold_share, options.loss.rare_boost_cap
    print(distribution.as_table("Class Distribution BEFORE boosting", threshold_share=threshold))
    planner = EpochPlanner(
        spans=spans,
        boost_factors=distribution.boost_factors(threshold_share=threshold, cap=cap),
        window_T=options.windows.train_T,
        mirrors=options.augment.aug_hflip,
        seed=options.machine.seed,
    )
    planner = replace(planner, n_repeats=max(1, -(-options.optimiser.min_windows // planner.n_windows)))
    if options.model.approach != "pose_trees":
        _announce_boosting(planner, classes=distribution.classes, threshold_share=threshold)
    return planner


def _announce_boosting(planner: EpochPlanner, *, classes: tuple[str, ...], threshold_share: float) -> None:
    """The guide's lines on rare actions, and its table after boosting."""
    print(f"[info] Boosting rare classes (share < {threshold_share:g})...")
    for action, factor in planner.boost_factors.items():
        print(f"[info] Boosting class '{classes[action]}' by {factor:.1f}x")
    print(f"[info] train samples after boosting: {planner.n_windows}")
    drawn = [window.actions for window in planner.windows(0) if window.actions is not None]
    after = distribution_of(drawn, classes=classes)
    title = "Class Distribution AFTER boosting (windows of the first epoch)"
    print(after.as_table(title, threshold_share=threshold_share))
