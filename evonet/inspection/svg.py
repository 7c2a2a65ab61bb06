"""Matplotlib figures as SVG within a page: in its letters and colours, light or dark."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from evonet.inspection.plots.palette import package

_INK = "#123456"  # stands for the colour of the text around a figure, dark or light
_POINTS = 72.0  # an inch
_EDGE = 3.0  # points around all that is drawn
_FITTINGS = 3
_PICTURES = 160  # dots an inch of maps, which are pictures within the drawing
_STYLE = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "evonet",
    "text.parse_math": False,  # a dollar sign in a name is one
    "font.size": 10,
    "font.family": "sans-serif",
    **dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), _INK),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "lines.linewidth": 1.8,
}


@contextmanager
def page_style() -> Iterator[None]:
    """Within it, figures are drawn for a page.

    Raises:
        EvonetError: Matplotlib is not installed.
    """
    with package("matplotlib").rc_context(_STYLE), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the browser has the letters that Matplotlib's own font lacks
        yield


def new_axes(width: float, height: float) -> Any:
    """Axes on a transparent figure of so many inches; within `page_style`."""
    figure = package("matplotlib.figure").Figure(figsize=(width, height), dpi=_PICTURES)
    figure.patch.set_visible(False)
    axes = figure.subplots()
    axes.patch.set_visible(False)
    return axes


def svg(figure: Any, key: str = "") -> str:
    """A figure as an SVG element that takes the colour of the text around it; within `page_style`.

    Args:
        figure: Matplotlib's.
        key: precedes all names of elements in it, so that several stand in one page.
    """
    file = io.StringIO()
    canvas = package("matplotlib.backends.backend_svg").FigureCanvasSVG(figure)
    _fit(figure)
    canvas.print_svg(file, metadata={"Date": None, "Creator": None})  # `savefig` would draw everything twice
    text = re.sub(r"^.*?(?=<svg )", "", file.getvalue(), flags=re.DOTALL)
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'(<svg [^>]*?)width="[^"]*" height="[^"]*"', r"\1", text, count=1)
    if key:
        text = re.sub(r'(?<= id=")', f"{key}-", text)
        text = re.sub(r'(?<=url\(#)|(?<=href="#)', f"{key}-", text)
    return text.replace(_INK, "currentColor")


def _fit(figure: Any) -> None:
    """Let axes that stand in one row fill the figure, with their labels, legends and colour bars.

    It measures once, and again only if there are other ticks then; Matplotlib's own layouts do it two or three times,
    which is half of a figure's time.
    """
    dots, figure.dpi = figure.dpi, _POINTS  # in which the letters of an SVG are measured
    for _ in range(_FITTINGS):
        before = _ticks(figure)
        _fill(figure)
        if _ticks(figure) == before:
            break
    figure.dpi = dots


def _fill(figure: Any) -> None:
    boxes = [axes.get_tightbbox(for_layout_only=True) for axes in figure.axes]
    places = [axes.bbox for axes in figure.axes]
    width, height = figure.bbox.size
    figure.subplots_adjust(
        left=(_EDGE + min(place.x0 for place in places) - min(box.x0 for box in boxes)) / width,
        bottom=(_EDGE + min(place.y0 for place in places) - min(box.y0 for box in boxes)) / height,
        right=1 - (_EDGE + max(box.x1 for box in boxes) - max(place.x1 for place in places)) / width,
        top=1 - (_EDGE + max(box.y1 for box in boxes) - max(place.y1 for place in places)) / height,
    )


def _ticks(figure: Any) -> list[list[float]]:
    """Where the ticks of all axes in sight are."""
    scales = [axis for axes in figure.axes if axes.axison for axis in (axes.xaxis, axes.yaxis)]
    return [[float(tick) for tick in axis.get_majorticklocs()] for axis in scales]
