"""The engines by name, and the choice among them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from evonet.evaluation.gymnasium_engine import GymnasiumEngine
from evonet.evaluation.kernel_engine import NumbaEngine, NumpyEngine, kernel_for
from evonet.evaluation.task import Engine, Task

EngineName = Literal["auto", "gymnasium", "numpy", "numba"]


def automatic_engine(task: Task) -> Engine:
    """A kernel where one stands in for the task's environment, else the environment itself."""
    return GymnasiumEngine(task) if kernel_for(task) is None else NumbaEngine(task)


ENGINES: dict[str, Callable[[Task], Engine]] = {
    "auto": automatic_engine,
    "gymnasium": GymnasiumEngine,
    "numpy": NumpyEngine,
    "numba": NumbaEngine,
}
