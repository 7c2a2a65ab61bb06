"""Journals: append-only files that a resumed run continues from the length in its checkpoint.

A checkpoint stores the length and checksum of each journal, and is written after the journals are on the disk. So a
crash damages nothing within that length, and bytes beyond it are removed when the run is resumed.
"""

from __future__ import annotations

import contextlib
import errno
import os
import zlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from evonet.files.bounded import LONGEST_LINE, NotARegularFile, parse_object
from evonet.files.directory import Directory, write_all
from evonet.files.fields import Fields

_LONGEST_CHECKSUM = 2**32 - 1


class Mark(NamedTuple):
    """The length and checksum of a journal at one point in time.

    Attributes:
        length: the length in bytes.
        checksum: CRC-32 of the first `length` bytes.
    """

    length: int = 0
    checksum: int = 0

    @classmethod
    def from_fields(cls, fields: Fields) -> Mark:
        """The mark with the given fields, which were read from a file.

        Raises:
            ValueError: the fields are not those of a mark.
        """
        fields.allow_only("length", "checksum")
        return cls(fields.integer("length"), fields.integer("checksum", 0, _LONGEST_CHECKSUM))

    def truncation(self, directory: Directory, name: str) -> str | None:
        """A message that the journal `name` is too short to be continued from this mark; None if it is not.

        Raises:
            OSError: the journal is not a regular file.
        """
        size = directory.size(name)
        if size >= self.length:
            return None
        return f"{directory.path / name} is truncated: {size} of its {self.length} bytes are left"

    def damage(self, directory: Directory, name: str) -> str | None:
        """A message about damage in the first `length` bytes of the journal `name`; None if there is none.

        Raises:
            ConfigError: the journal cannot be read.
        """
        if not self.length:
            return None
        checksum, left = 0, self.length
        with directory.reading(name) as file:
            while left and (block := file.read(min(left, LONGEST_LINE + 1))):
                if len(block) > LONGEST_LINE and b"\n" not in block:  # a sparse file may have gigabytes of zeros
                    break
                checksum, left = zlib.crc32(block, checksum), left - len(block)
        if not left and checksum == self.checksum:
            return None
        return _first_garbage(directory, name, self.length) or (
            f"{directory.path / name}: was changed after the run wrote it"
        )


_EMPTY = Mark()  # of a journal that begins


class Journal:
    """A journal that is open for writing.

    Args:
        directory: the directory of the journal.
        name: the name of the file, which is truncated to the length of `mark`.
        mark: the mark from which to continue.

    Raises:
        OSError: the file cannot be written.
    """

    def __init__(self, directory: Directory, name: str, mark: Mark = _EMPTY) -> None:
        self.path = directory.path / name
        self._length, self._checksum = mark.length, mark.checksum
        self._synced = True
        self._file = directory.open(name, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        try:
            self._truncate()
        except BaseException:
            self.close()
            raise

    def _truncate(self) -> None:
        found = os.fstat(self._file)
        if found.st_nlink > 1:
            raise NotARegularFile(errno.EMLINK, "it is a hard link: the file has another name, too")
        if found.st_size > self._length:
            os.ftruncate(self._file, self._length)

    @property
    def mark(self) -> Mark:
        """The current length and checksum."""
        return Mark(self._length, self._checksum)

    def append(self, content: bytes) -> None:
        """Append bytes.

        Raises:
            OSError: not all bytes can be written.
        """
        self._synced = False
        write_all(self._file, content)
        self._length += len(content)
        self._checksum = zlib.crc32(content, self._checksum)

    def append_line(self, line: str) -> None:
        """Append a line.

        Raises:
            ValueError: the line is longer than `LONGEST_LINE`.
            OSError: not all of the line can be written.
        """
        content = f"{line}\n".encode(errors="backslashreplace")  # a lone surrogate becomes a JSON escape
        if len(content) > LONGEST_LINE:
            raise ValueError(f"a line of {self.path} may have at most {LONGEST_LINE} bytes, got {len(content)}")
        self.append(content)

    def sync(self) -> None:
        """Wait until all bytes are on the disk.

        Raises:
            OSError: the bytes cannot be written.
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
    """The marks of journals, by the journals' names, as plain data for JSON."""
    return {name: mark._asdict() for name, mark in marks.items()}


def _first_garbage(directory: Directory, name: str, length: int) -> str | None:
    """A message about the first line within `length` bytes that is not a JSON object; None if there is none."""
    with directory.reading(name) as file:
        number = position = 0
        while position < length and (line := file.readline(LONGEST_LINE + 1)):
            number, position = number + 1, position + len(line)
            if len(line) <= LONGEST_LINE and line.endswith(b"\n"):
                with contextlib.suppress(ValueError):
                    parse_object(line)
                    continue
            reason = "not a line of JSON" if line.endswith(b"\n") else "the line has no end"
            return f"{directory.path / name}:{number}: {reason}; the file was not changed"
    return None
