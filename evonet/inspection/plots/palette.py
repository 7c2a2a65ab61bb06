"""Colours that colour-blind readers can distinguish, and helpers for Matplotlib axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from evonet.extras import optional_package
from evonet.types import FloatArray

Axes: TypeAlias = Any
"""Matplotlib's `Axes`."""

POSITIVE, NEGATIVE = "#2f7fc1", "#d55e00"
"""Colours of positive and of negative weights."""

SERIES = (POSITIVE, NEGATIVE, "#009e73", "#b5619a", "#a67c00", "#5b5fc7")
"""Colours of several curves, in this order."""

TARGET = "#009e73"
"""Colour of the score at which a task is solved."""

STYLES = ("-", "--", "-.", ":")
MUTED = "#8a929c"
"""Colour of secondary elements, legible on a light and on a dark page."""

_LEGEND = {"frameon": False, "fontsize": "small"}


def axes_for(ax: Axes | None, width: float = 5.0, height: float = 3.3) -> Axes:
    """The given axes, or new axes on a figure of `width` times `height` inches that pyplot does not manage.

    Raises:
        EvonetError: Matplotlib is not installed.
    """
    if ax is not None:
        return ax
    figure = package("matplotlib.figure").Figure(figsize=(width, height), layout="constrained")
    return figure.subplots()


def package(name: str) -> Any:
    """Import a package of the extra `report`.

    Raises:
        EvonetError: the package is not installed.
    """
    return optional_package(name, f"figures and pages need {name.partition('.')[0]}", "report")


def diverging() -> Any:
    """Colour map for values from negative over zero to positive."""
    colours = package("matplotlib.colors")
    return colours.LinearSegmentedColormap.from_list("evonet", ["#a63d00", "#ee9c63", "#f4f3f0", "#79aede", "#14568f"])


def sequential() -> Any:
    """Colour map for values from low to high."""
    return package("matplotlib").colormaps["cividis"]


def categories(count: int) -> list[str]:
    """Light colours for the areas of `count` choices; dark text is legible on them."""
    areas = ("#9cc4e8", "#f4b183", "#8fd1b8", "#dcb0cf", "#e2cf8b", "#b3b5e6", "#c9cdd2", "#f0e3a0")
    return [areas[index % len(areas)] for index in range(count)]


def legend(ax: Axes, **kwargs: Any) -> None:
    """Draw a legend without a frame, if the axes have more than one label."""
    if len(ax.get_legend_handles_labels()[1]) > 1:
        ax.legend(**{**_LEGEND, **kwargs})


def plain(ax: Axes) -> None:
    """Hide the frame, ticks and labels of axes."""
    ax.set_axis_off()


def title(ax: Axes, text: str) -> None:
    """Write a panel's title."""
    ax.set_title(text, fontsize="medium", loc="left")


def mark(artist: Any, name: str, words: str) -> None:
    """Give an artist an id in the SVG, and the text that the page shows under the pointer."""
    artist.set_gid(name)
    artist.set_label(f"_{words}")  # Matplotlib leaves labels with a leading underscore out of the legend


def mark_each(collection: Any, name: str, words: Sequence[str]) -> None:
    """Give a collection an id in the SVG, and each of its elements the text at the same index of `words`."""
    mark(collection, name, "\n".join(" ".join(each.split()) for each in words))


def words_of(artist: Any) -> str | list[str]:
    """The text of a marked artist; a list of texts for a collection."""
    words = str(artist.get_label()).removeprefix("_")
    return words.split("\n") if hasattr(artist, "get_offsets") else words


def colour_range(values: FloatArray) -> tuple[FloatArray, float]:
    """The values of a heat map, and the greatest absolute one, 1 if all are 0.

    Both are limited to a quarter of the largest number, because Matplotlib computes differences of them.
    """
    most = float(np.finfo(np.float64).max) / 4
    bounded = np.clip(values, -most, most)
    return bounded, float(np.nanmax(np.abs(bounded))) or 1.0


def finite_span(values: FloatArray) -> tuple[float, float]:
    """The least and the greatest finite value; 0 and 1 if there is none."""
    known = values[np.isfinite(values)]
    return (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
