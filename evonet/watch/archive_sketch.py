"""An archive as plain numbers, which the page draws."""

from __future__ import annotations

from typing import Any

import numpy as np

from evonet.archives.archive import Archive
from evonet.inspection.phrases import shortened
from evonet.inspection.plots.archive import Limits, as_cells, axis_ends, colour_limits, point_order
from evonet.inspection.plots.palette import finite_span
from evonet.types import FloatArray, IntArray
from evonet.watch.curves import rounded

MAX_SHOWN = 2_500
"""The greatest number of squares or points that are drawn."""


@np.errstate(over="ignore", invalid="ignore")  # untrusted files may hold any number
def archive_sketch(archive: Archive) -> dict[str, Any] | None:
    """The elites of an archive over its first two measures, or over one and the fitness.

    An elite is `[x, y, fitness, row of the archive]`, x and y as shares of the `spans` of both axes, the fittest last.
    A grid over two measures has squares of the `size` `[width, height]`, shares too, elsewhere elites are points. Of
    more than 2,500 squares, each of fewer shows the fittest of some cells; of more points, the fittest are shown.

    Returns:
        None for an archive without elites that can be drawn.
    """
    names, elites = archive.measure_names, archive.elites
    order = point_order(archive, elites.fitness)
    if not order.size:
        return None
    if as_cells(archive):
        rows, places, size = _squares(archive, order)
        spans = [axis_ends(archive.ranges[name]) for name in names]  # type: ignore[attr-defined]
    else:
        rows, size = order[-MAX_SHOWN:], None
        spans = [_span(archive, column) for column in range(min(2, len(names)))]
        columns = [elites.measures[rows, column] for column in range(len(spans))]
        if len(spans) == 1:
            spans.append(axis_ends(finite_span(elites.fitness)))
            columns.append(elites.fitness[rows])
        places = np.stack([_share(column, *span) for column, span in zip(columns, spans, strict=True)], axis=1)
    low, high = colour_limits(elites.fitness)
    return {
        "axes": [shortened(name) for name in (*names, "fitness")[:2]],
        "spans": [[rounded(end) for end in span] for span in spans],
        "size": size,
        "elites": [
            [round(x, 4), round(y, 4), rounded(fitness), row]
            for (x, y), fitness, row in zip(places.tolist(), elites.fitness[rows].tolist(), rows.tolist(), strict=True)
        ],
        "low": rounded(low),
        "high": rounded(high),
        "filled": len(archive),
        "cells": archive.num_cells,
        "qd_score": rounded(archive.qd_score()),
    }


def _squares(archive: Any, order: IntArray) -> tuple[IntArray, FloatArray, list[float]]:
    """The rows that are shown of a grid over two measures, the centres of their squares, and the size of a square."""
    step = np.ones(2, dtype=np.int64)
    shape = np.array(archive.shape)
    while np.prod(counts := -(-shape // step)) > MAX_SHOWN:
        step[np.argmax(counts)] *= 2
    squares = np.stack(np.unravel_index(archive.elites.cells[order], archive.shape), axis=1) // step
    fittest = np.full(counts, -1, dtype=np.int64)
    fittest[tuple(squares.T)] = np.arange(len(order))  # the last of several stays, which is the fittest
    kept = np.sort(fittest[fittest >= 0])
    return order[kept], np.minimum((squares[kept] + 0.5) * step / shape, 1.0), (step / shape).tolist()


def _span(archive: Archive, column: int) -> Limits:
    """The ends of the axis of a measure: its range, or what the elites reach."""
    ranges: dict[str, Limits] = getattr(archive, "ranges", {})
    reached = finite_span(archive.elites.measures[:, column])
    return axis_ends(ranges.get(archive.measure_names[column], reached))


def _share(values: FloatArray, low: float, high: float) -> FloatArray:
    return np.clip((values / 2 - low / 2) / (high / 2 - low / 2), 0.0, 1.0)
