"""`--actions FILE`: a laboratory's own actions."""

from pathlib import Path

import yaml

from nocigram.core.actions import DEFAULT_SCHEME, ActionScheme
from nocigram.core.errors import InputError


def read_scheme(path: Path | None) -> ActionScheme:
    """Read names, merges and ignore from YAML; without a file, the eight actions of the guide.

    Raises:
        InputError: the file can't be read or contradicts itself.
    """
    if path is None:
        return DEFAULT_SCHEME
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise InputError(f"--actions: expected a YAML file, got {error}. Correct the path or the file.") from error
    if not isinstance(content, dict) or not set(content) <= {"names", "merges", "ignore"} or "names" not in content:
        got = sorted(map(str, content)) if isinstance(content, dict) else type(content).__name__
        raise InputError(
            f"{path}: expected the keys names, merges and ignore, got {got}. See docs/data.md for an example."
        )
    names, merges, ignore = content["names"], content.get("merges") or {}, content.get("ignore") or []
    if not isinstance(names, list) or not isinstance(merges, dict) or not isinstance(ignore, list):
        raise InputError(
            f"{path}: expected names and ignore to be lists and merges a mapping, got others. Correct the file."
        )
    words = [*names, *merges, *merges.values(), *ignore]
    if wrong := [
        word for word in words if not isinstance(word, str | int | float) or isinstance(word, bool) or word == ""
    ]:
        raise InputError(f"{path}: expected actions that are words, got {wrong[0]!r}. Write it in quotes.")
    return ActionScheme(
        names=tuple(map(str, names)),
        merges={str(source): str(target) for source, target in merges.items()},
        ignore=frozenset(map(str, ignore)),
    )
