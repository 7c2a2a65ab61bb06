"""The command line: a module for each command, imported when its parser is made.

A command imports the rest of evonet when it runs.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from evonet.cli.console import DONE, FAILED, INTERRUPTED, OUTPUT_CLOSED, OUTPUT_LOST, print_note, print_to_stderr
from evonet.cli.examples import add_examples
from evonet.cli.output import Output, OutputLost
from evonet.errors import EvonetError, EvonetWarning
from evonet.foreign import described
from evonet.version import __version__

COMMANDS = {
    "run": "evonet.cli.run",
    "resume": "evonet.cli.resume",
    "finish": "evonet.cli.finish",
    "study": "evonet.cli.study",
    "watch": "evonet.cli.watch",
    "inspect": "evonet.cli.inspect",
    "replay": "evonet.cli.replay",
    "test": "evonet.cli.test",
    "compare": "evonet.cli.compare",
    "plot": "evonet.cli.plot",
    "runs": "evonet.cli.runs",
    "export": "evonet.cli.export",
    "init": "evonet.cli.init",
    "check": "evonet.cli.check",
    "schema": "evonet.cli.schema",
    "list": "evonet.cli.listing",
}
"""The module of each command."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status.

    If the reader of standard output closes the pipe, as `head` does, the command ends silently with the exit status of
    SIGPIPE; any other failure to write standard output is an error.
    """
    for stream in (sys.stdout, sys.stderr):  # a terminal that cannot encode "ü" shows "?"
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    output = Output(sys.stdout)
    try:
        with contextlib.redirect_stdout(output):
            try:
                return _run(arguments)
            finally:
                output.flush()
    except OutputLost as lost:
        output.discard()
        if isinstance(lost.cause, BrokenPipeError):
            return OUTPUT_CLOSED
        _report(lost, f"standard output cannot be written: {lost.cause.strerror}")
        return OUTPUT_LOST


def _run(arguments: Sequence[str] | None) -> int:
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = make_parser(*(name for name in arguments[:1] if name in COMMANDS))
    options = parser.parse_args(arguments)
    if "command" not in options:
        parser.print_help()
        return DONE
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        with _warnings_in_one_line():
            return command(options)
    except EvonetError as error:
        _report(error, str(error))
        return error.exit_status
    except SystemExit as error:  # of foreign code, in a place that does not turn it into an error of evonet
        _report(error, f"code that evonet called did not return: {described(error)}")
        return FAILED
    except KeyboardInterrupt as interruption:
        _report(interruption, str(interruption) or "interrupted")
        return getattr(interruption, "exit_status", INTERRUPTED)
    except MemoryError as error:
        _report(error, f"not enough memory: {error}" if str(error) else "not enough memory")
        return FAILED


@contextlib.contextmanager
def _warnings_in_one_line() -> Iterator[None]:
    """A context in which a warning of evonet is one line on stderr, once, without its position in the code."""
    show = warnings.showwarning
    shown: set[str] = set()

    def show_in_a_line(message: Warning | str, category: type[Warning], *rest: Any) -> None:
        if not issubclass(category, EvonetWarning):
            show(message, category, *rest)
        elif str(message) not in shown:
            shown.add(str(message))
            print_note(str(message))

    warnings.showwarning = show_in_a_line  # type: ignore[assignment]
    try:
        yield
    finally:
        warnings.showwarning = show


def _report(error: BaseException, message: str) -> None:
    """Print an error and its notes, which say how to continue."""
    with contextlib.suppress(OSError):  # stderr is closed
        for line in (f"evonet: {message}", *getattr(error, "__notes__", ())):
            print_to_stderr(line)


def make_parser(*names: str) -> argparse.ArgumentParser:
    """The parser of the command line, with the commands that have these `names`, or without names all commands."""
    parser = argparse.ArgumentParser(
        prog="evonet", description="Evolve small neural networks for Gymnasium environments, and see what was found."
    )
    parser.add_argument("--version", action="version", version=f"evonet {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND")
    for name in names or COMMANDS:
        importlib.import_module(COMMANDS[name]).add_to(commands)
    for name, subparser in {"evonet": parser, **commands.choices}.items():
        add_examples(subparser, name)
    return parser
