"""Code that evonet did not write, environments, wrappers and fitness functions: how it is called, and how it fails.

Such code can raise anything, leave the program by `sys.exit`, or read the program's arguments. The functions here turn
what it raises into errors of evonet that name what was called and the line of the foreign code.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import FrameType, ModuleType
from typing import Protocol

from evonet.errors import EvonetError, EvonetWarning

RAISED = (Exception, SystemExit)
"""What a call of foreign code may raise; all else, such as KeyboardInterrupt, is meant for evonet."""

_PLACE = re.compile(r" in [^:]+:\d+(?=[:;]|$)")
_NOT_FOREIGN = sys.stdlib_module_names | {"evonet", "gymnasium", "numpy"}


class Closable(Protocol):
    """An object that can be closed."""

    def close(self) -> object:
        """Release what the object holds."""
        ...


def described(error: BaseException) -> str:
    """An exception in one line: its type, the last line of foreign code that it left, and its message.

    For example `AssertionError in maze/world.py:142: the maze has no exit`. A message of several lines gives its first.
    """
    place = _place(error)
    where = f" in {place}" if place else ""
    message = _first_line(error)
    if isinstance(error, SystemExit):
        said = f": {message}" if isinstance(error.code, str) and message else ""
        return f"it left the program (sys.exit){where}{said}"
    return f"{type(error).__name__}{where}" + (f": {message}" if message else "")


def without_place(description: str) -> str:
    """What `described` returned, without the file and line, which change with the foreign code."""
    return _PLACE.sub("", description, count=1)


@contextlib.contextmanager
def guarded(what: str, error_type: type[EvonetError]) -> Iterator[None]:
    """A context in which what foreign code raises becomes an error `{what}: …`; errors of evonet stay as they are.

    Raises:
        EvonetError: of type `error_type`.
    """
    try:
        yield
    except EvonetError:
        raise
    except RAISED as error:
        raise error_type(f"{what}: {described(error)}") from error


@contextlib.contextmanager
def no_arguments() -> Iterator[None]:
    """A context in which `sys.argv` is that of an interactive session: a script must not read evonet's arguments."""
    arguments = sys.argv
    sys.argv = [""]
    try:
        yield
    finally:
        sys.argv = arguments


@contextlib.contextmanager
def working_directory_kept() -> Iterator[Path]:
    """Return to the working directory at the end of this context: foreign code may have changed it.

    Yields:
        The absolute path of the working directory, from which relative paths must start within the context.
    """
    start = absolute(Path())
    try:
        yield start
    finally:
        with contextlib.suppress(OSError):  # it was removed
            os.chdir(start)


def absolute(path: Path) -> Path:
    """The absolute path, to be taken before foreign code can change the working directory."""
    try:
        return path.absolute()
    except FileNotFoundError:  # the working directory was removed, so no relative path can be opened anyway
        return path


def import_module(name: str) -> ModuleType:
    """Import a module that evonet did not write; whatever its code raises is raised here, SystemExit too."""
    with no_arguments():
        return importlib.import_module(name)


def close(thing: Closable, what: str) -> None:
    """Close a foreign object; if that fails, a warning says so, because nothing depends on it.

    Args:
        thing: the object.
        what: its name in the warning.
    """
    try:
        thing.close()
    except RAISED as error:
        message = f"{what} cannot be closed: {described(error)}; the results are not affected"
        warnings.warn(message, EvonetWarning, stacklevel=2)


def _first_line(error: BaseException) -> str:
    """The first line of an error's message, joined with the second where it ends with a colon."""
    try:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    except RAISED:  # a message that cannot be made
        return ""
    first = " ".join(lines[:2] if lines and lines[0].endswith(":") else lines[:1])
    return first.rstrip(" :")


def _place(error: BaseException) -> str:
    """The file and line of the last frame that belongs to foreign code; "" if there is none."""
    place = ""
    trace = error.__traceback__
    while trace is not None:
        file = _file_of(trace.tb_frame)
        if file:
            place = f"{file}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def _file_of(frame: FrameType) -> str:
    """The file of a frame of foreign code, named from its top-level package on; "" for other frames.

    It is derived from the module's name, so that it is the same in each worker process, whatever its `sys.path`.
    """
    module, file = frame.f_globals.get("__name__"), frame.f_code.co_filename.replace("\\", "/")
    if not isinstance(module, str) or file.startswith("<") or module.partition(".")[0] in _NOT_FOREIGN:
        return ""
    parts = module.count(".") + (2 if file.endswith("/__init__.py") else 1)
    return "/".join(file.split("/")[-parts:])
