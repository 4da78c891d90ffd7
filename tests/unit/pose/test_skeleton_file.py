"""Another body, from a YAML file and to plain containers; and what is computed for one without paws."""

import json

import pytest
import torch
import yaml
from hypothesis import given
from hypothesis import strategies as st

from nocigram.core.errors import InputError
from nocigram.pose.features import pose_features
from nocigram.pose.kinematics import Kinematics, n_kinematics
from nocigram.pose.motion import motion_features, n_motion_features
from nocigram.pose.skeleton import MOUSE, Skeleton
from nocigram.pose.skeleton_file import read_skeleton

BODY = {
    "keypoints": ["nose", "left_ear", "right_ear", "tail_base"],
    "front": "nose",
    "back": "tail_base",
    "edges": [["nose", "tail_base"], ["left_ear", "right_ear"]],
    "angles": [["nose", "left_ear", "right_ear"]],
}
MISSING = "expected the keys keypoints, front, back, edges, angles and optionally paws, got {}. Add or rename keys."
PAIRS = "edges: lists of 2 different names among the keypoints"
TRIPLES = "angles: lists of 3 different names among the keypoints"


@pytest.fixture
def written(tmp_path):
    """Write a skeleton file: text, or what YAML makes of `content`."""

    def write(content):
        path = tmp_path / "body.yaml"
        path.write_text(
            content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False), encoding="utf-8"
        )
        return path

    return write


def test_a_body_is_read(written):
    assert read_skeleton(written({**BODY, "paws": ["right_ear"]})) == Skeleton(
        names=("nose", "left_ear", "right_ear", "tail_base"),
        front=0,
        back=3,
        edges=((0, 3), (1, 2)),
        angles=((0, 1, 2),),
        paws=(2,),
    )


@pytest.mark.parametrize("paws", [{}, {"paws": []}, {"paws": None}], ids=["left out", "an empty list", "nothing"])
def test_a_body_needs_no_paws(written, paws):
    body = read_skeleton(written(BODY | paws))

    assert (body.paws, body.n_keypoints, body.n_pose_features, body.mirrored) == ((), 4, 4, (0, 2, 1, 3))


def test_names_need_no_latin_letters(written):
    body = {**BODY, "keypoints": ["鼻", "左耳", "右耳", "尾"], "front": "鼻", "back": "尾", "edges": [], "angles": []}

    assert read_skeleton(written(body)).names == ("鼻", "左耳", "右耳", "尾")


def without(key):
    return {name: value for name, value in BODY.items() if name != key}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param("[a", "expected a YAML file, got while parsing", id="no YAML"),
        pytest.param("", "expected the keys keypoints, front, back, edges, angles, got NoneType.", id="empty"),
        pytest.param("[nose]", "expected the keys keypoints, front, back, edges, angles, got list.", id="a list"),
        pytest.param(without("front"), MISSING.format("keypoints, back, edges, angles"), id="a key missing"),
        pytest.param({**BODY, "names": []}, "optionally paws, got keypoints, front", id="an unknown key"),
        pytest.param({**BODY, 3: []}, "optionally paws, got ", id="a key that is no text"),
        pytest.param({**BODY, "keypoints": "nose"}, "keypoints: a list of names, got 'nose'. Write", id="one name"),
        pytest.param({**BODY, "keypoints": [1, 2]}, "keypoints: a list of names, got [1, 2]", id="numbers for names"),
        pytest.param(
            {**BODY, "keypoints": ["nose"]}, "expected at least 2 different keypoints, got nose.", id="one keypoint"
        ),
        pytest.param(
            {**BODY, "keypoints": [*BODY["keypoints"], "Left Ear"]},
            "expected at least 2 different keypoints, got nose, left_ear, right_ear, tail_base, Left Ear. Name each",
            id="one in two spellings",
        ),
        pytest.param({**BODY, "edges": 5}, f"expected {PAIRS}, got 5. Correct the names.", id="edges: a number"),
        pytest.param({**BODY, "edges": None}, f"expected {PAIRS}, got None.", id="edges: nothing"),
        pytest.param({**BODY, "edges": "nose"}, f"expected {PAIRS}, got 'nose'.", id="edges: a name"),
        pytest.param({**BODY, "edges": ["nose"]}, f"expected {PAIRS}, got 'nose'.", id="an edge that is a name"),
        pytest.param({**BODY, "edges": [["nose", "eye"]]}, f"expected {PAIRS}, got ['nose', 'eye'].", id="no keypoint"),
        pytest.param({**BODY, "edges": [["nose", "nose"]]}, f"{PAIRS}, got ['nose', 'nose'].", id="an edge to itself"),
        pytest.param({**BODY, "edges": [["nose"]]}, f"expected {PAIRS}, got ['nose'].", id="an edge of one"),
        pytest.param(
            {**BODY, "angles": [["nose", "tail_base"]]}, f"{TRIPLES}, got ['nose', 'tail_base'].", id="an angle of two"
        ),
        pytest.param({**BODY, "angles": {}}, f"expected {TRIPLES}, got {{}}.", id="angles: a mapping"),
        pytest.param({**BODY, "front": "eye"}, "front: a name among the keypoints, got 'eye'.", id="no such front"),
        pytest.param(
            {**BODY, "back": ["nose"]}, "back: a name among the keypoints, got ['nose'].", id="a list as back"
        ),
        pytest.param(
            {**BODY, "back": "nose"}, "another keypoint as back than as front, got nose. Correct one.", id="no axis"
        ),
        pytest.param({**BODY, "paws": ["paw"]}, "paws: different names among the keypoints, got ['paw']", id="no paw"),
        pytest.param(
            {**BODY, "paws": "nose"}, "paws: different names among the keypoints, got 'nose'", id="paws: a name"
        ),
        pytest.param({**BODY, "paws": 5}, "paws: different names among the keypoints, got 5.", id="paws: a number"),
        pytest.param({**BODY, "paws": ["nose"] * 2}, "paws: different names among the keypoints", id="one paw twice"),
    ],
)
def test_a_file_that_can_not_be_used_is_refused(content, message, written):
    with pytest.raises(InputError) as caught:
        read_skeleton(written(content))
    assert "body.yaml: expected " in str(caught.value)
    assert message in str(caught.value)


