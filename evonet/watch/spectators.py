"""Spectators of a run of this process: other processes, which show the run on a page or in a window."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from evonet.shell import allowing

_COMMAND = [sys.executable, "-m", "evonet", "watch"]

Say = Callable[[str], None]
StartSpectators = Callable[[Path], None]
"""Function of the path of a run that begins; it starts the spectators, and does not wait for them."""


@contextlib.contextmanager
def spectators(
    options: Sequence[Sequence[str]], allow_imports: Sequence[str], say: Say, *, stay: bool
) -> Iterator[StartSpectators]:
    """A context with a function that starts the spectators of a run.

    They end with this process, however it ends, because their standard input closes.

    Args:
        options: for each spectator, the options of its command `evonet watch`.
        allow_imports: modules that may be imported when the champion acts in its environment.
        say: called with each line that a spectator prints, from a thread of its own.
        stay: whether spectators stay when the run is over, until they end themselves or Ctrl-C is pressed.

    Yields:
        The function that starts them.
    """
    started: list[tuple[subprocess.Popen[str], threading.Thread]] = []

    def start_spectators(run: Path) -> None:
        for words in options:
            process = subprocess.Popen(  # noqa: S603 - this program itself
                [*_COMMAND, str(run), *words, "--attached", *allowing(allow_imports)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8", errors="replace",
            )  # fmt: skip
            reader = threading.Thread(target=_pass_on, args=(process, say), daemon=True)
            reader.start()
            started.append((process, reader))

    try:
        yield start_spectators
        if stay and started:
            say("Ctrl-C ends what --watch and --window show")
            with contextlib.suppress(KeyboardInterrupt):
                for process, _ in started:
                    process.wait()
    finally:
        for process, reader in started:
            _end(process)
            reader.join()


def _pass_on(process: subprocess.Popen[str], say: Say) -> None:
    assert process.stdout is not None
    with process.stdout as lines:
        for line in lines:
            say(line.rstrip("\n"))


def _end(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    with contextlib.suppress(OSError):
        process.stdin.close()
    try:
        process.wait(2)
    except subprocess.TimeoutExpired:  # it is in the middle of foreign code
        process.kill()
        process.wait()
