"""One fault at a time, put into a small simulated study that has none."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pytest

from nocigram.config.commands import CheckOptions
from nocigram.core.errors import InputError
from nocigram.core.findings import FileKind, Finding, LabelKind, PoseKind, VideoKind
from nocigram.simulation import simulate
from nocigram.study.check import Checked, check, write_check
from nocigram.study.checking.page import as_plain, as_text
from nocigram.study.checking.pictures import video_findings
from nocigram.video.decode import decode
from nocigram.video.encode import VideoWriter

ROOT = Path(__file__).resolve().parents[3]
N_TRIALS, SIZE_PX = 2, 160
N_FRAMES = 360 * N_TRIALS


@pytest.fixture(scope="module", autouse=True)
def few_samples() -> Iterator[None]:
    """Finding the animal takes most of the time, and some frames say as much as many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nocigram.study.checking.watch._N_SAMPLES", 20)
        yield


class Study:
    """A copy of the simulated study, and ways to spoil it. Recording 0 is the one that is spoilt."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.videos, self.annotations = folder / "Videos", folder / "Annotations"
        self.names = sorted(path.stem for path in self.videos.glob("*.mp4"))
        self.video = self.videos / f"{self.names[0]}.mp4"
        self.pose = next(self.videos.glob(f"{self.names[0]}DLC*.csv"))
        self.label = self.annotations / f"prediction_{self.names[0]}.mp4_1.csv"

    def check(self, **options: object) -> Checked:
        """Look at it; without decoding unless it is asked for."""
        told = {"quick": True, "annotations": self.annotations, **options}
        return check(CheckOptions(videos=self.videos, **told))

    def edit_pose(self, change: Callable[[np.ndarray], np.ndarray | None]) -> None:
        """Change the rows (T, 18) of x, y and likelihood: mouth, four paws (left front first), tail base."""
        header = self.pose.read_text().splitlines()[:3]
        table = pd.read_csv(self.pose, skiprows=3, header=None).to_numpy()[:, 1:]
        changed = change(table)
        table = table if changed is None else changed
        rows = [f"{row}," + ",".join(f"{cell:.4f}" for cell in cells) for row, cells in enumerate(table)]
        self.pose.write_text("\n".join([*header, *rows]) + "\n")

    def edit_label(self, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
        """Change the table of the first trial."""
        change(pd.read_csv(self.label)).to_csv(self.label, index=False)

    def film(self, frames: list[int], *, pts: list[int] | None = None, size: int = SIZE_PX, fps: float = 30.0) -> None:
        """Write the video again with some of its frames."""
        pictures = [frame.pixels[0].copy() for frame in decode(self.video, grey=True)]
        with VideoWriter(self.video, width_px=size, height_px=size, fps=fps) as writer:
            for at, frame in enumerate(frames):
                writer.write(pictures[frame][:size, :size], pts=None if pts is None else pts[at])


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three animals, two trials each."""
    folder = tmp_path_factory.mktemp("sound")
    simulate(folder, n_animals=3, n_trials=N_TRIALS, seed=4, size_px=SIZE_PX)
    return folder


@pytest.fixture
def study(simulated: Path, tmp_path: Path) -> Study:
    """A copy to spoil."""
    shutil.copytree(simulated, tmp_path / "study")
    return Study(tmp_path / "study")


def grave(checked: Checked) -> list[Finding]:
    """All but notes."""
    return [finding for finding in checked.findings if finding.severity != "note"]


@pytest.fixture(scope="module")
def sound(simulated: Path) -> Checked:
    """The study as it was simulated, looked at in full."""
    return Study(simulated).check(quick=False)


def test_a_sound_study_has_neither_unusable_nor_suspicious_findings(sound):
    assert grave(sound) == []
    assert sound.is_usable
    for name in sound.found.recordings:
        assert sound.on_animal[name].share > 0.9
        assert sound.shifts[name].n_frames == 0


def shifted(rows: int) -> Callable[[np.ndarray], np.ndarray]:
    """Every row this many frames later, the length kept."""
    return lambda table: table[np.clip(np.arange(len(table)) - rows, 0, len(table) - 1)]


def swap_hind(table: np.ndarray, start: int, stop: int) -> None:
    """Left and right hind paw in each other's columns; sure of it."""
    table[start:stop, 9:15] = table[start:stop, [12, 13, 14, 9, 10, 11]]


def cut(table: np.ndarray, frame: int) -> None:
    """Everything is elsewhere from a frame on, and the body rests around it."""
    table[frame - 2 : frame + 2] = table[frame - 2]
    table[frame - 2 : frame + 2, 2::3] = 1.0
    table[frame:, 0::3] += 20