def test_all_faults_are_told_at_once(written):
    with pytest.raises(InputError) as caught:
        read_skeleton(written({**BODY, "edges": 5, "angles": [["a", "b", "c"]], "front": "d", "paws": ["e"]}))

    assert all(f"{key}: " in str(caught.value) for key in ("edges", "angles", "front", "paws"))


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"--skeleton .*no.yaml: expected a YAML file, got .*No such file"):
        read_skeleton(tmp_path / "no.yaml")


@st.composite
def bodies(draw):
    """Fields of any body of 2 to 8 keypoints."""
    n = draw(st.integers(2, 8))
    rows = {width: st.lists(st.permutations(range(n)).map(lambda row, w=width: tuple(row[:w]))) for width in (2, 3)}
    front, back = draw(st.permutations(range(n)))[:2]
    return {
        "names": tuple(f"point_{position}" for position in range(n)),
        "front": front,
        "back": back,
        "edges": tuple(draw(rows[2])),
        "angles": tuple(draw(rows[3])) if n > 2 else (),
        "paws": tuple(draw(st.permutations(range(n)))[: draw(st.integers(0, n))]),
    }


@given(fields=bodies())
def test_plain_containers_give_the_body_back(fields):
    body = Skeleton(**fields)
    assert Skeleton.from_plain(json.loads(json.dumps(body.as_plain()))) == body


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(MOUSE, id="the mouse"),
        pytest.param(
            Skeleton(names=("nose", "neck", "tail"), front=0, back=2, edges=((0, 1),), angles=((1, 0, 2),), paws=()),
            id="three keypoints without paws",
        ),
        pytest.param(
            Skeleton(names=("nose", "tail"), front=0, back=1, edges=(), angles=(), paws=()), id="nothing but an axis"
        ),
    ],
)
@pytest.mark.parametrize("n_frames", [1, 2, 50])
def test_every_body_has_its_numbers_of_every_frame(body, n_frames):
    xy = 100 * torch.rand(2, n_frames, body.n_keypoints, 2, generator=torch.Generator().manual_seed(0))
    visible = torch.ones(xy.shape[:3], dtype=torch.bool)
    length, valid = torch.tensor([30.0, 60.0]), visible[..., 0]

    features, known = pose_features(xy, visible, body_length_px=length, skeleton=body)
    motion = motion_features(xy, visible, body_length_px=length, valid=valid, skeleton=body)
    kinematics = Kinematics(skeleton=body, fps=30.0)(xy, visible, body_length_px=length, valid=valid)
    assert features.shape == known.shape == (2, n_frames, body.n_pose_features)
    assert motion.shape == (2, n_frames, n_motion_features(body))
    assert kinematics.shape == (2, n_frames, n_kinematics(body))
    assert all(bool(numbers.isfinite().all()) for numbers in (features, motion, kinematics))
