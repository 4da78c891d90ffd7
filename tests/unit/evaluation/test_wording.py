import pytest

from nocigram.evaluation.wording import counted, percent


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.0, "0%"),
        (0.001, "<1%"),
        (0.005, "<1%"),
        (0.5, "50%"),
        (0.994, "99%"),
        (0.995, ">99%"),
        (0.998, ">99%"),
        (1.0, "100%"),
    ],
)
def test_percent(share, words):
    assert percent(share) == words


@pytest.mark.parametrize(("number", "words"), [(0, "0 trials"), (1, "1 trial"), (2010, "2,010 trials")])
def test_counted(number, words):
    assert counted(number, "trial") == words
