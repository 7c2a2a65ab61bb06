"""A wrapper of standard output with an error of its own, so that a closed pipe is not taken for a file's error."""

from __future__ import annotations

import os
from typing import Any, TextIO


class OutputLost(Exception):
    """Standard output cannot be written.

    Attributes:
        cause: the system's error.
    """

    def __init__(self, cause: OSError) -> None:
        super().__init__(str(cause))
        self.cause = cause


class Output:
    """A text stream that raises `OutputLost` where the wrapped stream raises `OSError`, and otherwise behaves like it.

    Args:
        stream: the wrapped stream.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write text."""
        try:
            return self._stream.write(text)
        except OSError as error:
            raise OutputLost(error) from error

    def flush(self) -> None:
        """Write the buffered text."""
        try:
            self._stream.flush()
        except OSError as error:
            raise OutputLost(error) from error

    def discard(self) -> None:
        """Drop the buffered text, because the interpreter would try again to write it when it ends."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
