"""Events in words, for the terminal."""

import math

from nocigram.core.tables import text_table
from nocigram.evaluation.events import ActionEvents, Errors, Events, Latencies
from nocigram.evaluation.wording import counted

_HEADINGS = ("bouts by onset", "F1", "found", "missed", "false", "false/min", "onset ms [IQR]", "offset ms [IQR]")


def events_as_text(events: Events, *, pain_sign: str = "paw_withdraw") -> str:
    """A table of the actions, the pain sign first, and what can be said about the pain sign.

    Args:
        events: of labelled trials.
        pain_sign: nothing is pointed at if it is not among the actions.
    """
    names = sorted(events.actions, key=lambda name: name != pain_sign)  # a stable sort: the others keep their order
    rows = [_row(name, events.actions[name]) for name in names]
    lines = [
        text_table(_HEADINGS, rows),
        f"found: a predicted bout of the action begins within {events.onset_tolerance_s:g} s of the labelled one; "
        "errors: above 0 the model is late.",
    ]
    if pain_sign in events.actions:
        n_with_stimulus = sum(trial.has_stimulus for trial in events.trials if trial.action == pain_sign)
        lines += _pain_sign_lines(pain_sign, events.actions[pain_sign], n_with_stimulus=n_with_stimulus)
    return "\n".join(lines)


def _row(name: str, action: ActionEvents) -> tuple[object, ...]:
    """One action's line of the table."""
    found = action.by_onset
    return (
        name,
        _number(found.f1, ".3f"),
        found.n_found,
        found.n_missed,
        found.n_false,
        _number(found.false_per_minute, ".2f"),
        _in_ms(action.onset),
        _in_ms(action.offset),
    )


def _pain_sign_lines(name: str, action: ActionEvents, *, n_with_stimulus: int) -> list[str]:
    """Latency and number of the pain sign, by both."""
    latencies, count = action.latencies, action.agreements["count"]
    n_trials = _n_trials(latencies)
    since = "the stimulus" if n_with_stimulus == count.n else "the trial's start"
    if 0 < n_with_stimulus < count.n:
        since = f"the stimulus (of {counted(n_with_stimulus, 'trial')}; else from the trial's start)"
    return [
        f"{name}, time from {since} to the first, median of {counted(n_trials, 'trial')}: "
        f"{_seconds(latencies.median_labels_s)} by the labels, {_seconds(latencies.median_model_s)} by the model; "
        f"there is one by both in {latencies.n_both}, by the labels alone in {latencies.n_labels_only}, "
        f"by the model alone in {latencies.n_model_only}, by neither in {latencies.n_neither}.",
        f"{name}, bouts in a trial: {count.mean_first:.2f} by the labels, {count.mean_second:.2f} by the model; "
        f"the model counts {count.bias:+.2f}{_limits(count.low, count.high)}.",
    ]


def _n_trials(latencies: Latencies) -> int:
    """Trials that went on after the stimulus."""
    return latencies.n_both + latencies.n_labels_only + latencies.n_model_only + latencies.n_neither


def _limits(low: float, high: float) -> str:
    """Limits of agreement; nothing where there are none."""
    return "" if math.isnan(low) else f" [{low:+.2f}, {high:+.2f}] in 95% of trials"


def _seconds(seconds: float) -> str:
    """A median latency; it does not exist where most trials end before a bout."""
    return "longer than most trials" if math.isnan(seconds) else f"{seconds:.2f} s"


def _in_ms(errors: Errors) -> str:
    """Median and quartiles."""
    if not errors.n:
        return "-"
    return f"{errors.median_ms:+.0f} [{errors.quartile_1_ms:+.0f}, {errors.quartile_3_ms:+.0f}]"


def _number(value: float, form: str) -> str:
    """A number, or a dash for one that does not exist."""
    return "-" if math.isnan(value) else format(value, form)
