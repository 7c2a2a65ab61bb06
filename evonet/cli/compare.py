"""`evonet compare`: compare runs or studies."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from evonet.cli.console import DONE, RUNS_HELP, Commands
from evonet.errors import ConfigError
from evonet.files.text import printable, printable_json


def add_to(commands: Commands) -> None:
    """Add the command and its arguments to the parser."""
    compare = commands.add_parser(
        "compare",
        help="compare runs or studies statistically",
        description="Compares runs, or better studies: settings, test scores, evaluations to success.",
    )
    compare.add_argument("runs", metavar="RUN", nargs="+", help=f"two or more {RUNS_HELP}")
    compare.add_argument("--html", type=Path, metavar="FILE", help="write a page with curves and profiles too")
    compare.add_argument("--json", action="store_true", help="print the comparison as one JSON document")
    compare.set_defaults(command=_compare)


def _compare(options: argparse.Namespace) -> int:
    from evonet.experiment.run_files.run_directory import to_json
    from evonet.inspection.comparison import Comparison
    from evonet.inspection.comparison.overview import comparison_overview

    if len(options.runs) < 2:
        raise ConfigError(f"compare must get at least two directories, got {len(options.runs)}")
    comparison = Comparison(options.runs)
    if options.html is not None:
        from evonet.inspection.comparison.page import write_page

        write_page(comparison, options.html)
    print(
        printable_json(to_json(comparison.data, indent=2))
        if options.json
        else printable(comparison_overview(comparison))
    )
    if options.html is not None:
        print(f"\nopen in a browser: {options.html}", file=sys.stderr)
    return DONE
