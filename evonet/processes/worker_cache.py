"""Child processes that a foreign worker, such as a Dask worker, keeps from one call to the next.

Whatever may hang or crash runs in a child process of that process. A child belongs to the thread that started it (on
Linux it even ends with that thread), and is kept so that environments are made once. A *session* is one client that
sends calls: a run, or a study.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar, cast

_IDLE_SECONDS = 60.0  # without a call, after which a session's resource is closed when another session begins


class Closable(Protocol):
    """A resource that can be kept from one call to the next."""

    def interrupt(self) -> None:
        """Have the call under way end soon; another thread asks for it."""
        ...

    def close(self) -> None:
        """Release the resource."""
        ...


T = TypeVar("T", bound=Closable)

_cached: dict[tuple[int, str], tuple[Closable, float]] = {}  # by thread and session; with the time of the last use
_busy: dict[int, tuple[str, Closable]] = {}  # by thread


@contextlib.contextmanager
def cached(session: str, make: Callable[[], T]) -> Iterator[T]:
    """What this thread keeps for a session, for the time of a call; it is closed if the call raises."""
    thread = threading.get_ident()
    key = (thread, session)
    if key not in _cached:
        _close_idle(thread)
        _cached[key] = (make(), time.monotonic())
    thing, _ = _cached[key]
    _busy[thread] = (session, thing)
    try:
        yield cast("T", thing)
    except BaseException:
        _cached.pop(key, None)
        raise
    finally:
        _busy.pop(thread, None)
        if key in _cached:
            _cached[key] = (thing, time.monotonic())
        else:  # released meanwhile
            thing.close()


def stop(session: str) -> None:
    """Have the session's calls end soon, in all threads."""
    for owner, thing in list(_busy.values()):
        if owner == session:
            thing.interrupt()


def release(session: str) -> None:
    """Close what is kept for the session; a call that is under way ends soon, and closes what it uses itself."""
    stop(session)
    for key in [key for key in list(_cached) if key[1] == session]:
        thing, _ = _cached.pop(key)
        if key[0] not in _busy:
            thing.close()


def _close_idle(thread: int) -> None:
    """Close what this thread keeps for sessions that have not called for a while, and may be over."""
    now = time.monotonic()
    for key, (thing, used) in list(_cached.items()):
        if key[0] == thread and now - used > _IDLE_SECONDS:
            _cached.pop(key, None)
            thing.close()
