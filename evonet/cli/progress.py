"""The progress of a run on stderr: a bar on a terminal, a line a minute elsewhere."""

from __future__ import annotations

import contextlib
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from evonet.cli.console import print_to_stderr
from evonet.evaluation.progress import PROGRESS
from evonet.files.text import printable

if TYPE_CHECKING:
    from evonet.experiment.config.config import Config
    from evonet.generation import Generation

_REDRAWN_EACH, _LINE_EACH = 0.25, 60.0  # seconds
_PAUSE = 1.0  # seconds without a new generation, after which the episodes of the running one are counted
_BAR, _NARROWEST_BAR = 20, 6  # columns
_LONGEST_NAME = 20


class RunProgress:
    """How far a run is, in a line.

    Args:
        config: the config of the run.

    Attributes:
        generations: number of generations; 0 until one has ended.
    """

    def __init__(self, config: Config) -> None:
        stop: Any = config.settings.stop
        name = printable(config.settings.name, keep="")
        self._name = name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
        self._most: int | None = stop.generations
        self._target: float | None = None if stop.target == "auto" else stop.target
        self._threshold_wanted = stop.target == "auto"
        self._first: float | None = None
        self._validation: float | None = None
        self._best: float | None = None
        self.generations = 0
        self._steps = 0
        self._started = self._changed = time.monotonic()
        self._seconds = 0.0

    def __call__(self, generation: Generation, seconds: float) -> None:
        """Take a generation that ended `seconds` after the start of the run."""
        champion = generation.champion
        if champion is not None and champion.validation is not None:
            self._validation = champion.validation.mean
            self._first = self._validation if self._first is None else self._first
            if self._threshold_wanted:
                self._target, self._threshold_wanted = champion.target, False
        self._best = float(generation.fitness.max())
        self.generations = generation.number + 1
        self._steps = generation.environment_steps + generation.validation_steps
        self._seconds, self._changed = seconds, time.monotonic()

    @property
    def status(self) -> str:
        """The generation, the score on the way to the target, the effort."""
        now = time.monotonic()
        parts = [f"gen {self.generations}" + (f"/{self._most}" if self._most else "")]
        if self.score:
            parts.append(self.score)
        done, total = PROGRESS.done, PROGRESS.total
        if now - self._changed > _PAUSE and 0 < done < total:
            parts.append(f"{done:,} / {total:,} episodes")
        elif self._steps:
            parts.append(f"{_short(self._steps)} steps")
        return " · ".join([*parts, _time(self._seconds + now - self._changed)])

    @property
    def score(self) -> str:
        """The champion's validation mean and the target, for example `validation 402 / 475`; "" if there is none."""
        if self._validation is None:
            return "" if self._best is None else f"best {self._best:.4g}"
        return f"validation {self._validation:.4g}" + ("" if self._target is None else f" / {self._target:.4g}")

    def bar(self, columns: int) -> str:
        """The line for a terminal: the name, a bar on the way to the target or to the last generation, the status."""
        status = self.status
        free = columns - 1 - len(self._name) - len(status) - 4
        width, share = min(_BAR, free), self._share
        if share is None or width < _NARROWEST_BAR:
            return f"{self._name}  {status}"[: columns - 1]
        full = round(share * width)
        return f"{self._name} {'█' * full}{'░' * (width - full)}  {status}"

    @property
    def _share(self) -> float | None:
        """The part of the way that is done, from 0 to 1; None if it is unknown."""
        if self._target is not None and self._validation is not None and self._first is not None:
            way = self._target - self._first
            return min(1.0, max(0.0, (self._validation - self._first) / way)) if way > 0 else 1.0
        return self.generations / self._most if self._most else None


class Display:
    """Shows a run's progress from a thread of its own until it is closed.

    Args:
        run: the progress.
        terminal: whether stderr is a terminal, which gets a bar.
    """

    def __init__(self, run: RunProgress, *, terminal: bool) -> None:
        self._run = run
        self._terminal = terminal
        self._bar_columns = 0
        self._over = threading.Event()
        self._lock = threading.Lock()
        if terminal:
            self._draw()
        self._thread = threading.Thread(target=self._show, daemon=True)
        self._thread.start()
        _displays.append(self)

    def _show(self) -> None:
        while not self._over.wait(_REDRAWN_EACH if self._terminal else _LINE_EACH):
            self._draw()

    def _draw(self) -> None:
        with self._lock:
            line = self._run.bar(shutil.get_terminal_size().columns) if self._terminal else self._run.status
            self._write(f"\r{line:<{self._bar_columns}}" if self._terminal else f"{line}\n")
            self._bar_columns = len(line)

    def clear(self) -> None:
        """Remove the bar, so that a message can take its place."""
        with self._lock:
            if self._terminal and self._bar_columns:
                self._write(f"\r{'':<{self._bar_columns}}\r")
                self._bar_columns = 0

    def close(self) -> None:
        """Remove the bar and end the thread."""
        self._over.set()
        self._thread.join()
        self.clear()
        _displays.remove(self)

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # stderr is closed
            sys.stderr.write(text)
            sys.stderr.flush()


_displays: list[Display] = []


def say_above_the_bar(message: str) -> None:
    """Print a message on stderr; a bar is removed for it, and drawn again below it."""
    for display in _displays:
        display.clear()
    with contextlib.suppress(OSError):
        print_to_stderr(message)


class ProgressCallbacks(NamedTuple):
    """What a run calls while its progress is shown.

    Attributes:
        watch: the callback for each generation.
        say: prints a message above the bar.
    """

    watch: RunProgress
    say: Callable[[str], None]

    @property
    def generations(self) -> int:
        """Number of the run's generations; 0 if none was run since the start or the resumption."""
        return self.watch.generations


@contextlib.contextmanager
def progress(config: Config, *, quiet: bool) -> Iterator[ProgressCallbacks]:
    """A context in which the progress of a run is shown; an interruption gets a note with the score so far."""
    run = RunProgress(config)
    display = None if quiet else Display(run, terminal=sys.stderr.isatty())
    try:
        yield ProgressCallbacks(run, (lambda _: None) if quiet else say_above_the_bar)
    except KeyboardInterrupt as interruption:
        if run.score:
            interruption.__notes__ = [f"so far: {run.status}", *getattr(interruption, "__notes__", [])]
        raise
    finally:
        if display is not None:
            display.close()


def _short(count: int) -> str:
    for unit, sign in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= unit:
            return f"{count / unit:.3g} {sign}"
    return str(count)


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
