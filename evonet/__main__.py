"""The program `evonet`: what holds for its whole process, and then the command line."""

from __future__ import annotations

import gc
import os
import sys

from evonet.processes.cores import BLAS_THREADS

_YOUNG = 50_000  # objects that come before the collector looks for cycles; imports make more than that, which all stay


def program() -> int:
    """Run the command line as a process of its own; returns the exit status."""
    gc.set_threshold(_YOUNG, *gc.get_threshold()[1:])
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # to look for some reads all that is installed
    for name in BLAS_THREADS:
        os.environ.setdefault(name, "1")
    from evonet.cli import main

    try:
        return main()
    finally:
        gc.freeze()  # else the process ends with one more search for cycles, through all that there is


if __name__ == "__main__":
    sys.exit(program())
