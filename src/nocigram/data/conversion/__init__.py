"""From what other tools' files say to the laboratory's layout: names, videos, frames, files."""

from nocigram.data.conversion.convert import convert

__all__ = ["convert"]
