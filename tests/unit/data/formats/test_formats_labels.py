import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nocigram.core.errors import InputError
from nocigram.data.formats import FORMATS, Skipped, format_of

TABULAR = "Time,Media file path,Total length,FPS,Subject,Behavior,Behavioral category,Comment,Status"
TOP = ["Observation id,obs 1,,,,,,,", ",,,,,,,,", "Media file(s),,,,,,,,", "Player #1,/v/mouse.mp4,,,,,,,", ",,,,,,,,",
       "Time offset (s),0.0,,,,,,,", ",,,,,,,,", "variable,value,,,,,,,", "a,12,,,,,,,", ",,,,,,,,"]  # fmt: skip
AGGREGATED = "Observation id,Media file,Total length,FPS,Subject,Behavior,Behavior type,Start (s),Stop (s),Duration (s)"
NEW_TABULAR = "Observation id,Media duration (s),FPS,Subject,Behavior,Behavior type,Time,Media file name,Image index"
NEW_AGGREGATED = (
    "Observation id,Time offset (s),Media duration (s),FPS (frame/s),Subject,Behavior,Behavior type,Start (s),Stop (s),"
    "Media file name"
)


def mark(time, name, status, subject="m"):
    return f"{time},/v/mouse.mp4,60.0,25.0,{subject},{name},,,{status}"


def read(path):
    return format_of(path).read(path)


def events_of(labels):
    return [(event.subject, event.name, event.start, event.stop) for event in labels.events]


@pytest.fixture
def boris_file(text_file):
    def write(content):
        return text_file([json.dumps(content)], name="study.boris")

    return write


# --- BORIS tables

LICK_AND_FLINCH = [("m", "lick", 1.5, 2.25), ("m", "flinch", 2.0, 2.0)]


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(
            [
                *TOP,
                TABULAR,
                mark("1.500", "lick", "START"),
                mark("2.250", "lick", "STOP"),
                mark("2.000", "flinch", "POINT"),
            ],
            id="tabular, sorted by behaviour",
        ),
        pytest.param(
            [TABULAR, mark(2, "flinch", "POINT"), mark("2.25", "lick", "STOP"), mark("1.5", "lick", "START")],
            id="tabular without the lines on top, out of order",
        ),
        pytest.param(
            [
                AGGREGATED,
                "obs 1,/v/mouse.mp4,60,25,m,lick,STATE,1.5,2.25,0.75",
                "obs 1,/v/mouse.mp4,60,25,m,flinch,POINT,2.0,NA,NA",
            ],
            id="aggregated",
        ),
        pytest.param(
            [
                NEW_TABULAR,
                "obs 1,60,25,m,lick,START,1.5,mouse.mp4,38",
                "obs 1,60,25,m,flinch,POINT,2,mouse.mp4,50",
                "obs 1,60,25,m,lick,STOP,2.25,mouse.mp4,57",
            ],
            id="tabular of BORIS 8",
        ),
        pytest.param(
            [
                NEW_AGGREGATED,
                "obs 1,0.0,60,25,m,lick,STATE,1.5,2.25,mouse.mp4",
                "obs 1,0,60,25,m,flinch,POINT,2.0,2.0,mouse.mp4",
            ],
            id="aggregated of BORIS 8",
        ),
    ],
)
@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_a_boris_table_is_read_whatever_version_wrote_it(lines, separator, text_file):
    (labels,) = read(text_file([line.replace(",", separator) for line in lines], name="events.txt"))
    assert sorted(events_of(labels)) == sorted(LICK_AND_FLINCH)
    assert labels.video.endswith("mouse.mp4")
    assert (labels.unit, labels.length_s, labels.fps, labels.scored) == ("s", 60, 25, None)


def test_a_table_with_a_byte_order_mark_and_windows_lines(text_file):
    lines = [line + "\r" for line in (TABULAR, mark(1, "lick", "START"), mark(2, "lick", "STOP"))]
    (labels,) = read(text_file(lines, encoding="utf-8-sig"))
    assert events_of(labels) == [("m", "lick", 1, 2)]


