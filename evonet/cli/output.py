"""Standard output, whose failures are told from those of files."""

from __future__ import annotations

import os
from typing import Any, TextIO


class OutputLost(Exception):
    """Standard output cannot be written.

    Attributes:
        cause: what the system says of it.
    """

    def __init__(self, cause: OSError) -> None:
        super().__init__(str(cause))
        self.cause = cause


class Output:
    """A stream that raises `OutputLost` where the one below raises `OSError`; all else is that stream's.

    Args:
        stream: the one below.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text."""
        try:
            return self._stream.write(text)
        except OSError as error:
            raise OutputLost(error) from error

    def flush(self) -> None:
        """Write what is buffered."""
        try:
            self._stream.flush()
        except OSError as error:
            raise OutputLost(error) from error

    def discard(self) -> None:
        """Drop what is buffered, or the interpreter tries once more to write it when it ends."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