def jump(table: np.ndarray) -> None:
    """The tail base is away in every sixth frame, the left hind paw in another."""
    table[3::6, 15] += SIZE_PX
    table[5::6, 9] += SIZE_PX


def rename_keypoint(study: Study) -> None:
    study.pose.write_text(study.pose.read_text().replace("L_hindpaw", "elbow"))


def second_pose(study: Study) -> None:
    shutil.copy(study.pose, study.pose.with_name(study.pose.name.replace("resnet50", "resnet101")))


def same_pose(study: Study) -> None:
    (other,) = study.videos.glob(f"{study.names[1]}DLC*.csv")
    other.write_bytes(study.pose.read_bytes())


def overlapping(study: Study) -> None:
    path = study.folder / "recordings.csv"
    table = pd.read_csv(path)
    rows = table.index[(table.recording == study.names[0]) & (table.trial == 2)]
    table.loc[rows, ["start", "stop", "stim_frame"]] -= 100
    table.to_csv(path, index=False)


def edit_table(column: str, value: object) -> Callable[[Study], None]:
    def change(study: Study) -> None:
        path = study.folder / "recordings.csv"
        table = pd.read_csv(path)
        row = table.index[table.recording == study.names[0]][0]
        table[column] = table[column].astype(object)
        table.loc[row, column] = value
        table.to_csv(path, index=False)

    return change


