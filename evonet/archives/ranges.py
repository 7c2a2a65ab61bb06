"""The ranges of measures, checked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from evonet.settings import plain
from evonet.types import FloatArray


def low_and_width(ranges: Mapping[str, tuple[float, float]]) -> tuple[FloatArray, FloatArray]:
    """The least value and the width of each range, `(k,)` each."""
    low, high = (np.array(ends, dtype=np.float64) for ends in zip(*ranges.values(), strict=True))
    return low, high - low


def checked_ranges(place: str, ranges: Mapping[str, Sequence[float]]) -> dict[str, tuple[float, float]]:
    """The least and the greatest value of each measure.

    Args:
        place: the setting, for messages.
        ranges: two numbers by name.

    Raises:
        TypeError, ValueError: it has no measure, or a range is not two finite numbers, the lower first.
    """
    if not isinstance(ranges, Mapping):
        raise TypeError(f"{place} must be a range for each measure, such as {{'x': [0, 1]}}, got {ranges!r}")
    if not ranges:
        raise ValueError(f"{place} must have at least one measure, such as {{'x': [0, 1]}}, got none")
    checked = {}
    for name, ends in ranges.items():
        numbers = plain(list(ends)) if isinstance(ends, Sequence) and not isinstance(ends, str) else []
        if len(numbers) != 2 or not all(isinstance(number, int | float) for number in numbers):
            raise ValueError(f"{place}.{name} must be two numbers, the least and the greatest, got {ends!r}")
        low, high = map(float, numbers)
        if not (math.isfinite(high - low) and low < high):
            raise ValueError(f"{place}.{name} must be two finite numbers, the lower first, got {ends!r}")
        checked[str(name)] = (low, high)
    return checked
