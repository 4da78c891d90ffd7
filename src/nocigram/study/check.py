"""Look at all of a data folder before any training: every fault at once."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nocigram.config.commands import CheckOptions
from nocigram.core.errors import InputError
from nocigram.core.files import write_json
from nocigram.core.findings import Finding, worst_first
from nocigram.core.needs import EVERYTHING
from nocigram.data.discover import discover_from, video_files
from nocigram.data.progress import progress_bar
from nocigram.data.records import Discovery
from nocigram.data.scheme_file import read_scheme
from nocigram.pose.alignment import PoseShift
from nocigram.study.checking.files import file_findings
from nocigram.study.checking.labels import label_findings
from nocigram.study.checking.page import as_plain
from nocigram.study.checking.pictures import (
    OnAnimal,
    fit_findings,
    mixed_findings,
    on_animal,
    past_the_end,
    shift_of,
    video_findings,
    where_rows_differ,
)
from nocigram.study.checking.poses import CheckedPose, pose_findings, read_checked, row_findings, side_findings
from nocigram.study.checking.watch import Watched, watch
from nocigram.video.count import n_frames_of
from nocigram.video.probe import VideoInfo, probe


@dataclass(frozen=True, kw_only=True)
class Checked:
    """All that a look at a data folder brought to light."""

    found: Discovery
    findings: list[Finding]
    """Worst first."""
    poses: dict[str, CheckedPose]
    """By recording; those that have a pose."""
    watched: dict[str, Watched]
    """By recording; none where nothing was decoded."""
    shifts: dict[str, PoseShift]
    """By recording, where the pixels could tell it."""
    on_animal: dict[str, OnAnimal]
    """By recording, where the animal was found."""
    likelihood_thr: float
    """At which a keypoint is visible."""

    @property
    def is_usable(self) -> bool:
        """Nothing is unusable."""
        return all(finding.severity != "unusable" for finding in self.findings)


def check(options: CheckOptions) -> Checked:
    """Find every fault of a data folder; each video is decoded once, or not at all with `quick`.

    Raises:
        InputError: a folder is missing, or a table or option contradicts itself. Faults of files are findings.
    """
    data, videos = options.data, video_files(options.videos)
    # who gives --fps has recordings without a video
    needs = replace(EVERYTHING, pixels=data.fps is None)
    found = discover_from(data, scheme=read_scheme(data.actions), needs=needs)
    poses = {
        name: pose
        for name, recording in found.recordings.items()
        if (pose := read_checked(recording, data)) is not None
    }
    watched = {} if options.quick else _watched(videos, found)
    shifts = {name: shift for name, film in watched.items() if (shift := _maybe(shift_of, poses, name, film))}
    on = {name: lies for name, film in watched.items() if (lies := _maybe(on_animal, poses, name, film))}
    findings = [
        *file_findings(data, found, videos=videos),
        *label_findings(found, split=options.split),
        *past_the_end(found, watched),
        *side_findings(poses),
        *mixed_findings(found.recordings),
        *_no_trials(found, is_asked=options.annotations is not None),
    ]
    for pose in poses.values():
        findings += pose_findings(pose, trials=[t.span for t in found.trials if t.recording == pose.recording.name])
        findings += _fit_findings(pose, watched, shifts, on)
    for name, film in watched.items():
        findings += video_findings(name, _info_of(name, found, videos), film)
    return Checked(
        found=found,
        findings=worst_first(findings),
        poses=poses,
        watched=watched,
        shifts=shifts,
        on_animal=on,
        likelihood_thr=data.kp_likelihood_thr,
    )


def _maybe(
    test: Callable[[CheckedPose, Watched], Any], poses: dict[str, CheckedPose], name: str, watched: Watched
) -> Any:
    """A test of pose and picture; None without a pose."""
    return test(poses[name], watched) if name in poses else None


def _watched(videos: list[Path], found: Discovery) -> dict[str, Watched]:
    """Every video that opens, decoded; also one whose pose can't be used."""
    infos: dict[str, tuple[VideoInfo, int]] = {}
    for video in videos:
        try:
            info = probe(video)
            infos[video.stem] = (info, n_frames_of(info))
        except InputError:
            continue  # it is among what was skipped
    watched = {}
    with progress_bar("Videos", total=sum(n for _, n in infos.values()), unit="frames") as advance:
        for name, (info, n_frames) in infos.items():
            watched[name] = watch(info, n_frames=n_frames, recording=found.recordings.get(name), advance=advance)
    return watched


def _info_of(name: str, found: Discovery, videos: list[Path]) -> VideoInfo:
    """What a video says about itself, whether its recording can be used or not."""
    recording = found.recordings.get(name)
    return recording.video if recording else probe(next(video for video in videos if video.stem == name))


def _fit_findings(
    pose: CheckedPose, watched: dict[str, Watched], shifts: dict[str, PoseShift], on: dict[str, OnAnimal]
) -> list[Finding]:
    """Whether the pose of one recording fits its video."""
    recording = pose.recording
    name, findings = recording.name, list[Finding]()
    if recording.info is not None:
        film = watched.get(name)
        is_counted = film is not None and film.broken is None and film.other_size is None
        n_frames = film.n_frames if film is not None and is_counted else recording.n_frames
        where = where_rows_differ(shifts.get(name), is_decoded=film is not None)
        findings += row_findings(pose, n_frames=n_frames, is_decoded=is_counted, where_it_lies=where)
    return [*findings, *fit_findings(pose, shifts.get(name), on.get(name))]


def _no_trials(found: Discovery, *, is_asked: bool) -> list[Finding]:
    """Nothing to learn from."""
    if found.trials:
        return []
    return [
        Finding(
            severity="unusable" if is_asked else "note",
            kind="no_trials",
            where="annotations",
            expected="a trial that can be used",
            got="none",
            fix="Mend what is listed here, or give the folder of prediction_<video name>_<n>.csv as --annotations.",
        )
    ]


def write_check(checked: Checked, *, json: Path | None = None, out: Path | None = None) -> list[str]:
    """Write check.json, and with `out` the figures; what was written, a line each."""
    written = []
    for path in (json, None if out is None else out / "check.json"):
        if path is not None:
            write_json(path, as_plain(checked))
            written.append(str(path))
    if out is not None:
        from nocigram.study.checking.figures import write_figures  # matplotlib is only paid for here

        written += write_figures(checked, out, likelihood_thr=checked.likelihood_thr)
    return written
