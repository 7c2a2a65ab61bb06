"""The report of a run: one HTML file that loads nothing else and works in every browser.

`page.html` is its template, `page.css` its style, `page.js` its script; `sections` has a module for each section.
`report_data.py` computes what the sections share. `section.py` and `figure.py` are what a section is made of, and
`layout.py` arranges figures. `recording.py` plays episodes into the pictures of `sprite_sheet.py`, `elite_clips.py`
those of elites; `archive_frames.py` has the generations of an archive's heatmap.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from evonet.errors import RunDirectoryError
from evonet.experiment.run_files.run_directory import REPORT
from evonet.files.directory import write_atomically
from evonet.foreign import working_directory_kept
from evonet.inspection.loaded_run import LoadedRun
from evonet.inspection.phrases import with_minus
from evonet.inspection.plots.palette import package
from evonet.inspection.report.report_data import ReportData
from evonet.inspection.report.section import Section
from evonet.inspection.report.sections import SECTIONS

Progress = Callable[[int, int, str], None]
"""Called with the number of sections made so far, the number of all, and the next section's name, "" at the end."""

_HERE = Path(__file__).parent


def _silent(*_: object) -> None:
    """Show no progress."""


def write_report(
    run: LoadedRun, path: Path | None = None, effort: float = 1.0, progress: Progress = _silent
) -> tuple[Path, list[str]]:
    """Write the report, by default into the run directory.

    The champion is run in its environment for the report. If it cannot be, the page says which parts are left out.

    Args:
        run: a run from `load_run`.
        path: path of the file.
        effort: time limit for runs of the champion, in units of about six seconds; more time allows more episodes.
        progress: function that is called before each section, and at the end.

    Returns:
        The path, and notices of the parts that were left out.

    Raises:
        EvonetError: Matplotlib or Jinja2 is not installed, or the run cannot be read.
        RunDirectoryError: the file cannot be written.
    """
    path = run.path / REPORT if path is None else path
    with working_directory_kept() as start:
        text, notices = report(run.located(), effort, progress)
    try:
        write_atomically(start / path, text.encode(errors="replace"))
    except OSError as error:
        raise RunDirectoryError(f"{path}: cannot be written: {error.strerror or error}") from error
    return path, notices


def report(run: LoadedRun, effort: float = 1.0, progress: Progress = _silent) -> tuple[str, list[str]]:
    """The report's HTML, and notices of the parts that were left out.

    Args:
        run: a run from `load_run`.
        effort: time limit for runs of the champion, in units of about six seconds; more time allows more episodes.
        progress: function that is called before each section, and at the end.

    Raises:
        EvonetError: Matplotlib or Jinja2 is not installed, or the run cannot be read.
    """
    jinja2 = package("jinja2")
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters |= {"data": _data, "minus": with_minus}
    with ReportData(run, effort) as data:
        sections: list[Section] = []
        for number, make in enumerate(SECTIONS):
            progress(number, len(SECTIONS), make.__name__)
            section = make(data)
            sections += [] if section is None else [section]
        progress(len(SECTIONS), len(SECTIONS), "")
    script = _read("page.js") + _read("save.js")
    html: str = environment.from_string(_read("page.html")).render(
        run=run,
        summary=run.summary,
        sections=sections,
        verdict=sections[0],
        episodes=[episode for section in sections for episode in section.parts.get("episodes", ())],
        style=_read("page.css"),
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )
    return html, _notices(sections)


def page_style() -> str:
    """The style sheet of the report, which other pages share."""
    return _read("page.css")


def _notices(sections: list[Section]) -> list[str]:
    """The notices of all sections, each once."""
    return list(dict.fromkeys(notice for section in sections for notice in section.notices))


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _data(value: Any) -> Any:
    """JSON for a script element, with escapes for the characters that could end the element."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return package("markupsafe").Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))