def test_animals_are_paired_each_for_itself(text_file):
    marks = [("START", "a", 1), ("START", "b", 2), ("STOP", "a", 3), ("STOP", "b", 4)]
    (labels,) = read(text_file([TABULAR, *(mark(at, "lick", kind, who) for kind, who, at in marks)]))
    assert events_of(labels) == [("a", "lick", 1, 3), ("b", "lick", 2, 4)]


def test_an_event_that_ends_where_the_next_of_its_kind_begins(text_file):
    marks = [(1, "START"), (2, "START"), (2, "STOP"), (3, "STOP")]
    (labels,) = read(text_file([TABULAR, *(mark(at, "lick", kind) for at, kind in marks)]))
    assert events_of(labels) == [("m", "lick", 1, 2), ("m", "lick", 2, 3)]


def test_modifiers_are_part_of_the_name_and_each_is_paired_for_itself(text_file, boris_file):
    header = TABULAR.replace("Comment", "Modifiers")
    marks = [(1, "l", "START"), (2, "r", "START"), (3, "l", "STOP"), (4, "r", "STOP"), (5, "", "POINT")]
    (labels,) = read(text_file([header, *(f"{at},/v/a.mp4,60,25,m,paw,,{of},{kind}" for at, of, kind in marks)]))
    assert events_of(labels) == [("m", "paw|l", 1, 3), ("m", "paw|r", 2, 4), ("m", "paw", 5, 5)]
    events = [
        [1, "m", "lick", "l|up", ""],
        [2, "m", "lick", "None", ""],
        [3, "m", "lick", "l|up", ""],
        [4, "m", "lick", "", ""],
    ]
    (labels,) = read(boris_file(boris_project(events)))
    assert events_of(labels) == [("m", "lick|l|up", 1, 3), ("m", "lick", 2, 4)]


def test_no_focal_subject_is_no_subject(text_file):
    (labels,) = read(text_file([TABULAR, mark(1, "flinch", "POINT", "No focal subject")]))
    assert labels.events[0].subject == ""


def test_each_observation_of_a_table_is_read_for_itself(text_file):
    rows = [f"obs {n},/v/mouse{n}.mp4,60,25,m,lick,STATE,{n},{n + 1},1" for n in (1, 2)]
    readings = read(text_file([AGGREGATED, *rows]))
    assert [(each.observation, each.video) for each in readings] == [
        ("obs 1", "/v/mouse1.mp4"),
        ("obs 2", "/v/mouse2.mp4"),
    ]


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        pytest.param([TABULAR, mark(1, "lick", "START")], "'lick' begins at 1 s and doesn't end", id="no end"),
        pytest.param([TABULAR, mark(1, "lick", "STOP")], "'lick' ends without a beginning at 1 s", id="no beginning"),
        pytest.param(
            [TABULAR, mark(1, "lick", "START"), mark(2, "lick", "START")], "'lick' begins twice at 2 s", id="twice"
        ),
        pytest.param(
            [AGGREGATED, *(f"o,/v/{v}.mp4,60,25,m,lick,STATE,1,2,1" for v in "ab")],
            "2 videos one after the other. Give the .boris project.",
            id="two videos",
        ),
    ],
)
def test_an_observation_that_cant_be_told_is_skipped_with_the_reason(lines, reason, text_file):
    (skipped,) = read(text_file(lines))
    assert isinstance(skipped, Skipped)
    assert reason in skipped.reason


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        pytest.param(
            [*TOP[:5], "Time offset (s),2.5,,,,,,,", TABULAR, mark(1, "lick", "POINT")],
            "got a time offset of 2.5 s. Set it to 0",
            id="times moved",
        ),
        pytest.param(
            [TABULAR, mark("0:01", "lick", "POINT")], "expected times in seconds, got '0:01'", id="clock times"
        ),
        pytest.param(
            [TABULAR, mark(-1, "lick", "POINT")], "expected times in seconds, got '-1'", id="before the video"
        ),
        pytest.param(
            [TABULAR, mark(1, "lick", "BEGIN")], "expected START, STOP or POINT, got BEGIN", id="another word"
        ),
        pytest.param([TABULAR], "expected events below the header, got none", id="no events"),
        pytest.param(
            [TABULAR, "1,/v/mouse.mp4,60"], "expected 9 cells in every row, got 1, /v/mouse.mp4, 60", id="cut off"
        ),
    ],
)
def test_a_boris_table_that_is_wrong_is_refused(lines, message, text_file):
    with pytest.raises(InputError, match=message):
        read(text_file(lines))


