"""Limits of numbers."""

from typing import Any

from nocigram.core.errors import Fault


def out_of_range(options: Any, **limits: tuple[float | int | None, float | int | None]) -> list[Fault]:
    """A fault for each field whose number lies outside of its closed limits; None is no limit."""
    faults = []
    for name, (low, high) in limits.items():
        value = getattr(options, name)
        if value is None:
            continue
        if (low is not None and not value >= low) or (high is not None and not value <= high):
            bounds = f"at least {low}" if high is None else f"a number from {low} to {high}"
            faults.append(Fault(where=f"--{name}", expected=bounds, got=str(value), fix="Correct the flag."))
    return faults
