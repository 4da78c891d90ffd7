"""BORIS: the project file .boris, and the tables of events that it exports, tabular and aggregated.

State events have a beginning and an end, point events a moment. Times are seconds since the beginning of the
observation, which is the first frame of its first video; an observation of several videos, one after the other, has one
clock for all.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nocigram.core.errors import InputError
from nocigram.data.formats.records import Event, ForeignLabels, Reading, Skipped
from nocigram.data.formats.registry import register_format
from nocigram.data.formats.sample import Sample
from nocigram.data.formats.text import read_json, read_rows

_COLUMNS = {
    "observation": ("observation id",),
    "video": ("media file path", "media file name", "media file"),
    "length_s": ("total length", "media duration (s)"),
    "fps": ("fps", "fps (frame/s)"),
    "subject": ("subject",),
    "name": ("behavior",),
    "offset_s": ("time offset (s)",),
    "time": ("time", "start (s)"),
    "stop": ("stop (s)",),
    "kind": ("status", "behavior type"),
}
"""Our name of a column -> how versions of BORIS spell it, in lower case."""
_NOBODY = "no focal subject"
_FIX = "Export the events again with BORIS, or give the .boris project."


@dataclass(frozen=True, kw_only=True)
class _Video:
    """One of the videos that an observation shows one after the other."""

    name: str
    start_s: float
    length_s: float | None
    fps: float | None


def _is_table(sample: Sample) -> bool:
    """A row that names columns of BORIS."""
    return _header_row(sample.rows) is not None


def _header_row(rows: Sequence[Sequence[str]]) -> int | None:
    """The first row that is the header of a table of events."""
    for at, row in enumerate(rows):
        cells = {cell.lower() for cell in row}
        if "behavior" in cells and ({"time", "status"} <= cells or {"time", "behavior type"} <= cells):
            return at
        if {"behavior", "behavior type", "start (s)", "stop (s)"} <= cells:
            return at
    return None


@register_format("BORIS table of events", kind="labels", recognises=_is_table)
def read_boris_table(path: Path) -> list[Reading]:
    """Read tabular or aggregated events: csv, tsv, of old and new versions of BORIS.

    Raises:
        InputError: columns are missing, a time is no number, or BORIS moved the times by an offset.
    """
    rows = read_rows(path)
    at = _header_row(rows)
    if at is None:
        raise InputError(f"{path.name}: expected the columns Behavior and Time or Start (s), got none. {_FIX}")
    table = _table_of(rows[at], [row for row in rows[at + 1 :] if any(row)], path=path)
    _refuse_offset(path, rows[:at], table)
    if "observation" not in table:
        table["observation"] = next((row[1] for row in rows[:at] if len(row) > 1 and row[0] == "Observation id"), "")
    listed = [row[1] for row in rows[:at] if len(row) > 1 and row[0].lower().startswith("player #1")]
    readings: list[Reading] = []
    for observation, events in table.groupby("observation", sort=False):
        readings.append(_observation_of(path, str(observation), events, listed=listed))
    return readings


def _table_of(header: list[str], rows: list[list[str]], *, path: Path) -> pd.DataFrame:
    """The columns that are needed, by our names.

    Raises:
        InputError: no rows, or one that is shorter than the header.
    """
    if not rows:
        raise InputError(f"{path.name}: expected events below the header, got none. {_FIX}")
    spelt = {cell.lower(): at for at, cell in reversed(list(enumerate(header)))}
    columns = {ours: spelt[name] for ours, names in _COLUMNS.items() for name in reversed(names) if name in spelt}
    if short := next((row for row in rows if len(row) <= max(columns.values())), None):
        raise InputError(f"{path.name}: expected {len(header)} cells in every row, got {', '.join(short)}. {_FIX}")
    table = pd.DataFrame({ours: [row[at] for row in rows] for ours, at in columns.items()}, dtype=str)
    modifiers = [at for at, cell in enumerate(header) if cell.lower().startswith("modifier")]
    table["name"] = [_named(row[columns["name"]], [row[at] for at in modifiers if at < len(row)]) for row in rows]
    return table


def _named(behaviour: str, modifiers: Iterable[str]) -> str:
    """A behaviour with its modifiers, as in `paw response|lick`."""
    return "|".join([behaviour, *(each for each in modifiers if each and each != "None")])


def _refuse_offset(path: Path, top: Sequence[Sequence[str]], table: pd.DataFrame) -> None:
    """The error of times that don't count from the first frame."""
    offsets = [row[1] for row in top if len(row) > 1 and row[0].lower() == "time offset (s)"]
    offsets += list(table["offset_s"]) if "offset_s" in table else []
    for offset in offsets:
        if offset and pd.to_numeric(offset, errors="coerce") != 0:
            raise InputError(
                f"{path.name}: expected times that count from the first frame, got a time offset of {offset} s. "
                "Set it to 0 in the observation and export again."
            )


