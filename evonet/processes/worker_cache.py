"""A cache of child processes in a process that evonet did not start, such as a Dask worker.

Environments may hang or crash, so they run in a child of the Dask worker. The child is cached between calls, so that
environments are made once. A child belongs to the thread that started it (on Linux it even ends with that thread). A
*session* is one client that sends calls: a run, or a study.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar, cast

_IDLE_SECONDS = 60.0  # time without a call after which a session's resource is closed when another session begins


class Closable(Protocol):
    """A resource that can be cached between calls."""

    def interrupt(self) -> None:
        """Make the running call end soon; called from another thread."""
        ...

    def close(self) -> None:
        """Release the resource."""
        ...


T = TypeVar("T", bound=Closable)

_cached: dict[tuple[int, str], tuple[Closable, float]] = {}  # resource and time of its last use, by thread and session
_busy: dict[int, tuple[str, Closable]] = {}  # session and resource, by thread


@contextlib.contextmanager
def cached(session: str, make: Callable[[], T]) -> Iterator[T]:
    """The resource that this thread caches for a session, made if missing; it is closed if the context raises."""
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
        else:  # the call raised, or another thread released the session
            thing.close()


def stop(session: str) -> None:
    """Make the session's running calls end soon, in all threads."""
    for owner, thing in list(_busy.values()):
        if owner == session:
            thing.interrupt()


def release(session: str) -> None:
    """Close the session's cached resources; a running call ends soon, and then its own thread closes its resource."""
    stop(session)
    for key in [key for key in list(_cached) if key[1] == session]:
        thing, _ = _cached.pop(key)
        if key[0] not in _busy:
            thing.close()


def _close_idle(thread: int) -> None:
    """Close this thread's resources of sessions that have not called for a while, because they may be over."""
    now = time.monotonic()
    for key, (thing, used) in list(_cached.items()):
        if key[0] == thread and now - used > _IDLE_SECONDS:
            _cached.pop(key, None)
            thing.close()
