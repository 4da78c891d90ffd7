"""Whatever a file holds, its reader gives something sound or an `InputError`."""

import json

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from nocigram.config.commands import CompareOptions
from nocigram.config.data import DataOptions
from nocigram.core.errors import InputError
from nocigram.data.annotations import read_annotation
from nocigram.data.recordings_table import read_recordings_table
from nocigram.data.scheme_file import read_scheme
from nocigram.data.split import read_split
from nocigram.pose.readers import read_pose
from nocigram.pose.skeleton_file import read_skeleton
from nocigram.study.compare import rows_of

quick = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
# single numbers and words that readers know, strewn with everything else
CELLS = st.one_of(
    st.sampled_from(
        ["", " ", "0", "1", "-1", "1.0", "1,0", "1e400", "inf", "NaN", "rest", '"', "\0", "\r", "1\n", ";"]
    ),
    st.integers().map(str),
    st.floats().map(str),
    st.text(max_size=6),
)
WORDS = st.sampled_from(["Frame", "Action", "StimFrame", "recording", "trial", "start", "animal"]) | st.sampled_from(
    ["scorer", "bodyparts", "coords", "individuals", "x", "y", "likelihood"]
)
ROWS = st.lists(st.lists(st.one_of(CELLS, WORDS), max_size=5), max_size=8)
PLAIN = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.dates()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.one_of(st.text(max_size=5), st.integers()), inner, max_size=4)
    ),
    max_leaves=12,
)
YAML_KEYS = ["names", "merges", "ignore", "keypoints", "front", "back", "edges", "angles", "paws", "all", "multitask"]
MAPPINGS = st.dictionaries(st.sampled_from(YAML_KEYS), PLAIN, max_size=7)

FLAGS = st.sampled_from(["lr", "epochs", "use_ema", "seed", "gone", "encoder_weights", 1])
OVERRIDES = st.dictionaries(
    st.sampled_from(["all", "multitask", "pose_only", "gone", 3]), st.dictionaries(FLAGS, PLAIN, max_size=3), max_size=3
)


def written(tmp_path, name, content):
    """The file, of text or of bytes."""
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    return path


def joined(rows, *, header=()):
    """Rows as a csv whose cells are not escaped."""
    return "\n".join(",".join(row) for row in [*header, *rows])


def tried(read, *arguments, **options):
    """What a reader gives, None where it refuses in the words of our errors."""
    try:
        return read(*arguments, **options)
    except InputError as error:
        message = str(error)
        assert "expected" in message, message
        assert "got" in message, message
        assert message.rstrip().endswith((".", "!")), message
        return None


@quick
@given(st.one_of(st.binary(max_size=200), st.text(max_size=100), ROWS.map(joined)))
@example(b"Frame,Action\n0,0\n\x00,1\n")
@example('Frame,Action\n0,"0\n1,0\n')
@example("Frame,frame,Action\n0,0,0\n")
def test_labels_are_whole_numbers_or_refused(tmp_path, content):
    annotation = tried(read_annotation, written(tmp_path, "prediction_a.mp4_1.csv", content))
    if annotation is not None:
        assert annotation.frames.shape == annotation.actions.shape
        assert (annotation.actions >= -1).all()


@quick
@given(ROWS)
def test_labels_below_a_good_header_are_whole_numbers_or_refused(tmp_path, rows):
    content = joined(rows, header=[["Frame", "Action", "StimFrame"]])
    annotation = tried(read_annotation, written(tmp_path, "prediction_a.mp4_1.csv", content))
    if annotation is not None:
        assert len(annotation.frames) <= len(content.splitlines())
        assert (annotation.frames >= 0).all()


