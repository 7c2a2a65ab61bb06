"""A journal: a file that only grows, and that a run continues from the length that its checkpoint recorded.

A checkpoint stores a journal's length and checksum, and is written only after the journal is on the disk. A crash can
therefore tear nothing within that length; what it leaves beyond is cut when the run continues.
"""

from __future__ import annotations

import contextlib
import errno
import os
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from evonet.files.bounded import LONGEST_LINE, NotARegularFile, parse_object
from evonet.files.directory import Directory, write_all
from evonet.files.fields import Fields

_LONGEST_CHECKSUM = 2**32 - 1


@dataclass(frozen=True)
class Mark:
    """The state of a journal at some moment.

    Attributes:
        length: bytes.
        checksum: CRC-32 of these bytes.
    """

    length: int = 0
    checksum: int = 0

    @classmethod
    def from_fields(cls, fields: Fields) -> Mark:
        """The mark whose `asdict` is in a file.

        Raises:
            ValueError: the file holds something else.
        """
        fields.allow_only("length", "checksum")
        return cls(fields.integer("length"), fields.integer("checksum", 0, _LONGEST_CHECKSUM))

    def misfit(self, directory: Directory, name: str) -> str | None:
        """Why the journal `name` cannot be continued from this mark; None if it can.

        Raises:
            OSError: it is no regular file.
        """
        size = directory.size(name)
        if size >= self.length:
            return None
        return f"{directory.path / name} has been cut: {size} bytes are left of {self.length}"

    def damage(self, directory: Directory, name: str) -> str | None:
        """How the first `length` bytes of the journal `name` differ from those that were written; None if they do not.

        Raises:
            ConfigError: it cannot be read.
        """
        if not self.length:
            return None
        checksum, left = 0, self.length
        with directory.reading(name) as file:
            while left and (block := file.read(min(left, LONGEST_LINE + 1))):
                if len(block) > LONGEST_LINE and b"\n" not in block:  # perhaps gigabytes of a file with holes
                    break
                checksum, left = zlib.crc32(block, checksum), left - len(block)
        if not left and checksum == self.checksum:
            return None
        return _first_garbage(directory, name, self.length) or (
            f"{directory.path / name}: has been changed since the run wrote it"
        )


class Journal:
    """A journal that is being written.

    Args:
        directory: which the journal is in.
        name: of the file; what it holds beyond `mark` is cut.
        mark: where to continue.

    Raises:
        OSError: it cannot be written.
    """

    def __init__(self, directory: Directory, name: str, mark: Mark = Mark()) -> None:
        self.path = directory.path / name
        self._length, self._checksum = mark.length, mark.checksum
        self._synced = True
        self._file = directory.open(name, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        try:
            self._cut()
        except BaseException:
            self.close()
            raise

    def _cut(self) -> None:
        found = os.fstat(self._file)
        if found.st_nlink > 1:
            raise NotARegularFile(errno.EMLINK, "it is a hard link: the same file has another name")
        if found.st_size > self._length:
            os.ftruncate(self._file, self._length)

    @property
    def mark(self) -> Mark:
        """Its length and checksum now."""
        return Mark(self._length, self._checksum)

    def append(self, content: bytes) -> None:
        """Add bytes at the end.

        Raises:
            OSError: they cannot be written, or only a part of them.
        """
        self._synced = False
        write_all(self._file, content)
        self._length += len(content)
        self._checksum = zlib.crc32(content, self._checksum)

    def append_line(self, line: str) -> None:
        """Add a line.

        Raises:
            ValueError: it is longer than a reader takes.
            OSError: it cannot be written, or only a part of it.
        """
        content = f"{line}\n".encode(errors="backslashreplace")  # half a surrogate pair becomes JSON's own escape
        if len(content) > LONGEST_LINE:
            raise ValueError(f"a line of {self.path} may have {LONGEST_LINE} bytes, got {len(content)}")
        self.append(content)

    def sync(self) -> None:
        """Wait until all of it is on the disk.

        Raises:
            OSError: it cannot be brought there.
        """
        if not self._synced:
            self._synced = True
            os.fsync(self._file)

    def close(self) -> None:
        """Close the file."""
        if self._file >= 0:
            descriptor, self._file = self._file, -1
            os.close(descriptor)


def marks_to_entries(marks: Mapping[str, Mark]) -> dict[str, Any]:
    """Marks of journals by name, as plain data."""
    return {name: asdict(mark) for name, mark in marks.items()}


def _first_garbage(directory: Directory, name: str, length: int) -> str | None:
    """Where the first line within `length` bytes is that is not a JSON object; None if all are."""
    with directory.reading(name) as file:
        number = position = 0
        while position < length and (line := file.readline(LONGEST_LINE + 1)):
            number, position = number + 1, position + len(line)
            if len(line) <= LONGEST_LINE and line.endswith(b"\n"):
                with contextlib.suppress(ValueError):
                    parse_object(line)
                    continue
            reason = "not a line of JSON" if line.endswith(b"\n") else "the line has no end"
            return f"{directory.path / name}:{number}: {reason}; it is left as it is"
    return None
