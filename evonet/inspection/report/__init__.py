"""The report of a run: one HTML file that needs no network and no browser of a particular make.

`page.html` is its frame, `page.css` its looks, `page.js` the few lines that make it move; sections are in `sections`.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

from evonet.errors import RunDirectoryError
from evonet.files.directory import write_atomically
from evonet.inspection.loaded_run import LoadedRun
from evonet.inspection.plots.palette import package
from evonet.inspection.report.findings import Findings
from evonet.inspection.report.section import Section
from evonet.inspection.report.sections import SECTIONS

REPORT = "report.html"
_HERE = Path(__file__).parent


def write_report(run: LoadedRun, path: Path | None = None, effort: float = 1.0) -> tuple[Path, list[str]]:
    """Write the report, by default into the run directory.

    The champion acts for it, in its environment; what cannot be had is left out, and the page says so.

    Args:
        run: as `load_run` gives it.
        path: of the file.
        effort: the time that trials of the champion may take, 1 for some six seconds at most; the more time, the more
            episodes.

    Returns:
        The file, and what was left out.

    Raises:
        EvonetError: Matplotlib or Jinja2 is not installed, or the run cannot be read.
        RunDirectoryError: the file cannot be written.
    """
    path = run.path / REPORT if path is None else path
    text, notices = report(run, effort)
    try:
        write_atomically(path, text.encode(errors="replace"))
    except OSError as error:
        raise RunDirectoryError(f"{path}: cannot be written: {error.strerror or error}") from error
    return path, notices


def report(run: LoadedRun, effort: float = 1.0) -> tuple[str, list[str]]:
    """The report's HTML, and what was left out of it; `effort` as `write_report` has it.

    Raises:
        EvonetError: Matplotlib or Jinja2 is not installed, or the run cannot be read.
    """
    jinja2 = package("jinja2")
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters["data"] = _data
    with Findings(run, effort) as findings:
        sections = [make(findings) for make in SECTIONS]
    script = _read("page.js")
    html: str = environment.from_string(_read("page.html")).render(
        run=run,
        summary=run.summary,
        sections=sections,
        verdict=sections[0],
        style=_read("page.css"),
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )
    return html, _notices(sections)


def _notices(sections: list[Section]) -> list[str]:
    """What was left out, each reason once."""
    return list(dict.fromkeys(notice for section in sections for notice in section.notices))


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _data(value: Any) -> Any:
    """JSON that may stand in a script element: nothing in it ends the element."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return package("markupsafe").Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))
