"""Descriptions of settings, read from the docstrings of the classes that have them.

The schema, the list of parts and the page of reference need them; a run reads only the first lines.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

_SECTION = re.compile(r"^(Args|Attributes):$")
_ENTRY = re.compile(r"^    (\w+): (.*)$")


def summary_of(owner: object) -> str:
    """The first line of a docstring."""
    return (owner.__doc__ or "").strip().partition("\n")[0]


def descriptions_of(owner: Callable[..., Any]) -> dict[str, str]:
    """The descriptions of the arguments and attributes of a class, or of a function's arguments, by name.

    Those of a base class hold for what a class does not describe itself.
    """
    classes = reversed(owner.__mro__) if isinstance(owner, type) else [owner]
    return {name: text for each in classes for name, text in _entries(vars(each).get("__doc__") or _doc_of(each))}


def _doc_of(owner: object) -> str:
    return "" if isinstance(owner, type) else owner.__doc__ or ""


def _entries(docstring: str) -> Iterator[tuple[str, str]]:
    """The names and descriptions in the sections Args and Attributes."""
    inside, name, words = False, "", list[str]()
    for line in [*inspect.cleandoc(docstring).splitlines(), "End:"]:
        entry = _ENTRY.match(line) if inside else None
        if (entry or (line and not line.startswith(" "))) and name:
            yield name, " ".join(words)
            name = ""
        if entry:
            name, words = entry[1], [entry[2]]
        elif name and line:
            words.append(line.strip())
        if line and not line.startswith(" "):
            inside = bool(_SECTION.match(line))
