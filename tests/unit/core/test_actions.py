import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nocigram.core.actions import DEFAULT_SCHEME, UNSCORED, ActionScheme
from nocigram.core.errors import InputError


def test_eight_actions_merge_to_the_guides_six():
    assert DEFAULT_SCHEME.names == (
        "rest", "paw_withdraw", "paw_lick", "paw_guard", "paw_shake", "flinch", "walk", "active",
    )  # fmt: skip
    assert DEFAULT_SCHEME.classes == ("rest", "paw_withdraw", "paw_lick", "paw_shake", "walk", "active")
    assert DEFAULT_SCHEME.col_map == {0: 0, 1: 1, 2: 2, 3: 1, 4: 3, 5: 1, 6: 4, 7: 5}
    assert DEFAULT_SCHEME.merge_idxs == [1, 3, 5]


@given(st.lists(st.integers(-1, 7), max_size=50))
def test_merging_is_by_name_and_leaves_unscored_frames_unscored(codes):
    merged = DEFAULT_SCHEME.merged(np.array(codes, dtype=np.int64))
    for code, label in zip(codes, merged, strict=True):
        if code == UNSCORED:
            assert label == UNSCORED
        else:
            name = DEFAULT_SCHEME.names[code]
            assert DEFAULT_SCHEME.classes[label] == DEFAULT_SCHEME.merges.get(name, name)


def test_an_ignored_action_is_unscored_and_no_class():
    scheme = ActionScheme(names=("a", "b", "c", "d"), merges={"d": "c"}, ignore=frozenset({"c"}))
    assert scheme.classes == ("a", "b")
    assert scheme.merged(np.array([0, 1, 2, 3, UNSCORED])).tolist() == [0, 1, UNSCORED, UNSCORED, UNSCORED]
    assert scheme.merge_idxs == []


def test_every_class_has_a_colour_however_many_there_are():
    scheme = ActionScheme(names=tuple(f"a{i}" for i in range(25)))
    assert tuple(scheme.colours) == scheme.classes
    assert all(len(colour) == 7 and colour.startswith("#") for colour in scheme.colours.values())
    assert len(set(DEFAULT_SCHEME.colours.values())) == 6


@pytest.mark.parametrize(
    ("scheme", "message"),
    [
        pytest.param(
            {"names": ("a", "b", "a")}, "names: expected each name once, got ['a', 'b', 'a']. Remove", id="twice"
        ),
        pytest.param({"names": ("a", "b"), "merges": {"c": "a"}}, "got ['c']. Add them to names", id="unknown source"),
        pytest.param({"names": ("a", "b"), "merges": {"a": "c"}}, "among ['a', 'b'], got ['c']", id="unknown target"),
        pytest.param({"names": ("a", "b"), "ignore": frozenset("c")}, "got ['c']", id="unknown ignored"),
        pytest.param(
            {"names": tuple("abcd"), "merges": {"a": "b", "b": "c"}}, "got ['b']. Merge into the final", id="chain"
        ),
        pytest.param({"names": ("a",)}, "expected at least 2 actions after merging, got ['a']", id="a single action"),
        pytest.param({"names": ("a", "b"), "ignore": frozenset("a")}, "at least 2 actions", id="one left"),
    ],
)
def test_a_contradiction_is_refused(scheme, message):
    with pytest.raises(InputError) as raised:
        ActionScheme(**scheme)
    assert message in str(raised.value)


def test_all_contradictions_are_named_at_once():
    with pytest.raises(InputError) as raised:
        ActionScheme(names=("a", "a"), ignore=frozenset({"z"}))
    assert len(str(raised.value).splitlines()) == 3
