"""The human ceiling in words, for the terminal."""

import math
from collections.abc import Sequence

from nocigram.core.tables import text_table
from nocigram.evaluation.human import HumanCeiling, PairAction
from nocigram.evaluation.wording import counted

_PAIRS = ("people", "model_a", "model_b")
_MEASURES = {"kappa": "kappa", "F1": "f1", "event F1": "event_f1"}


def human_as_text(human: HumanCeiling, *, pain_sign: str = "paw_withdraw") -> str:
    """A table of the actions, the pain sign first: two people against each other, and the model against either.

    Args:
        human: of labelled trials.
        pain_sign: it goes first if it is there.
    """
    names = sorted(human.n_bouts, key=lambda name: name != pain_sign)
    columns = [heading for title in _MEASURES for heading in (f"{title} A-B", "M-A", "M-B")]
    pairs = [getattr(human, pair) for pair in _PAIRS]
    rows = [(name, *_numbers([pair.actions[name] for pair in pairs]), *human.n_bouts[name]) for name in names]
    overall = _numbers([pair.overall for pair in pairs])
    n_bouts = [sum(each) for each in zip(*human.n_bouts.values(), strict=True)]
    used = f"{human.n_trials} of {counted(human.n_trials_of_a, 'trial')}"
    return "\n".join(
        [
            text_table(["two people", *columns, "bouts A", "B"], [*rows, ("all", *overall, *n_bouts)]),
            f"A: --annotations; B: --annotations_b; M: the model. "
            f"On {counted(human.n_frames, 'frame')} of {used} that both scored.",
            "kappa: agreement beyond chance, 1 at best; F1 is the same whichever of two is taken for the truth.",
        ]
    )


def _numbers(pairs: Sequence[PairAction]) -> list[str]:
    """Each measure of each pair."""
    values = [getattr(pair, measure) for measure in _MEASURES.values() for pair in pairs]
    return ["-" if math.isnan(value) else f"{value:.3f}" for value in values]
