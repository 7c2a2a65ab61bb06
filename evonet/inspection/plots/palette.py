"""Colours that the colour-blind tell apart as well, and axes to draw on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from evonet.packages import optional_package
from evonet.types import FloatArray

Axes: TypeAlias = Any
"""Matplotlib's `Axes`."""

POSITIVE, NEGATIVE = "#2f7fc1", "#d55e00"
"""Of weights by their sign."""

SERIES = (POSITIVE, NEGATIVE, "#009e73", "#b5619a", "#a67c00", "#5b5fc7")
"""One after the other."""

STYLES = ("-", "--", "-.", ":")
MUTED = "#8a929c"
"""Of what stands back: legible on light and on dark paper."""

_LEGEND = {"frameon": False, "fontsize": "small"}


def axes_for(ax: Axes | None, width: float = 5.0, height: float = 3.3) -> Axes:
    """The axes given, or new ones of so many inches on a figure of their own, which pyplot does not know.

    Raises:
        EvonetError: Matplotlib is not installed.
    """
    if ax is not None:
        return ax
    figure = package("matplotlib.figure").Figure(figsize=(width, height), layout="constrained")
    return figure.subplots()


def package(name: str) -> Any:
    """A package of the extra `report`.

    Raises:
        EvonetError: it is not installed.
    """
    return optional_package(name, f"figures and pages need {name.partition('.')[0]}", "report")


def diverging() -> Any:
    """Colours of weights from negative over nothing to positive."""
    colours = package("matplotlib.colors")
    return colours.LinearSegmentedColormap.from_list("evonet", ["#a63d00", "#ee9c63", "#f4f3f0", "#79aede", "#14568f"])


def sequential() -> Any:
    """Colours from little to much."""
    return package("matplotlib").colormaps["cividis"]


def categories(count: int) -> list[str]:
    """Light colours for areas, one for each of so many choices; dark text is legible on them."""
    areas = ("#9cc4e8", "#f4b183", "#8fd1b8", "#dcb0cf", "#e2cf8b", "#b3b5e6", "#c9cdd2", "#f0e3a0")
    return [areas[index % len(areas)] for index in range(count)]


def legend(ax: Axes, **kwargs: Any) -> None:
    """A legend without a frame, if there is anything to tell apart."""
    if len(ax.get_legend_handles_labels()[1]) > 1:
        ax.legend(**{**_LEGEND, **kwargs})


def plain(ax: Axes) -> None:
    """Axes with nothing but what is drawn on them."""
    ax.set_axis_off()


def title(ax: Axes, text: str) -> None:
    """The title of a panel."""
    ax.set_title(text, fontsize="medium", loc="left")


def mark(artist: Any, name: str, words: str) -> None:
    """Give an artist a name in the SVG, and words for whoever points at it."""
    artist.set_gid(name)
    artist.set_label(f"_{words}")  # a leading underscore keeps it out of the legend


def mark_each(collection: Any, name: str, words: Sequence[str]) -> None:
    """Give a collection a name in the SVG, and each thing in it words of its own, in their order."""
    mark(collection, name, "\n".join(" ".join(each.split()) for each in words))


def words_of(artist: Any) -> str | list[str]:
    """The words of what was marked, one by one if they are those of a collection."""
    words = str(artist.get_label()).removeprefix("_")
    return words.split("\n") if hasattr(artist, "get_offsets") else words


def finite_span(values: FloatArray) -> tuple[float, float]:
    """The least and the greatest finite value; 0 and 1 where there is none."""
    known = values[np.isfinite(values)]
    return (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
