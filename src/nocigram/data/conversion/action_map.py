"""Which of our actions another tool's behaviours are: `--actions_map`, or names that are the same in other words.

```yaml
actions:                       # their behaviour: our action, `unscored` or `leave_out`
  Licking: paw_lick
  hand in view: unscored
background: rest               # optional: frames that were looked at and in which nothing was noted
priority: [paw_withdraw]       # optional: which action counts where several were noted at once
scored: {mouse1: [0, 300]}     # optional: the seconds of a recording that were looked at
stimulus: von Frey             # optional: the behaviour whose start is the stimulus
```
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from nocigram.core.actions import UNSCORED, ActionScheme
from nocigram.core.errors import Fault, InputError, raise_faults
from nocigram.data.formats.records import ForeignLabels
from nocigram.pose.skeleton import plain_name

LEFT_OUT = -2
"""What a behaviour becomes that counts as if nobody had noted it."""
_WORDS = {"unscored": UNSCORED, "leave_out": LEFT_OUT}
_KEYS = ("actions", "background", "priority", "scored", "stimulus")

_SYNONYMS = {
    "rest": ("resting", "immobile", "immobility", "inactive"),
    "paw_withdraw": ("withdraw", "withdrawal", "withdrawing", "pawwithdrawal", "pawwithdrawing"),
    "paw_lick": ("lick", "licking", "pawlicking", "licks"),
    "paw_guard": ("guard", "guarding", "pawguarding"),
    "paw_shake": ("shake", "shaking", "pawshaking", "shakes"),
    "flinch": ("flinching", "flinches"),
    "walk": ("walking", "locomotion", "ambulation"),
    "active": ("activity",),
}
"""Our action -> other words for it, in the form of `plain_name`."""


@dataclass(frozen=True, kw_only=True)
class ActionMap:
    """A user's answer to what their behaviours are; empty where nobody was asked."""

    actions: Mapping[str, int] = field(default_factory=dict)
    """Their behaviour -> our code, UNSCORED or LEFT_OUT."""
    background: int | None = None
    priority: tuple[int, ...] = ()
    """Codes, the strongest first."""
    scored_s: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Recording -> the seconds that were looked at."""
    stimulus: str | None = None
    """Their behaviour whose start is the stimulus."""

    def is_stimulus(self, name: str) -> bool:
        """Whether a behaviour is the stimulus, whatever its case, blanks and further modifiers."""
        if self.stimulus is None or not name:
            return False
        return plain_name(name) == plain_name(self.stimulus) or self.is_stimulus(name.rpartition("|")[0])


def read_action_map(path: Path | None, *, scheme: ActionScheme) -> ActionMap:
    """Read `--actions_map`.

    Raises:
        InputError: the file can't be read, has other keys, or names actions that don't exist.
    """
    if path is None:
        return ActionMap()
    content = read_yaml(path, flag="--actions_map")
    if not content or not set(content) <= set(_KEYS):
        raise InputError(
            f"--actions_map {path}: expected the keys {', '.join(_KEYS)}, "
            f"got {', '.join(map(str, content)) or 'none'}. See docs/convert.md for an example."
        )
    actions, priority, scored = (content.get(key) or {} for key in ("actions", "priority", "scored"))
    background, stimulus = content.get("background"), content.get("stimulus")
    if not isinstance(actions, dict) or not isinstance(priority or [], list) or not isinstance(scored, dict):
        raise InputError(
            f"--actions_map {path}: expected actions and scored to be mappings and priority a list, got others. "
            "See docs/convert.md for an example."
        )
    if stimulus is not None and not (isinstance(stimulus, str) and stimulus.strip()):
        raise InputError(
            f"--actions_map {path}: expected stimulus to be a behaviour's name, got {stimulus!r}. Put it into quotes."
        )
    codes = {name: code for code, name in enumerate(scheme.names)}
    named = [*((target, {**codes, **_WORDS}) for target in actions.values()), *((name, codes) for name in priority)]
    named += [(background, codes)] if background is not None else []
    faults = [
        _unknown(path, target, allowed)
        for target, allowed in named
        if target is not None and str(target) not in allowed
    ]
    raise_faults([*faults, *_span_faults(path, scored)])
    return ActionMap(
        actions={str(name): {**codes, **_WORDS}[str(target)] for name, target in actions.items() if target is not None},
        background=None if background is None else codes[str(background)],
        priority=tuple(codes[str(name)] for name in priority),
        scored_s={str(name): (float(span[0]), float(span[1])) for name, span in scored.items()},
        stimulus=stimulus,
    )


def read_yaml(path: Path, *, flag: str) -> dict[Any, Any]:
    """A YAML file that holds a mapping; empty where there is nothing in it.

    Raises:
        InputError: it can't be read, or holds something else.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{flag} {path}: expected a YAML file, got {reason}. Correct the path or the file.") from error
    if not isinstance(content or {}, dict):
        raise InputError(f"{flag} {path}: expected a mapping, got {type(content).__name__}. See docs/convert.md.")
    return content or {}