# --- BORIS project


def boris_project(events, *, files=("/v/a.mp4",), lengths=(), **more):
    observation = {
        "type": "MEDIA", "file": {"1": list(files), "2": []}, "time offset": 0.0, "events": events,
        "media_info": {"length": dict(zip(files, lengths, strict=False)), "fps": dict.fromkeys(files, 25.0)},
    }  # fmt: skip
    conf = {"0": {"code": "lick", "type": "State event"}, "1": {"code": "flinch", "type": "Point event"}}
    return {"project_format_version": "7.0", "behaviors_conf": conf, "observations": {"obs": observation | more}}


def test_state_events_of_a_project_take_turns_and_point_events_stand_alone(boris_file):
    events = [[1, "m", "lick", "", ""], [1.5, "m", "flinch", "", ""], [2, "m", "lick", "", ""]]
    (labels,) = read(boris_file(boris_project(events, lengths=(60,))))
    assert events_of(labels) == [("m", "lick", 1, 2), ("m", "flinch", 1.5, 1.5)]
    assert (labels.video, labels.fps, labels.length_s, labels.names) == ("/v/a.mp4", 25, 60, ("lick", "flinch"))


def test_videos_one_after_the_other_share_one_clock(boris_file):
    events = [[5, "", "lick", "", ""], [12, "", "lick", "", ""], [15, "", "flinch", "", ""]]
    content = boris_project(events, files=("/v/a.mp4", "/v/b.mp4"), lengths=(10, 20))
    content["observations"]["obs"]["observation time interval"] = [4, 14]
    first, second = read(boris_file(content))
    assert (events_of(first), first.scored, first.length_s) == ([("", "lick", 5, 10)], ((4, 10),), 10)
    assert (events_of(second), second.scored) == ([("", "lick", 0, 2), ("", "flinch", 5, 5)], ((0, 4),))


def test_the_interval_of_an_observation_is_what_was_looked_at(boris_file):
    (labels,) = read(boris_file(boris_project([[1, "", "flinch", "", ""]], **{"observation time interval": [0, 30]})))
    assert labels.scored == ((0, 30),)
    (labels,) = read(boris_file(boris_project([[1, "", "flinch", "", ""]], **{"observation time interval": [0, 0]})))
    assert labels.scored is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(boris_project([[1, "", "flinch", "", ""]], type="LIVE", file=[]), "it has no video", id="live"),
        pytest.param(boris_project([]), "it has no events", id="no events"),
        pytest.param(boris_project([[1, "", "lick", "", ""]]), "'lick' begins at 1 s and doesn't end", id="unpaired"),
        pytest.param(boris_project([[1, "", "bite", "", ""]]), "the ethogram lacks: bite", id="an unknown behaviour"),
        pytest.param(
            boris_project([[1, "", "flinch", "", ""]], files=("a", "b")), "lengths BORIS didn't store", id="no lengths"
        ),
        pytest.param(
            boris_project([[1, "", "flinch", "", ""]], **{"time offset": 3}), "a time offset of 3 s", id="an offset"
        ),
    ],
)
def test_an_observation_of_a_project_that_cant_be_used_is_skipped(content, reason, boris_file):
    (skipped,) = read(boris_file(content))
    assert isinstance(skipped, Skipped)
    assert reason in skipped.reason


def test_a_project_of_another_layout_is_refused(boris_file):
    content = boris_project([["now", "", "flinch"]])
    with pytest.raises(InputError, match="expected observations as BORIS 7 and later store them, got"):
        read(boris_file(content))


# --- tables by frames and by time

DEEPETHOGRAM = [",background,lick,walk", "0,1,0,0", "1,0,1,0", "2,0,1,1", "3,-1,-1,-1"]
SIMBA = [",nose_x,nose_y,nose_p,low_prob_1,lick,walk", "0,5,6,1,1,0,0", "1,5,6,1,0,1,0", "2,5,6,1,1,1,1"]


