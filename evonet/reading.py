"""Files that a stranger may have written: opened if they are plain files, read up to a limit, parsed up to a depth.

Whatever is in them, reading ends soon, takes bounded memory, and what is wrong becomes a ConfigError with the file's
name. Nothing here runs what a file says.
"""

from __future__ import annotations

import errno
import json
import math
import os
import stat
import sys
from collections.abc import Iterator
from typing import IO, Any, NoReturn

from evonet.errors import ConfigError

PathLike = str | os.PathLike[str]

LONGEST_DOCUMENT = 8 << 20
"""Bytes of a JSON document, such as a run's summary."""

LONGEST_LINE = 8 << 20
"""Bytes of a line in a file of such."""

LARGEST = 2**63 - 1
"""The largest whole number that an array holds."""

MOST_PARTS = 1 << 20
"""Lists and objects in a JSON document: an empty list takes sixty bytes of memory for two of text."""

_FINITE = sys.float_info.max
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOCTTY", 0)
_DEEPEST = 200


def open_plain(path: PathLike) -> IO[bytes]:
    """Open a file for reading, if it is one: a pipe would be waited for, and a device has no end.

    Raises:
        OSError: it cannot be opened, or is none.
    """
    descriptor = os.open(path, _FLAGS)
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    raise IsADirectoryError(errno.EISDIR, "Is a directory") if stat.S_ISDIR(mode) else OSError("not a regular file")


def read_bytes(path: PathLike, max_bytes: int) -> bytes:
    """All of a file.

    Raises:
        ConfigError: it cannot be read, or is longer than `max_bytes`.
    """
    try:
        with open_plain(path) as file:
            content = file.read(max_bytes + 1)
    except (OSError, ValueError) as error:  # a name with a NUL
        raise unreadable(path, error) from error
    if len(content) > max_bytes:
        raise ConfigError(f"{os.fspath(path)}: must have at most {max_bytes} bytes, and has more")
    return content


def read_text(path: PathLike, max_bytes: int) -> str:
    """All of a file, in UTF-8.

    Raises:
        ConfigError: it cannot be read, is longer than `max_bytes`, or is not UTF-8.
    """
    try:
        return read_bytes(path, max_bytes).decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{os.fspath(path)}: the file is not UTF-8 text: {error}") from error