def _unknown(path: Path, target: object, allowed: Iterable[str]) -> Fault:
    """A name that is no action."""
    return Fault(
        where=f"--actions_map {path}",
        expected=f"names among {', '.join(allowed)}",
        got=f"'{target}'",
        fix="Correct the name, or give your own actions with --actions.",
    )


def _span_faults(path: Path, scored: Mapping[Any, Any]) -> list[Fault]:
    """Stretches that are not two rising numbers."""
    return [
        Fault(
            where=f"--actions_map {path}: scored, {name}",
            expected="[start, stop] in seconds",
            got=str(span),
            fix="Correct the numbers.",
        )
        for name, span in scored.items()
        if not (
            isinstance(span, list)
            and len(span) == 2
            and all(isinstance(number, int | float) for number in span)
            and 0 <= span[0] < span[1]
        )
    ]


def codes_of(found: Iterable[ForeignLabels], *, given: ActionMap, scheme: ActionScheme) -> dict[str, int]:
    """What each behaviour becomes: as the user says, else the action of the same name or its usual other word.

    A behaviour that could be named and never was needs no answer.

    Raises:
        InputError: behaviours without an answer, with a file to fill in.
    """
    n_events = Counter(event.name for labels in found for event in labels.events)
    codes = {name: _code_of(name, given, scheme) for name in n_events}
    known = {name: code for name, code in codes.items() if code is not None}
    if unmapped := sorted(set(codes) - set(known)):
        raise InputError(
            f"actions: expected an action for every behaviour, got no answer for {', '.join(unmapped)}. "
            f"Fill in this file and give it as --actions_map:\n\n{_template(unmapped, n_events, known, scheme)}"
        )
    return known


def _template(unmapped: list[str], n_events: Mapping[str, int], known: Mapping[str, int], scheme: ActionScheme) -> str:
    """A file for --actions_map to fill in."""
    words = dict(enumerate(scheme.names)) | {code: word for word, code in _WORDS.items()}
    return "\n".join(
        (
            f"# their behaviour: one of {', '.join(scheme.names)};",
            "# or unscored (its frames count in nothing), or leave_out (as if nobody had noted it)",
            "actions:",
            *(f"  {_quoted(name)}:    # events: {n_events[name]}" for name in unmapped),
            *(f"  {_quoted(name)}: {words[code]}" for name, code in sorted(known.items())),
            f"# background: {scheme.names[0]}  # frames that were looked at and have no note; else unscored",
            f"# priority: [{scheme.names[1]}]  # which action counts where several were noted at once; else unscored",
            "# stimulus: their word  # the behaviour whose start is the stimulus; it needs no action",
        )
    )


def _code_of(name: str, given: ActionMap, scheme: ActionScheme) -> int | None:
    """What one behaviour becomes, or None; one with modifiers (`lick|left`) is what it is without, unless named."""
    if name in given.actions:
        return given.actions[name]
    plain = plain_name(name)
    by_plain = {plain_name(theirs): code for theirs, code in given.actions.items()}
    if plain in by_plain:
        return by_plain[plain]
    for code, action in enumerate(scheme.names):
        if plain in (plain_name(action), *_SYNONYMS.get(action, ())):
            return code
    if given.is_stimulus(name):
        return LEFT_OUT
    shorter = name.rpartition("|")[0]
    return _code_of(shorter, given, scheme) if shorter else None


def _quoted(name: str) -> str:
    """A name as a key of YAML."""
    text = yaml.safe_dump(name, default_flow_style=True, allow_unicode=True, width=10**6)
    return text.strip().removesuffix("...").strip()
