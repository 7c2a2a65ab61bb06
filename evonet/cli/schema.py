"""`evonet schema`: the JSON Schema of a config."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from evonet.cli.console import DONE, Commands
from evonet.errors import ConfigError


def add_to(commands: Commands) -> None:
    """Add the command and its arguments to the parser."""
    schema = commands.add_parser("schema", help="write the JSON Schema of a config, for editors")
    schema.add_argument("--output", type=Path, metavar="FILE", help="where to (default: standard output)")
    schema.set_defaults(command=_schema)


def _schema(options: argparse.Namespace) -> int:
    from evonet.experiment.json_schema import json_schema

    text = json.dumps(json_schema(), indent=2) + "\n"
    if options.output is None:
        sys.stdout.write(text)
        return DONE
    try:
        options.output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{options.output}: cannot be written: {error.strerror}") from error
    return DONE
