import json
import re

import h5py
import numpy as np
import pytest

from nocigram.core.errors import InputError
from nocigram.data.formats import format_of
from nocigram.data.formats.jabs_pose import KEYPOINTS

XY = np.arange(6.0).reshape(3, 2)


def read(path):
    return format_of(path).read(path)


def only_track(path):
    (pose,) = read(path)
    (track,) = pose.tracks
    return track


# --- SLEAP project


def test_an_slp_file_gives_each_track_in_the_order_of_the_skeleton(slp_file):
    (pose,) = read(slp_file([(0, 0, 0, True), (0, 0, 1, True), (0, 2, 0, True)], [XY, XY + 10, XY + 20]))
    assert pose.video == "/data/video0.mp4"
    assert [track.individual for track in pose.tracks] == ["a", "b"]
    a, b = pose.tracks
    assert a.names == ("nose", "tail base", "left paw")
    np.testing.assert_array_equal(a.xy_px[[0, 2]], [XY, XY + 20])
    np.testing.assert_array_equal(b.xy_px[0], XY + 10)
    assert np.isnan(a.xy_px[1]).all()
    np.testing.assert_allclose(a.likelihood, [[0.5, 0.6, 0.7], [0, 0, 0], [0.5, 0.6, 0.7]], rtol=1e-6)


def test_what_a_person_placed_wins_over_a_prediction_of_the_same_frame(slp_file):
    for rows in ([(0, 0, 0, True), (0, 0, 0, False)], [(0, 0, 0, False), (0, 0, 0, True)]):
        xy = [XY + 100 * (not predicted) for *_, predicted in rows]
        track = only_track(slp_file(rows, xy, tracks=("a",)))
        np.testing.assert_array_equal(track.xy_px[0], XY + 100)
        np.testing.assert_array_equal(track.likelihood[0], 1)


def test_a_point_that_is_not_visible_is_nan(slp_file):
    track = only_track(slp_file([(0, 0, 0, True)], [XY], tracks=("a",), visible=[[True, False, True]]))
    assert np.isnan(track.xy_px[0, 1]).all()
    assert track.likelihood[0].tolist() == pytest.approx([0.5, 0, 0.7])


def test_old_slp_files_count_from_the_corner_of_the_first_pixel(slp_file):
    track = only_track(slp_file([(0, 0, 0, True)], [XY], tracks=("a",), version=1.0))
    np.testing.assert_array_equal(track.xy_px[0], XY - 0.5)


def test_each_video_of_an_slp_file_is_a_recording(slp_file):
    poses = read(slp_file([(0, 0, 0, True), (1, 1, 0, True)], [XY, XY + 1], tracks=("a",), n_videos=3))
    assert [pose.video for pose in poses] == ["/data/video0.mp4", "/data/video1.mp4"]
    assert [pose.tracks[0].n_frames for pose in poses] == [1, 2]


def test_a_single_animal_needs_no_track(slp_file):
    assert only_track(slp_file([(0, 0, -1, True)], [XY], tracks=())).individual is None


@pytest.mark.parametrize(
    ("rows", "how", "message"),
    [
        pytest.param(
            [(0, 0, -1, True)] * 2,
            {},
            "expected one instance per track and frame, got two of no track in frame 0",
            id="two animals without tracks",
        ),
        pytest.param([(0, 3, 1, True)] * 2, {}, "got two of track 'b' in frame 3", id="two of one track"),
        pytest.param(
            [(0, 0, 0, True)], {"version": 2.0}, "expected an .slp file of version 1, got 2", id="another version"
        ),
        pytest.param(
            [(0, 10**9, 0, True)], {}, "expected frames of a video, got frame 1000000000", id="a frame too far"
        ),
        pytest.param([], {}, "expected frames with instances, got none", id="no frames"),
    ],
)
def test_an_slp_file_that_cant_be_told_is_refused(rows, how, message, slp_file):
    with pytest.raises(InputError, match=message):
        read(slp_file(rows, [XY] * len(rows), **how))


