"""The comparison as one HTML file, which needs no network connection and has no script."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evonet.errors import RunDirectoryError
from evonet.experiment.differences import as_written
from evonet.files.directory import write_atomically
from evonet.inspection.comparison import Comparison
from evonet.inspection.comparison.account import score_name, sentence, with_interval
from evonet.inspection.comparison.figures import figures
from evonet.inspection.phrases import number
from evonet.inspection.plots.palette import package
from evonet.inspection.svg import new_axes, page_style, svg

_SIZE = (5.6, 3.4)  # inches


def write_page(comparison: Comparison, path: Path) -> None:
    """Write the page to `path`.

    Raises:
        EvonetError: Matplotlib, Jinja2 or SciPy is not installed.
        RunDirectoryError: the file cannot be written.
    """
    text = page(comparison)
    try:
        write_atomically(path, text.encode())
    except OSError as error:
        raise RunDirectoryError(f"{path}: cannot be written: {error.strerror or error}") from error


def page(comparison: Comparison) -> str:
    """The page's HTML.

    Raises:
        EvonetError: Matplotlib, Jinja2 or SciPy is not installed.
    """
    jinja2 = package("jinja2")
    here = Path(__file__).parent
    template = (here / "page.html").read_text(encoding="utf-8")
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
        style=(here.parent / "report" / "page.css").read_text(encoding="utf-8"),
        title=" · ".join(each.name for each in comparison.compared),
        figures=[
            {"title": each.title, "caption": each.caption, "svg": _svg(each.draw)} for each in figures(comparison)
        ],
    )
    return html


def _svg(draw: Any) -> str:
    with page_style():
        axes = new_axes(*_SIZE)
        draw(axes)
        return svg(axes.figure)