def _observation_of(path: Path, observation: str, table: pd.DataFrame, *, listed: Sequence[str]) -> Reading:
    """The labels of one observation."""
    where = f"{path.name}: observation '{observation}'"
    videos = list(dict.fromkeys(name for name in table.get("video", pd.Series(dtype=str)) if name))
    if len(videos) > 1 or len(listed) > 1:
        return Skipped(
            what=where, reason=f"{len(videos or listed)} videos one after the other. Give the .boris project."
        )
    events = _events_of(table, where=where)
    if isinstance(events, str):
        return Skipped(what=where, observation=observation, reason=events)
    return ForeignLabels(
        path=path,
        video=videos[0] if videos else (listed[0] if listed else None),
        unit="s",
        events=events,
        names=tuple(dict.fromkeys(event.name for event in events)),
        length_s=_number_in(table, "length_s"),
        fps=_number_in(table, "fps"),
        observation=observation,
    )


def _number_in(table: pd.DataFrame, column: str) -> float | None:
    """The first number of a column, or None."""
    numbers = pd.to_numeric(table[column], errors="coerce").dropna() if column in table else pd.Series(dtype=float)
    return float(numbers.iloc[0]) if len(numbers) else None


def _events_of(table: pd.DataFrame, *, where: str) -> tuple[Event, ...] | str:
    """The events of a table, or why they can't be told."""
    subjects = table["subject"] if "subject" in table else pd.Series("", index=table.index)
    subjects = subjects.where(subjects.str.lower() != _NOBODY, "")
    starts = _seconds(table, "time", where=where)
    kinds = table["kind"].str.upper()
    if "stop" in table:
        stops = _seconds(table, "stop", where=where).fillna(starts)
        if (wrong := table.index[stops < starts]).size:
            got = f"{starts[wrong[0]]:g} to {stops[wrong[0]]:g} s"
            raise InputError(f"{where}: expected events that end after they begin, got {got}. {_FIX}")
        cells = zip(table["name"], starts, stops, subjects, strict=True)
        return tuple(Event(name=name, start=start, stop=stop, subject=who) for name, start, stop, who in cells)
    if unknown := sorted(set(kinds) - {"START", "STOP", "POINT"}):
        raise InputError(f"{where}: expected START, STOP or POINT, got {', '.join(unknown)}. {_FIX}")
    marks = list(zip(table["name"], subjects, starts, kinds, strict=True))
    points = [Event(name=name, start=at, stop=at, subject=who) for name, who, at, kind in marks if kind == "POINT"]
    states = _paired([(name, who, at, kind == "START") for name, who, at, kind in marks if kind != "POINT"])
    return states if isinstance(states, str) else _in_order([*points, *states])


def _seconds(table: pd.DataFrame, column: str, *, where: str) -> "pd.Series[float]":
    """A column of times; blank and NA are NaN in the column of ends alone."""
    numbers = pd.to_numeric(table[column], errors="coerce")
    is_blank = table[column].str.upper().isin(("", "NA")) & (column == "stop")
    if (wrong := table.index[~is_blank & ~(np.isfinite(numbers) & (numbers >= 0))]).size:
        raise InputError(f"{where}: expected times in seconds, got '{table.loc[wrong[0], column]}'. {_FIX}")
    return numbers.astype(float)


def _paired(marks: Iterable[tuple[str, str, float, bool | None]]) -> list[Event] | str:
    """Beginnings and ends of state events, put together per behaviour and animal, or what has no partner.

    Args:
        marks: behaviour, animal, seconds, and whether it begins there; None where the file doesn't say, as beginnings
            and ends take turns.
    """
    events, open_since = [], dict[tuple[str, str], float]()
    for name, subject, at, begins in sorted(marks, key=lambda mark: (mark[2], mark[3] is True)):
        since = open_since.pop((name, subject), None)
        if (since is None) != (begins if begins is not None else since is None):
            return f"'{name}' {'begins twice' if begins else 'ends without a beginning'} at {at:g} s. Mend it in BORIS."
        if since is None:
            open_since[name, subject] = at
        else:
            events.append(Event(name=name, start=since, stop=at, subject=subject))
    for (name, _), since in open_since.items():
        return f"'{name}' begins at {since:g} s and doesn't end. Mend it in BORIS."
    return events


def _in_order(events: Iterable[Event]) -> tuple[Event, ...]:
    """Events by their beginning."""
    return tuple(sorted(events, key=lambda event: (event.start, event.stop, event.name)))


def _is_project(sample: Sample) -> bool:
    """A JSON object with an ethogram and observations."""
    keys = ('"project_format_version"', '"behaviors_conf"', '"subjects_conf"')  # their order differs
    return sample.is_json and any(key in sample.text for key in keys)