HAND_LABELS = "scorer,x,x\nbodyparts,a,a\ncoords,x,y\nimg0.png,1,2\n"
QUICK = [
    pytest.param(
        lambda s: s.film([*range(N_FRAMES)], fps=25.0),
        "suspicious frame_rate_differs: 30 frames a second as in 2 of 3 recordings, got 25 frames a second",
        id="another frame rate than the others",
    ),
    pytest.param(
        lambda s: s.film([*range(N_FRAMES)], size=128),
        "note size_differs: 160x160 px as in 2 of 3 recordings, got 128x128 px",
        id="another size than the others",
    ),
    pytest.param(
        lambda s: s.video.write_bytes(b""),
        "unusable recording_unusable: a video, got an empty file",
        id="an empty video",
    ),
    pytest.param(
        lambda s: s.video.write_bytes(s.video.read_bytes()[:5000]),
        "unusable recording_unusable: a video, got 'Invalid data",
        id="a truncated mp4",
    ),
    pytest.param(
        lambda s: s.video.write_text("no video\n" * 99),
        "unusable recording_unusable: a video, got",
        id="text as a video",
    ),
    pytest.param(second_pose, "unusable recording_unusable: one pose file in", id="two pose files"),
    pytest.param(lambda s: s.pose.write_text(""), "unusable recording_unusable: header rows", id="an empty pose file"),
    pytest.param(
        lambda s: s.edit_label(lambda t: t.drop(index=50)),
        "unusable annotation_unusable: Frame to count 0, 1, 2, ..., got frame 50 missing",
        id="a hole in Frame",
    ),
    pytest.param(
        lambda s: s.edit_label(lambda t: t.replace({"Action": {0: 8}})),
        "unusable annotation_unusable: actions from 0 to 7, got [8]",
        id="an unknown code",
    ),
    pytest.param(
        edit_table("start", 400),
        "unusable annotation_unusable: frames for its",
        id="a span that its rows don't fill",
    ),
    pytest.param(
        lambda s: s.label.rename(s.label.with_name(f"prediction_{s.names[0]}.mp4_3.csv")),
        "unusable annotation_unusable: frames that the recording has, got [720, 1080)",
        id="a trial past the end",
    ),
    pytest.param(
        lambda s: (s.label.unlink(), s.label.symlink_to(s.label.name)),
        "unusable annotation_unusable: a csv with the columns Frame and Action, got ",
        id="an annotation that is a link to itself",
    ),
    pytest.param(
        lambda s: s.label.rename(s.label.with_name("prediction_gone.mp4_1.csv")),
        "unusable annotation_unusable: a recording of its name, got no video named gone.mp4",
        id="an annotation for no video",
    ),
    pytest.param(
        lambda s: s.video.rename(s.folder / "away.mp4"),
        "suspicious pose_without_video: a video of this name",
        id="a pose for no video",
    ),
    pytest.param(
        lambda s: s.video.rename(s.video.with_suffix(".wmv")),
        "suspicious unexpected_file: videos (.mp4",
        id="a video of another format",
    ),
    pytest.param(
        lambda s: (s.videos / "mouse_labels.csv").write_text(",background,groom\n0,1,0\n1,0,1\n"),
        "note other_format: DeepLabCut's csv and h5, prediction_<video name>_<n>.csv, got mouse_labels.csv.",
        id="labels of another tool",
    ),
    pytest.param(
        lambda s: (s.videos / "CollectedData_x.csv").write_text(HAND_LABELS),
        "note unexpected_file: videos (.mp4",
        id="hand labels of DeepLabCut",
    ),
    pytest.param(
        lambda s: (s.videos / "notes.csv").write_text(""), "suspicious empty_file: a file with", id="an empty file"
    ),
    pytest.param(
        lambda s: shutil.copy(s.video, s.videos / "again.mp4"),
        "suspicious same_video: another recording than all others, got the same file",
        id="a video twice",
    ),
    pytest.param(same_pose, "suspicious same_pose: another recording than all", id="a pose twice"),
    pytest.param(overlapping, "suspicious trials_overlap: frames after those of trial 1", id="trials that overlap"),
    pytest.param(
        edit_table("stim_frame", 5000), "suspicious stimulus_outside: a stimulus within", id="a stimulus elsewhere"
    ),
    pytest.param(
        edit_table("recording", "nobody"),
        "suspicious unknown_recording: recordings with a file",
        id="a row for no recording",
    ),
    pytest.param(rename_keypoint, "suspicious keypoint_missing: the keypoints mouth", id="a keypoint missing"),
    pytest.param(
        lambda s: s.edit_pose(lambda t: t[:-7]),
        f"suspicious pose_rows: a row for each of the {N_FRAMES} frames of the header, got {N_FRAMES - 7} rows",
        id="too few rows of pose",
    ),
    pytest.param(
        lambda s: s.edit_pose(lambda t: t * np.r_[np.ones(11), 0.3, np.ones(6)]),
        "suspicious low_likelihood: each keypoint to be visible in at least 50% of the frames, got L_hindpaw in 0%",
        id="a keypoint that is never sure",
    ),
    pytest.param(
        lambda s: s.edit_pose(lambda t: t * np.tile([1, 1, 0], 6) + np.tile([0, 0, 1], 6)),
        "note likelihood_constant: likelihoods that tell",
        id="likelihoods that say nothing",
    ),
    pytest.param(lambda s: s.edit_pose(jump), "suspicious jumps: at most 5% of the visible positions", id="many jumps"),
    pytest.param(
        lambda s: s.edit_pose(lambda t: cut(t, 400)),
        "suspicious body_leaps: the body to move on from where it was a frame before, got 1 frame at which it starts "
        "and stops at once: 400.",
        id="a cut within a trial",
    ),
    pytest.param(
        lambda s: s.edit_pose(lambda t: cut(t, 360)),
        "note body_leaps: one piece of film, got cuts between trials, at 360.",
        id="a cut between trials",
    ),
    pytest.param(
        lambda s: s.edit_pose(lambda t: t * np.tile([2, 2, 1], 6)),
        f"suspicious outside_picture: keypoints within the picture of {SIZE_PX}x{SIZE_PX} px",
        id="a pose of a larger picture",
    ),
    pytest.param(
        lambda s: s.edit_pose(lambda t: swap_hind(t, 100, 200)),
        "suspicious left_right_swapped: L_hindpaw and R_hindpaw to keep their names, got swapped in",
        id="hind paws swapped for three seconds",
    ),
    pytest.param(
        lambda s: s.edit_pose(lambda t: swap_hind(t, 0, N_FRAMES)),
        "suspicious sides_exchanged: L_hindpaw on the same side",
        id="hind paws swapped throughout",
    ),
]


def assert_found(checked: Checked, expected: str) -> None:
    """A finding of this severity and kind begins with these words."""
    head, _, words = expected.partition(": ")
    severity, kind = head.split()
    found = [finding for finding in checked.findings if (finding.severity, finding.kind) == (severity, kind)]
    assert any(f"expected {words}" in str(finding) for finding in found), as_text(checked)
    assert checked.is_usable == all(finding.severity != "unusable" for finding in checked.findings)


@pytest.mark.parametrize(("spoil", "expected"), QUICK)
def test_a_fault_is_found_without_decoding(study, spoil, expected):
    spoil(study)
    checked = study.check()
    assert_found(checked, expected)
    kind = expected.partition(":")[0].split()[1]
    spoilt = {study.names[0], None} if kind not in ("same_video", "same_pose") else {"again", *study.names, None}
    assert {finding.recording for finding in grave(checked)} <= spoilt


def scratched(content: bytes) -> bytes:
    """Zeros in the middle, as a disk may leave them."""
    middle = len(content) // 2
    return content[:middle] + bytes(2000) + content[middle + 2000 :]


