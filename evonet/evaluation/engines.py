"""The engines by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from evonet.evaluation.gymnasium_engine import GymnasiumEngine
from evonet.evaluation.task import Engine, Task

EngineName = Literal["auto", "gymnasium"]

ENGINES: dict[str, Callable[[Task], Engine]] = {
    "auto": GymnasiumEngine,
    "gymnasium": GymnasiumEngine,
}
