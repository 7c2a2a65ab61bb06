"""What a worker process does: run chunks for as long as its parent lives."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
import sys
import threading
import time
import traceback
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from typing import Any

from evonet.errors import EvonetError
from evonet.evaluation.engine import Engine
from evonet.evaluation.executors.chunks import Chunk
from evonet.evaluation.executors.payload import unpickled
from evonet.evaluation.gymnasium_engine import GymnasiumEngine

TELL_STACK = getattr(signal, "SIGUSR2", None)
"""The signal at which a worker writes down where it is, even if it hangs in C."""

_DEATH_OF_PARENT = 1  # PR_SET_PDEATHSIG of Linux's prctl
_EAGERNESS = "500"  # of -1000 to 1000: where memory runs out, the kernel shall end a worker, not the run


def work(payload: bytes, messages: Connection, stacks: Connection, parent: int) -> None:
    """The life of a worker process.

    It says "ready" once its engine is; then, of each chunk that it is sent, "begun" when the environments are made, and
    "results" when they are there, once or for each episode. If it cannot go on it says "failed", with the reason.

    Args:
        payload: the pickled task and the engine's name.
        messages: from and to the parent.
        stacks: where to write how a crash came about.
        parent: the parent's process id.
    """
    _live_no_longer_than(parent)
    _leave_signals_to_the_parent()
    if os.name == "posix":
        faulthandler.enable(stacks.fileno(), all_threads=False)
        if TELL_STACK is not None:
            faulthandler.register(TELL_STACK, stacks.fileno(), all_threads=False)
    try:
        engine = _engine(payload)
        messages.send(("ready", None))
        try:
            while True:
                _run(engine, messages.recv(), messages)
        except (EOFError, ConnectionError):  # the parent has closed its end, or is no more
            with contextlib.suppress(Exception):
                engine.close()
    except BaseException as error:  # noqa: BLE001 - whatever it is, the parent must know
        with contextlib.suppress(OSError):
            messages.send(("failed", _told(error)))


def _engine(payload: bytes) -> Engine:
    engine = unpickled(payload)
    _prepare(engine, 1)
    return engine


def _prepare(engine: Engine, episodes: int) -> None:
    if isinstance(engine, GymnasiumEngine):  # the only one that makes environments when it needs them
        engine.prepare(episodes)


def _run(engine: Engine, chunk: Chunk, messages: Connection) -> None:
    _prepare(engine, 1 if chunk.singly else len(chunk))
    messages.send(("begun", None))
    for turn in chunk.turns():
        started = time.monotonic()
        results = engine.run(turn.genomes, turn.individuals, turn.seeds, turn.normaliser)
        messages.send(("results", (results, time.monotonic() - started, engine.name)))


def _told(error: BaseException) -> str:
    """An error for a person: in a line if it was meant for one, else with its traceback."""
    return str(error) if isinstance(error, EvonetError) else "".join(traceback.format_exception(error)).strip()


def _live_no_longer_than(parent: int) -> None:
    """End when the parent does, however it ends; on Linux even while this process hangs in C."""
    threading.Thread(target=_end_after_parent, daemon=True).start()
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_DEATH_OF_PARENT, signal.SIGKILL)
        with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as score:  # noqa: PTH123 - no file
            score.write(_EAGERNESS)
    if os.name == "posix" and os.getppid() != parent:  # it ended before that was said
        os._exit(1)


def _end_after_parent() -> None:
    parent: Any = parent_process()
    wait([parent.sentinel])
    os._exit(1)


def _leave_signals_to_the_parent() -> None:
    """What ends a whole group of processes ends the parent, and only thereby this one: no episode is to blame."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):  # they have been held back since before this process was born
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