FULL = [
    pytest.param(
        lambda s: s.film([*range(600)]),
        "suspicious pose_rows: a row for each of the 600 frames, got 720 rows; by the pixels they part at the end",
        id="a video that stops early",
    ),
    pytest.param(
        lambda s: s.film([*range(3, N_FRAMES)]),
        "suspicious pose_rows: a row for each of the 717 frames, got 720 rows; by the pixels they part at the start",
        id="a video without its first frames",
    ),
    pytest.param(
        lambda s: s.film([*range(360), *range(364, N_FRAMES)]),
        "suspicious pose_shifted: pose row t to show frame t, got row t shows frame t at the start and row t shows "
        "frame t-4 at the end",
        id="frames lost in the middle",
    ),
    pytest.param(
        lambda s: s.edit_pose(shifted(2)),
        "suspicious pose_shifted: pose row t to show frame t, got row t shows frame t-2:",
        id="a pose two frames late",
    ),
    pytest.param(
        lambda s: s.edit_pose(lambda t: np.roll(t, 360, axis=0)),
        "suspicious pose_off_animal: at least 75% of the visible keypoints on the animal",
        id="a pose of another time",
    ),
    pytest.param(
        lambda s: s.edit_pose(lambda t: t + np.tile([40, 0, 0], 6)),
        "suspicious pose_off_animal: at least 75% of the visible keypoints on the animal",
        id="a pose of another crop",
    ),
    pytest.param(
        lambda s: s.video.write_bytes(scratched(s.video.read_bytes())),
        "unusable video_breaks_off: a video that decodes to its end, got '",
        id="a damaged video",
    ),
]


@pytest.mark.parametrize(("spoil", "expected"), FULL)
def test_a_fault_is_found_in_the_pixels(study, spoil, expected):
    for name in study.names[1:]:  # a single recording is enough
        for path in study.folder.glob(f"*/*{name}*"):
            path.unlink()
    table = pd.read_csv(study.folder / "recordings.csv")
    table[table.recording == study.names[0]].to_csv(study.folder / "recordings.csv", index=False)
    spoil(study)
    checked = study.check(quick=False)
    assert_found(checked, expected)
    assert {finding.recording for finding in grave(checked)} == {study.names[0]}


def test_a_dropped_frame_is_found_in_a_video_alone(study):
    study.film([*range(N_FRAMES)], pts=[frame + (frame > 100) for frame in range(N_FRAMES)])
    study.pose.unlink()
    for name in study.names[1:]:
        for path in study.videos.glob(f"{name}*"):
            path.unlink()
    checked = study.check(quick=False, annotations=None, min_frames=1000)
    assert_found(
        checked,
        "suspicious variable_frame_rate: a frame every 33.3 ms, got 1 of 719 intervals from 33.3 ms to 66.7 ms",
    )


@pytest.mark.parametrize(
    ("claimed", "severities"),
    [
        pytest.param(N_FRAMES, [], id="as it says"),
        pytest.param(N_FRAMES + 1, ["note"], id="one fewer than it says"),
        pytest.param(N_FRAMES + 30, ["suspicious"], id="a second fewer than it says"),
        pytest.param(None, [], id="it says nothing"),
    ],
)
def test_frames_are_counted_against_the_header(sound, claimed, severities):
    name, film = next(iter(sound.watched.items()))
    info = replace(sound.found.recordings[name].video, n_frames_header=claimed)
    found = [finding for finding in video_findings(name, info, film) if finding.kind == "frame_count"]
    assert [finding.severity for finding in found] == severities


@pytest.mark.parametrize(
    ("train", "val", "expected"),
    [
        pytest.param("0#1 1#1", "0#2", "suspicious animal_on_both_sides: animal", id="an animal on two sides"),
        pytest.param("0#1 0#2", "1#1 9#1", "suspicious split_names_other_trials: trials of this", id="other trials"),
        pytest.param("0#1", "0#1", "unusable split_unusable: each trial on one side", id="a trial on two sides"),
        pytest.param("0#1 0#2", "1#1 1#2", "note split_leaves_out: every trial on a side", id="trials on no side"),
    ],
)
def test_a_split_is_looked_through(study, train, val, expected):
    names = {
        side: [f"{(*study.names, *'3456789')[int(trial[0])]}#{trial[-1]}" for trial in trials.split()]
        for side, trials in (("train", train), ("val", val))
    }
    path = study.folder / "split.json"
    path.write_text(json.dumps({"split_by": "trial", **names}))
    assert_found(study.check(split=path), expected)


