"""The skeleton file: another body than the mouse with six keypoints, as a YAML file.

```yaml
keypoints: [nose, left_ear, right_ear, tail_base]
front: nose
back: tail_base
edges: [[nose, tail_base], [left_ear, right_ear]]
angles: [[nose, left_ear, right_ear]]    # vertex, arm, arm
paws: []                                 # optional: keypoints at which light is read
```
"""

from pathlib import Path
from typing import Any

import yaml

from nocigram.core.errors import Fault, InputError, raise_faults
from nocigram.pose.skeleton import Skeleton, plain_name

_KEYS = ("keypoints", "front", "back", "edges", "angles")


def read_skeleton(path: Path) -> Skeleton:
    """Read a skeleton file.

    Raises:
        InputError: no such file, no YAML mapping, a key that is missing or unknown, or a name that is no keypoint.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"--skeleton {path}: expected a YAML file, got {reason}. Correct the file.") from error
    if not isinstance(content, dict):
        raise InputError(
            f"--skeleton {path}: expected the keys {', '.join(_KEYS)}, got {type(content).__name__}. See docs/data.md."
        )
    raise_faults(_faults_of(content, where=path.name))
    position = {name: at for at, name in enumerate(content["keypoints"])}
    return Skeleton(
        names=tuple(content["keypoints"]),
        front=position[content["front"]],
        back=position[content["back"]],
        edges=tuple((position[start], position[end]) for start, end in content["edges"]),
        angles=tuple((position[vertex], position[arm], position[other]) for vertex, arm, other in content["angles"]),
        paws=tuple(position[name] for name in content.get("paws") or ()),
    )


def _faults_of(content: dict[Any, Any], *, where: str) -> list[Fault]:
    """Every reason not to use the file."""
    missing, unknown = sorted(set(_KEYS) - set(content)), sorted(map(str, set(content) - {*_KEYS, "paws"}))
    if missing or unknown:
        got = f"{', '.join(map(str, content)) or 'none'}"
        expected = f"the keys {', '.join(_KEYS)} and optionally paws"
        return [Fault(where=where, expected=expected, got=got, fix="Add or rename keys.")]
    names = content["keypoints"]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        fix = "Write [name, name, ...]."
        return [Fault(where=where, expected="keypoints: a list of names", got=repr(names), fix=fix)]
    faults = []
    if len(names) < 2 or len({plain_name(name) for name in names}) < len(names):
        expected, got = "at least 2 different keypoints", ", ".join(names)
        faults.append(Fault(where=where, expected=expected, got=got, fix="Name each once."))
    faults += [
        *_row_faults("edges", content["edges"], names, width=2, where=where),
        *_row_faults("angles", content["angles"], names, width=3, where=where),
    ]
    for key, expected, row in (
        ("front", "a name", [content["front"]]),
        ("back", "a name", [content["back"]]),
        ("paws", "different names", content.get("paws") or []),
    ):
        if not _are_keypoints(row, names):
            got, expected = repr(content[key]), f"{key}: {expected} among the keypoints"
            faults.append(Fault(where=where, expected=expected, got=got, fix="Correct the names."))
    if content["front"] == content["back"]:
        expected, got = "another keypoint as back than as front", str(content["back"])
        faults.append(Fault(where=where, expected=expected, got=got, fix="Correct one."))
    return faults


def _row_faults(key: str, rows: Any, names: list[str], *, width: int, where: str) -> list[Fault]:
    """The first row that isn't so many different keypoints."""
    expected = f"{key}: lists of {width} different names among the keypoints"
    wrong = [row for row in rows if not _are_keypoints(row, names, n=width)] if isinstance(rows, list) else [rows]
    return [Fault(where=where, expected=expected, got=repr(row), fix="Correct the names.") for row in wrong[:1]]


def _are_keypoints(row: Any, names: list[str], *, n: int | None = None) -> bool:
    """A list of different keypoints, `n` of them if it is given."""
    are = isinstance(row, list) and all(name in names for name in row) and len(set(row)) == len(row)
    return are and n in (None, len(row))