def test_a_deepethogram_row_of_minus_one_is_unlabelled(text_file):
    (labels,) = read(text_file(DEEPETHOGRAM))
    assert events_of(labels) == [("", "background", 0, 1), ("", "lick", 1, 3), ("", "walk", 2, 3)]
    assert (labels.unit, labels.n_frames, labels.scored) == ("frames", 4, ((0, 3),))


def test_behaviours_of_simba_are_the_last_columns_of_0_and_1(text_file):
    (labels,) = read(text_file(SIMBA))
    assert labels.names == ("lick", "walk")
    assert events_of(labels) == [("", "lick", 1, 3), ("", "walk", 2, 3)]
    assert (labels.n_frames, labels.scored) == (3, ((0, 3),))


def test_a_row_of_asoid_lasts_until_the_next_one(text_file):
    (labels,) = read(text_file(["time,lick,other", "0.0,0,1", "0.1,1,0", "0.2,1,0", "0.3,0,1"]))
    assert [event.name for event in labels.events] == ["other", "lick", "other"]
    assert [event.start for event in labels.events] == pytest.approx([0, 0.1, 0.3])
    assert [event.stop for event in labels.events] == pytest.approx([0.1, 0.3, 0.4])
    assert (labels.unit, labels.n_frames) == ("s", None)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        pytest.param(
            [*DEEPETHOGRAM[:2], "1,0,2,0"], "expected 0 or 1 or -1 in column 'lick', got '2' in row 3", id="a 2"
        ),
        pytest.param([*DEEPETHOGRAM[:2], "1,0,,0"], "in column 'lick', got 'nan' in row 3", id="a blank"),
        pytest.param([*DEEPETHOGRAM[:2], "2,0,1,0"], "first column to count 0, 1, 2, ..., got 2 in row 3", id="a hole"),
        pytest.param(DEEPETHOGRAM[:1], "expected rows below the header, got none", id="no rows"),
        pytest.param(
            [*SIMBA[:1], "0,5,6,1,1,0,0.5"], "behaviours with 0 and 1 at the end, got 'walk'", id="features only"
        ),
        pytest.param(
            ["time,lick", "0,1", "0.2,0", "0.1,1"],
            "expected rising times in seconds from 0, got 0.1 in row 4",
            id="time runs back",
        ),
        pytest.param(["time,lick", "0,1"], "expected rising times in seconds from 0, got 0 in row 2", id="one time"),
    ],
)
def test_a_table_with_other_values_is_refused(lines, message, text_file):
    with pytest.raises(InputError, match=message):
        read(text_file(lines))


# --- JABS


def jabs(labels, **more):
    return [json.dumps({"version": 1, "file": "mouse.avi", "num_frames": 100, "labels": labels} | more)]


def test_a_jabs_block_ends_with_its_last_frame(text_file):
    blocks = [{"start": 25, "end": 50, "present": True}, {"start": 60, "end": 60, "present": False}]
    (labels,) = read(text_file(jabs({"0": {"groom": blocks}}), name="mouse.json"))
    assert events_of(labels) == [("identity_0", "groom", 25, 51), ("identity_0", "not groom", 60, 61)]
    assert (labels.video, labels.n_frames, labels.scored) == ("mouse.avi", 100, ())


def test_jabs_labels_before_gaps_of_the_pose_were_cut_out_are_taken_and_animals_have_their_names(text_file):
    whole = {"1": {"groom": [{"start": 0, "end": 9, "present": True}]}}
    lines = jabs({"1": {"groom": []}}, unfragmented_labels=whole, external_identities={"1": "M3"})
    (labels,) = read(text_file(lines))
    assert events_of(labels) == [("M3", "groom", 0, 10)]


