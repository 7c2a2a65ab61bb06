"""`evonet list`: the names that a config may use."""

from __future__ import annotations

import argparse
import json

from evonet.cli.console import DONE, Commands


def add_to(commands: Commands) -> None:
    """Add the command and its arguments to the parser."""
    listing = commands.add_parser("list", help="algorithms, operators, schedules, activations and shipped configs")
    listing.add_argument("--json", action="store_true", help="print them as one JSON document")
    listing.set_defaults(command=_list)


def _list(options: argparse.Namespace) -> int:
    from evonet.experiment.catalogue import CONFIG_FOLDER, catalogue

    entries = catalogue()
    if options.json:
        print(json.dumps(entries, indent=2, ensure_ascii=False))
        return DONE
    for kind, names in entries.items():
        width = max(map(len, names))
        print(kind if kind != "config" else f"config, files in {CONFIG_FOLDER}")
        for name, line in names.items():
            print(f"  {name:<{width}}  {line}")
    return DONE
