"""Tables of the documentation that are made from the code: flags of commands, defaults of approaches, presets.

    python scripts/flag_tables.py

rewrites what stands between `<!-- flags: NAME -->`, `<!-- approach: NAME -->` or `<!-- preset: NAME -->` and
`<!-- end -->` in docs/*.md.
A test compares, so a flag can't change without its page.
"""

import re
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from nocigram.cli.flags import _field_docs
from nocigram.cli.main import _COMMANDS, Command, Commands
from nocigram.config.presets import approach_values, preset_values
from nocigram.core.literals import Approach

DOCS = Path(__file__).resolve().parents[1] / "docs"
_MARKED = re.compile(r"(<!-- (?P<kind>flags|approach|preset): (?P<name>\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def commands() -> dict[str, Command]:
    """Every command of `nocigram`."""
    registered = Commands()
    for module in _COMMANDS:
        module.register(registered)
    return registered.found


def rewritten(page: str) -> str:
    """A page with its tables made anew."""
    make = {"flags": _flags_of, "approach": _approach_of, "preset": _preset_of}
    return _MARKED.sub(lambda found: f"{found[1]}\n{make[found['kind']](found['name'])}\n{found[4]}", page)


def _flags_of(name: str) -> str:
    """What a command is told: values given by their place, then a table for each group of flags."""
    command = commands()[name]
    return "\n".join(_group(command.kind, places=command.places))


def _group(kind: Any, *, places: frozenset[str] = frozenset()) -> list[str]:
    """The table of a record of options, then those of its groups."""
    hints, docs = get_type_hints(kind), _field_docs(kind)
    rows = [
        (f"`{entry.name.upper()}`" if entry.name in places else f"`--{entry.name}`", entry, hints[entry.name])
        for entry in fields(kind)
        if not is_dataclass(hints[entry.name])
    ]
    lines = []
    if rows:
        lines = [f"{(kind.__doc__ or '').strip()}\n", "| flag | default | meaning |", "|---|---|---|"]
        lines += [f"| {flag} | {_default(entry)} | {_meaning(docs[entry.name], hint)} |" for flag, entry, hint in rows]
        lines.append("")
    for entry in fields(kind):
        if is_dataclass(hints[entry.name]):
            lines += _group(hints[entry.name])
    return lines


def _default(entry: Any) -> str:
    """A default as a user would write it."""
    if entry.default is MISSING:
        return "required"
    if entry.default is None:
        return ""
    if isinstance(entry.default, bool):
        return "on" if entry.default else "off"
    return f"`{entry.default}`"


def _meaning(help_text: str, hint: Any) -> str:
    """What the help says, without what Markdown would take for a tag, and the values where they are a list."""
    choices = ", ".join(f"`{value}`" for value in get_args(hint)) if get_origin(hint) is Literal else ""
    return help_text.replace("<", r"\<") + (f" One of {choices}." if choices else "")


def _approach_of(name: Approach) -> str:
    """The flags whose defaults an approach changes."""
    return _values_table(approach_values(name))


def _preset_of(name: str) -> str:
    """The flags that a preset sets, for each approach for which it sets any."""
    values = {approach: preset_values(name, approach) for approach in get_args(Approach)}
    return "\n".join(
        f"With `--approach {approach}`:\n\n{_values_table(flags)}" for approach, flags in values.items() if flags
    )


def _values_table(flags: dict[str, Any]) -> str:
    """Flags and their values."""
    rows = [f"| `--{flag}` | `{value}` |" for flag, value in flags.items()]
    return "\n".join(["| flag | value |", "|---|---|", *rows, ""])


if __name__ == "__main__":
    for path in sorted(DOCS.glob("*.md")):
        before = path.read_text(encoding="utf-8")
        if (after := rewritten(before)) != before:
            path.write_text(after, encoding="utf-8")
            print(f"rewrote {path.name}")
