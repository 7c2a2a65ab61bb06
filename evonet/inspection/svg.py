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
    figure = package("matplotlib.figure").Figure(figsize=(width, height), dpi=_PICTURES, layout="constrained")
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
    canvas.print_svg(file, metadata={"Date": None, "Creator": None})  # `savefig` would draw everything twice
    text = re.sub(r"^.*?(?=<svg )", "", file.getvalue(), flags=re.DOTALL)
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'(<svg [^>]*?)width="[^"]*" height="[^"]*"', r"\1", text, count=1)
    if key:
        text = re.sub(r'(?<= id=")', f"{key}-", text)
        text = re.sub(r'(?<=url\(#)|(?<=href="#)', f"{key}-", text)
    return text.replace(_INK, "currentColor")
