"""A call that runs in a thread; `concurrent.futures` can do it too, but its import takes 4 ms of a start."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def in_background(call: Callable[[], None]) -> Iterator[None]:
    """A context in which `call` runs in a thread; it ends when the call has ended, and raises the call's error."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            call()
        except BaseException as error:  # noqa: BLE001 - raised below
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        thread.join()
    if errors:
        raise errors[0]
