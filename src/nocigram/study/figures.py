"""The figures that evaluate and crossval draw of predictions beside labels."""

from collections.abc import Sequence
from pathlib import Path

from nocigram.core.actions import ActionScheme
from nocigram.evaluation import Scores, TrialPrediction, reliability_by_action, reliability_of_best
from nocigram.report import draw_confusion, draw_ethograms, draw_reliability

FIGURES = ("confusion.png", "ethograms.png", "reliability.png")


def draw_figures(
    out: Path,
    predictions: Sequence[TrialPrediction],
    *,
    scores: Scores,
    scheme: ActionScheme,
    stamp: str | None = None,
) -> None:
    """Write the confusion matrix, the ethograms and the reliability.

    Args:
        out: folder.
        predictions: each trial once.
        scores: of these predictions.
        scheme: names and colours of the actions.
        stamp: what each figure has to say in red.
    """
    confusion, ethograms, reliability = (out / name for name in FIGURES)
    classes, colours = scheme.classes, scheme.colours
    draw_confusion(scores, classes=classes, colours=colours, path=confusion, stamp=stamp)
    draw_ethograms(predictions, classes=classes, colours=colours, path=ethograms, stamp=stamp)
    draw_reliability(
        reliability_of_best(predictions),
        reliability_by_action(predictions, classes=classes),
        colours=colours,
        path=reliability,
        stamp=stamp,
    )