def test_of_very_many_tracks_the_longest_are_read_with_a_note(slp_file):
    rows = [(0, frame, track, True) for frame in range(3) for track in range(25) if frame == 0 or track % 5 == 4]
    (pose,) = read(slp_file(rows, [XY] * len(rows), tracks=[f"t{at}" for at in range(25)]))
    assert pose.notes == ("has 25 tracks, of which the 20 longest are read",)
    assert {"t4", "t9", "t14", "t19", "t24"} <= {track.individual for track in pose.tracks}
    assert len(pose.tracks) == 20


def test_tables_of_an_slp_file_without_their_fields_are_refused(slp_file):
    path = slp_file([(0, 0, 0, True)], [XY])
    with h5py.File(path, "a") as content:
        del content["frames"]
        content["frames"] = np.zeros(3)
    with pytest.raises(InputError, match=r"expected the fields video, frame_idx, .* in 'frames', got others"):
        read(path)


# --- SLEAP analysis

ANALYSIS = {"tracks": np.arange(24.0).reshape(2, 2, 3, 2), "node_names": np.array([b"nose", b"tail", b"paw"]),
            "track_names": np.array([b"a", b"b"])}  # fmt: skip


def test_an_analysis_file_is_read_by_track_axis_node_and_frame(hdf5_file):
    scores = np.full((2, 3, 2), 0.25)
    (pose,) = read(hdf5_file(ANALYSIS | {"point_scores": scores, "video_path": "C:\\data\\mouse.mp4"}))
    assert pose.video == "C:\\data\\mouse.mp4"
    assert [track.individual for track in pose.tracks] == ["a", "b"]
    x, y = ANALYSIS["tracks"][1]
    np.testing.assert_array_equal(pose.tracks[1].xy_px, np.stack((x.T, y.T), axis=-1))
    np.testing.assert_array_equal(pose.tracks[1].likelihood, 0.25)


def test_without_scores_what_is_there_has_likelihood_1(hdf5_file):
    tracks = ANALYSIS["tracks"].copy()
    tracks[0, 0, 1, 0] = np.nan  # x alone
    (pose,) = read(hdf5_file(ANALYSIS | {"tracks": tracks}))
    assert pose.tracks[0].likelihood.tolist() == [[1, 0, 1], [1, 1, 1]]
    assert np.isnan(pose.tracks[0].xy_px[0, 1]).all()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        pytest.param(
            {"tracks": np.zeros((2, 3, 3, 2))},
            r"tracks of shape \(tracks, 2, 3, frames\), got \(2, 3, 3, 2\)",
            id="three dimensions",
        ),
        pytest.param(
            {"point_scores": np.zeros((2, 2))}, r"point_scores of shape \(2, 3, 2\)", id="scores that don't fit"
        ),
        pytest.param({"tracks": np.zeros((0, 2, 3, 2))}, "expected at least one track, got none", id="no track"),
        pytest.param(
            {"tracks": np.zeros((1, 2, 3, 0))}, "keypoints in at least one frame, got 3 keypoints in 0", id="no frame"
        ),
        pytest.param(
            {"node_names": np.array([b"a", b"a", b"b"])}, "expected each keypoint once, got a, a, b", id="a double"
        ),
    ],
)
def test_an_analysis_file_whose_arrays_dont_fit_is_refused(changed, message, hdf5_file):
    with pytest.raises(InputError, match=message):
        read(hdf5_file(ANALYSIS | changed))


# --- NWB

NWB = {"session_description": "s", "processing/behavior/PoseEstimation/scorer": "DLC"}
WHERE = "processing/behavior/PoseEstimation"


