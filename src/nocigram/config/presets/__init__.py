"""Sets of flags, as YAML files.

`default/APPROACH.yaml` has the flags in which an approach differs from the guide's defaults, which are `multitask`'s;
`NAME/APPROACH.yaml` has what `--preset NAME` changes of them. Adding a preset: make its folder beside this file.
"""

from pathlib import Path
from typing import Any

import yaml

from nocigram.core.errors import InputError
from nocigram.core.literals import Approach

_FOLDER = Path(__file__).parent
_DEFAULT = "default"


def preset_names() -> list[str]:
    """Names of the presets in the package."""
    return sorted(path.name for path in _FOLDER.iterdir() if path.name != _DEFAULT and any(path.glob("*.yaml")))


def approach_values(approach: Approach) -> dict[str, Any]:
    """Flags and values in which an approach differs from the guide's defaults."""
    return _values(_DEFAULT, approach)


def preset_values(name: str, approach: Approach) -> dict[str, Any]:
    """Flags and values that a preset changes for an approach.

    Raises:
        InputError: no preset has this name.
    """
    if name not in preset_names():
        raise InputError(
            f"--preset: expected one of {preset_names()}, got '{name}'. Choose one, or leave the flag out."
        )
    return _values(name, approach)


def _values(folder: str, approach: Approach) -> dict[str, Any]:
    """The content of a file; nothing where there is none."""
    path = _FOLDER / folder / f"{approach}.yaml"
    if not path.is_file():
        return {}
    values: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    return values