def test_predictions_of_jabs_are_present_not_present_or_unknown(hdf5_file):
    classes = np.array([[1, 1, 0, -1]], dtype=np.int8)
    (labels,) = read(hdf5_file({"predictions/groom/predicted_class": classes}))
    assert events_of(labels) == [("identity_0", "groom", 0, 2), ("identity_0", "not groom", 2, 3)]
    assert (labels.scored, labels.notes) == ((), ("what a classifier said, not a person",))
    (old,) = read(hdf5_file({"predictions/predicted_class": classes}))
    assert old.names == ("behavior", "not behavior")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        pytest.param(jabs({}, version=2), "expected an annotation of version 1, got 2", id="another version"),
        pytest.param(
            jabs({"0": {"groom": [{"start": 90, "end": 100, "present": True}]}}),
            "expected blocks within 100 frames, got 'groom' from 90 to 100",
            id="beyond the video",
        ),
        pytest.param(
            jabs({"0": {"groom": [{"start": 1}]}}), "expected labels as JABS stores them, got ''present''", id="a key"
        ),
        pytest.param([jabs({})[0][:-5]], "expected a whole JSON file, got", id="cut off"),
    ],
)
def test_a_jabs_annotation_that_is_wrong_is_refused(lines, message, text_file):
    with pytest.raises(InputError, match=message):
        read(text_file(lines, name="mouse.json"))


# --- recognition


def test_each_format_is_told_by_its_content_alone(text_file, hdf5_file, boris_file):
    files = {
        "BORIS table of events": text_file([TABULAR, mark(1, "flinch", "POINT")], name="a"),
        "DeepEthogram labels": text_file(DEEPETHOGRAM, name="b"),
        "SimBA targets_inserted": text_file(SIMBA, name="c"),
        "A-SOiD labels": text_file(["time,lick", "0,1", "0.1,0"], name="d"),
        "JABS annotation": text_file(jabs({}), name="e"),
        "JABS predictions": hdf5_file({"predictions/predicted_class": np.zeros((1, 1))}, name="f"),
        "BORIS project": boris_file(boris_project([])),
    }
    assert {path.name: format_of(path).name for path in files.values()} == {
        path.name: name for name, path in files.items()
    }
    assert set(files) == {each.name for each in FORMATS if each.kind == "labels"}


@pytest.mark.parametrize(
    "content", [b"just words\n", b"\x89PNG\r\n", b"a,b\n1,2\n", b'{"a": 1}', "Größe,1\n".encode("latin-1"), b"\0\0\0"]
)
def test_a_file_of_no_known_format_is_none(content, tmp_path):
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    assert format_of(path) is None


@pytest.mark.parametrize("content", [b"", b"  \n"])
def test_an_empty_file_is_refused(content, tmp_path):
    path = tmp_path / "events.csv"
    path.write_bytes(content)
    with pytest.raises(
        InputError, match=r"events.csv: expected a file with content, got an empty one. Export it again."
    ):
        format_of(path)


def read_or_refused(path):
    """What is read, and the message of a refusal, or the file's name where there is none."""
    try:
        found = format_of(path)
        return (found.read(path) if found else []), path.name
    except InputError as error:
        return [], str(error)


CELLS = st.sampled_from(
    ["", "0", "1", "-1", "2.5", "nan", "inf", "1e999", "START", "STOP", "POINT", "lick", '"', ",", "\x0b", "ä"]
)
HEADERS = [TABULAR, AGGREGATED, NEW_TABULAR, ",background,lick", SIMBA[0], "time,lick"]


@given(header=st.sampled_from(HEADERS), rows=st.lists(st.lists(CELLS, max_size=10), max_size=6))
def test_a_table_of_anything_is_read_or_refused_but_never_breaks(header, rows, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "fuzzed.csv"
    path.write_text("\n".join([header, *(",".join(row) for row in rows)]), encoding="utf-8")
    found, message = read_or_refused(path)
    assert "fuzzed.csv" in message
    for each in found:
        assert isinstance(each, Skipped) or all(0 <= event.start <= event.stop for event in each.events)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(key=st.sampled_from(["behaviors_conf", "observations", "labels", "num_frames", "file", "version"]), value=VALUES)
def test_json_of_anything_is_read_or_refused_but_never_breaks(key, value, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "fuzzed.json"
    for content in (boris_project([[1, "", "flinch", "", ""]]), json.loads(jabs({})[0])):
        path.write_text(json.dumps(content | {key: value}), encoding="utf-8")
        assert "fuzzed.json" in read_or_refused(path)[1]
