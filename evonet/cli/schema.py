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
    schema.add_argument(
        "--markdown",
        action="store_true",
        help="write the reference of all keys in Markdown; a FILE keeps what is above its heading",
    )
    schema.set_defaults(command=_schema)


def _schema(options: argparse.Namespace) -> int:
    text = _reference(options.output) if options.markdown else _json_schema()
    if options.output is None:
        sys.stdout.write(text)
        return DONE
    try:
        options.output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{options.output}: cannot be written: {error.strerror}") from error
    return DONE


def _json_schema() -> str:
    from evonet.experiment.config.json_schema import json_schema

    return json.dumps(json_schema(), indent=2) + "\n"


def _reference(page: Path | None) -> str:
    """The reference in Markdown, below what the page has above the heading of the reference."""
    from evonet.experiment.config.reference import HEADING, markdown

    try:
        above = "" if page is None else page.read_text(encoding="utf-8").partition(f"{HEADING}\n")[0]
    except FileNotFoundError:
        above = ""
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{page}: cannot be read: {error}") from error
    return above + markdown()
