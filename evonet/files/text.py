"""Values and text of untrusted files, made safe for a message or a terminal."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeAlias

from evonet.foreign import without_addresses

Paint: TypeAlias = Callable[[str, str], str]
"""Colours a text for a terminal; called with the text and `good`, `bad` or `dim`."""


def short_repr(value: Any, length: int = 80) -> str:
    """`value` for a message: its `repr` without addresses, truncated to `length` characters."""
    try:
        text = ascii(value) if isinstance(value, str) and not value.isprintable() else without_addresses(repr(value))
    except Exception:  # noqa: BLE001 - a class of the user's may raise anything; Python refuses integers of 5,000 digits
        text = f"a {type(value).__name__}"
    return text if len(text) <= length else f"{text[: length - 1]}…"


def short_number(value: float) -> str:
    """A number in about three digits, for a `repr`: `1,235`, `85.3` or `0.0123`."""
    return f"{value:,.0f}" if 100 <= abs(value) < 1e9 else f"{value:.3g}"


def printable(text: str, keep: str = "\n") -> str:
    """`text` for a terminal: characters that are not printable are escaped, except those in `keep`."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else ascii(c)[1:-1] for c in text)


def printable_json(text: str) -> str:
    """A JSON document for a terminal: characters that are not printable become JSON escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)
