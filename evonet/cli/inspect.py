"""`evonet inspect`: what a run found."""

from __future__ import annotations

import argparse

from evonet.cli.console import DONE, Commands


def add_to(commands: Commands) -> None:
    """Enter the command."""
    inspect = commands.add_parser("inspect", help="what a run found: its champion, scores, weights and ancestors")
    inspect.add_argument("run", metavar="RUN", help="a run directory")
    inspect.add_argument("--json", action="store_true", help="print the account as one JSON document")
    inspect.set_defaults(command=_inspect)


def _inspect(options: argparse.Namespace) -> int:
    from evonet.experiment.run_directory import to_json
    from evonet.inspection.account import account, account_data
    from evonet.inspection.loaded_run import load_run

    run = load_run(options.run)
    print(to_json(account_data(run), indent=2) if options.json else account(run))
    return DONE
