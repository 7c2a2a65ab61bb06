"""Parts that all exporters share: the champion's description, and the limits of the formats."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from gymnasium import spaces

from evonet.champion import Champion
from evonet.environments.space_descriptions import describe_space
from evonet.environments.spaces import Space
from evonet.environments.specification import EnvironmentSpec
from evonet.errors import EvonetError
from evonet.extras import optional_package
from evonet.task import Task
from evonet.types import BoolArray, IntArray

SimpleSpace = spaces.Box | spaces.Discrete | spaces.MultiDiscrete | spaces.MultiBinary


class NotExportable(EvonetError):
    """The format cannot represent the champion, or its package is not installed."""


def task_of(champion: Champion, to: str) -> Task:
    """The champion's task.

    Raises:
        NotExportable: the champion has no task, or an activation of the user's own.
    """
    if champion.task is None:
        raise NotExportable(f"{to} needs the spaces of an environment, and this champion was scored by a function")
    for name in (champion.architecture.hidden_activation, champion.architecture.output_activation):
        if ":" in name:
            raise NotExportable(
                f"{to} cannot represent the activation {name!r}, which is not one of evonet's; json can"
            )
    return champion.task


def named_parts(space: Space, name: str) -> dict[str, SimpleSpace]:
    """The parts of a space that hold numbers, by name, in the order of the network's inputs or outputs.

    A part of a Dict is `name.key`, of a Tuple `name.0`, of one within another `name.key.0`; a space without parts is
    itself the only part, `name`.

    Raises:
        NotExportable: two parts have the same name.
    """
    if isinstance(space, SimpleSpace):
        return {name: space} if spaces.flatdim(space) else {}
    assert isinstance(space, spaces.Tuple | spaces.Dict)
    items = space.spaces.items() if isinstance(space, spaces.Dict) else enumerate(space.spaces)
    parts: dict[str, SimpleSpace] = {}
    for key, part in items:
        for inner, leaf in named_parts(part, f"{name}.{key}").items():
            if inner in parts:
                raise NotExportable(f"two parts of the space {space} would be called {inner!r}; use json")
            parts[inner] = leaf
    return parts


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


def flat_layout(parts: Iterable[SimpleSpace]) -> tuple[IntArray, IntArray, BoolArray]:
    """`(columns, values, one_hot)`: where the network's inputs are in the numbers of all parts, one after the other.

    Input i is number `columns[i]`; or, if `one_hot[i]`, 1 if that number equals `values[i]`, and 0 if not.
    """
    columns, values, one_hot, begin = [], [], [], 0
    for part in parts:
        if isinstance(part, spaces.Discrete | spaces.MultiDiscrete):
            own, starts, places = one_hot_layout(part)
            compared = starts + places
        else:
            own = np.arange(spaces.flatdim(part))
            compared = np.zeros_like(own)
        columns.append(begin + own)
        values.append(compared)
        one_hot.append(np.full(own.size, isinstance(part, spaces.Discrete | spaces.MultiDiscrete)))
        begin += int(own[-1]) + 1
    return np.concatenate(columns), np.concatenate(values), np.concatenate(one_hot)


def environment_id(champion: Champion) -> str | None:
    """The id of the champion's environment; None for a champion without an environment or an id."""
    environment = champion.task.environment if champion.task is not None else None
    return environment.id if isinstance(environment, EnvironmentSpec) else None


def test_in_words(champion: Champion) -> str:
    """The test score, for example `mean return -147 (-155 to -140) over 100 episodes`, or that there is none."""
    if champion.test is not None:
        return f"mean return {champion.test}"
    return "not tested" + (": its weights were changed after it was scored" if champion.edited else "")


def description(champion: Champion) -> dict[str, Any]:
    """The champion without its weights, as plain data: origin, architecture, names, spaces and scores.

    Numbers that are not finite become None, because JSON has none.
    """
    task, names = champion.task, champion.names
    environment = task.environment if task is not None else None
    about = {
        "environment": environment.described() if isinstance(environment, EnvironmentSpec) else None,
        "architecture": champion.architecture.to_dict(),
        "inputs": list(names.inputs),
        "outputs": list(names.outputs),
        "observation_space": task and describe_space(task.observation_space),
        "action_space": task and describe_space(task.action_space),
        "action_squash": task and task.squash,
        "max_steps": task and task.max_steps,
        "individual": champion.id,
        "generation": champion.generation,
        "training_fitness": None if champion.edited else champion.training_fitness,
        "test": test_in_words(champion),
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
