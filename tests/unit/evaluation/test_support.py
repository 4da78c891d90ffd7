import pytest

from nocigram.evaluation import ActionSupport, action_support, not_assessable, score_animals, score_trials

CLASSES = ("rest", "paw_withdraw", "walk")


@pytest.fixture
def trials(trial_of):
    return [
        trial_of([0, 1, 1, 0, -1, 0, 1], animal="A"),
        trial_of([0, 0, 1], animal="A", trial=2),
        trial_of([2, 2, -1, 2], animal="B", recording="mouse2"),
        trial_of([-1, -1], animal="C", recording="mouse3"),
    ]


def test_support_counts_frames_bouts_and_animals(trials):
    assert action_support(trials, classes=CLASSES) == {
        "rest": ActionSupport(n_frames=5, n_bouts=4, n_animals=1),
        "paw_withdraw": ActionSupport(n_frames=4, n_bouts=3, n_animals=1),
        "walk": ActionSupport(n_frames=3, n_bouts=2, n_animals=1),
    }


def test_the_bouts_of_the_support_are_those_of_the_scores(trials):
    scores, support = score_trials(trials, classes=CLASSES), action_support(trials, classes=CLASSES)
    for name, action in scores.per_action.items():
        assert (action.n_frames, action.n_bouts) == (support[name].n_frames, support[name].n_bouts)


def test_an_action_without_labels_has_a_support_of_nothing(trial_of):
    support = action_support([trial_of([0])], classes=CLASSES)
    assert support["walk"] == ActionSupport(n_frames=0, n_bouts=0, n_animals=0)


@pytest.mark.parametrize(
    ("n_bouts", "n_animals", "is_assessable"),
    [
        pytest.param(5, 2, True, id="5 bouts of 2 animals"),
        pytest.param(4, 4, False, id="4 bouts"),
        pytest.param(100, 1, False, id="1 animal"),
        pytest.param(0, 0, False, id="no label"),
    ],
)
def test_an_action_needs_five_bouts_and_two_animals(n_bouts, n_animals, is_assessable):
    support = {"walk": ActionSupport(n_frames=n_bouts * 10, n_bouts=n_bouts, n_animals=n_animals)}
    assert not_assessable(support) == (frozenset() if is_assessable else {"walk"})


def test_the_rule_can_be_made_stricter():
    support = {"walk": ActionSupport(n_frames=90, n_bouts=9, n_animals=2)}
    assert not_assessable(support, min_bouts=10) == not_assessable(support, min_animals=3) == {"walk"}
    assert not_assessable(support, min_bouts=9) == frozenset()


def test_each_animal_with_scored_frames_has_scores_of_its_own(trials):
    scores = score_animals(trials, classes=CLASSES)
    assert list(scores) == ["A", "B"]
    assert scores["A"].as_dict() == score_trials(trials[:2], classes=CLASSES).as_dict()
    assert scores["B"].n_frames == 3
