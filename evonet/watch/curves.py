"""The metrics of a run as curves for a page, which stay small however long the run goes on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

COLUMNS = ("generation", "best", "mean", "median", "lower_quartile", "upper_quartile", "worst", "validation_mean")
"""The metrics that a page draws."""

_MAX_POINTS = 400  # points of a curve; a page has fewer pixels than twice as many
_DIGITS = 6

Row = Sequence[float | None]


class Curves:
    """Curves of a run, thinned out evenly when they get long; the last generation is always there."""

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._every = 1
        self.last: Mapping[str, float | int | None] = {}
        """The metrics of the last generation; empty before the first."""

    def add(self, metrics: Mapping[str, float | int | None]) -> None:
        """Add the metrics of the next generation."""
        self.last = metrics
        generation = metrics["generation"]
        assert generation is not None
        if int(generation) % self._every == 0:
            self._rows.append([metrics[name] for name in COLUMNS])
        if len(self._rows) > 2 * _MAX_POINTS:
            self._rows, self._every = self._rows[::2], 2 * self._every

    def columns(self) -> dict[str, list[float | None]]:
        """The values of each column; None for a missing score."""
        rows = list(self._rows)
        if self.last and (not rows or rows[-1][0] != self.last["generation"]):
            rows.append([self.last[name] for name in COLUMNS])
        return {name: [rounded(row[place]) for row in rows] for place, name in enumerate(COLUMNS)}


def rounded(value: float | None) -> float | None:
    """A number with six digits, as short as a page needs; None for None, NaN and infinities."""
    if value is None or not math.isfinite(value):
        return None
    if value == int(value):
        return int(value)
    return float(f"{value:.{_DIGITS}g}")
