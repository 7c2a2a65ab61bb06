"""`evonet inspect`: show the results of a run."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from evonet.cli.console import (
    DONE,
    RUN_OR_STUDY_HELP,
    Commands,
    add_allow_import_argument,
    painter,
    path_to_read,
    print_note,
    print_painted,
    stdout_kept_for_the_result,
)
from evonet.errors import ConfigError
from evonet.files.text import printable, printable_json

if TYPE_CHECKING:
    from evonet.inspection.report import Progress

_BESIDE_THE_RUN = Path()


def add_to(commands: Commands) -> None:
    """Add the command and its arguments to the parser."""
    inspect = commands.add_parser("inspect", help="show a run's result: scores, champion, ancestry")
    inspect.add_argument("run", metavar="RUN", help=f"{RUN_OR_STUDY_HELP}, or a champion's file")
    inspect.add_argument(
        "--html", nargs="?", type=Path, const=_BESIDE_THE_RUN, metavar="FILE",
        help="write a page instead: replay, figures, robustness, ancestry; RUN/report.html if no file is named",
    )  # fmt: skip
    inspect.add_argument(
        "--weights", action="store_true", help="also print all weights, with names of inputs and outputs"
    )
    inspect.add_argument("--open", action="store_true", help="open the page in a browser (implies --html)")
    add_allow_import_argument(inspect)
    inspect.add_argument("--json", action="store_true", help="print the results as one JSON document")
    inspect.set_defaults(command=_inspect)


def _inspect(options: argparse.Namespace) -> int:
    from evonet.experiment.run_files.run_finder import is_study

    path = path_to_read(options, options.run)
    if options.open and options.html is None:
        options.html = _BESIDE_THE_RUN
    if path.is_file():
        return _inspect_file(options, path)
    return _inspect_study(options, path) if is_study(path) else _inspect_run(options, path)


def _inspect_file(options: argparse.Namespace, path: Path) -> int:
    from evonet.champion import Champion
    from evonet.experiment.config.permissions import restore_permissions
    from evonet.experiment.run_files.run_directory import to_json
    from evonet.export.document import policy_document
    from evonet.inspection.overview import champion_overview

    if options.html is not None:
        raise ConfigError(f"{path} is a champion's file; --html is for run directories")
    champion = Champion.load(path, (*options.allow_import, *restore_permissions(path)))
    if options.json:
        print(printable_json(to_json(policy_document(champion), indent=2)))
    else:
        print_painted(champion_overview(champion, path, weights=options.weights, paint=painter()))
    return DONE


def _inspect_run(options: argparse.Namespace, path: Path) -> int:
    from evonet.experiment.run_files.run_directory import to_json
    from evonet.inspection.loaded_run import load_run
    from evonet.inspection.overview import run_overview, run_overview_data

    run = load_run(path, options.allow_import)
    if options.json:
        print(printable_json(to_json(run_overview_data(run), indent=2)), flush=True)
    elif options.html is None:
        print_painted(run_overview(run, weights=options.weights, paint=painter()))
    if options.html is not None:
        from evonet.inspection.report import write_report

        with stdout_kept_for_the_result(), _progress() as progress:
            page, notices = write_report(run, None if options.html == _BESIDE_THE_RUN else options.html, 1.0, progress)
        for notice in notices:
            print_note(notice)
        _page_made(options, page)
    return DONE


def _page_made(options: argparse.Namespace, page: Path) -> None:
    """Print the path of a page and, with `--open`, show it in a browser."""
    if not options.json:
        print(page)
    if options.open:
        import webbrowser

        webbrowser.open(page.resolve().as_uri())
    else:
        print("open it in a browser, or let --open do so", file=sys.stderr)


def _inspect_study(options: argparse.Namespace, path: Path) -> int:
    from evonet.experiment.run_files.run_directory import REPORT, to_json
    from evonet.inspection.loaded_study import load_study
    from evonet.inspection.study_overview import study_overview

    study = load_study(path)
    if options.json:
        print(printable_json(to_json(study.summary, indent=2)))
    elif options.html is None:
        print(printable(study_overview(study.summary)))
    if options.html is not None:
        from evonet.inspection.study_page import write_study_page

        page = path / REPORT if options.html == _BESIDE_THE_RUN else options.html
        write_study_page(study, page)
        _page_made(options, page)
    return DONE


@contextlib.contextmanager
def _progress() -> Iterator[Progress]:
    """A progress bar of the report's sections on a terminal, a line elsewhere."""
    if not sys.stderr.isatty():
        print("making the report: it runs the champion's episodes, which may take two minutes", file=sys.stderr)
        yield lambda *_: None
        return
    from tqdm import tqdm

    with tqdm(unit="section", desc="report", dynamic_ncols=True, leave=False) as bar:

        def show(done: int, sections: int, title: str) -> None:
            bar.total = sections
            bar.set_postfix_str(title, refresh=False)
            bar.update(done - bar.n)
            bar.refresh()

        yield show
