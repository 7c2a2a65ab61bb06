"""Work in a thread beside other work; `concurrent.futures` does it too, but its import costs a start 4 ms."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def meanwhile(call: Callable[[], None]) -> Iterator[None]:
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
