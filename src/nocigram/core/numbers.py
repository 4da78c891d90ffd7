"""Numbers as JSON can hold them."""

import math
from collections.abc import Mapping
from typing import TypeVar

Number = TypeVar("Number", int, float)


def none_for_nan(number: Number | None) -> Number | None:
    """NaN, which says that a number does not exist, as None, since JSON has no NaN."""
    return None if number is None or math.isnan(number) else number


def without_nan(record: Mapping[str, Number | None]) -> dict[str, Number | None]:
    """The same names with None for each NaN."""
    return {name: none_for_nan(value) for name, value in record.items()}
