"""Compiles a task's rollout with Numba, or takes its machine code from the cache.

Imported only where Numba is wanted.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
import types
from collections.abc import Callable, Mapping
from importlib.abc import InspectLoader
from pathlib import Path
from typing import Any

import numba

from evonet.evaluation.kernels import intrinsics
from evonet.evaluation.kernels.cache import MachineCodeCache
from evonet.evaluation.kernels.codegen import module_source, rollout_source
from evonet.evaluation.kernels.task import KernelTask


def compiled_rollout(task: KernelTask) -> Callable[..., None]:
    """`rollout.roll_out` for a task, compiled at its first call or taken from the cache.

    Raises:
        EvonetError: a function of the kernel cannot be compiled; the message says which and why.
    """
    return _compiled(rollout_source(task), "roll_out")


def compiled_function(function: Any, names: Mapping[str, Any] | None = None) -> Callable[..., Any]:
    """Any function, compiled with all that it calls, at its first call or taken from the cache.

    Args:
        function: the function.
        names: values that replace names of its module.

    Raises:
        EvonetError: a function cannot be compiled; the message says which and why.
    """
    return _compiled(module_source(function, names or {}), function.__name__)


def _compiled(source: str, entry: str) -> Callable[..., Any]:
    digest = hashlib.sha256(source.encode() + Path(intrinsics.__file__).read_bytes()).hexdigest()
    # The module's name is part of all symbols in its machine code, so that the linker keeps those of two tasks apart.
    module = _module(f"evonet_generated_{digest[:20]}", source)
    dispatcher = numba.njit(getattr(module, entry), **intrinsics.OPTIONS)
    dispatcher._cache = MachineCodeCache(digest)  # where `cache=True` puts Numba's own
    function: Callable[..., Any] = dispatcher
    return function


class _Source(InspectLoader):
    """Loads a module from a text."""

    def __init__(self, source: str) -> None:
        self._source = source

    def get_source(self, fullname: str) -> str:
        return self._source


def _module(name: str, source: str) -> types.ModuleType:
    """The module with this source; the same one whenever it is asked for."""
    if name not in sys.modules:
        loader = _Source(source)
        spec = importlib.util.spec_from_loader(name, loader)
        assert spec is not None
        module = importlib.util.module_from_spec(spec)
        loader.exec_module(module)
        # Machine code looks for the module there; it is entered complete, because another thread may ask for it.
        sys.modules.setdefault(name, module)
    return sys.modules[name]
