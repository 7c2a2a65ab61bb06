"""Text charts: curves drawn with characters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from evonet.types import FloatArray

_MARKS = "*+."


def chart(
    series: Mapping[str, Sequence[float | None]], width: int = 72, height: int = 12, *, stretch: bool = False
) -> str:
    """Curves over a common axis as text; where curves cross, the first curve is drawn.

    Args:
        series: values of at most three curves by name, all of one length; None for a missing value.
        width: columns of the drawing; of fewer values, each has a column.
        height: rows of the drawing.
        stretch: whether fewer values fill the columns, too.
    """
    curves = {name: _resample(values, width, stretch=stretch) for name, values in series.items()}
    known = np.concatenate([curve[np.isfinite(curve)] for curve in curves.values()])
    if known.size == 0:
        return "  (no values)"
    low, high = known.min(), known.max()
    columns = max(len(curve) for curve in curves.values())
    grid = [[" "] * columns for _ in range(height)]
    for mark, curve in reversed(list(zip(_MARKS, curves.values(), strict=False))):
        for x, value in enumerate(curve):
            if np.isfinite(value):
                share = (value - low) / (high - low) if high > low else 0.5
                grid[height - 1 - round(share * (height - 1))][x] = mark
    labels = [""] * height
    labels[0], labels[-1] = f"{high:.6g}", f"{low:.6g}"
    margin = max(map(len, labels))
    rows = [f"  {label:>{margin}} |{''.join(row).rstrip()}" for label, row in zip(labels, grid, strict=True)]
    legend = "   ".join(f"{mark} {name}" for mark, name in zip(_MARKS, curves, strict=False))
    last = str(max(len(values) for values in series.values()) - 1)
    axis = f"  {'':>{margin}} +{'-' * columns}\n  {'':>{margin}}  0{last:>{max(columns - 1, len(last) + 1)}}"
    return "\n".join([*rows, axis, f"  {'':>{margin}}  {legend}"])


def _resample(values: Sequence[float | None], width: int, *, stretch: bool) -> FloatArray:
    """At most `width` of the values, evenly spaced, including the first and the last; `width` exactly if stretched."""
    array = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    if len(array) <= width and not (stretch and len(array)):
        return array
    sampled: FloatArray = array[np.linspace(0, len(array) - 1, width).round().astype(int)]
    return sampled
