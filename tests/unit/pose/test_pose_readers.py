import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tables

from nocigram.core.errors import InputError
from nocigram.pose.readers import read_pose

SCORER = "DLC_resnet50_pawtrackingMay7shuffle1_500000"
HEADER = ["scorer,s,s,s,s,s,s", "bodyparts,mouth,mouth,mouth,tail,tail,tail", "coords,x,y,likelihood,x,y,likelihood"]
TWO_MICE = [
    HEADER[0],
    "individuals,black,black,black,white,white,white",
    "bodyparts,nose,nose,nose,nose,nose,nose",
    HEADER[2],
]
ROWS = ["0,1,2,0.5,3,4,0.6", "1,5,6,0.7,7,8,0.8"]


@pytest.fixture
def pose_file(tmp_path):
    def write(lines, name="mouse3.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes("\n".join([*lines, ""]).encode(encoding))
        return path

    return write


def test_a_csv_of_one_animal(pose_file):
    track = read_pose(pose_file(HEADER + ROWS))
    assert track.names == ("mouth", "tail")
    assert track.individual is None
    assert track.xy_px.tolist() == [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]
    np.testing.assert_allclose(track.likelihood, [[0.5, 0.6], [0.7, 0.8]])


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(["scorer,s,s.1,s.2,s.3,s.4,s.5", *HEADER[1:], *ROWS], id="scorers numbered by pandas"),
        pytest.param([HEADER[0], HEADER[1], "coords,y,likelihood,x,x,y,likelihood",
                      "0,2,0.5,1,3,4,0.6", "1,6,0.7,5,7,8,0.8"], id="columns in another order"),
        pytest.param([*HEADER, *(f" {row}".replace(",", " , ") for row in ROWS)], id="blanks around the cells"),
        pytest.param([*HEADER, "frame,,,,,,", *ROWS], id="a row for the index's name"),
        pytest.param([*HEADER, ROWS[0].replace("0,1", "0.0,1"), ROWS[1]], id="frames written as decimals"),
        pytest.param([line + "\r" for line in HEADER + ROWS], id="lines ended as on Windows"),
        pytest.param([*HEADER, *ROWS, "", ",,,,,,", " "], id="empty rows at the end"),
    ],
)  # fmt: skip
def test_a_csv_written_otherwise_is_the_same_track(lines, pose_file):
    track, plain = read_pose(pose_file(lines)), read_pose(pose_file(HEADER + ROWS, "plain.csv"))
    assert track.names == plain.names
    np.testing.assert_array_equal(track.xy_px, plain.xy_px)
    np.testing.assert_array_equal(track.likelihood, plain.likelihood)


def test_a_byte_order_mark_is_no_part_of_the_header(pose_file):
    assert read_pose(pose_file(HEADER + ROWS, encoding="utf-8-sig")).n_frames == 2


@pytest.mark.parametrize(
    "cells",
    [
        pytest.param("0,,2,0.9,3,4,0.6", id="blank x"),
        pytest.param("0,1,NaN,0.9,3,4,0.6", id="NaN y"),
        pytest.param("0,inf,2,0.9,3,4,0.6", id="infinite x"),
        pytest.param("0,,,,3,4,0.6", id="nothing at all"),
    ],
)
def test_a_position_that_is_no_number_is_nan_with_likelihood_0(cells, pose_file):
    track = read_pose(pose_file([*HEADER, cells, ROWS[1]]))
    assert np.isnan(track.xy_px[0, 0]).all()
    assert track.likelihood[0, 0] == 0
    assert track.xy_px[0, 1].tolist() == [3, 4]


@pytest.mark.parametrize("cell", ["1e300", "1e30", "-2000000"])
@pytest.mark.filterwarnings("error")
def test_a_position_beyond_any_picture_is_no_position(cell, pose_file):
    track = read_pose(pose_file([*HEADER, f"0,{cell},2,0.5,3,4,0.6", ROWS[1]]))
    assert np.isnan(track.xy_px[0, 0]).all()
    assert track.likelihood[0].tolist() == pytest.approx([0, 0.6])


def test_a_blank_likelihood_is_0_and_the_position_stays(pose_file):
    track = read_pose(pose_file([*HEADER, "0,1,2,,3,4,0.6"]))
    assert track.likelihood[0, 0] == 0
    assert track.xy_px[0, 0].tolist() == [1, 2]


