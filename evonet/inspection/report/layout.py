"""The layout of figures in rows of six columns without holes."""

from __future__ import annotations

from collections.abc import Sequence

COLUMNS = 6


def spans(widths: Sequence[int]) -> list[int]:
    """The number of columns of each figure, so that every row is full.

    Args:
        widths: the least number of columns of each figure in their order: 2, 4 or 6.

    Returns:
        The columns: three figures of 2 share a row, two have 3 each, one of 4 and one of 2 share a row. A last figure
        of 2 takes another one from the row of three above it.
    """
    rows: list[list[int]] = []
    for width in widths:
        if rows and sum(rows[-1]) + width <= COLUMNS:
            rows[-1].append(width)
        else:
            rows.append([width])
    if len(rows) > 1 and rows[-1] == [2] and rows[-2] == [2, 2, 2]:
        rows[-2:] = [[2, 2], [2, 2]]
    return [span for row in rows for span in _filled(row)]


def _filled(row: Sequence[int]) -> list[int]:
    if sum(row) == COLUMNS:
        return list(row)
    return [COLUMNS // len(row)] * len(row)
