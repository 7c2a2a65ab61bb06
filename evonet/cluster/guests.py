"""What runs in a process that belongs to others, such as a Dask worker: what it keeps there, and how it is stopped.

Whatever may hang or crash runs in a child process of that process. A child belongs to the thread that started it (on
Linux it even ends with that thread) and is kept for the next call, so that environments are made once.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar, cast

_IDLE_SECONDS = 60.0  # after which what another run has left behind is closed, when there is something new to keep


class Kept(Protocol):
    """Something kept from one call to the next."""

    def interrupt(self) -> None:
        """Have the call that is under way end soon; another thread asks for it."""
        ...

    def close(self) -> None:
        """Give back what it holds."""
        ...


T = TypeVar("T", bound=Kept)

_kept: dict[tuple[int, str], tuple[Kept, float]] = {}  # by thread and owner; with the time of its last use
_busy: dict[int, tuple[str, Kept]] = {}  # by thread


@contextlib.contextmanager
def kept(owner: str, make: Callable[[], T]) -> Iterator[T]:
    """What this thread keeps for `owner`, for the time of a call; given up if the call raises."""
    key = (threading.get_ident(), owner)
    if key not in _kept:
        _close_idle(key[0])
        _kept[key] = (make(), time.monotonic())
    thing, _ = _kept[key]
    _busy[key[0]] = (owner, thing)
    try:
        yield cast("T", thing)
    except BaseException:
        _kept.pop(key, None)
        raise
    finally:
        _busy.pop(key[0], None)
        if key in _kept:
            _kept[key] = (thing, time.monotonic())
        else:  # released meanwhile
            thing.close()


def stop(owner: str) -> None:
    """Have the calls of `owner` end soon."""
    for whose, thing in list(_busy.values()):
        if whose == owner:
            thing.interrupt()


def release(owner: str) -> None:
    """Close what is kept for `owner`; a call that is under way ends soon, and closes what it uses itself."""
    stop(owner)
    for key in [key for key in list(_kept) if key[1] == owner]:
        thing, _ = _kept.pop(key)
        if key[0] not in _busy:
            thing.close()


def _close_idle(thread: int) -> None:
    """Close what this thread keeps for those who have not called for a while, and may be no more."""
    now = time.monotonic()
    for key, (thing, used) in list(_kept.items()):
        if key[0] == thread and now - used > _IDLE_SECONDS:
            _kept.pop(key, None)
            thing.close()
