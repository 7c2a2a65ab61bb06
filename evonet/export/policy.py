"""Parts that all exporters share: the champion's description, and the limits of the formats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from gymnasium import spaces

from evonet.champion import Champion
from evonet.environments.known import Names, names_for
from evonet.environments.space_descriptions import describe_space
from evonet.environments.specification import EnvironmentSpec
from evonet.errors import EvonetError
from evonet.extras import optional_package
from evonet.task import Task
from evonet.types import IntArray

SimpleSpace = spaces.Box | spaces.Discrete | spaces.MultiDiscrete | spaces.MultiBinary


class NotExportable(EvonetError):
    """The format cannot represent the champion, or its package is not installed."""


def task_of(champion: Champion, to: str) -> Task:
    """The champion's task, whose spaces are no Tuple or Dict.

    Raises:
        NotExportable: the champion has no task, or a space is a Tuple or Dict.
    """
    if champion.task is None:
        raise NotExportable(f"{to} needs the spaces of an environment, and this champion was scored by a function")
    for name, space in (("observation", champion.task.observation_space), ("action", champion.task.action_space)):
        if not isinstance(space, SimpleSpace):
            raise NotExportable(f"{to} cannot represent the {name} space {space}; use json")
    return champion.task


def package(name: str) -> Any:
    """An optional package of the extra `export`.

    Raises:
        NotExportable: the package is not installed.
    """
    return optional_package(name, f"this format needs {name.partition('.')[0]}", "export", NotExportable)


def one_hot_layout(space: spaces.Discrete | spaces.MultiDiscrete) -> tuple[IntArray, IntArray, IntArray]:
    """`(columns, starts, values)`: input i is 1 if component `columns[i]` minus `starts[i]` equals `values[i]`."""
    sizes = np.ravel(space.n if isinstance(space, spaces.Discrete) else space.nvec).astype(np.int64)
    starts = np.ravel(space.start).astype(np.int64)
    columns = np.repeat(np.arange(sizes.size), sizes)
    values = np.concatenate([np.arange(size) for size in sizes])
    return columns, starts[columns], values


def environment_id(champion: Champion) -> str | None:
    """The id of the champion's environment; None for a champion without an environment or an id."""
    environment = champion.task.environment if champion.task is not None else None
    return environment.id if isinstance(environment, EnvironmentSpec) else None


def names_of(champion: Champion) -> Names:
    """Names of the network's inputs and outputs."""
    architecture = champion.architecture
    return names_for(environment_id(champion), architecture.num_inputs, architecture.num_outputs)


def description(champion: Champion) -> dict[str, Any]:
    """The champion without its weights, as plain data: origin, architecture, names, spaces and scores.

    Numbers that are not finite become None, because JSON has none.
    """
    task, names = champion.task, names_of(champion)
    environment = task.environment if task is not None else None
    about = {
        "environment": environment.described() if isinstance(environment, EnvironmentSpec) else None,
        "architecture": asdict(champion.architecture),
        "inputs": list(names.inputs),
        "outputs": list(names.outputs),
        "observation_space": task and describe_space(task.observation_space),
        "action_space": task and describe_space(task.action_space),
        "action_squash": task and task.squash,
        "max_steps": task and task.max_steps,
        "individual": champion.id,
        "generation": champion.generation,
        "training_fitness": champion.training_fitness,
        "scores": {
            name: {"mean": score.mean, "interval": list(score.interval), "episodes": score.episodes}
            for name, score in (("validation", champion.validation), ("test", champion.test))
            if score is not None
        },
    }
    plain: dict[str, Any] = _plain(about)
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value if value is None or isinstance(value, bool | int | float | str) else repr(value)
