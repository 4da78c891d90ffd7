"""Presets: YAML files of flag values. Adding one: put NAME.yaml beside this file."""

from pathlib import Path
from typing import Any

import yaml

from nocigram.core.errors import InputError

_FOLDER = Path(__file__).parent


def preset_names() -> list[str]:
    """Names of the presets in the package."""
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))


def preset_values(name: str) -> dict[str, Any]:
    """Flags and values of a preset.

    Raises:
        InputError: no preset has this name.
    """
    if name not in preset_names():
        raise InputError(
            f"--preset: expected one of {preset_names()}, got '{name}'. Choose one, or leave the flag out."
        )
    values: dict[str, Any] = yaml.safe_load((_FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    return values
