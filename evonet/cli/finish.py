"""`evonet finish`: end an unfinished run now, and test its champion."""

from __future__ import annotations

import argparse
import functools
from pathlib import Path

from evonet.cli.console import RUN_HELP, Commands, path_to_read, print_unless_quiet, stdout_kept_for_the_result
from evonet.cli.run import add_output_arguments, print_results


def add_to(commands: Commands) -> None:
    """Add the command and its arguments to the parser."""
    finish = commands.add_parser(
        "finish",
        help="end an unfinished run now and test its champion",
        description="Ends a run that was stopped: tests the champion so far on fresh episodes, without further "
        "generations, pruning or refinement, and writes the result. `evonet resume` can still continue the run later.",
    )
    finish.add_argument("run", type=Path, metavar="RUN", help=RUN_HELP)
    finish.add_argument(
        "--allow-import", action="append", default=[], metavar="MODULE", help="allow the run to import this module"
    )
    add_output_arguments(finish)
    finish.set_defaults(command=_finish)


def _finish(options: argparse.Namespace) -> int:
    from evonet.experiment.runner import finish

    run = path_to_read(options, options.run, studies=False)
    with stdout_kept_for_the_result():
        summary = finish(run, options.allow_import, functools.partial(print_unless_quiet, options))
    return print_results(options, summary)
