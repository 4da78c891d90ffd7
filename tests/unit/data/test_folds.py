from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nocigram.core.actions import DEFAULT_SCHEME, UNSCORED
from nocigram.core.errors import InputError
from nocigram.core.ranges import FrameRange
from nocigram.data.folds import Fold, inner_split, make_folds
from nocigram.data.records import Discovery, Recording, Trial
from nocigram.pose.skeleton import MOUSE
from nocigram.video.probe import VideoInfo

CODE_OF_CLASS = [DEFAULT_SCHEME.names.index(name) for name in DEFAULT_SCHEME.classes]
RARE = 1


def recording_of(animal, letter):
    video = Path(f"{animal}{letter}.mp4")
    info = VideoInfo(
        path=video, width_px=64, height_px=48, n_frames_header=60, nominal_fps=30.0, codec="h264", is_grey=True
    )
    return Recording(
        name=video.stem,
        info=info,
        fps=30.0,
        n_frames=60,
        pose_file=None,
        xy_px=np.zeros((0, 6, 2), dtype=np.float32),
        visible=np.zeros((0, 6), dtype=bool),
        animal=animal,
        group=None,
    )


def study_of(classes_of_animals, *, n_trials=2, n_frames=60):
    """Trials that hold each of an animal's classes in equal parts; no class is a trial without a scored frame."""
    trials = []
    for (animal, classes), number in product(classes_of_animals.items(), range(1, n_trials + 1)):
        codes = np.resize([CODE_OF_CLASS[index] for index in classes] or [UNSCORED], n_frames)
        trials.append(
            Trial(
                recording=f"{animal}a",
                number=number,
                span=FrameRange(0, n_frames),
                actions=codes.astype(np.int64),
                stim_frame=None,
                animal=animal,
                group=None,
                path=Path(f"{animal}a_{number}.csv"),
            )
        )
    recordings = [recording_of(animal, letter) for animal in classes_of_animals for letter in "ab"]
    return Discovery(
        recordings={recording.name: recording for recording in recordings},
        trials=trials,
        skipped=[],
        warnings=[],
        rules={},
        scheme=DEFAULT_SCHEME,
        skeleton=MOUSE,
    )


def labels_of(found, trials):
    return set(np.concatenate([found.labels_of(trial) for trial in trials]))


@pytest.fixture
def study():
    """Twelve animals, of which three show a rare action."""
    return study_of({f"m{i:02}": [0, 4, *([RARE] if i in (1, 2, 9) else [])] for i in range(12)})


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.sets(st.integers(1, 5), max_size=3), min_size=2, max_size=9),
    st.integers(2, 9),
    st.integers(0, 3),
)
def test_every_animal_is_tested_once_in_folds_of_equal_size(classes, n_folds, seed):
    found = study_of({f"m{i}": [0, *sorted(each)] for i, each in enumerate(classes)}, n_trials=1)
    folds = make_folds(found, min(n_folds, len(classes)), seed=seed)
    tested = [animal for fold in folds for animal in fold.test_animals]
    assert sorted(tested) == [f"m{i}" for i in range(len(classes))]
    sizes = [len(fold.test_animals) for fold in folds]
    assert max(sizes) - min(sizes) <= 1
    assert [fold.number for fold in folds] == list(range(1, len(folds) + 1))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("n_folds", [2, 3, 4])
def test_a_rare_action_is_tested_in_as_many_folds_as_it_has_animals(study, n_folds, seed):
    folds = make_folds(study, n_folds, seed=seed)
    assert sum(RARE in labels_of(study, fold.test_trials(study)) for fold in folds) == min(n_folds, 3)


def test_several_rare_actions_are_spread_at_once():
    rare = {0: [1], 1: [1], 2: [2], 3: [2], 4: [3], 5: [3]}
    found = study_of({f"m{i:02}": [0, *rare.get(i, [])] for i in range(10)})
    folds = make_folds(found, 2, seed=0)
    for fold in folds:
        assert labels_of(found, fold.test_trials(found)) == {0, 1, 2, 3}


@pytest.mark.parametrize("seed", range(4))
def test_five_actions_of_four_animals_each_are_in_each_of_four_folds(seed):
    """One dealing seldom finds it, and random folds lack three."""
    shown = [[2, 3, 5], [1, 5], [], [2], [1, 3], [1, 2, 4], [3], [2, 4, 5], [1, 4], [3, 4], [], [5]]
    found = study_of({f"m{i:02}": [0, *actions] for i, actions in enumerate(shown)})
    for fold in make_folds(found, 4, seed=seed):
        assert labels_of(found, fold.test_trials(found)) == {0, 1, 2, 3, 4, 5}


def test_folds_are_of_equal_size_though_one_animal_has_most_frames():
    long = study_of({"long": [RARE]}, n_trials=20)
    short = study_of({"A": [RARE], "B": [RARE], "C": [RARE]}, n_trials=1)
    folds = make_folds(replace(long, trials=long.trials + short.trials), 2, seed=0)
    assert [len(fold.test_animals) for fold in folds] == [2, 2]


