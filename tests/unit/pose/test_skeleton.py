import pytest

from nocigram.pose.skeleton import DEFAULT_KEYPOINTS, left_right_pairs, spellings_of


@pytest.mark.parametrize(
    ("name", "means"),
    [
        ("Snout", "mouth"),
        ("nose", "mouth"),
        ("lfp", "L_frontpaw"),
        ("Front Paw L", "L_frontpaw"),
        ("Forehand-Left", "L_frontpaw"),
        ("right_forepaw", "R_frontpaw"),
        ("FrontRightPaw", "R_frontpaw"),
        ("Hindhand-Right", "R_hindpaw"),
        ("LHP", "L_hindpaw"),
        ("hindleft_paw", "L_hindpaw"),
        ("tailbase", "tail_base"),
        ("tail_root", "tail_base"),
        ("Butt/Proximal Tail", "tail_base"),
        ("tail", None),
        ("Left_ear", None),
    ],
)
def test_a_spelling_means_one_of_the_six_or_nothing(name, means):
    meanings = [keypoint for keypoint in DEFAULT_KEYPOINTS if spellings_of(name)[0] in spellings_of(keypoint)]
    assert meanings == ([means] if means else [])


def test_no_spelling_means_two_keypoints():
    spellings = [spelling for keypoint in DEFAULT_KEYPOINTS for spelling in set(spellings_of(keypoint))]
    assert len(spellings) == len(set(spellings))


@pytest.mark.parametrize(
    ("names", "pairs"),
    [
        pytest.param(DEFAULT_KEYPOINTS, ((2, 3), (4, 5)), id="the default paws"),
        pytest.param(("lfp", "rfp", "nose", "rhp", "lhp", "tail"), ((0, 1), (4, 3)), id="paws by alias, any order"),
        pytest.param(
            ("nose", "left_ear", "right_ear", "neck", "back", "tail_tip"), ((1, 2),), id="the guide's own six"
        ),
        pytest.param(("earLeft", "earRight", "lefthip", "righthip", "a", "b"), ((0, 1), (2, 3)), id="other spellings"),
        pytest.param(("left_ear", "neck", "back", "a", "b", "c"), (), id="a side without its other side"),
    ],
)
def test_left_and_right_are_paired(names, pairs):
    assert left_right_pairs(names) == pairs
