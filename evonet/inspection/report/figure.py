"""A figure of the report: its SVG, its texts, and the values that the page shows under the pointer."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evonet.inspection.plots.palette import words_of
from evonet.inspection.svg import new_axes, page_style, svg

NARROW = (4.0, 2.9)
_STRIP = 10.0  # inches; a wider figure spans the page
_POINTS_AN_INCH = 72
_MAX_POINTS = 2_000  # of a curve, under the pointer


@dataclass(frozen=True)
class Figure:
    """A drawn figure with its texts.

    Attributes:
        key: prefix of the ids of the figure's elements, unique in a page.
        title: title in a few words.
        caption: explanation of the figure.
        alternative: text alternative for readers who cannot see the figure.
        svg: the drawing.
        hover: values and their places, from which the page's script shows the value under the pointer.
        columns: least number of the page's six columns that the figure takes: 2, 4 or 6.
    """

    key: str
    title: str
    caption: str
    alternative: str
    svg: str
    hover: dict[str, Any]
    columns: int = 2


def draw_figure(
    key: str,
    title: str,
    caption: str,
    draw: Callable[[Any], object],
    *,
    alternative: str = "",
    size: tuple[float, float] = NARROW,
    words: Sequence[str] = (),
) -> Figure:
    """Draw a figure.

    Args:
        key: prefix of the ids of the figure's elements, unique in a page.
        title: title in a few words.
        caption: explanation of the figure.
        draw: function that draws on Matplotlib axes.
        alternative: text alternative; by default the caption.
        size: width and height in inches.
        words: names of the values of a heat map, if the values are indices of choices.

    Raises:
        EvonetError: Matplotlib is not installed.
    """
    with page_style():
        axes = new_axes(*size)
        draw(axes)
        text = svg(axes.figure, key)
    hover = _hover(axes, size, key, words)
    columns = 2 if size[0] <= NARROW[0] else 4 if size[0] <= _STRIP else 6
    return Figure(key, title, caption, alternative or caption, text, hover, columns)


def _hover(axes: Any, size: tuple[float, float], key: str, words: Sequence[str]) -> dict[str, Any]:
    """Values for the page's script: texts of marked elements, curves or a heat map, and the place of the axes."""
    width, height = (_POINTS_AN_INCH * inches for inches in size)
    box = axes.get_position()
    found: dict[str, Any] = {
        "box": _rounded([box.x0 * width, (1 - box.y1) * height, box.x1 * width, (1 - box.y0) * height]),
        "x": _rounded(axes.get_xlim(), 7),
        "y": _rounded(axes.get_ylim(), 7),
        "xLabel": axes.get_xlabel(),
        "yLabel": axes.get_ylabel(),
    }
    marked = {artist.get_gid(): words_of(artist) for artist in axes.findobj(lambda artist: artist.get_gid())}
    if marked:
        return found | {"items": {f"{key}-{name}": text for name, text in marked.items()}}
    if axes.images:
        image = axes.images[0]
        left, right, bottom, top = image.get_extent()
        rows = np.ma.filled(np.ma.asarray(image.get_array(), dtype=np.float64), np.nan)
        ends = [bottom, top] if image.origin == "lower" else [top, bottom]  # edges of the first and the last row
        found["grid"] = {"values": _rows(rows), "x": _rounded([left, right]), "y": _rounded(ends)}
    elif meshes := [each for each in axes.collections if hasattr(each, "get_coordinates")]:
        found["grid"] = _mesh(meshes[0])
    if "grid" in found:
        return found | {"words": list(words)}
    curves = [line for line in axes.get_lines() if not line.get_label().startswith("_") and len(line.get_xdata()) > 2]
    if curves and not axes.xaxis.have_units():
        found["curves"] = [
            {
                "name": line.get_label().strip(),
                "x": _rounded(_thinned(line.get_xdata()), 7),
                "y": _rounded(_thinned(line.get_ydata())),
                "colour": str(line.get_color()),
            }
            for line in curves
        ]
    return found


def _thinned(values: Any) -> Any:
    return values[:: -(-len(values) // _MAX_POINTS)]


def _mesh(mesh: Any) -> dict[str, Any]:
    corners = mesh.get_coordinates()
    rows = np.ma.filled(mesh.get_array().astype(np.float64), np.nan).reshape(corners.shape[0] - 1, corners.shape[1] - 1)
    x, y = corners[0, :, 0], corners[:, 0, 1]
    return {"values": _rows(rows), "x": _rounded([x[0], x[-1]]), "y": _rounded([y[0], y[-1]])}


def _rows(values: Any) -> list[list[float | None]]:
    return [_rounded(row, 3) for row in np.asarray(values, dtype=np.float64)]


def _rounded(values: Any, digits: int = 4) -> list[float | None]:
    """Numbers rounded to `digits` significant digits; whole numbers are unchanged, NaN and infinities become None."""
    found: list[float | None] = []
    for value in np.asarray(values, dtype=np.float64).ravel().tolist():
        if not math.isfinite(value):
            found.append(None)
        elif value == int(value):
            found.append(int(value))
        else:
            found.append(float(f"{value:.{digits}g}"))
    return found
