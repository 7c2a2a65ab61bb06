"""The command line: a module for each command, which imports what it needs when it runs."""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
from collections.abc import Callable, Sequence

from evonet import __version__
from evonet.cli import check, export, inspect, listing, run, schema
from evonet.cli.console import DONE
from evonet.errors import EvonetError

INTERRUPTED = 130
COMMANDS = (run, inspect, export, check, schema, listing)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    for stream in (sys.stdout, sys.stderr):  # a terminal that knows no "ü" shows "?"
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except EvonetError as error:
        print(f"evonet: {error}", file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        print("evonet: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader, `head` say, has seen enough
        with contextlib.suppress(OSError):
            sys.stdout.close()
        return DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="evonet", description="Evolve small neural networks for Gymnasium environments, and see what was found."
    )
    parser.add_argument("--version", action="version", version=f"evonet {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add_to(commands)
    return parser