def test_videos_alone_are_no_fault_but_an_empty_folder_is(study, tmp_path):
    for path in study.videos.glob("*.csv"):
        path.unlink()
    checked = study.check(annotations=None)
    assert [finding.kind for finding in checked.findings] == ["no_trials"]
    assert checked.is_usable
    assert not study.check(annotations=tmp_path).is_usable
    (tmp_path / "empty").mkdir()
    nothing = check(CheckOptions(videos=tmp_path / "empty"))
    assert [finding.kind for finding in nothing.findings] == ["no_recordings", "no_trials"]
    assert not nothing.is_usable


def test_a_folder_that_is_a_link_to_itself_is_a_users_error(study, tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(InputError, match=r"loop: expected a folder of annotations, got none"):
        study.check(annotations=tmp_path / "loop")


def test_poses_alone_are_looked_at_where_their_rate_is_given(study):
    for path in study.videos.glob("*.mp4"):
        path.unlink()
    checked = study.check(quick=False, fps=30.0)
    assert grave(checked) == []
    assert list(checked.poses) == study.names
    assert not checked.watched


def test_another_body_is_looked_at_as_its_skeleton_says(study):
    skeleton = study.folder / "skeleton.yaml"
    skeleton.write_text(
        "keypoints: [mouth, tail_base, L_hindpaw, R_hindpaw, ear]\nfront: mouth\nback: tail_base\n"
        "edges: [[mouth, tail_base]]\nangles: [[mouth, tail_base, ear]]\n"
    )
    study.edit_pose(lambda table: swap_hind(table, 100, 200))
    checked = study.check(skeleton=skeleton)
    kinds = {(finding.kind, finding.recording) for finding in grave(checked)}
    assert kinds == {("left_right_swapped", study.names[0]), *(("keypoint_missing", name) for name in study.names)}


def test_the_json_holds_everything_under_keys_that_stay(sound):
    content = json.loads(json.dumps(as_plain(sound), allow_nan=False))
    assert (content["version"], content["usable"]) == (1, True)
    assert list(content) == TOP_KEYS
    assert content["counts"] == {"unusable": 0, "suspicious": 0, "note": len(sound.findings)}
    assert list(content["findings"][0]) == FINDING_KEYS
    (recording, *_), (trial, *_), (action, *_) = (content[key] for key in ("recordings", "trials", "actions"))
    assert list(recording) == RECORDING_KEYS
    assert list(recording["video"]) == ["file", "width_px", "height_px", "grey", "codec"]
    assert list(recording["pose"]) == POSE_KEYS
    assert (recording["frames"], recording["frames_decoded"], recording["pose"]["rows"]) == (N_FRAMES,) * 3
    assert list(trial) == ["recording", "trial", "start", "stop", "stim_frame", "animal", "group", "file"]
    assert list(action) == ["action", "frames", "bouts", "animals"]
    assert sum(row["frames"] for row in content["actions"]) + content["unscored_frames"] == sum(
        row["stop"] - row["start"] for row in content["trials"]
    )


TOP_KEYS = [
    *("version", "nocigram", "usable", "counts", "findings", "recordings", "trials", "actions"),
    *("unscored_frames", "warnings"),
]
FINDING_KEYS = ["severity", "kind", "where", "expected", "got", "fix", "recording", "frames", "time_s"]
RECORDING_KEYS = ["recording", "animal", "group", "frames_per_s", "frames", "frames_decoded", "video", "pose"]
POSE_KEYS = [
    *("file", "rows", "body_length_px", "visible_share", "jump_share", "swapped_share"),
    *("late_by_frames", "late_is_sure", "on_animal_share", "on_animal_share_by_chance"),
]


def test_the_figures_are_written_for_recordings_with_findings_first(sound, tmp_path, monkeypatch):
    monkeypatch.setattr("nocigram.study.checking.figures.MOST_RECORDINGS", 1)
    second = list(sound.found.recordings)[1]
    doubt = Finding(
        severity="suspicious", kind="jumps", where=second, expected="few", got="many", fix="", recording=second
    )
    written = write_check(replace(sound, findings=[*sound.findings, doubt]), out=tmp_path)
    made = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*")}
    assert made == {"check.json", "actions.png", "labels.png", f"traces/{second}.png", f"frames/{second}.png"}
    assert written[-1] == f"{tmp_path / 'frames'}: 1 recording of 3, those with findings first"


@pytest.mark.parametrize("kinds", [FileKind, VideoKind, PoseKind, LabelKind])
def test_every_kind_of_finding_has_its_line_in_the_documentation(kinds):
    page = (ROOT / "docs/check.md").read_text(encoding="utf-8")
    assert [kind for kind in get_args(kinds) if f"| `{kind}` |" not in page] == []