def nwb(*names, n_frames=4, where=WHERE, **more):
    """Data sets and attributes of a container with some keypoints."""
    datasets, attributes = dict(NWB), {where: {"neurodata_type": "PoseEstimation"}}
    for at, name in enumerate(names):
        datasets |= {f"{where}/{name}/data": np.arange(2.0 * n_frames).reshape(n_frames, 2) + 100 * at,
                     f"{where}/{name}/confidence": np.full(n_frames, 0.5 + at / 10),
                     f"{where}/{name}/timestamps": np.arange(n_frames) / 30}  # fmt: skip
        attributes[f"{where}/{name}"] = {"neurodata_type": "PoseEstimationSeries"}
    return datasets | more, attributes


def test_an_nwb_file_gives_keypoints_in_the_order_of_its_nodes(hdf5_file):
    datasets, attributes = nwb("a", "b")
    datasets |= {f"{WHERE}/nodes": ["b", "a"], f"{WHERE}/original_videos": ["/data/cam.mp4"],
                 "general/subject/subject_id": "M7"}  # fmt: skip
    (pose,) = read(hdf5_file(datasets, attributes=attributes))
    assert (pose.video, pose.animal, pose.notes) == ("/data/cam.mp4", "M7", ())
    (track,) = pose.tracks
    assert (track.names, track.individual) == (("b", "a"), None)
    np.testing.assert_array_equal(track.xy_px[:, 1], np.arange(8.0).reshape(4, 2))
    np.testing.assert_allclose(track.likelihood[0], [0.6, 0.5], rtol=1e-6)


def test_of_two_cameras_the_user_has_to_say_which_is_meant(hdf5_file):
    datasets, attributes = nwb("a")
    (pose,) = read(hdf5_file(datasets | {f"{WHERE}/original_videos": ["l.mp4", "r.mp4"]}, attributes=attributes))
    assert pose.video is None
    assert pose.notes == ("of the videos l.mp4, r.mp4: say which with --video",)


def test_containers_of_one_video_are_animals_and_those_of_several_recordings(hdf5_file):
    datasets, attributes = nwb("a")
    for name, video in (("second", "one.mp4"), ("third", "two.mp4")):
        more, of_more = nwb("a", where=f"processing/behavior/{name}")
        datasets |= more | {f"processing/behavior/{name}/original_videos": [video]}
        attributes |= of_more
    poses = read(hdf5_file(datasets | {f"{WHERE}/original_videos": ["one.mp4"]}, attributes=attributes))
    assert [(pose.video, [track.individual for track in pose.tracks]) for pose in poses] == [
        ("one.mp4", ["PoseEstimation", "second"]),
        ("two.mp4", ["third"]),
    ]


def test_a_file_that_claims_that_y_points_up_is_read_as_it_is_with_a_note(hdf5_file):
    datasets, attributes = nwb("a", **{f"{WHERE}/a/reference_frame": "(0,0) is the bottom left corner"})
    (pose,) = read(hdf5_file(datasets, attributes=attributes))
    assert "says '(0,0) is the bottom left corner'; y is taken to point down all the same" in pose.notes[0]


@pytest.mark.parametrize(
    ("datasets", "message"),
    [
        pytest.param(nwb(), "PoseEstimation: expected keypoints, got a PoseEstimation without any", id="no keypoints"),
        pytest.param(
            nwb("a", **{f"{WHERE}/a/data": np.zeros((4, 3))}),
            r"keypoint 'a' of shape \(frames, 2\), in pixels, got \(4, 3\)",
            id="three dimensions",
        ),
        pytest.param(
            nwb("a", "b", **{f"{WHERE}/b/data": np.zeros((3, 2))}), r"equal length, got \[3, 4\]", id="lengths"
        ),
        pytest.param(
            nwb("a", **{f"{WHERE}/a/timestamps": np.array([0, 0.1, 0.2, 0.7])}),
            "got 0.500 s between rows 2 and 3, where 0.100 s are usual",
            id="frames left out",
        ),
        pytest.param((dict(NWB), {}), "expected a PoseEstimation in 'processing', got none", id="no pose"),
    ],
)
def test_an_nwb_file_without_a_pose_in_every_frame_is_refused(datasets, message, hdf5_file):
    datasets, attributes = datasets
    with pytest.raises(InputError, match=message):
        read(hdf5_file(datasets, attributes=attributes, name="mouse.nwb"))


