"""`evonet inspect`: show the results of a run."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from evonet.cli.console import DONE, RUN_OR_STUDY_HELP, Commands, allow_imports, stdout_kept_for_the_result
from evonet.files.text import printable, printable_json

if TYPE_CHECKING:
    from evonet.inspection.report import Progress

_BESIDE_THE_RUN = Path()


def add_to(commands: Commands) -> None:
    """Add the command and its arguments to the parser."""
    inspect = commands.add_parser("inspect", help="what a run found: its champion, scores, weights and ancestors")
    inspect.add_argument("run", metavar="RUN", help=RUN_OR_STUDY_HELP)
    inspect.add_argument(
        "--html", nargs="?", type=Path, const=_BESIDE_THE_RUN, metavar="FILE",
        help="write a report too: figures, a replay, robustness, ancestry; RUN/report.html if no file is named",
    )  # fmt: skip
    inspect.add_argument(
        "--allow-import", action="append", default=[], metavar="MODULE",
        help="allow the report to import this module of the run's environment, in which its champion acts",
    )  # fmt: skip
    inspect.add_argument("--json", action="store_true", help="print the results as one JSON document")
    inspect.set_defaults(command=_inspect)


def _inspect(options: argparse.Namespace) -> int:
    from evonet.experiment.run_directory import to_json
    from evonet.experiment.run_finder import found, is_study
    from evonet.inspection.account import account, account_data
    from evonet.inspection.loaded_run import load_run

    allow_imports(options.allow_import)
    path = found(options.run)
    if is_study(path):
        return _inspect_study(options, path)
    run = load_run(path, options.allow_import)
    print(printable_json(to_json(account_data(run), indent=2)) if options.json else printable(account(run)), flush=True)
    if options.html is not None:
        from evonet.inspection.report import write_report

        with stdout_kept_for_the_result(), _progress() as progress:
            path, notices = write_report(run, None if options.html == _BESIDE_THE_RUN else options.html, 1.0, progress)
        for notice in notices:
            print(printable(f"evonet: {notice}"), file=sys.stderr)
        print(f"\nopen in a browser: {path}", file=sys.stderr)
    return DONE


def _inspect_study(options: argparse.Namespace, path: Path) -> int:
    from evonet.experiment.run_directory import to_json
    from evonet.inspection.loaded_study import load_study
    from evonet.inspection.study_account import study_account

    summary = load_study(path).summary
    print(printable_json(to_json(summary, indent=2)) if options.json else printable(study_account(summary)))
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
