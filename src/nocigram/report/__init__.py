"""Figures and tables. The only room that imports matplotlib."""

from nocigram.report.comparison import ComparedRow, comparison_as_markdown, write_comparison
from nocigram.report.confusion import draw_confusion
from nocigram.report.ethogram import draw_ethograms
from nocigram.report.intervals import draw_intervals
from nocigram.report.reliability import draw_reliability

__all__ = [
    "ComparedRow",
    "comparison_as_markdown",
    "draw_confusion",
    "draw_ethograms",
    "draw_intervals",
    "draw_reliability",
    "write_comparison",
]
