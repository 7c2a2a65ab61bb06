"""Matplotlib figures as SVG elements that use the fonts and text colour of the page around them."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from evonet.inspection.plots.palette import package

_INK = "#123456"  # placeholder for the page's text colour, which may be dark or light
_POINTS = 72.0  # points of an inch
_MAX_LABELS = 0.9  # share of a figure's width or height that labels may take; the rest of them is cut
_EDGE = 3.0  # points of margin around the drawing
_MAX_FITS = 3
_DPI = 160  # resolution of heat maps, which are bitmaps within the drawing
_STYLE = {
    "svg.fonttype": "none",  # text is not converted to paths
    "svg.hashsalt": "evonet",
    "text.parse_math": False,  # names may contain dollar signs
    "font.size": 12,  # "small" is then 10 pixels where a figure has its own size, and no text is smaller
    "axes.labelsize": 11,
    "xtick.labelsize": "small",
    "ytick.labelsize": "small",
    "font.family": "sans-serif",
    **dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), _INK),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "lines.linewidth": 1.8,
}


@contextmanager
def page_style() -> Iterator[None]:
    """Matplotlib settings for figures in a page, as a context manager.

    Raises:
        EvonetError: Matplotlib is not installed.
    """
    with package("matplotlib").rc_context(_STYLE), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Matplotlib warns of characters that its font lacks; a browser has them
        yield


def new_axes(width: float, height: float) -> Any:
    """Axes on a transparent figure of `width` times `height` inches; call it within `page_style`."""
    figure = package("matplotlib.figure").Figure(figsize=(width, height), dpi=_DPI)
    figure.patch.set_visible(False)
    axes = figure.subplots()
    axes.patch.set_visible(False)
    return axes


def svg(figure: Any, key: str = "") -> str:
    """A figure as an SVG element with the text colour of the page around it; call it within `page_style`.

    Args:
        figure: a Matplotlib figure.
        key: prefix of the ids of the figure's elements, which keeps them unique within a page.
    """
    file = io.StringIO()
    canvas = package("matplotlib.backends.backend_svg").FigureCanvasSVG(figure)
    _fit(figure)
    canvas.print_svg(file, metadata={"Date": None, "Creator": None})  # `savefig` would draw the figure twice
    text = re.sub(r"^.*?(?=<svg )", "", file.getvalue(), flags=re.DOTALL)
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'(<svg [^>]*?)width="[^"]*" height="[^"]*"', r"\1", text, count=1)
    if key:
        text = re.sub(r'(?<= id=")', f"{key}-", text)
        text = re.sub(r'(?<=url\(#)|(?<=href="#)', f"{key}-", text)
    return text.replace(_INK, "currentColor")


def _fit(figure: Any) -> None:
    """Make axes in one row fill the figure, including labels, legends and colour bars.

    The layout is computed again only if the ticks have changed; Matplotlib's own layouts always compute it two or three
    times, which takes half of the time of a figure.
    """
    dpi, figure.dpi = figure.dpi, _POINTS  # text in an SVG is measured in points
    for _ in range(_MAX_FITS):
        before = _ticks(figure)
        _fill(figure)
        if _ticks(figure) == before:
            break
    figure.dpi = dpi


def _fill(figure: Any) -> None:
    boxes = [axes.get_tightbbox(for_layout_only=True) for axes in figure.axes]
    places = [axes.bbox for axes in figure.axes]
    width, height = figure.bbox.size
    left = (_EDGE + min(place.x0 for place in places) - min(box.x0 for box in boxes)) / width
    bottom = (_EDGE + min(place.y0 for place in places) - min(box.y0 for box in boxes)) / height
    right = (_EDGE + max(box.x1 for box in boxes) - max(place.x1 for place in places)) / width
    top = (_EDGE + max(box.y1 for box in boxes) - max(place.y1 for place in places)) / height
    across, up = (_MAX_LABELS / max(_MAX_LABELS, ends) for ends in (left + right, bottom + top))
    figure.subplots_adjust(left=across * left, right=1 - across * right, bottom=up * bottom, top=1 - up * top)


def _ticks(figure: Any) -> list[list[float]]:
    """Locations of the ticks of all visible axes."""
    visible = [axis for axes in figure.axes if axes.axison for axis in (axes.xaxis, axes.yaxis)]
    return [[float(tick) for tick in axis.get_majorticklocs()] for axis in visible]
