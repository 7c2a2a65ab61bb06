"""Code that evonet did not write, environments, wrappers and fitness functions: how it is called, and how it fails.

Such code can raise anything, leave the program by `sys.exit`, or read the program's arguments. The functions here turn
what it raises into errors of evonet that name what was called and the line of the foreign code. Where a call of foreign
code has handlers of its own, they are two: `except INTERRUPTS: raise` and then `except ANY_ERROR as error`.
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
from types import FrameType, ModuleType, TracebackType
from typing import Protocol

from evonet.errors import AlgorithmFailed, EvonetError, EvonetWarning, OutOfTime

INTERRUPTS = (KeyboardInterrupt, OutOfTime)
"""What the signals that stop a run raise, also within a call of foreign code, which must not keep them from evonet."""

ANY_ERROR = (BaseException,)
"""What a call of foreign code may raise otherwise: extensions and event loops raise more than `Exception`."""

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_PLACE = re.compile(r" in [^:]+:\d+(?=[:;]|$)")  # " in maze/world.py:142", with the message or nothing after it
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


def without_addresses(text: str) -> str:
    """`text` without the memory addresses that Python's `repr` of objects has, which differ from process to process."""
    return _ADDRESS.sub("", text)


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
    except (EvonetError, *INTERRUPTS):
        raise
    except ANY_ERROR as error:
        raise error_type(f"{what}: {described(error)}") from error


@contextlib.contextmanager
def guarded_algorithm() -> Iterator[None]:
    """A context in which an algorithm runs, which may call the user's operators: an error of theirs names the operator.

    Raises:
        AlgorithmFailed: code that evonet did not write raised an error; errors of evonet's own code stay as they are.
    """
    try:
        yield
    except (EvonetError, *INTERRUPTS):
        raise
    except ANY_ERROR as error:
        part = next(iter(_foreign_frames(error)), None)
        if part is None:
            raise
        name = part.tb_frame.f_code.co_qualname
        raise AlgorithmFailed(f"{name}, which the algorithm calls, failed: {described(error)}") from error


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


def close(closable: Closable, name: str) -> None:
    """Close a foreign object; if that fails, a warning says so, because nothing depends on it.

    Args:
        closable: the object.
        name: its name in the warning.
    """
    try:
        closable.close()
    except INTERRUPTS:
        raise
    except ANY_ERROR as error:
        message = f"{name} cannot be closed: {described(error)}; the results are not affected"
        warnings.warn(message, EvonetWarning, stacklevel=2)


def _first_line(error: BaseException) -> str:
    """The first line of an error's message, joined with the second where it ends with a colon."""
    try:
        lines = [line.strip() for line in without_addresses(str(error)).splitlines() if line.strip()]
    except INTERRUPTS:
        raise
    except ANY_ERROR:  # a message that cannot be made
        return ""
    first = " ".join(lines[:2] if lines and lines[0].endswith(":") else lines[:1])
    return first.rstrip(" :")


def _place(error: BaseException) -> str:
    """The file and line of the last frame that belongs to foreign code; "" if there is none."""
    *_, last = [None, *_foreign_frames(error)]
    return "" if last is None else f"{_file_of(last.tb_frame)}:{last.tb_lineno}"


def _foreign_frames(error: BaseException) -> Iterator[TracebackType]:
    """The frames of foreign code that an error left, the outermost first."""
    trace = error.__traceback__
    while trace is not None:
        if _file_of(trace.tb_frame):
            yield trace
        trace = trace.tb_next


def _file_of(frame: FrameType) -> str:
    """The file of a frame of foreign code, named from its top-level package on; "" for other frames.

    It is derived from the module's name, so that it is the same in each worker process, whatever its `sys.path`.
    """
    module, file = frame.f_globals.get("__name__"), frame.f_code.co_filename.replace("\\", "/")
    if not isinstance(module, str) or file.startswith("<") or module.partition(".")[0] in _NOT_FOREIGN:
        return ""
    parts = module.count(".") + (2 if file.endswith("/__init__.py") else 1)
    return "/".join(file.split("/")[-parts:])
