"""Where the trials of a recording lie.

A recording holds several trials one after another. Files of 345 and 360 rows label trials of nominally 360 frames: the
345 rows are their last 345, since some annotators need 15 frames of context. Files of other lengths follow each other.
recordings.csv overrides both.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from nocigram.core.errors import Fault
from nocigram.core.ranges import FrameRange
from nocigram.data.recordings_table import TrialRow

NOMINAL_N_FRAMES = 360
CONTEXT_N_FRAMES = 15
_NOMINAL_ROWS = (NOMINAL_N_FRAMES - CONTEXT_N_FRAMES, NOMINAL_N_FRAMES)

NOMINAL_RULE = (
    f"trial n begins at (n-1)*{NOMINAL_N_FRAMES}; {_NOMINAL_ROWS[0]} rows are the last of its {NOMINAL_N_FRAMES} frames"
)
CONSECUTIVE_RULE = "trials follow each other by their own lengths"
TABLE_RULE = "recordings.csv"


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Spans of a recording's trials, and how they were found."""

    rule: str
    spans: dict[int, FrameRange]
    """Trial number -> its frames."""
    faults: dict[int, Fault]
    """Trial number -> why it could not be placed."""
    doubtful: tuple[int, ...]
    """Trials of 345 or 360 rows that follow others of other lengths, and so lie elsewhere than by the nominal rule."""


def place_trials(
    n_rows: Mapping[int, int | None],
    *,
    table: Mapping[int, TrialRow],
    min_frames: int = 1,
    n_frames: int | None = None,
) -> Placement:
    """Find the span of each trial of one recording.

    Args:
        n_rows: trial number -> rows of its annotation file; None where the file can't be read or doesn't count right.
        table: trial number -> what recordings.csv says of it.
        min_frames: files with fewer rows are skipped, and don't tell how long a trial nominally is.
        n_frames: of the recording; trials that follow each other past its end don't lie where their lengths say.
    """
    given = {n: row for n, row in table.items() if n in n_rows and (row.start, row.stop) != (None, None)}
    spans, faults, rules, doubtful = {}, {}, [], []
    for number, row in sorted(given.items()):
        rows = n_rows[number]
        if rows is not None:
            span = _given_span(row, rows)
            if isinstance(span, FrameRange):
                spans[number] = span
            else:
                faults[number] = Fault(
                    where=f"recordings.csv, trial {number}",
                    expected=f"frames for its {rows} rows",
                    got=span,
                    fix="Correct start or stop.",
                )
    if given:
        rules.append(TABLE_RULE)
    rest = {n: rows for n, rows in sorted(n_rows.items()) if n not in given}
    if rest:
        is_nominal = all(rows in _NOMINAL_ROWS for rows in n_rows.values() if rows is not None and rows >= min_frames)
        found = _nominal(rest) if is_nominal else _consecutive(n_rows, given=given.keys(), spans=spans)
        if not is_nominal and n_frames is not None:
            found = _within(found, n_frames, but={n for n, rows in n_rows.items() if (rows or 0) < min_frames})
        rules.append(NOMINAL_RULE if is_nominal else CONSECUTIVE_RULE)
        nominal_stops = {n: n * NOMINAL_N_FRAMES for n in found if n_rows[n] in _NOMINAL_ROWS}
        for number, result in found.items():
            if isinstance(result, FrameRange) and nominal_stops.get(number, result.stop) != result.stop:
                doubtful.append(number)
            (spans if isinstance(result, FrameRange) else faults)[number] = result  # type: ignore[assignment]
    return Placement(
        rule="; else ".join(rules), spans=dict(sorted(spans.items())), faults=faults, doubtful=tuple(doubtful)
    )


def _given_span(row: TrialRow, rows: int) -> FrameRange | str:
    """The span that recordings.csv gives, or what is wrong with it.

    A span of 360 frames with 345 rows is labelled at its last 345, as everywhere.
    """
    stop = row.stop if row.stop is not None else (row.start or 0) + rows
    start = row.start if row.start is not None else stop - rows
    if (rows, stop - start) == _NOMINAL_ROWS:
        start += CONTEXT_N_FRAMES
    if start >= 0 and stop - start == rows:
        return FrameRange(start, stop)
    return f"[{start}, {stop}), {stop - start} frames"


def _within(
    found: dict[int, FrameRange | Fault], n_frames: int, *, but: Collection[int]
) -> dict[int, FrameRange | Fault]:
    """Trials that follow each other, all of them in doubt where one passes the end: some file is too long.

    Which one, nobody can tell, and labels of its last rows are another trial's. The trial that passes the end keeps its
    span, which says so itself.

    Args:
        found: trial number -> its place.
        n_frames: of the recording.
        but: trials that are too short to be used.
    """
    spans = [result for number, result in found.items() if number not in but and isinstance(result, FrameRange)]
    stop = max((span.stop for span in spans), default=0)
    if stop <= n_frames:
        return found
    return {
        number: Fault(
            where=f"trial {number}",
            expected=f"trials that follow each other within {n_frames} frames",
            got=f"trials up to frame {stop}",
            fix="Correct their lengths, or give its start in recordings.csv.",
        )
        if isinstance(result, FrameRange) and result.stop <= n_frames
        else result
        for number, result in found.items()
    }


def _nominal(n_rows: Mapping[int, int | None]) -> dict[int, FrameRange | Fault]:
    """Trials at multiples of 360."""
    found: dict[int, FrameRange | Fault] = {}
    for number, rows in n_rows.items():
        if number < 1:
            found[number] = Fault(
                where=f"trial {number}",
                expected="trials numbered from 1",
                got=str(number),
                fix="Rename the file, or give its start in recordings.csv.",
            )
        elif rows is not None:
            stop = number * NOMINAL_N_FRAMES
            found[number] = FrameRange(stop - rows, stop)
    return found


def _consecutive(
    n_rows: Mapping[int, int | None], *, given: Collection[int], spans: Mapping[int, FrameRange]
) -> dict[int, FrameRange | Fault]:
    """Trials one after another, from frame 0 or from the end of a trial that recordings.csv places.

    After a trial that is missing or unreadable the place of the next is unknown.
    """
    found: dict[int, FrameRange | Fault] = {}
    start: int | None = 0
    previous = 0
    numbers = sorted(n_rows)
    for number in numbers:
        rows, is_next, previous = n_rows[number], number == previous + 1, number
        if number in given:
            start = spans[number].stop if number in spans else None
            continue
        start = start if is_next else None
        if rows is not None:
            found[number] = (
                FrameRange(start, start + rows)
                if start is not None
                else Fault(
                    where=f"trial {number}",
                    expected="all trials before it",
                    got=f"trials {numbers}, not all readable",
                    fix="Give its start in recordings.csv.",
                )
            )
        start = start + rows if start is not None and rows else None
    return found
