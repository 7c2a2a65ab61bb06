"""Commands in messages, quoted so that a person can paste them into the shell of this system."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path

_PLAIN = re.compile(r"[\w.,:/\\+=@-]+")
_EXPANDED = re.compile(r"[\"$`]")  # what PowerShell expands or ends within double quotes

WINDOWS = os.name == "nt"


def command(program: str, *words: str | os.PathLike[str]) -> str:
    """The command line of a program of this Python's environment, such as `evonet` or `pip`, with these words."""
    return " ".join(map(quoted, (_callable_name(program), *words)))


def _callable_name(program: str) -> str:
    """The program's name if the shell finds it in this Python's environment, else its path there, if it has one."""
    import shutil

    installed = shutil.which(program, path=str(Path(sys.executable).parent))
    if installed is None or shutil.which(program) == installed:
        return program
    path, here = Path(installed), Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


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
