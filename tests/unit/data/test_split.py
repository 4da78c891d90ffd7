from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nocigram.core.actions import DEFAULT_SCHEME, UNSCORED
from nocigram.core.errors import InputError
from nocigram.core.ranges import FrameRange
from nocigram.data.records import Discovery, Trial
from nocigram.data.split import Split, leaks, make_split, read_split
from nocigram.pose.skeleton import MOUSE

N_CLASSES = len(DEFAULT_SCHEME.classes)
CODE_OF_CLASS = [DEFAULT_SCHEME.names.index(name) for name in DEFAULT_SCHEME.classes]


def trial_of(animal, recording, number, actions):
    actions = np.array(actions, dtype=np.int64)
    return Trial(
        recording=recording,
        number=number,
        span=FrameRange(0, len(actions)),
        actions=actions,
        stim_frame=None,
        animal=animal,
        group=None,
        path=Path(f"{recording}_{number}.csv"),
    )


def discovery_of(trials):
    return Discovery(
        recordings={}, trials=trials, skipped=[], warnings=[], rules={}, scheme=DEFAULT_SCHEME, skeleton=MOUSE
    )


def frames_of(classes, *, n_frames=60):
    """Codes that hold each of the merged classes, in equal parts."""
    return np.resize([CODE_OF_CLASS[index] for index in classes], n_frames)


@pytest.fixture
def study():
    """Ten animals with two recordings of two trials; two actions are rare."""
    trials = []
    for animal in range(10):
        classes = [0, 4, 5, *([1] if animal in (2, 7) else []), *([2, 3] if animal in (1, 7, 8) else [])]
        for recording, number in product("ab", (1, 2)):
            trials.append(trial_of(f"m{animal}", f"m{animal}{recording}", number, frames_of(classes)))
    return discovery_of(trials)


@pytest.mark.parametrize("split_by", ["animal", "recording", "trial"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_whole_units_are_divided_about_80_to_20(split_by, seed, study):
    split = make_split(study, split_by=split_by, val_share=0.2, seed=seed)
    assert split.split_by == split_by
    assert sorted(split.train + split.val) == sorted(trial.name for trial in study.trials)
    units = [
        {{"animal": trial.animal, "recording": trial.recording, "trial": trial.name}[split_by] for trial in trials}
        for trials in (split.trials(study, "train"), split.trials(study, "val"))
    ]
    assert not units[0] & units[1]
    assert 0.1 <= len(split.val) / len(study.trials) <= 0.3


@pytest.mark.parametrize("split_by", ["animal", "recording", "trial"])
@pytest.mark.parametrize("seed", range(3))
def test_each_action_is_on_both_sides_if_it_can_be(split_by, seed, study):
    split = make_split(study, split_by=split_by, val_share=0.2, seed=seed)
    for side in ("train", "val"):
        labels = np.concatenate([study.labels_of(trial) for trial in split.trials(study, side)])
        assert set(labels) == set(range(N_CLASSES)), side


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sets(st.integers(1, 5), max_size=3), min_size=2, max_size=7),
    st.sampled_from([0.1, 0.2, 0.4]),
    st.integers(0, 3),
)
def test_no_division_has_more_of_the_actions_on_both_sides(classes, val_share, seed):
    found = discovery_of(
        [trial_of(f"m{i}", f"m{i}", 1, frames_of([0, *sorted(each)])) for i, each in enumerate(classes)]
    )
    split = make_split(found, split_by="animal", val_share=val_share, seed=seed)
    sides = [int(f"m{i}#1" in split.val) for i in range(len(classes))]

    def n_missing(sides):
        total = set().union(*classes)
        return sum(
            len(total - set().union(*(each for each, where in zip(classes, sides, strict=True) if where == side)))
            for side in (0, 1)
        )

    divisions = [each for each in product((0, 1), repeat=len(classes)) if 0 < sum(each) < len(classes)]
    assert n_missing(sides) == min(map(n_missing, divisions))


def test_two_rare_actions_in_two_of_forty_animals_each_are_on_both_sides():
    rare = {3: [1], 31: [1], 8: [2], 22: [2], 5: [3], 6: [3]}
    trials = [trial_of(f"m{i}", f"m{i}", 1, frames_of([0, *rare.get(i, [])])) for i in range(40)]
    split = make_split(discovery_of(trials), split_by="animal", val_share=0.2, seed=0)
    for first, second in ((3, 31), (8, 22), (5, 6)):
        assert (f"m{first}#1" in split.val) != (f"m{second}#1" in split.val)
    assert 0.1 <= len(split.val) / 40 <= 0.3


