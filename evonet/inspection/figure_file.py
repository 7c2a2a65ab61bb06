"""Figures in files: PDF, SVG or PNG, in the style of evonet's pages, the same bytes every time."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from evonet.errors import ConfigError, RunDirectoryError
from evonet.files.directory import write_atomically
from evonet.inspection.plots.palette import package

FORMATS = ("pdf", "svg", "png")

_STYLE = {
    "svg.fonttype": "none",  # text stays text, which can be searched and edited
    "svg.hashsalt": "evonet",
    "pdf.fonttype": 42,  # TrueType: some journals refuse the default, Type 3
    "text.parse_math": False,  # names may contain dollar signs
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "lines.linewidth": 1.8,
}
_METADATA = {
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "svg": {"Date": None, "Creator": None},
    "png": {"Software": None},
}


def write_figure(draw: Callable[[Any], object], path: Path, width: float = 6.0, height: float = 3.7) -> None:
    """Draw a figure and write it to a file.

    Args:
        draw: function that draws on Matplotlib axes.
        path: path of the file, whose suffix is `.pdf`, `.svg` or `.png`.
        width: width in inches.
        height: height in inches.

    Raises:
        ConfigError: the suffix is another one.
        EvonetError: Matplotlib is not installed.
        RunDirectoryError: the file cannot be written.
    """
    form = path.suffix.lower().removeprefix(".")
    if form not in FORMATS:
        raise ConfigError(f"a figure's file must end with .pdf, .svg or .png, got {str(path)!r}")
    content = io.BytesIO()
    with package("matplotlib").rc_context(_STYLE), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Matplotlib warns of characters that its font lacks
        figure = package("matplotlib.figure").Figure(figsize=(width, height), layout="constrained")
        draw(figure.subplots())
        figure.savefig(content, format=form, dpi=200, metadata=_METADATA[form])
    try:
        write_atomically(path, content.getvalue())
    except OSError as error:
        raise RunDirectoryError(f"{path}: cannot be written: {error.strerror or error}") from error