def test_an_empty_first_row_below_four_header_rows_is_a_frame(pose_file):
    track = read_pose(pose_file([*TWO_MICE, "0,,,,,,", ROWS[1]]), individual="white")
    assert track.n_frames == 2
    assert np.isnan(track.xy_px[0]).all()
    assert track.xy_px[1].tolist() == [[7, 8]]


def test_rows_lie_at_the_frame_that_they_name(pose_file):
    track = read_pose(pose_file([*HEADER, ROWS[0], "3" + ROWS[1][1:]]))
    assert track.n_frames == 4
    assert np.isnan(track.xy_px[1:3]).all()
    assert not track.likelihood[1:3].any()
    assert track.xy_px[3, 0].tolist() == [5, 6]


@pytest.mark.parametrize("individual", ["white", "WHITE"])
def test_one_animal_of_several_is_chosen(individual, pose_file):
    track = read_pose(pose_file([*TWO_MICE, *ROWS]), individual=individual)
    assert track.individual == "white"
    assert track.xy_px.tolist() == [[[3, 4]], [[7, 8]]]


def test_the_only_animal_needs_no_choice(pose_file):
    lines = [HEADER[0], "individuals,m1,m1,m1,m1,m1,m1", *HEADER[1:], *ROWS]
    assert read_pose(pose_file(lines)).individual == "m1"


@pytest.mark.parametrize(
    ("lines", "individual", "message"),
    [
        pytest.param(
            [*TWO_MICE, *ROWS], None,
            "mouse3.csv: expected one of its individuals black, white, got no choice. Choose one with --individual.",
            id="several animals and no choice",
        ),
        pytest.param([*TWO_MICE, *ROWS], "grey", "individuals black, white, got grey", id="an animal it doesn't have"),
        pytest.param(["Frame,Action", "0,0"], None, "none that begins with scorer or bodyparts or coords",
                     id="an annotation"),
        pytest.param([""], None, "expected header rows scorer", id="an empty file"),
        pytest.param([HEADER[0], HEADER[2], *ROWS], None, "begins with bodyparts", id="a header row is missing"),
        pytest.param([*HEADER[:2], "coords,x,y,likelihood,x,y", *ROWS], None,
                     "rows of equal length, got 6 bodyparts, 5 coords",
                     id="header rows of different length"),
        pytest.param([*HEADER[:2], "coords,x,y,likelihood,x,y,y", *ROWS], None,
                     "keypoint 'tail': expected one column each of x, y and likelihood, got x, y, y",
                     id="hand labels without likelihood"),
        pytest.param(HEADER, None, "expected a row per frame, got no rows below the header", id="no rows"),
        pytest.param([*HEADER, ROWS[0], "1,5,6,high,7,8,0.8"], None, "a number in row 5, column 4, got 'high'",
                     id="a cell that is text"),
        pytest.param([*HEADER, "1" + ROWS[0][1:]], None, "the first frame to be 0, got 1", id="counting from one"),
        pytest.param([*HEADER, ROWS[0], ROWS[0]], None, "frames in rising order, got 0 after 0", id="a frame twice"),
        pytest.param([*HEADER, ROWS[0], "img1.png,5,6,0.7,7,8,0.8"], None,
                     "frame number, got something else in data row 2",
                     id="names of pictures"),
        pytest.param([*HEADER, ROWS[0], ROWS[1] + ",9,9"], None,
                     "expected 7 cells in every row, got 9 in row 5. Write decimal points", id="too many cells"),
        pytest.param([*HEADER, *(row.replace("0.", "0,") for row in ROWS)], None,
                     "expected 7 cells in every row, got 9 in row 4. Write decimal points", id="decimal commas"),
        pytest.param([*HEADER, ROWS[0], "1,5,6"], None,
                     "expected 7 cells in every row, got 3 in row 5. Check that the file was written to its end",
                     id="cut off within a row"),
        pytest.param([line.replace(",", ";") for line in HEADER + ROWS], None,
                     "got cells separated by semicolons. Save it as a csv with commas", id="semicolons"),
        pytest.param([*HEADER, ROWS[0], "99999999" + ROWS[1][1:]], None, "about 2 frames, got frame 99999999",
                     id="a frame beyond reason"),
    ],
)  # fmt: skip
def test_a_csv_that_is_no_pose_file_is_refused(lines, individual, message, pose_file):
    with pytest.raises(InputError, match=message):
        read_pose(pose_file(lines), individual=individual)


def test_all_faulty_keypoints_are_named_at_once(pose_file):
    lines = [*HEADER[:2], "coords,x,y,y,x,y,y", *ROWS]
    with pytest.raises(InputError, match=r"'mouth'[^\n]*\n[^\n]*'tail'"):
        read_pose(pose_file(lines))