def test_the_share_is_of_scored_frames():
    long = trial_of("long", "long", 1, frames_of([0, 5], n_frames=800))
    blank = trial_of("blank", "blank", 1, [0, 7, *[UNSCORED] * 998])
    short = [trial_of(f"m{i}", f"m{i}", 1, frames_of([0, 5], n_frames=100)) for i in range(2)]
    split = make_split(discovery_of([long, blank, *short]), split_by="animal", val_share=0.2, seed=0)
    assert set(split.val) == {"m0#1", "m1#1"} or set(split.val) == {"m0#1", "m1#1", "blank#1"}


def test_the_same_seed_gives_the_same_split_and_another_seed_another(study):
    splits = [make_split(study, split_by="trial", val_share=0.2, seed=seed) for seed in (0, 0, 1, 2, 3)]
    assert splits[0] == splits[1]
    assert len({split.val for split in splits}) > 1


def test_a_single_unit_cant_be_divided(study):
    one = discovery_of([trial for trial in study.trials if trial.animal == "m7"])
    message = "split: expected trials of at least 2 different units of --split_by animal, got 1. Add recordings"
    with pytest.raises(InputError, match=message):
        make_split(one, split_by="animal", val_share=0.2, seed=0)
    assert make_split(one, split_by="recording", val_share=0.2, seed=0).val


def test_a_split_is_saved_and_read_again(study, tmp_path):
    split = make_split(study, split_by="recording", val_share=0.2, seed=3)
    split.save(tmp_path / "run" / "split.json")
    assert read_split(tmp_path / "run" / "split.json") == split


def test_a_split_leaks_when_an_animal_is_on_both_sides(study):
    assert leaks(study, make_split(study, split_by="animal", val_share=0.2, seed=0)) == []
    divided = Split(split_by="recording", train=("m1a#1", "m2a#1", "m3b#2"), val=("m1b#1", "m3b#1", "m4a#1"))
    assert leaks(study, divided) == ["m1", "m3"]
    by_trial = make_split(study, split_by="trial", val_share=0.5, seed=0)
    assert leaks(study, by_trial)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("no json", "expected a split file with split_by, train and val, got", id="no JSON"),
        pytest.param('{"train": [], "val": []}', "got KeyError.'split_by'", id="a key missing"),
        pytest.param("[1]", "expected a split file", id="a list"),
        pytest.param("[" * 100_000, "expected a split file", id="brackets without end"),
        pytest.param(
            '{"split_by": "trial", "train": ["a#1", "b#1"], "val": ["b#1"]}',
            "expected each trial on one side, got b#1 on two. Remove it from one.",
            id="a trial on both sides",
        ),
        pytest.param('{"split_by": "mouse", "train": ["a#1"], "val": ["b#1"]}', "got .*mouse", id="an unknown unit"),
        pytest.param('{"split_by": "trial", "train": "a#1", "val": ["b#1"]}', "expected a split file", id="no lists"),
        pytest.param(
            '{"split_by": "trial", "train": ["a#1"], "val": ["b#1"], "test": "c#1"}',
            "trials list, list, str",
            id="no list of test trials",
        ),
        pytest.param(
            '{"split_by": "trial", "train": ["a#1"], "val": ["b#1"], "test": ["a#1"]}',
            "expected each trial on one side, got a#1 on two. Remove it from one.",
            id="a test trial that trains",
        ),
    ],
)
def test_a_file_that_is_no_split_is_refused(text, message, tmp_path):
    path = tmp_path / "split.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=rf"(?s)^--split .*split.json: .*{message}"):
        read_split(path)


def test_a_missing_split_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"^--split .*no.json: expected a split file"):
        read_split(tmp_path / "no.json")


def test_a_test_side_is_saved_and_read(tmp_path):
    split = Split(split_by="trial", train=("a#1",), val=("b#1",), test=("c#1", "c#2"))
    split.save(tmp_path / "split.json")
    assert read_split(tmp_path / "split.json") == split


def test_a_split_of_before_there_was_a_test_side_has_none(tmp_path):
    path = tmp_path / "split.json"
    path.write_text('{"split_by": "trial", "train": ["a#1"], "val": ["b#1"]}')
    assert read_split(path).test == ()


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        pytest.param(("m3b#1",), [], id="an animal of its own"),
        pytest.param(("m1b#1",), ["m1"], id="an animal that trains"),
        pytest.param(("m2b#1",), ["m2"], id="an animal that validates"),
    ],
)
def test_an_animal_of_the_test_side_leaks_from_both_others(test, expected, study):
    split = Split(split_by="recording", train=("m1a#1",), val=("m2a#1",), test=test)
    assert leaks(study, split) == expected
    assert [trial.name for trial in split.trials(study, "test")] == list(test)
