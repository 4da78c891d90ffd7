"""Labels of a simulated study, written as BORIS would and converted back."""

import numpy as np

from nocigram.cli.main import main
from nocigram.core.actions import DEFAULT_SCHEME, UNSCORED
from nocigram.core.bouts import bouts_of
from nocigram.data import discover
from nocigram.data.annotations import read_annotation
from nocigram.video.count import frame_times_s
from nocigram.video.probe import probe

COLUMNS = "Time,Media file path,Total length,FPS,Subject,Behavior,Behavioral category,Comment,Status"


def write_boris(path, video, codes):
    """An export of state events, whose times are those of the frames in milliseconds."""
    times_s = frame_times_s(probe(video))
    edges_s = np.append(times_s, times_s[-1] + np.median(np.diff(times_s)))
    rows = []
    for bout in bouts_of(codes):
        for kind, frame in (("START", bout.span.start), ("STOP", bout.span.stop)):
            name = DEFAULT_SCHEME.names[bout.action].replace("_", " ").title()
            rows.append(f"{edges_s[frame]:.3f},/observer/{video.name},{edges_s[-1]:.3f},30,mouse,{name},,,{kind}")
    path.write_text("\n".join(["Observation id,1", "", COLUMNS, *rows, ""]), encoding="utf-8")


def test_labels_go_through_boris_and_back_without_a_frame_moved(study, tmp_path):
    exported, out = tmp_path / "exported", tmp_path / "converted"
    exported.mkdir()
    truth = {}
    for trial in discover(study.annotations, study.videos).trials:
        video = study.videos / f"{trial.recording}.mp4"
        codes = np.full(len(frame_times_s(probe(video))), UNSCORED)
        codes[trial.start : trial.stop] = trial.actions
        truth[video.name] = codes
        write_boris(exported / f"observation_{len(truth)}.csv", video, codes)
    assert main(["convert", str(exported), "--videos", str(study.videos), "--out", str(out)]) == 0
    for name, codes in truth.items():
        np.testing.assert_array_equal(read_annotation(out / f"Annotations/prediction_{name}_1.csv").actions, codes)
    assert len(truth) == 3
    folders = ["--annotations", str(out / "Annotations"), "--videos", str(study.videos)]
    assert main(["check", *folders, "--actions", str(out / "actions.yaml")]) == 0
    found = discover(out / "Annotations", study.videos, recordings=out / "recordings.csv")
    assert [str(trial.span) for trial in found.trials] == ["[0, 360)"] * 3
    assert not found.skipped