def test_a_pose_that_cant_be_read_keeps_no_other_from_being_read(hdf5_file):
    datasets, attributes = nwb("a")
    more, and_more = nwb(
        "a", where="processing/behavior/second", **{"processing/behavior/second/a/data": np.zeros((4, 3))}
    )
    (pose,) = read(hdf5_file(datasets | more, attributes=attributes | and_more))
    assert [track.individual for track in pose.tracks] == ["PoseEstimation"]
    assert "without what can't be read: " in pose.notes[0]
    assert "got (4, 3)" in pose.notes[0]


# --- JABS

K = len(KEYPOINTS)


def test_jabs_v2_stores_y_before_x(hdf5_file):
    points = np.arange(3 * K * 2, dtype=np.uint16).reshape(3, K, 2)
    confidence = np.full((3, K), 0.5, dtype=np.float32)
    confidence[1, 4] = 0
    track = only_track(hdf5_file({"poseest/points": points, "poseest/confidence": confidence}))
    assert (track.names, track.individual) == (KEYPOINTS, None)
    np.testing.assert_array_equal(track.xy_px[0], points[0, :, ::-1])
    assert np.isnan(track.xy_px[1, 4]).all()


def two_mice(**more):
    """Two instances per frame, which change places in frame 1."""
    points = np.zeros((3, 2, K, 2), dtype=np.uint16)
    points[[0, 1, 2], [0, 1, 0]] = 10
    points[[0, 1, 2], [1, 0, 1]] = 20
    return {"poseest/points": points, "poseest/confidence": np.ones((3, 2, K), dtype=np.float32)} | {
        f"poseest/{name}": value for name, value in more.items()
    }


def test_jabs_v3_has_tracks_the_longest_first(hdf5_file):
    ids = np.array([[5, 3], [3, 5], [5, 9]], dtype=np.uint32)
    counts = np.array([2, 2, 1], dtype=np.uint8)  # the second instance of the last frame is nobody's
    (pose,) = read(hdf5_file(two_mice(instance_track_id=ids, instance_count=counts)))
    assert [track.individual for track in pose.tracks] == ["track_5", "track_3"]
    five, three = pose.tracks
    assert (five.xy_px == 10).all()
    assert (three.xy_px[:2] == 20).all()
    assert np.isnan(three.xy_px[2]).all()


def test_jabs_from_v4_on_has_identities_whatever_version_it_claims(hdf5_file):
    ids = np.array([[2, 1], [1, 2], [2, 0]], dtype=np.uint32)
    mask = np.array([[0, 0], [0, 0], [0, 1]], dtype=np.int8)
    tracks = {"instance_track_id": ids + 50, "instance_count": np.full(3, 2, dtype=np.uint8)}
    path = hdf5_file(
        two_mice(instance_embed_id=ids, id_mask=mask, **tracks), attributes={"poseest": {"version": [3, 0]}}
    )
    (pose,) = read(path)
    assert [track.individual for track in pose.tracks] == ["identity_0", "identity_1"]
    assert (pose.tracks[1].xy_px == 10).all()
    assert np.isnan(pose.tracks[0].xy_px[2]).all()