@pytest.mark.parametrize("seed", range(4))
def test_the_frames_of_an_action_are_spread_evenly(seed):
    found = study_of({"loud": [RARE], "twin": [RARE], "low": [0, RARE], "calm": [0, RARE]})
    for fold in make_folds(found, 2, seed=seed):
        assert len({"loud", "twin"} & set(fold.test_animals)) == 1


@pytest.mark.parametrize("n_folds", [None, 12], ids=["no number of folds", "as many folds as animals"])
def test_one_animal_is_left_out_at_a_time(study, n_folds):
    folds = make_folds(study, n_folds, seed=5)
    assert [fold.test_animals for fold in folds] == [(f"m{i:02}",) for i in range(12)]


def test_the_same_seed_gives_the_same_folds_and_another_seed_others(study):
    folds = [make_folds(study, 4, seed=seed) for seed in (0, 0, 1)]
    assert folds[0] == folds[1] != folds[2]


def test_the_order_of_trials_does_not_matter(study):
    mixed = replace(study, trials=study.trials[::-1])
    assert make_folds(mixed, 4, seed=0) == make_folds(study, 4, seed=0)


def test_an_animal_without_a_scored_frame_is_tested_in_no_fold():
    found = study_of({"A": [0], "B": [0, 1], "blank": []})
    assert [fold.test_animals for fold in make_folds(found, None, seed=0)] == [("A",), ("B",)]


def test_the_training_side_knows_nothing_of_the_test_animals(study):
    fold = Fold(number=1, test_animals=("m03", "m07"))
    side = fold.training_side(study)
    assert {trial.animal for trial in side.trials} == {f"m{i:02}" for i in range(12)} - {"m03", "m07"}
    assert not {"m03a", "m03b", "m07a", "m07b"} & set(side.recordings)
    assert len(side.recordings) == 20
    assert {trial.animal for trial in fold.test_trials(study)} == {"m03", "m07"}
    assert len(study.recordings) == 24


def test_the_inner_split_divides_the_training_animals_alone(study):
    for fold in make_folds(study, 4, seed=0):
        split = inner_split(study, fold, val_share=0.2, seed=0)
        sides = [{trial.animal for trial in split.trials(study, side)} for side in ("train", "val")]
        assert split.split_by == "animal"
        assert not sides[0] & sides[1]
        assert sides[0] | sides[1] == {f"m{i:02}" for i in range(12)} - set(fold.test_animals)


def test_of_two_training_animals_one_trains_and_one_validates():
    found = study_of({"A": [0, 1], "B": [0, 1], "C": [0, 1]})
    split = inner_split(found, Fold(number=1, test_animals=("B",)), val_share=0.2, seed=0)
    assert sorted([split.train, split.val]) == [("Aa#1", "Aa#2"), ("Ca#1", "Ca#2")]


@pytest.mark.parametrize(
    ("classes_of_animals", "tested", "message"),
    [
        pytest.param(
            {"A": [0], "B": [0]},
            ("B",),
            "fold 1: expected at least 2 animals besides the tested B, got A. Test fewer animals at a time",
            id="one training animal",
        ),
        pytest.param(
            {"A": [0], "B": [0], "C": [0]},
            ("B", "C"),
            "fold 1: expected at least 2 animals besides the tested B, C, got A. Test fewer",
            id="two of three animals tested",
        ),
        pytest.param(
            {"A": [0], "B": [0], "C": []},
            ("B",),
            "fold 1: expected at least 2 animals besides the tested B, got A. Test fewer",
            id="a second animal without a scored frame",
        ),
    ],
)
def test_a_single_training_animal_is_refused(classes_of_animals, tested, message):
    fold = Fold(number=1, test_animals=tested)
    with pytest.raises(InputError, match=message):
        inner_split(study_of(classes_of_animals), fold, val_share=0.2, seed=0)


@pytest.mark.parametrize(
    ("animals", "n_folds", "message"),
    [
        pytest.param("ABC", 4, "folds: expected from 2 to 3 folds of 3 animals, got 4. Give another", id="too many"),
        pytest.param("ABC", 1, "folds: expected from 2 to 3 folds of 3 animals, got 1. Give another", id="one fold"),
        pytest.param(
            "A", None, r"folds: expected at least 2 animals with scored frames, got 1 \(A\). Name", id="one animal"
        ),
        pytest.param("", 2, "folds: expected at least 2 animals with scored frames, got 0. Name", id="no animal"),
    ],
)
def test_folds_that_cannot_be_made_are_refused(animals, n_folds, message):
    with pytest.raises(InputError, match=message):
        make_folds(study_of({animal: [0] for animal in animals}), n_folds, seed=0)