def read_json(path: PathLike, *, max_bytes: int = LONGEST_DOCUMENT) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        ConfigError: it cannot be read, or holds none.
    """
    content = read_bytes(path, max_bytes)
    try:
        return parse_object(content)
    except ValueError as error:
        raise ConfigError(f"{os.fspath(path)}: cannot be read: {error}") from error


def read_json_lines(
    path: PathLike, *, torn_end: bool = False, max_line: int = LONGEST_LINE
) -> Iterator[dict[str, Any]]:
    """The JSON objects in the lines of a file, one after another.

    Args:
        path: of the file.
        torn_end: whether a last line without its end is passed over, as a run in progress may leave it.
        max_line: bytes of a line.

    Raises:
        ConfigError: it cannot be read, or a line holds none; the message has its number.
    """
    try:
        with open_plain(path) as file:
            number = 0
            while line := file.readline(max_line + 1):
                number += 1
                if len(line) > max_line:
                    raise ConfigError(f"{os.fspath(path)}:{number}: must have at most {max_line} bytes, and has more")
                if torn_end and not line.endswith(b"\n"):
                    return
                try:
                    entry = parse_object(line)
                except ValueError as error:
                    raise ConfigError(f"{os.fspath(path)}:{number}: not a line of JSON: {error}") from error
                yield entry
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error


def parse_object(content: bytes) -> dict[str, Any]:
    """The JSON object in `content`.

    Raises:
        ValueError: there is none; or it has too many parts or levels, or a key stands twice in one object.
    """
    parts = content.count(b"[") + content.count(b"{")
    if parts > MOST_PARTS:
        raise ValueError(f"it may have {MOST_PARTS} lists and objects, got {parts}")
    try:
        value = json.loads(content.decode("utf-8"), object_pairs_hook=_object)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(value, dict):
        raise ValueError(f"it must be an object, got {shown(value)}")  # noqa: TRY004 - of a file, not of a caller
    _check_depth(value)
    return value


class Fields:
    """The entries of an object in a file, each checked as it is taken.

    Args:
        entries: what should be an object.
        name: of the object, for messages.

    Raises:
        ValueError: it is none; and so do the methods, where an entry is missing or breaks its rule.
    """

    def __init__(self, entries: Any, name: str) -> None:
        if not isinstance(entries, dict):
            raise ValueError(f"{name} must be an object, got {shown(entries)}")  # noqa: TRY004 - of a file
        self._entries = entries
        self._name = name

    def has(self, key: str) -> bool:
        """Whether there is such an entry, and it is not null."""
        return self._entries.get(key) is not None

    def only(self, *keys: str) -> Fields:
        """These entries, if there are no others."""
        unknown = sorted(self._entries.keys() - set(keys))
        if unknown:
            raise ValueError(f"{self._name} must have no key {shown(unknown[0])}")
        return self

    def get(self, key: str) -> Any:
        """An entry of any kind."""
        if key not in self._entries:
            raise ValueError(f"{self._name}.{key} is missing")
        return self._entries[key]

    def whole(self, key: str, least: int = 0, most: int = LARGEST) -> int:
        """A whole number from `least` to `most`."""
        value = self.get(key)
        if type(value) is not int or not least <= value <= most:
            self._refuse(key, f"be a whole number from {least} to {most}", value)
        return int(value)

    def number(self, key: str, *, finite: bool = False) -> float:
        """A number; infinities are numbers too unless it must be `finite`, NaN is none."""
        value = self.get(key)
        if type(value) not in {int, float} or not (abs(value) <= _FINITE or (not finite and abs(value) == math.inf)):
            self._refuse(key, "be a finite number" if finite else "be a number", value)
        return float(value)

    def truth(self, key: str) -> bool:
        """True or false."""
        value = self.get(key)
        if type(value) is not bool:
            self._refuse(key, "be true or false", value)
        return bool(value)

    def text(self, key: str, longest: int = 1000) -> str:
        """A text that can be written as UTF-8, of at most `longest` characters."""
        value = self.get(key)
        if type(value) is not str or len(value) > longest or any("\ud800" <= letter <= "\udfff" for letter in value):
            self._refuse(key, f"be a text of at most {longest} characters", value)
        return str(value)

    def items(self, key: str, longest: int = LARGEST) -> list[Any]:
        """A list of at most `longest` items."""
        value = self.get(key)
        if type(value) is not list or len(value) > longest:
            self._refuse(key, "be a list" if longest == LARGEST else f"be a list of at most {longest}", value)
        return list(value)

    def fields(self, key: str) -> Fields:
        """An object."""
        return Fields(self.get(key), f"{self._name}.{key}")

    def _refuse(self, key: str, rule: str, value: Any) -> NoReturn:
        raise ValueError(f"{self._name}.{key} must {rule}, got {shown(value)}")


def shown(value: Any, length: int = 80) -> str:
    """`value` for a message: as Python writes it, cut where it is long."""
    try:
        text = ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)
    except (ValueError, RecursionError):  # a number of thousands of digits
        text = f"a {type(value).__name__}"
    return text if len(text) <= length else f"{text[: length - 1]}…"


def printable(text: str, keep: str = "\n") -> str:
    """`text` for a terminal: characters that it would obey or not show are written as escapes, except those to keep."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else ascii(c)[1:-1] for c in text)


def unreadable(path: PathLike, error: Exception) -> ConfigError:
    """The error for a file that cannot be opened or read."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return ConfigError(f"{os.fspath(path)}: cannot be read: {reason}")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {shown(twice)} stands twice")
    return entries


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(_DEEPEST):
        level = [item for node in level for item in _parts(node) if isinstance(item, dict | list)]
        if not level:
            return
    raise ValueError(f"nested too deeply: it may be {_DEEPEST} levels deep")


def _parts(node: Any) -> Any:
    return node.values() if isinstance(node, dict) else node