@register_format("BORIS project", kind="labels", recognises=_is_project)
def read_boris_project(path: Path) -> list[Reading]:
    """Read every observation of a project; those without a video (live, pictures) are skipped with the reason.

    Raises:
        InputError: broken, or of an unknown layout.
    """
    content = read_json(path)
    try:
        kinds = {str(each["code"]): str(each["type"]) for each in content["behaviors_conf"].values()}
        observations = list(content["observations"].items())
        return [reading for name, each in observations for reading in _in_project(path, str(name), each, kinds)]
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
        raise InputError(
            f"{path.name}: expected observations as BORIS 7 and later store them, got '{error}'. "
            "Open and save the project with a current BORIS."
        ) from error


def _in_project(path: Path, name: str, observation: dict[str, Any], kinds: dict[str, str]) -> list[Reading]:
    """The labels of an observation, for each of its videos."""
    where = f"{path.name}: observation '{name}'"
    files = observation.get("file") or {}
    if observation.get("type") != "MEDIA" or not (files.get("1") if isinstance(files, dict) else None):
        return [Skipped(what=where, observation=name, reason="it has no video")]
    if float(observation.get("time offset") or 0):
        return [
            Skipped(
                what=where,
                observation=name,
                reason=f"a time offset of {observation['time offset']} s. Set it to 0 in BORIS.",
            )
        ]
    if not observation["events"]:
        return [Skipped(what=where, observation=name, reason="it has no events")]
    events = _events_in_project(observation["events"], kinds)
    if isinstance(events, str):
        return [Skipped(what=where, observation=name, reason=events)]
    videos = _videos_of(files["1"], observation.get("media_info") or {})
    if videos is None:
        return [Skipped(what=where, observation=name, reason="several videos whose lengths BORIS didn't store")]
    names = tuple(dict.fromkeys([*kinds, *(event.name for event in events)]))
    labels = ForeignLabels(path=path, video=None, unit="s", events=events, names=names, observation=name)
    start_s, stop_s = observation.get("observation time interval") or (0, 0)
    if stop_s:
        labels = replace(labels, scored=((float(start_s), float(stop_s)),))
    others = [video for player, each in files.items() if player != "1" for video in each]
    if others:
        labels = replace(labels, notes=(f"no labels are made of the other players' {', '.join(map(_base, others))}",))
    return [_part_of(labels, video, is_last=video is videos[-1]) for video in videos]


def _events_in_project(events: Sequence[Sequence[Any]], kinds: dict[str, str]) -> tuple[Event, ...] | str:
    """The events of an observation, each [seconds, subject, behaviour, modifiers, ...], or why they can't be told."""
    if unknown := sorted({str(event[2]) for event in events} - set(kinds)):
        return f"behaviours that the ethogram lacks: {', '.join(unknown)}"
    is_point = {code: "point" in kind.lower() for code, kind in kinds.items()}
    marks = [
        (
            _named(str(event[2]), [str(event[3] or "")] if len(event) > 3 else []),
            str(event[1]),
            float(event[0]),
            event[2],
        )
        for event in events
    ]
    states = _paired((name, who, at, None) for name, who, at, code in marks if not is_point[code])
    if isinstance(states, str):
        return states
    points = [Event(name=name, start=at, stop=at, subject=who) for name, who, at, code in marks if is_point[code]]
    return _in_order([*points, *states])


def _videos_of(names: Sequence[str], info: dict[str, Any]) -> list[_Video] | None:
    """The videos of the first player with their places on the observation's clock; None where these can't be told."""
    lengths, rates = info.get("length") or {}, info.get("fps") or {}
    if len(names) > 1 and not set(names) <= set(lengths):
        return None
    videos, start_s = [], 0.0
    for name in names:
        length_s = float(lengths[name]) if name in lengths else None
        videos.append(_Video(name=name, start_s=start_s, length_s=length_s, fps=float(rates.get(name) or 0) or None))
        start_s += length_s or 0.0
    return videos


def _part_of(labels: ForeignLabels, video: _Video, *, is_last: bool) -> ForeignLabels:
    """What of an observation is of one video, on that video's own clock."""
    begin, end = video.start_s, float("inf") if is_last else video.start_s + (video.length_s or 0.0)

    def cut(start: float, stop: float) -> tuple[float, float]:
        return max(start, begin) - begin, min(stop, end) - begin

    events = [
        replace(event, start=cut(event.start, event.stop)[0], stop=cut(event.start, event.stop)[1])
        for event in labels.events
        if begin <= event.start < end or event.start < begin < event.stop
    ]
    spans = [cut(start, stop) for start, stop in labels.scored or () if start < end and stop > begin]
    scored = tuple(spans) if labels.scored is not None else None
    return replace(
        labels, video=video.name, events=tuple(events), length_s=video.length_s, fps=video.fps, scored=scored
    )


def _base(name: str) -> str:
    """A file's name without its folders, of any system."""
    return name.replace("\\", "/").rsplit("/", 1)[-1]
