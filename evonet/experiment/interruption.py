"""Ctrl-C, SIGTERM and SIGHUP: the first signal stops a run after it is saved, the second ends the process at once."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
_BY_DEFAULT = (signal.default_int_handler, signal.SIG_DFL)
_active: Interruption | None = None


class Interrupted(KeyboardInterrupt):
    """A signal has stopped the run.

    Attributes:
        exit_status: the exit status of the process, as a shell reports a signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"interrupted by {signal.Signals(number).name}")
        self.exit_status = 128 + number


class Interruption:
    """The first signal that has arrived, if any.

    Attributes:
        advice: the command that resumes the run, printed when a second signal ends the process.
    """

    def __init__(self) -> None:
        self.advice = ""
        self._number: int | None = None
        self._held = False

    def arrive(self, number: int, frame: object = None) -> None:
        """Handle a signal: raise Interrupted, or keep the signal until the end of `held`."""
        if self._number is None:
            self._number = number
            if not self._held:
                self.check()

    def check(self) -> None:
        """Raise Interrupted if a signal has arrived: other packages may swallow the exception of the handler."""
        if self._number is not None:
            raise Interrupted(self._number)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Within this context, signals are kept until its end, so that a write is not interrupted."""
        self.check()
        self._held = True
        try:
            yield
        finally:
            self._held = False
        self.check()


@contextlib.contextmanager
def interruptible() -> Iterator[Interruption]:
    """Within this context, signals that would by default end the process raise Interrupted.

    A second signal ends the process at once, even while it waits for compiled code or for a cluster to close. In a
    process that multiprocessing has started and in threads other than the main one, the context does nothing. A nested
    context shares the Interruption of the outer one.
    """
    global _active  # noqa: PLW0603 - signal handlers are global, too
    interruption = Interruption()
    if threading.current_thread() is not threading.main_thread() or multiprocessing.parent_process() is not None:
        yield interruption
        return
    if _active is not None:
        yield _active
        return
    before: dict[int, Any] = {number: signal.getsignal(number) for number in _SIGNALS}
    handled = [number for number, handler in before.items() if handler in _BY_DEFAULT]
    with _second_ends_the_process(handled, interruption):
        _active = interruption
        try:
            for number in handled:
                signal.signal(number, interruption.arrive)
            yield interruption
        finally:
            _active = None
            for number in handled:
                signal.signal(number, before[number])


@contextlib.contextmanager
def _second_ends_the_process(numbers: list[int], interruption: Interruption) -> Iterator[None]:
    """Count signals in a thread of its own, because Python's handlers wait until compiled code returns."""
    if os.name != "posix":
        yield
        return
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    watcher = threading.Thread(target=_watch, args=(reader, numbers, interruption), daemon=True)
    watcher.start()
    previous = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(previous)
        os.close(writer)  # the watcher's end of file
        watcher.join()
        os.close(reader)


def _watch(reader: int, numbers: list[int], interruption: Interruption) -> None:
    count = 0
    while arrived := os.read(reader, 64):
        for number in arrived:
            count += number in numbers
            if count > 1:
                os.write(2, f"\nevonet: stopped at once\n{interruption.advice}".encode().strip(b"\n") + b"\n")
                os._exit(128 + number)
