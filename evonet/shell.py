"""Commands in messages, quoted so that a person can paste them into the shell of this system."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable

_PLAIN = re.compile(r"[\w.,:/\\+=@-]+")
_EXPANDED = re.compile(r"[\"$`]")  # what PowerShell expands or ends within double quotes

WINDOWS = os.name == "nt"


def command(*words: str | os.PathLike[str]) -> str:
    """The command line of these words."""
    return " ".join(map(quoted, words))


def quoted(word: str | os.PathLike[str]) -> str:
    """The word as a shell reads it: POSIX's, on Windows PowerShell and, where it can, cmd."""
    text = os.fspath(word)
    if not WINDOWS:
        return shlex.quote(text)
    if _PLAIN.fullmatch(text):
        return text
    if _EXPANDED.search(text):
        return "'" + text.replace("'", "''") + "'"
    return f'"{text}"'


def allowing(modules: Iterable[str]) -> list[str]:
    """The words of a command line that allow modules to be imported."""
    return [word for module in modules for word in ("--allow-import", module)]