@quick
@given(st.one_of(st.binary(max_size=200), st.text(max_size=100), ROWS.map(joined)))
@example(b"scorer,a,a,a\nbodyparts,m,m,m\ncoords,x,y,likelihood\n0,\x00,1,1\n")
@example(b"coords,x\nbodyparts,m\nscorer,a\n")
@example(b"\xff\xfes\x00c\x00")
def test_a_pose_csv_is_a_track_or_refused(tmp_path, content):
    track = tried(read_pose, written(tmp_path, "aDLC_x.csv", content))
    assert track is None or np.isfinite(track.likelihood).all()


@quick
@given(ROWS)
def test_rows_below_a_good_pose_header_are_a_track_or_refused(tmp_path, rows):
    header = [["scorer", "a", "a", "a"], ["bodyparts", "m", "m", "m"], ["coords", "x", "y", "likelihood"]]
    content = joined(rows, header=header)
    track = tried(read_pose, written(tmp_path, "aDLC_x.csv", content))
    if track is not None:
        assert track.xy_px.shape == (track.n_frames, 1, 2)
        assert (np.isfinite(track.xy_px).all(axis=-1) | (track.likelihood == 0)).all()


@pytest.mark.parametrize("suffix", [".h5"])
@quick
@given(content=st.one_of(st.binary(max_size=200), st.binary(max_size=200).map(b"\x89HDF\r\n\x1a\n".__add__)))
def test_an_h5_of_any_bytes_is_refused(tmp_path, suffix, content):
    assert tried(read_pose, written(tmp_path, f"aDLC_x{suffix}", content)) is None


@quick
@given(st.one_of(st.binary(max_size=200), ROWS.map(joined)))
@example(b"recording,trial,start\na,1,inf\n")
@example(b"recording,recording\na,b\n")
@example(b"recording,trial\na," + b"9" * 400)
def test_recordings_csv_is_a_table_or_refused(tmp_path, content):
    tried(read_recordings_table, written(tmp_path, "recordings.csv", content), stems={"a": "a"})


@quick
@given(ROWS)
def test_rows_below_a_good_table_header_are_a_table_or_refused(tmp_path, rows):
    header = [["recording", "trial", "start", "stop", "animal"]]
    found = tried(read_recordings_table, written(tmp_path, "recordings.csv", joined(rows, header=header)), stems={})
    if found is not None:
        assert all(row.start is None or row.start >= 0 for row in found.trials.values())


@quick
@given(
    st.one_of(st.binary(max_size=100), st.text(max_size=60), PLAIN.map(yaml.safe_dump), MAPPINGS.map(yaml.safe_dump))
)
@example(b"&a [*a]")
@example(b"? [a]\n: 1\n")
@example(b"!!python/object/apply:os.getcwd []")
@example(b"[" * 400)
@example(b"keypoints: [a, b]\nfront: [a]\nback: {a: b}\nedges: [[a]]\nangles: [[[a]]]\npaws: 3\n")
@example(b"names: [a, b, c]\nmerges: {c: [a]}\nignore: [[a]]\n")
def test_yaml_of_actions_and_bodies_is_read_or_refused(tmp_path, content):
    path = written(tmp_path, "given.yaml", content)
    tried(read_scheme, path)
    tried(read_skeleton, path)


@quick
@given(st.one_of(st.binary(max_size=100), OVERRIDES.map(yaml.safe_dump)))
@example(b"all: {lr: nan}")
@example(b"[" * 400)
def test_yaml_of_overrides_is_read_or_refused(tmp_path, content):
    path = written(tmp_path, "overrides.yaml", content)
    options = CompareOptions(data=DataOptions(annotations=tmp_path, videos=tmp_path), overrides=path)
    tried(rows_of, options)


@quick
@given(st.one_of(st.binary(max_size=100), PLAIN.map(lambda value: json.dumps(value, default=str))))
@example(b'{"split_by": [], "train": [], "val": []}')
@example(b'{"split_by": "animal", "train": [[1]], "val": [{"a": 1}], "test": null}')
@example(b"[" * 100_000)
def test_a_split_is_read_or_refused(tmp_path, content):
    tried(read_split, written(tmp_path, "split.json", content))
