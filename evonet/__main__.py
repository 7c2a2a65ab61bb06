"""The program `evonet`: what holds for its whole process, and then the command line."""

from __future__ import annotations

import gc
import os
import sys
import types
from typing import Any

from evonet.processes.cores import BLAS_THREADS

_YOUNG = 200_000  # objects made before the collector looks for cycles; a start makes fewer, and all of them stay


def program() -> int:
    """Run the command line as a process of its own; returns the exit status."""
    gc.set_threshold(_YOUNG, *gc.get_threshold()[1:])
    _open_standard_streams()
    _start_pydantic_without_plugins()
    for name in BLAS_THREADS:
        os.environ.setdefault(name, "1")
    from evonet.cli import main

    try:
        return main()
    finally:
        gc.freeze()  # else the process ends with one more search for cycles, through all that there is


def _start_pydantic_without_plugins() -> None:
    """Keep pydantic from looking for plugins of its own in all that is installed, here and in processes begun here.

    Its module that looks for them would import the standard library's mail package, a fiftieth of a run's start.
    """
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    loader: Any = types.ModuleType("pydantic.plugin._loader")
    loader.get_plugins = tuple
    sys.modules.setdefault(loader.__name__, loader)


def _open_standard_streams() -> None:
    """Open the streams with which the process was started closed, or the next file that is opened becomes one.

    Standard output cannot be written then: a result that goes there is lost, which the command line reports.
    """
    for descriptor, flags in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, flags)  # takes the lowest number that is free, which is this one
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - to the end
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


if __name__ == "__main__":
    sys.exit(program())
