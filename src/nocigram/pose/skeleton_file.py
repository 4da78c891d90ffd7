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
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
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
    groups = {
        "edges": (content["edges"], 2),
        "angles": (content["angles"], 3),
        "front": ([[content["front"]]], 1),
        "back": ([[content["back"]]], 1),
        "paws": ([[name] for name in content.get("paws") or ()], 1),
    }
    for key, (rows, width) in groups.items():
        wrong = [row for row in rows or () if not _is_row(row, names, width=width)]
        if not isinstance(rows, list) or wrong:
            expected = f"{key}: {'names' if width == 1 else f'lists of {width} different names'} among the keypoints"
            got = repr(wrong[0] if wrong else rows)
            faults.append(Fault(where=where, expected=expected, got=got, fix="Correct the names."))
    if content["front"] == content["back"]:
        expected, got = "another keypoint as back than as front", str(content["back"])
        faults.append(Fault(where=where, expected=expected, got=got, fix="Correct one."))
    return faults


def _is_row(row: Any, names: list[str], *, width: int) -> bool:
    """So many different keypoints."""
    return isinstance(row, list) and len(row) == width == len(set(map(str, row))) and all(name in names for name in row)
