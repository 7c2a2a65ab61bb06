"""Readers for untrusted files: regular files only, with limits of size and depth.

Reading takes bounded time and memory for any content, an invalid file raises a ConfigError with its name, and no code
in a file is run.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import stat
from collections.abc import Callable, Iterator
from typing import IO, Any, TypeVar

from evonet.errors import ConfigError
from evonet.files.fields import Fields
from evonet.files.text import short_repr

PathLike = str | os.PathLike[str]

LONGEST_DOCUMENT = 8 << 20
"""The greatest size of a JSON document, such as a run's summary, in bytes."""

LONGEST_LINE = 8 << 20
"""The greatest length of a journal's line, in bytes."""

MAX_PARTS = 1 << 20
"""The greatest number of lists and objects in a JSON document; an empty list is two bytes of text, sixty in memory."""

_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOCTTY", 0)
_MAX_DEPTH = 200
_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
}
_Record = TypeVar("_Record")


class NotARegularFile(OSError):
    """A link, a directory, a pipe or a device where a regular file is expected."""


def require_regular(mode: int, path: str | None = None) -> None:
    """Refuse the `mode` that `os.stat` returned unless it is that of a regular file.

    Raises:
        NotARegularFile: the mode belongs to another kind of file.
    """
    if not stat.S_ISREG(mode):
        raise NotARegularFile(errno.EINVAL, f"it is {kind_of(mode)}, not a regular file", path)


def kind_of(mode: int) -> str:
    """The kind of file, in words, for the `mode` that `os.stat` returned."""
    return "a regular file" if stat.S_ISREG(mode) else _KINDS.get(stat.S_IFMT(mode), "a device")


@contextlib.contextmanager
def reading(path: PathLike, open_file: Callable[[], int] | None = None) -> Iterator[IO[bytes]]:
    """A regular file, open for reading; within this context, an OSError becomes a ConfigError with the file's name.

    Args:
        path: the path of the file; links are followed, because the user typed it.
        open_file: a function that opens the file and returns its descriptor; by default `path` is opened.

    Raises:
        ConfigError: the file cannot be opened or read.
    """
    try:
        with open(path, "rb", opener=lambda *_: _open(path) if open_file is None else open_file()) as file:
            yield file
    except (OSError, ValueError) as error:  # `open` raises ValueError for a name with a NUL
        raise unreadable(path, error) from error


def _open(path: PathLike) -> int:
    return regular(os.open(path, _FLAGS))


def regular(descriptor: int) -> int:
    """Return the descriptor of a regular file; close any other descriptor and raise.

    Raises:
        NotARegularFile: the descriptor belongs to another kind of file.
    """
    try:
        require_regular(os.fstat(descriptor).st_mode)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def read_bytes(file: IO[bytes], max_bytes: int) -> bytes:
    """The content of a file that `reading` opened.

    Raises:
        ConfigError: the file is longer than `max_bytes`.
        OSError: the file cannot be read.
    """
    size = os.fstat(file.fileno()).st_size
    content = b"" if size > max_bytes else file.read(max_bytes + 1)
    if max(size, len(content)) > max_bytes:
        raise ConfigError(f"{file.name}: must have at most {max_bytes} bytes, got {max(size, len(content))}")
    return content


def read_text(file: IO[bytes], max_bytes: int) -> str:
    """The text of a UTF-8 file that `reading` opened.

    Raises:
        ConfigError: the file is longer than `max_bytes`, or is not UTF-8.
        OSError: the file cannot be read.
    """
    try:
        return read_bytes(file, max_bytes).decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file.name}: the file is not UTF-8 text: {error}") from error


def read_json(file: IO[bytes], max_bytes: int = LONGEST_DOCUMENT) -> dict[str, Any]:
    """The JSON object in a file that `reading` opened.

    Raises:
        ConfigError: the file is longer than `max_bytes`, or is not a JSON object.
        OSError: the file cannot be read.
    """
    content = read_bytes(file, max_bytes)
    try:
        return parse_object(content)
    except ValueError as error:
        raise ConfigError(f"{file.name}: cannot be read: {error}") from error


def read_lines(
    file: IO[bytes], parse: Callable[[Fields], _Record], name: str, *, torn_end: bool = False
) -> Iterator[_Record]:
    """The records in the lines of a journal that `reading` opened.

    Args:
        file: a file with a JSON object in each line.
        parse: a function that makes a record of a line's object; it raises ValueError if the object is invalid.
        name: the name of the object in messages.
        torn_end: whether to skip a last line without a newline; a running experiment may leave one.

    Raises:
        ConfigError: a line is not a valid record; the message has the line's number.
        OSError: the file cannot be read.
    """
    for number, line in enumerate(_lines(file, torn_end=torn_end), 1):
        yield _record(line, f"{file.name}:{number}", parse, name)


def read_some_lines(
    file: IO[bytes], parse: Callable[[Fields], _Record], name: str, most: int, *, torn_end: bool = False
) -> list[_Record]:
    """At most `most` records of a journal, evenly spread from the first to the last; other lines are not parsed.

    The other arguments and the errors are those of `read_lines`.
    """
    lines = list(_lines(file, torn_end=torn_end))
    count = min(len(lines), most)
    rows = [round(k * (len(lines) - 1) / max(count - 1, 1)) for k in range(count)]
    return [_record(lines[row], f"{file.name}:{row + 1}", parse, name) for row in rows]


def _lines(file: IO[bytes], *, torn_end: bool) -> Iterator[bytes]:
    """The lines of a journal, each of bounded length."""
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            raise ConfigError(f"{file.name}:{number}: must have at most {LONGEST_LINE} bytes, and has more")
        if torn_end and not line.endswith(b"\n"):
            return
        yield line


def _record(line: bytes, place: str, parse: Callable[[Fields], _Record], name: str) -> _Record:
    """The record in a line of a journal; `place` is its file and number, for errors."""
    try:
        entries = parse_object(line)
    except ValueError as error:
        raise ConfigError(f"{place}: not a line of JSON: {error}") from error
    try:
        return parse(Fields(entries, name))
    except (ValueError, OverflowError) as error:
        raise ConfigError(f"{place}: {error}") from error


def parse_object(content: bytes) -> dict[str, Any]:
    """The JSON object in `content`.

    Raises:
        ValueError: `content` is not a JSON object, or has too many parts or levels, or a duplicate key.
    """
    parts = content.count(b"[") + content.count(b"{")
    if parts > MAX_PARTS:
        raise ValueError(f"it may have at most {MAX_PARTS} lists and objects, got {parts}")
    try:
        value = json.loads(content.decode("utf-8"), object_pairs_hook=_object)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(value, dict):
        raise ValueError(f"it must be an object, got {short_repr(value)}")  # noqa: TRY004 - the file is wrong, not the caller
    check_depth(value)
    return value


def unreadable(path: PathLike, error: Exception) -> ConfigError:
    """The error for a file that cannot be opened or read."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return ConfigError(f"{os.fspath(path)}: cannot be read: {reason}")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) < len(pairs):
        seen: set[str] = set()
        duplicate = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"duplicate key {short_repr(duplicate)}")
    return entries


def check_depth(value: Any) -> None:
    """Refuse lists and objects that are nested too deeply.

    Raises:
        ValueError: the nesting exceeds the limit.
    """
    level = [value]
    for _ in range(_MAX_DEPTH):
        level = [item for node in level for item in _parts(node) if isinstance(item, dict | list)]
        if not level:
            return
    raise ValueError(f"nested too deeply: it may be {_MAX_DEPTH} levels deep")


def _parts(node: Any) -> Any:
    return node.values() if isinstance(node, dict) else node
