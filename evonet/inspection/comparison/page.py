"""The comparison as a page: one file that needs no network and runs no script."""

from __future__ import annotations

import importlib
import io
import re
import warnings
from pathlib import Path
from typing import Any

from evonet.errors import EvonetError, RunDirectoryError
from evonet.experiment.differences import as_written
from evonet.inspection.comparison import Comparison
from evonet.inspection.comparison.account import number, score_name, sentence, with_interval
from evonet.inspection.comparison.figures import figures
from evonet.machine import write_whole

_INK = "#123456"  # stands for the colour of the text around a figure, dark or light
_STYLE = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "evonet",
    "text.parse_math": False,  # a dollar sign in a name is one
    "font.size": 10,
    "font.family": "sans-serif",
    **dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), _INK),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 1.8,
}


def write_page(comparison: Comparison, path: Path) -> None:
    """Write the page.

    Raises:
        EvonetError: Matplotlib, Jinja2 or SciPy is not installed.
        RunDirectoryError: the file cannot be written.
    """
    text = page(comparison)
    try:
        write_whole(path, text.encode())
    except OSError as error:
        raise RunDirectoryError(f"{path}: cannot be written: {error.strerror or error}") from error


def page(comparison: Comparison) -> str:
    """The page's HTML.

    Raises:
        EvonetError: Matplotlib, Jinja2 or SciPy is not installed.
    """
    jinja2 = _package("jinja2")
    template = (Path(__file__).parent / "page.html").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters |= {
        "as_written": as_written,
        "number": number,
        "sentence": sentence,
        "with_interval": with_interval,
    }
    html: str = environment.from_string(template).render(
        data=comparison.data,
        score_name=score_name(comparison.data),
        title=" · ".join(each.name for each in comparison.compared),
        figures=[
            {"title": each.title, "caption": each.caption, "svg": _svg(each.draw)} for each in figures(comparison)
        ],
    )
    return html


def _svg(draw: Any) -> str:
    matplotlib = _package("matplotlib")
    with matplotlib.rc_context(_STYLE), warnings.catch_warnings():
        figure = _package("matplotlib.figure").Figure(figsize=(5.6, 3.2), layout="constrained")
        figure.patch.set_visible(False)
        axes = figure.subplots()
        axes.patch.set_visible(False)
        draw(axes)
        file = io.StringIO()
        warnings.simplefilter("ignore")  # the browser has the letters that Matplotlib's own font lacks
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    svg = re.sub(r"^.*?(?=<svg )", "", file.getvalue(), flags=re.DOTALL)
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(<svg [^>]*?)width="[^"]*" height="[^"]*"', r"\1", svg, count=1)
    return svg.replace(_INK, "currentColor")


def _package(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise EvonetError(
            f"the page needs {name.partition('.')[0]}, which is not installed: pip install 'evonet-toolkit[report]'"
        ) from error
