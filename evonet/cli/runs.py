"""`evonet runs`: list the runs and studies of a folder."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from evonet.cli.console import DONE, Commands
from evonet.errors import ConfigError
from evonet.files.text import printable_json


def add_to(commands: Commands) -> None:
    """Add the command and its arguments to the parser."""
    runs = commands.add_parser(
        "runs",
        help="list all runs and studies with their results",
        description="Lists the runs and studies of a folder and of the folders in it, the newest last. The score is "
        "that of a run's test or, if it is not finished, of its validation; for a study, it is the interquartile mean "
        "of its tests. An unfinished run is active if it has been written to within the last minute.",
    )
    runs.add_argument("folder", nargs="?", type=Path, metavar="FOLDER", help="the folder (default: runs)")
    runs.add_argument("--json", action="store_true", help="print the list as one JSON document")
    runs.set_defaults(command=_runs)


def _runs(options: argparse.Namespace) -> int:
    from evonet.experiment.run_files.run_directory import RUNS, to_json
    from evonet.inspection.run_list import run_list, run_table

    folder = options.folder or RUNS
    if options.folder is not None and not folder.is_dir():
        raise ConfigError(f"{folder} is not a folder")
    rows = run_list(folder)
    if options.json:
        print(printable_json(to_json(rows, indent=2)))
    elif rows:
        print(run_table(rows, shutil.get_terminal_size().columns if sys.stdout.isatty() else None))
    else:
        print(f"there are no runs in {folder}; start one with: evonet run cartpole", file=sys.stderr)
    return DONE
