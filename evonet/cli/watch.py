"""`evonet watch`: see a run while it goes on, on a page of this machine or in a window."""

from __future__ import annotations

import argparse
import contextlib
import functools
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from evonet.cli.console import DONE, Commands, add_allow_import_argument, path_to_read
from evonet.cli.progress import say_above_the_bar

if TYPE_CHECKING:
    from evonet.watch.spectators import StartSpectators

_HIGHEST_PORT = 65535


def add_to(commands: Commands) -> None:
    """Add the command and its arguments to the parser."""
    watch = commands.add_parser(
        "watch",
        help="see a run while it goes on: curves, population, network, its champion playing",
        description="Serves one page on this machine's own address, and prints the address, which has a secret in it. "
        "The page of a run that is over is its report. Ends with Ctrl-C; the run goes on.",
    )
    watch.add_argument(
        "run", nargs="?", type=Path, default=Path("runs"), metavar="RUN",
        help="a run, a study, a folder with several, or last (default: the folder runs)",
    )  # fmt: skip
    watch.add_argument("--window", action="store_true", help="no page: a window in which the newest champion plays")
    watch.add_argument("--port", type=_port, default=0, metavar="N", help="port of the page (default: a free one)")
    watch.add_argument("--no-browser", action="store_true", help="print the address, and open no browser")
    add_allow_import_argument(watch)
    watch.add_argument("--attached", action="store_true", help=argparse.SUPPRESS)  # end when standard input closes
    watch.set_defaults(command=_watch)


def add_spectator_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that show a run while it goes on."""
    parser.add_argument(
        "--watch", action="store_true", help="show the run on a page of this machine while it goes on, see evonet watch"
    )
    parser.add_argument(
        "--window", action="store_true", help="show the newest champion playing in a window while the run goes on"
    )


@contextlib.contextmanager
def requested_spectators(options: argparse.Namespace) -> Iterator[StartSpectators]:
    """A context with a function that starts the spectators that `--watch` and `--window` ask for.

    On a terminal, both stay when the run is over, until Ctrl-C or the end of the champion's last episode.
    """
    requested = [*([[]] if options.watch else []), *([["--window"]] if options.window else [])]
    if not requested:
        yield lambda _: None
        return
    from evonet.watch.spectators import spectators

    with spectators(requested, options.allow_import, say_above_the_bar, stay=sys.stderr.isatty()) as start_spectators:
        yield start_spectators


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 0 < int(text[:6]) <= _HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to {_HIGHEST_PORT}, got {text!r}")
    return int(text)


def _watch(options: argparse.Namespace) -> int:
    options.run = path_to_read(options, options.run)
    with contextlib.suppress(KeyboardInterrupt):
        if options.attached:
            threading.Thread(target=_end_with_standard_input, daemon=True).start()
        (_show_window if options.window else _serve)(options)
    return DONE


def _show_window(options: argparse.Namespace) -> None:
    from evonet.watch.window import play_newest

    say = (lambda _: None) if options.attached else functools.partial(print, flush=True)
    play_newest(options.run, options.allow_import, say)


def _serve(options: argparse.Namespace) -> None:
    from evonet.replay.episodes import has_display
    from evonet.watch.server import Server

    with Server(options.run, options.allow_import, options.port) as server:
        print(f"watch it at {server.url}", flush=True)
        if not options.attached:
            print("Ctrl-C ends the page; a run goes on", flush=True)
        if not options.no_browser and sys.stderr.isatty() and has_display():
            import webbrowser

            webbrowser.open(server.url)
        server.serve_forever()


def _end_with_standard_input() -> None:
    """End this process when its parent has ended, or has closed its end of the pipe."""
    with contextlib.suppress(OSError):
        while os.read(0, 1 << 10):  # `sys.stdin` would hold a lock that the interpreter needs when it ends
            pass
    os._exit(DONE)  # `serve_forever` and windows wait for ever
