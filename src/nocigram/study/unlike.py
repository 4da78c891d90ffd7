"""Labelled recordings that don't look like those that a model was trained on."""

from collections.abc import Mapping
from pathlib import Path

from nocigram.data.appearance import appearance_of_source
from nocigram.data.outside import sentence
from nocigram.data.sources import Source
from nocigram.prediction import Predictor
from nocigram.prediction.caution import NO_STATISTICS, TrainingLooks, write_outside


def tell_unlike(predictor: Predictor, sources: Mapping[str, Source], path: Path) -> None:
    """Say which recordings lie outside, a line each, and write all of their numbers to a csv."""
    looks = TrainingLooks.of(predictor.checkpoint, needs=predictor.needs, skeleton=predictor.skeleton)
    if not looks.are_known:
        print(f"[info] {NO_STATISTICS}")
        path.unlink(missing_ok=True)  # an earlier checkpoint's
        return
    rows = []
    for source in sources.values():
        seen = appearance_of_source(
            source, needs=predictor.needs, likelihood_thr=predictor.likelihood_thr, img_size=predictor.img_size
        )
        own = looks.beside(seen)
        rows += own
        if (said := sentence(own)) is not None:
            print(said)
    write_outside(path, rows)