@pytest.mark.parametrize(
    ("datasets", "message"),
    [
        pytest.param(
            {"poseest/points": np.zeros((3, 5, 2)), "poseest/confidence": np.zeros((3, 5))},
            r"points of shape \(frames, animals, 12, 2\), got \(3, 5, 2\)",
            id="other keypoints",
        ),
        pytest.param(
            {"poseest/points": np.zeros((3, K, 2))},
            "expected a data set 'confidence' in '/poseest', got none",
            id="no confidence",
        ),
        pytest.param(
            two_mice(),
            r"expected instance_track_id \(v3\) or instance_embed_id \(v4 and later\), got neither",
            id="an unknown version",
        ),
        pytest.param(
            two_mice(instance_track_id=np.zeros((3, 1)), instance_count=np.zeros(3)),
            r"identities of shape \(3, 2\), got \(3, 1\)",
            id="tracks that don't fit",
        ),
        pytest.param(
            two_mice(instance_track_id=np.zeros((3, 2)), instance_count=np.zeros(3)),
            "expected at least one animal, got none",
            id="nobody",
        ),
    ],
)
def test_a_jabs_file_of_another_layout_is_refused(datasets, message, hdf5_file):
    with pytest.raises(InputError, match=message):
        read(hdf5_file(datasets))


# --- DeepLabCut and Lightning Pose

LIGHTNING = [
    "scorer,heatmap,heatmap,heatmap",
    "bodyparts,paw,paw,paw",
    "coords,x,y,likelihood",
    "0,1,2,0.5",
    "1,3,4,0.6",
]


def test_predictions_of_lightning_pose_are_read_as_deeplabcuts(text_file):
    (pose,) = read(text_file(LIGHTNING, name="mouse.csv"))
    assert pose.video is None
    assert pose.tracks[0].xy_px.tolist() == [[[1, 2]], [[3, 4]]]


def test_every_animal_of_a_multi_animal_file_is_a_track(text_file):
    lines = [
        LIGHTNING[0] + ",h,h,h",
        "individuals,a,a,a,b,b,b",
        "bodyparts" + ",paw" * 6,
        "coords" + ",x,y,likelihood" * 2,
        "0,1,2,0.5,3,4,0.6",
    ]
    (pose,) = read(text_file(lines, name="mouseDLC_net.csv"))
    assert pose.video == "mouse"
    assert [(track.individual, track.xy_px[0, 0].tolist()) for track in pose.tracks] == [("a", [1, 2]), ("b", [3, 4])]


@pytest.mark.parametrize("row", ["labeled-data/img01.png,1,2", "labeled-data,mouse,img001.PNG,1,2"])
def test_hand_labels_of_pictures_are_no_recording(row, text_file):
    lines = ["scorer,rick,rick", "bodyparts,paw,paw", "coords,x,y", row]
    with pytest.raises(InputError, match=r"got hand labels of pictures such as .*img.*\.(png|PNG). Give the csv"):
        read(text_file(lines, name="CollectedData.csv"))


# --- all of HDF5


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("kind", ["analysis", "slp", "jabs", "nwb"])
def test_a_file_that_was_cut_off_is_refused_in_one_line(kind, share, hdf5_file, slp_file):
    datasets, attributes = nwb("a", n_frames=400)
    path = {
        "analysis": lambda: hdf5_file(ANALYSIS | {"tracks": np.ones((1, 2, 3, 400))}),
        "slp": lambda: slp_file([(0, at, 0, True) for at in range(50)], [XY] * 50),
        "jabs": lambda: hdf5_file({"poseest/points": np.ones((99, K, 2)), "poseest/confidence": np.ones((99, K))}),
        "nwb": lambda: hdf5_file(datasets, attributes=attributes),
    }[kind]()
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(
        InputError, match=re.escape(path.name) + ": expected an HDF5 file that is whole, got '"
    ) as caught:
        read(path)
    assert "\n" not in str(caught.value)


def test_json_within_an_slp_file_may_be_broken(slp_file):
    path = slp_file([(0, 0, 0, True)], [XY])
    with h5py.File(path, "a") as content:
        content["metadata"].attrs["json"] = np.bytes_(json.dumps({"nodes": []}))
    with pytest.raises(InputError, match="a skeleton, tracks and videos as SLEAP stores them, got ''skeletons''"):
        read(path)
