"""Figures. The only room that imports matplotlib."""

from nocigram.report.confusion import draw_confusion
from nocigram.report.ethogram import draw_ethograms

__all__ = ["draw_confusion", "draw_ethograms"]
