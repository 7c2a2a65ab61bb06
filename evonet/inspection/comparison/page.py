"""The page of a comparison, in one file that loads nothing, and the template that it shares with a study's page."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from evonet.errors import RunDirectoryError
from evonet.experiment.config.differences import as_written
from evonet.files.directory import write_atomically
from evonet.inspection.comparison import Comparison
from evonet.inspection.comparison.archive_figures import archive_figures
from evonet.inspection.comparison.archive_tables import archive_note, archive_rows, front_note, front_rows
from evonet.inspection.comparison.figures import FigureSpec, differences_plot, figures
from evonet.inspection.comparison.overview import difference, score_name, sentence, short_name, with_interval
from evonet.inspection.comparison.verdicts import Measure, p_value
from evonet.inspection.phrases import counted, listed, number, percent, with_minus
from evonet.inspection.plots.palette import package
from evonet.inspection.svg import new_axes, page_style, svg
from evonet.inspection.table import Table

_SIZE = (5.6, 3.6)  # inches
_WIDE = 11.6
_METHODS = (
    "Two-sided Mann-Whitney tests; p after Holm's correction for all pairs of one measure; p below 0.05 is called a "
    "difference. A: share of all pairs of values in which the row is better than the column, ties counted half "
    "(Vargha and Delaney). Differences are of the {score} and of the median of evaluations of the solved runs; "
    "intervals are 95 % percentile bootstraps."
)


def write_page(comparison: Comparison, path: Path) -> None:
    """Write the page of a comparison to `path`.

    Raises:
        EvonetError: Matplotlib, Jinja2 or SciPy is not installed.
        RunDirectoryError: the file cannot be written.
    """
    write_text(page(comparison), path)


def write_text(text: str, path: Path) -> None:
    """Write a page to `path`.

    Raises:
        RunDirectoryError: the file cannot be written.
    """
    try:
        write_atomically(path, text.encode(errors="replace"))
    except OSError as error:
        raise RunDirectoryError(f"{path}: cannot be written: {error.strerror or error}") from error


def page(comparison: Comparison) -> str:
    """The page's HTML.

    Raises:
        EvonetError: Matplotlib, Jinja2 or SciPy is not installed.
    """
    data = comparison.data
    drawings = list(figures(comparison))
    tables = [_results(data), *_archive_tables(data), *matrices(data)]
    forest = differences_plot(comparison)
    drawings += [] if forest is None else [forest]
    return rendered(
        kind=f"comparison of {'studies' if comparison.of_seeds else 'runs'}",
        title=" · ".join(each.name for each in comparison.compared),
        facts=", ".join(comparison.environments),
        sentences=[summary_sentence(data)],
        notes=data["notes"],
        figures=drawings,
        pairs=list(archive_figures(comparison)),
        tables=[*tables, _sentences(data), _settings(data)],
        footer="Made by evonet compare.",
    )


def rendered(*, figures: Sequence[FigureSpec], pairs: Sequence[FigureSpec] = (), **contents: Any) -> str:
    """A page with sentences, figures and tables, in this order; `pairs` are figures that begin a row, two in each.

    Raises:
        EvonetError: Matplotlib or Jinja2 is not installed.
    """
    jinja2 = package("jinja2")
    here = Path(__file__).parent
    report = here.parent / "report"
    script = (report / "save.js").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    wide = len(figures) % 2 == 1  # the first figure then has a row of its own
    drawn = [_drawn(number, each, wide=wide and number == 0) for number, each in enumerate([*figures, *pairs])]
    template = (here / "page.html").read_text(encoding="utf-8")
    html: str = environment.from_string(template).render(
        style=(report / "page.css").read_text(encoding="utf-8"),
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        figures=drawn,
        **contents,
    )
    return html


def _drawn(place: int, figure: FigureSpec, *, wide: bool) -> dict[str, Any]:
    with page_style():
        axes = new_axes(_WIDE if wide else _SIZE[0], figure.height or _SIZE[1])
        figure.draw(axes)
        drawing = svg(axes.figure, f"drawing-{place}")
    key = figure.title.lower().replace(" ", "-")
    return {"key": key, "title": figure.title, "caption": figure.caption, "svg": drawing, "wide": wide}


def summary_sentence(data: Mapping[str, Any]) -> str:
    """What the verdicts on all pairs say together, in one sentence."""
    if not data["verdicts"]:
        return "There is nothing to test."
    said = []
    for measure in ("evaluations to success", "test score"):
        verdicts = [verdict for verdict in data["verdicts"] if verdict["measure"] == measure]
        better = [verdict for verdict in verdicts if verdict["better"] is not None]
        if not verdicts:
            continue
        wins: dict[str, list[str]] = {}
        for verdict in better:
            worse = verdict["second"] if verdict["better"] == verdict["first"] else verdict["first"]
            wins.setdefault(verdict["better"], []).append(worse)
        verb = "needs fewer evaluations" if measure == "evaluations to success" else "scores higher"
        said += [f"{winner} {verb} than {listed(losers)}" for winner, losers in wins.items()]
        if len(better) < len(verdicts):
            rest = "other " if better else ""
            said.append(f"no {rest}significant difference in {measure}")
    text = "; ".join(said)
    return f"{text[0].upper()}{text[1:]}." if text.startswith("no ") else f"{text}."


def _results(data: Mapping[str, Any]) -> Table:
    head = ["name", "environment", "runs", "solved", "evaluations to success (median)", f"{score_name(data)} (95 %)"]
    rows = [
        [
            each["name"],
            each["environment"] or "own function",
            str(each["runs"]),
            "no target" if each["solved"] is None else f"{each['solved']} ({percent(each['solved'] / each['runs'])})",
            number(each["evaluations_to_success"], 4),
            with_minus(with_interval(each["test_score"], each["test_interval"])),
        ]
        for each in data["compared"]
    ]
    return Table("Results", head, rows, open=True)


def _archive_tables(data: Mapping[str, Any]) -> Iterator[Table]:
    """A table of the archives, and one of the fronts, as far as there are some."""
    if "archives" in data:
        head, *rows = archive_rows(data["archives"])
        yield Table("Archives", head, rows, open=True, note=archive_note(data["archives"]))
    if "fronts" in data:
        head, *rows = front_rows(data["fronts"])
        yield Table("Pareto fronts", head, rows, open=True, note=front_note(data["fronts"]))


def matrices(data: Mapping[str, Any]) -> list[Table]:
    """For each measure, a table with p and A of each pair."""
    names = [each["name"] for each in data["compared"]]
    measures: tuple[Measure, ...] = ("evaluations to success", "test score")
    tables = []
    for measure in measures:
        pairs = {(each["first"], each["second"]): each for each in data["verdicts"] if each["measure"] == measure}
        if pairs:
            rows = [[row, *(_cell(pairs, row, column) for column in names)] for row in names]
            tables.append(Table(f"p and A: {measure}", ["", *map(short_name, names)], rows, open=True))
    if tables:
        tables[-1] = replace(tables[-1], note=_METHODS.format(score=score_name(data)))
    return tables


def _cell(pairs: Mapping[tuple[str, str], Mapping[str, Any]], row: str, column: str) -> str:
    verdict = pairs.get((row, column)) or pairs.get((column, row))
    if verdict is None:
        return ""
    share = verdict["superiority"] if verdict["first"] == row else 1 - verdict["superiority"]
    return f"p {p_value(verdict['p_adjusted'])}, A = {share:.2f}"


def _sentences(data: Mapping[str, Any]) -> Table:
    rows = [[with_minus(sentence(verdict)), difference(verdict)] for verdict in data["verdicts"]]
    return Table("Every pair in words", ["", "difference, first − second (95 % interval)"], rows)


def _settings(data: Mapping[str, Any]) -> Table:
    names = [each["name"] for each in data["compared"]]
    settings = data["settings"]
    rows = [[key, *(as_written(values[name]) for name in names)] for key, values in settings.items()]
    title = f"Settings that differ: {counted(len(settings), 'setting') if settings else 'none'}"
    return Table(title, ["setting", *names], rows)
