"""Signals that stop a run: Ctrl-C, SIGTERM and SIGHUP, of which a second one ends the process, and an alarm clock."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

from evonet.errors import OutOfTime

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
_DEFAULT_HANDLERS = (signal.default_int_handler, signal.SIG_DFL)
_active: Interruption | None = None


class Interrupted(KeyboardInterrupt):
    """A signal has stopped the run.

    Attributes:
        exit_status: the exit status for the process: 128 + the signal's number, as shells report signals.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"interrupted by {signal.Signals(number).name}")
        self.exit_status = 128 + number


@contextlib.contextmanager
def alarm(seconds: float | None) -> Iterator[None]:
    """A context in which OutOfTime is raised after `seconds`; None sets no limit.

    The context does nothing on a system without SIGALRM, or in a thread other than the main one. An alarm that was set
    before goes on afterwards.
    """
    if seconds is None or not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(*_: object) -> None:
        raise OutOfTime

    started = time.monotonic()
    handler = signal.signal(signal.SIGALRM, ring)
    remaining, interval = signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-6))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, handler)
        if remaining:
            signal.setitimer(signal.ITIMER_REAL, max(remaining - (time.monotonic() - started), 1e-6), interval)


class Interruption:
    """Remembers the first signal, and raises Interrupted when the run can stop.

    Attributes:
        advice: the command that resumes the run, printed when a second signal ends the process.
    """

    def __init__(self) -> None:
        self.advice = ""
        self._number: int | None = None
        self._deferred = False

    def handle(self, number: int, frame: object = None) -> None:
        """Signal handler: raises Interrupted at once or, within `deferred`, at the end of that context."""
        if self._number is None:
            self._number = number
            if not self._deferred:
                self.check()

    def check(self) -> None:
        """Raise Interrupted if a signal has arrived, because other packages may swallow the handler's exception."""
        if self._number is not None:
            raise Interrupted(self._number)

    @contextlib.contextmanager
    def deferred(self) -> Iterator[None]:
        """A context at whose end a signal raises Interrupted, so that writes within it are not interrupted."""
        self.check()
        self._deferred = True
        try:
            yield
        finally:
            self._deferred = False
        self.check()


@contextlib.contextmanager
def interruptible() -> Iterator[Interruption]:
    """A context in which signals that would end the process by default raise Interrupted.

    A second signal ends the process at once, even while compiled code runs or a cluster closes. The context does
    nothing in a process that multiprocessing has started, or in a thread other than the main one. A nested context
    shares the outer context's Interruption.
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
    handled = [number for number, handler in before.items() if handler in _DEFAULT_HANDLERS]
    with _second_ends_the_process(handled, interruption):
        _active = interruption
        try:
            for number in handled:
                signal.signal(number, interruption.handle)
            yield interruption
        finally:
            _active = None
            for number in handled:
                signal.signal(number, before[number])


@contextlib.contextmanager
def _second_ends_the_process(numbers: list[int], interruption: Interruption) -> Iterator[None]:
    """A context in which a thread counts signals, because Python's handlers wait until compiled code returns."""
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
        os.close(writer)  # ends the watcher's loop
        watcher.join()
        os.close(reader)


def _watch(reader: int, numbers: list[int], interruption: Interruption) -> None:
    """Count the signals `numbers` that arrive in a pipe; the second ends the process, with the advice on its stderr."""
    count = 0
    while arrived := os.read(reader, 64):
        for number in arrived:
            count += number in numbers
            if count > 1:
                os.write(2, f"\nevonet: stopped at once\n{interruption.advice}".encode().strip(b"\n") + b"\n")
                os._exit(128 + number)
