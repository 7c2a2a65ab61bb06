"""A journal: one JSON document in each line, written at its end only, and taken up again where a checkpoint says.

Waiting for the disk costs milliseconds, which a short run would notice for each of its journals. Therefore a checkpoint
holds the lines that are not yet known to be there, and the journal is waited for now and then. Whatever a crash leaves
of these lines, they are put right from the checkpoint.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from evonet.machine import write_all

_LONGEST_REST = 1 << 20  # bytes that a checkpoint may have to carry
_LONGEST_WAIT = 30.0  # seconds
_BLOCK = 1 << 20
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)


@dataclass(frozen=True)
class Mark:
    """How far a journal has come.

    Attributes:
        settled: bytes that are on the disk, whatever becomes of the machine.
        checksum: CRC-32 of these.
        rest: the lines after them.
    """

    settled: int
    checksum: int
    rest: str

    def __post_init__(self) -> None:
        if not (type(self.settled) is type(self.checksum) is int and self.settled >= 0 and type(self.rest) is str):
            raise ValueError("a journal's mark has two whole numbers and a text")
        self.rest.encode()  # or half a character is found only when the journal is written

    def entry(self) -> dict[str, Any]:
        """It as plain data."""
        return asdict(self)

    def misfit(self, path: Path) -> str | None:
        """Why the journal at `path` cannot be taken up from here; None if it can."""
        size = path.stat().st_size if path.is_file() else 0
        if size >= self.settled:
            return None
        return f"{path} has been cut: {size} bytes are left of the {self.settled} that it had"

    def damage(self, path: Path) -> str | None:
        """What has become of the settled lines of the journal at `path`; None if nothing has.

        Raises:
            OSError: it cannot be read.
        """
        if not self.settled:
            return None
        checksum, left = 0, self.settled
        with path.open("rb") as file:
            while left and (block := file.read(min(left, _BLOCK))):
                checksum, left = zlib.crc32(block, checksum), left - len(block)
        if checksum == self.checksum:
            return None
        return next(_garbage(path, self.settled), f"{path}: has been changed since the run wrote it")


class Journal:
    """A journal that is being written.

    Args:
        path: of the file; what it holds already is cut off behind `mark`.
        mark: where to go on.

    Raises:
        OSError: it cannot be written.
    """

    def __init__(self, path: Path, mark: Mark = Mark(0, 0, "")) -> None:
        self.path = path
        self._settled, self._checksum = mark.settled, mark.checksum
        self._rest = bytearray(mark.rest.encode())
        self._settled_at = time.monotonic()
        self._file = os.open(path, _FLAGS, 0o666)
        try:
            self._put_right()
        except BaseException:
            self.close()
            raise

    def _put_right(self) -> None:
        os.lseek(self._file, self._settled, os.SEEK_SET)
        if self._rest and os.read(self._file, len(self._rest)) == self._rest:
            os.ftruncate(self._file, self.length)
        else:
            os.ftruncate(self._file, self._settled)
            write_all(self._file, bytes(self._rest))

    @property
    def length(self) -> int:
        """Bytes so far."""
        return self._settled + len(self._rest)

    def append(self, line: str) -> None:
        """Add a line.

        Raises:
            OSError: it cannot be written, or only a part of it.
        """
        content = f"{line}\n".encode(errors="backslashreplace")  # half a surrogate pair becomes JSON's own escape
        write_all(self._file, content)
        self._rest += content

    def mark(self, length: int) -> Mark:
        """How far it had come when it had so many bytes; for all of them to be on the disk may be waited for.

        Raises:
            OSError: they cannot be brought there.
        """
        since = length - self._settled
        if since > _LONGEST_REST or (since and time.monotonic() - self._settled_at > _LONGEST_WAIT):
            os.fsync(self._file)
            self._checksum = zlib.crc32(self._rest[:since], self._checksum)
            self._settled, self._settled_at = length, time.monotonic()
            del self._rest[:since]
            since = 0
        return Mark(self._settled, self._checksum, self._rest[:since].decode())

    def close(self) -> None:
        """Close the file."""
        if self._file >= 0:
            descriptor, self._file = self._file, -1
            os.close(descriptor)


def marks_from(entries: Mapping[str, Mapping[str, Any]]) -> dict[str, Mark]:
    """The marks of journals by name, of which `Mark.entry` made plain data.

    Raises:
        TypeError, ValueError: they are none.
    """
    return {name: Mark(**entry) for name, entry in entries.items()}


def _garbage(path: Path, length: int) -> Iterator[str]:
    """Says of each line within the first `length` bytes that is none of a journal, where it is."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if file.tell() > length:
                return
            reason = "the line is torn" if not line.endswith(b"\n") else "not a line of JSON"
            with contextlib.suppress(ValueError, RecursionError):
                if isinstance(json.loads(line), dict) and line.endswith(b"\n"):
                    continue
            yield f"{path}:{number}: {reason}; it is left as it is"