@pytest.mark.parametrize(
    ("name", "content"),
    [pytest.param("a.csv", b"\xff\xfe\x00\x81\x8d" * 50, id="csv"), pytest.param("a.h5", b"\x00" * 100, id="h5")],
)
def test_bytes_that_are_something_else_are_refused(name, content, tmp_path):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"{name}: expected"):
        read_pose(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="got nothing there"):
        read_pose(tmp_path / "none.csv")


@pytest.mark.parametrize("individuals", [[], ["black", "white"]], ids=["one animal", "two animals"])
def test_the_h5_twin_gives_the_track_of_the_csv(individuals, tmp_path):
    rng = np.random.default_rng(0)
    levels = [[SCORER], *([individuals] if individuals else []), ["mouth", "tail"], ["x", "y", "likelihood"]]
    names = ["scorer", *(["individuals"] if individuals else []), "bodyparts", "coords"]
    columns = pd.MultiIndex.from_product(levels, names=names)
    data = pd.DataFrame(rng.normal(200, 90, (50, len(columns))), columns=columns)
    data.iloc[4, 0] = np.nan
    data.iloc[0, :] = np.nan
    data.to_csv(tmp_path / "a.csv")
    data.to_hdf(tmp_path / "a.h5", key="df_with_missing", mode="w")
    individual = individuals[1] if individuals else None
    from_csv, from_h5 = (read_pose(tmp_path / name, individual=individual) for name in ("a.csv", "a.h5"))
    assert from_csv.names == from_h5.names
    assert from_csv.individual == from_h5.individual
    np.testing.assert_array_equal(from_csv.xy_px, from_h5.xy_px)
    np.testing.assert_array_equal(from_csv.likelihood, from_h5.likelihood)


def test_hand_labels_in_h5_are_refused(tmp_path):
    columns = pd.MultiIndex.from_product([[SCORER], ["mouth"], ["x", "y"]], names=["scorer", "bodyparts", "coords"])
    index = pd.MultiIndex.from_tuples([("labeled-data", "a", "img1.png"), ("labeled-data", "a", "img2.png")])
    pd.DataFrame(np.ones((2, 2)), columns=columns, index=index).to_hdf(tmp_path / "a.h5", key="df", mode="w")
    with pytest.raises(InputError, match="expected one column each of x, y and likelihood, got x, y"):
        read_pose(tmp_path / "a.h5")


def test_an_h5_table_of_something_else_is_refused(tmp_path):
    pd.DataFrame({"speed": [1.0, 2.0]}).to_hdf(tmp_path / "a.h5", key="speed", mode="w")
    with pytest.raises(InputError, match=r"a.h5: expected column levels bodyparts and coords"):
        read_pose(tmp_path / "a.h5")


class Evil:
    """Makes a file when it is unpickled."""

    def __init__(self, canary):
        self.canary = canary

    def __reduce__(self):
        return os.system, (f"touch '{self.canary}'",)


@pytest.mark.parametrize("where", ["beside the table", "in place of the names", "in the table"])
def test_an_h5_file_from_a_stranger_cant_run_code(where, tmp_path):
    columns = pd.MultiIndex.from_product(
        [[SCORER], ["mouth"], ["x", "y", "likelihood"]], names=["s", "bodyparts", "coords"]
    )
    data, path, canary = pd.DataFrame(np.ones((3, 3)), columns=columns), tmp_path / "a.h5", tmp_path / "canary"
    data.to_hdf(path, key="df_with_missing", mode="w", format="table")
    assert read_pose(path).n_frames == 3
    with tables.open_file(str(path), "a") as file:
        group = file.root.df_with_missing
        if where == "in the table":
            file.remove_node(group.table)
            file.create_vlarray(group, "table", tables.ObjectAtom()).append([Evil(canary)])
        else:
            name = "info" if where == "beside the table" else "non_index_axes"
            group._v_attrs[name] = [Evil(canary)]
    with pytest.raises(InputError, match=r"a\.h5: expected"):
        read_pose(path)
    assert not canary.exists()


def test_a_file_that_may_not_be_read_is_a_users_error(tmp_path, monkeypatch):
    path = tmp_path / "recDLC_x.csv"
    path.touch()

    def refuse(self, *_, **__):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputError, match=r"recDLC_x.csv: expected a pose file, got 'Permission denied'"):
        read_pose(path)
