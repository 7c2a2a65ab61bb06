"""Reader of a JSON object from an untrusted file: each entry is checked when it is read."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

from evonet.files.text import short_repr

LARGEST = 2**63 - 1
"""The largest integer that an int64 array can hold."""

_FINITE = sys.float_info.max
_Value = TypeVar("_Value")


class Fields:
    """The entries of a JSON object; each method checks the entry that it reads.

    Args:
        entries: the parsed JSON value, which must be an object.
        name: the name of the object in messages.

    Raises:
        ValueError: `entries` is not an object. Each method raises ValueError if its entry is missing or invalid.
    """

    def __init__(self, entries: Any, name: str) -> None:
        if not isinstance(entries, dict):
            raise ValueError(f"{name} must be an object, got {short_repr(entries)}")  # noqa: TRY004 - the file is wrong, not the caller
        self._entries = entries
        self._name = name

    def has(self, key: str) -> bool:
        """Whether the entry `key` exists and is not null."""
        return self._entries.get(key) is not None

    def allow_only(self, *keys: str) -> Fields:
        """Refuse keys other than `keys`, and return this object."""
        unknown = sorted(self._entries.keys() - set(keys))
        if unknown:
            raise ValueError(f"{self._name} must have no key {short_repr(unknown[0])}")
        return self

    def all(self) -> dict[str, Any]:
        """All entries, of any kind."""
        return dict(self._entries)

    def get(self, key: str) -> Any:
        """An entry of any kind."""
        if key not in self._entries:
            raise ValueError(f"{self._name}.{key} is missing")
        return self._entries[key]

    def integer(self, key: str, least: int = 0, most: int = LARGEST) -> int:
        """A whole number from `least` to `most`."""
        value = self.get(key)
        if type(value) is not int or not least <= value <= most:
            self._refuse(key, f"be a whole number from {least} to {most}", value)
        return int(value)

    def number(self, key: str) -> float:
        """A number; infinities are allowed, NaN is not."""
        value = self.get(key)
        if type(value) not in {int, float} or not (abs(value) <= _FINITE or abs(value) == math.inf):
            self._refuse(key, "be a number", value)
        return float(value)

    def finite(self, key: str, least: float = -_FINITE) -> float:
        """A finite number of at least `least`."""
        value = self.get(key)
        if type(value) not in {int, float} or not least <= value <= _FINITE:
            self._refuse(key, "be a finite number" + (f" of at least {least:g}" if least > -_FINITE else ""), value)
        return float(value)

    def boolean(self, key: str) -> bool:
        """True or false."""
        value = self.get(key)
        if type(value) is not bool:
            self._refuse(key, "be true or false", value)
        return bool(value)

    def text(self, key: str, longest: int = 1000) -> str:
        """A text of at most `longest` characters, encodable as UTF-8."""
        value = self.get(key)
        if type(value) is not str or len(value) > longest or any("\ud800" <= letter <= "\udfff" for letter in value):
            self._refuse(key, f"be a text of at most {longest} characters", value)
        return str(value)

    def word(self, key: str) -> str:
        """A text of printable characters in one line."""
        text = self.text(key)
        if not text.isprintable():
            self._refuse(key, "be a text of printable characters", text)
        return text

    def optional(self, key: str, read: Callable[[str], _Value]) -> _Value | None:
        """The entry, read with the method `read` of this object; None if the entry is null."""
        return None if self.get(key) is None else read(key)

    def items(self, key: str, longest: int = LARGEST) -> list[Any]:
        """A list of at most `longest` items."""
        value = self.get(key)
        if type(value) is not list or len(value) > longest:
            self._refuse(key, "be a list" if longest == LARGEST else f"be a list of at most {longest}", value)
        return list(value)

    def mapping(self, key: str) -> dict[str, Any]:
        """An object as a dict, with entries of any kind."""
        value = self.get(key)
        if type(value) is not dict:
            self._refuse(key, "be an object", value)
        return dict(value)

    def fields(self, key: str) -> Fields:
        """A JSON object, as `Fields`."""
        return Fields(self.get(key), f"{self._name}.{key}")

    def _refuse(self, key: str, rule: str, value: Any) -> NoReturn:
        raise ValueError(f"{self._name}.{key} must {rule}, got {short_repr(value)}")
