"""`evonet compare`: compare runs or studies."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from evonet.cli.console import DONE, Commands
from evonet.files.text import printable, printable_json


def add_to(commands: Commands) -> None:
    """Add the command and its arguments to the parser."""
    compare = commands.add_parser(
        "compare",
        help="whether runs or studies differ, in figures and in words",
        description="Compares runs, or better studies: settings, test scores, evaluations to success.",
    )
    compare.add_argument("runs", metavar="RUN", nargs="+", help="directories of runs or studies, two or more")
    compare.add_argument("--html", type=Path, metavar="FILE", help="write a page with curves and profiles too")
    compare.add_argument("--json", action="store_true", help="print the comparison as one JSON document")
    compare.set_defaults(command=_compare)


def _compare(options: argparse.Namespace) -> int:
    from evonet.experiment.run_directory import to_json
    from evonet.inspection.comparison import Comparison
    from evonet.inspection.comparison.account import comparison_account

    comparison = Comparison(options.runs)
    if options.html is not None:
        from evonet.inspection.comparison.page import write_page

        write_page(comparison, options.html)
    print(
        printable_json(to_json(comparison.data, indent=2))
        if options.json
        else printable(comparison_account(comparison))
    )
    if options.html is not None:
        print(f"\nopen in a browser: {options.html}", file=sys.stderr)
    return DONE
