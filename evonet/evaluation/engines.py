"""The engines by name, and the choice among them."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable

from evonet.evaluation import kernels
from evonet.evaluation.cartpole_vector_engine import VectorEngine, has_vector_environment
from evonet.evaluation.engine import Engine, EngineName
from evonet.evaluation.gymnasium_engine import GymnasiumEngine
from evonet.evaluation.kernels import KernelEngine, NumpyEngine, kernel_for
from evonet.extras import install_hint
from evonet.task import Task


def real_engine(task: Task) -> Engine:
    """The engine that runs the environment itself, never a kernel in its place."""
    return VectorEngine(task) if has_vector_environment(task) else GymnasiumEngine(task)


def brief_engine(task: Task) -> Engine:
    """The fastest engine for a few seconds of work: a kernel, if there is one, without waiting for a compiler."""
    return NumpyEngine(task) if kernel_for(task) else real_engine(task)


def runs_foreign_code(name: EngineName, task: Task) -> bool:
    """Whether the engine called `name` runs an environment that others wrote, and that may hang or crash."""
    return name in ("gymnasium", "envpool") or (name == "auto" and kernel_for(task) is None)


def make_engine(name: EngineName, task: Task, threads: int | None = None) -> Engine:
    """The engine called `name`.

    Args:
        name: "auto" takes a kernel where there is one for the task's environment, else the environment itself.
        task: what an episode is.
        threads: threads of an engine that has several; by default one for each core.

    Raises:
        ValueError: the engine needs a kernel and there is none, or it needs Numba, which is not installed.
    """
    if name == "numba" and importlib.util.find_spec("numba") is None:
        raise ValueError(
            f"the engine 'numba' needs Numba, which is not installed: {install_hint('fast')}, "
            "or take the engine 'numpy', whose results are the same"
        )
    makers: dict[EngineName, Callable[[], Engine]] = {
        "auto": lambda: KernelEngine(task, threads) if kernel_for(task) else real_engine(task),
        "gymnasium": lambda: real_engine(task),
        "numpy": lambda: NumpyEngine(task),
        "numba": lambda: kernels.NumbaEngine(task, threads),
        "envpool": lambda: _envpool_engine(task, threads),
    }
    return makers[name]()


def _envpool_engine(task: Task, threads: int | None) -> Engine:
    from evonet.evaluation.envpool_engine import EnvPoolEngine  # a run of another engine starts without it

    return EnvPoolEngine(task, threads)
