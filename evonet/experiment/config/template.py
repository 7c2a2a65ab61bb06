"""A commented config for an environment, sized to its spaces, for a person to start from."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection
from typing import Any

import numpy as np
from gymnasium import spaces

from evonet.environments.specification import DEFAULT_MAX_STEPS, EnvironmentSpec
from evonet.fitness import EpisodeReturn
from evonet.seeding import Purpose, episode_seeds, generator
from evonet.shell import allowing, command
from evonet.task import Task

_MIN_HIDDEN, _MAX_HIDDEN = 4, 32
_LARGE_GENOME = 1000  # genes from which a strategy with few numbers a gene does better than crossover
_MANY_INPUTS = 8  # from which unbounded observations have scales of their own, as those of robots
_LARGE_VALUE = 10.0  # of an observation that would saturate hidden neurons
_NAMED = 12  # inputs or outputs that a person would name
_PLAIN = re.compile(r"[A-Za-z_][\w./:-]*\w")  # an id that YAML reads as text without quotes


def template(environment_id: str, file: str, allow_imports: Collection[str] = ()) -> str:
    """A config for an environment, which is made once to read its spaces.

    Args:
        environment_id: a registered id, or `module:Class`.
        file: the path of the config, for the commands in its comments.
        allow_imports: modules that may be imported.

    Raises:
        UnsuitableEnvironment: the environment is unknown, may not be imported, or no network fits its spaces.
        EnvironmentUnavailable: the environment cannot be made.
    """
    spec = EnvironmentSpec(environment_id).restricted(allow_imports)
    fitness = EpisodeReturn(spec, hidden=1)
    cause = _cause_of_differences(fitness)
    fitness.close()
    task = fitness.task
    assert task is not None
    inputs, outputs = task.architecture.num_inputs, task.architecture.num_outputs
    hidden = _hidden(inputs, outputs)
    genes = (inputs + 1) * hidden + (hidden + 1) * outputs
    run = [command("evonet", verb, file, *allowing(allow_imports)) for verb in ("check", "run")]
    lines = [
        f"# {environment_id}, network {inputs}-{hidden}-{outputs}, {genes:,} weights.",
        f"# Check it: {run[0]}",
        f"# Run it:   {run[1]}",
        "# Every key: evonet list environment, evonet list stop, …; every part: evonet list",
        "",
        "seed: 0  # the same seed gives the same result; evonet study runs many",
        "environment:",
        f"  id: {_text(environment_id)}",
        *_time_limit(fitness.time_limit),
        *(["  hard_reset: true  # because its state survives resets"] if "memory" in cause else []),
        "  # kwargs: {}  # arguments of the environment",
        "network:",
        f"  hidden: {hidden}  # hidden neurons; {inputs} inputs and {outputs} outputs follow from the environment",
        "  # recurrent: true  # for tasks that need memory",
        *_names(task),
        *_algorithm(genes),
        "evaluation:",
        "  episodes: 3  # of each individual in each generation; more where luck decides an episode",
        f"  normalise_observations: {_normalise(task.observation_space)}  # for inputs of different scales",
        *(["  instances: 1  # because instances in one process share something"] if "sharing" in cause else []),
        *_stop(task.reward_threshold()),
    ]
    return "\n".join(lines) + "\n"


def _cause_of_differences(fitness: EpisodeReturn) -> str:
    """Why an episode of the environment differs when it is run twice; "" if it does not, or if it cannot be tried."""
    genomes = generator(0, Purpose.INSPECTION, 0).standard_normal((2, fitness.architecture.genome_size))
    trial = fitness.try_out(genomes, episode_seeds(0, Purpose.TRAINING, 0, 2))
    return "" if trial is None or trial.cause is None else trial.cause


def _hidden(inputs: int, outputs: int) -> int:
    """Hidden neurons: the power of two above the number of inputs and outputs, within bounds."""
    wanted: int = 2 ** math.ceil(math.log2(inputs + outputs))
    return min(max(wanted, _MIN_HIDDEN), _MAX_HIDDEN)


def _time_limit(limit: int | None) -> list[str]:
    if limit is None:
        return [f"  max_steps: {DEFAULT_MAX_STEPS}  # the environment has no time limit of its own"]
    return [f"  # max_steps: {limit}  # the environment's own limit; another one is another task"]


def _names(task: Task) -> list[str]:
    """Lines with the names of inputs and outputs, where there are few and they have only numbers."""
    lines = []
    for key, names, numbered in (
        ("input_names", task.names.inputs, "input"),
        ("output_names", task.names.outputs, "output"),
    ):
        if len(names) <= _NAMED and list(names) == [f"{numbered} {index}" for index in range(len(names))]:
            lines.append(f"  # {key}: [{', '.join(names)}]  # for reports and exports")
    return lines


def _algorithm(genes: int) -> list[str]:
    if genes > _LARGE_GENOME:
        return [
            "algorithm:",
            "  type: snes  # for many weights; others: evonet list algorithm",
            "  population_size: 64",
        ]
    return [
        "algorithm:",
        "  type: genetic_algorithm  # others: evonet list algorithm",
        "  population_size: 128",
        "  mutation: {type: gaussian, sigma: 0.2, rate: 0.2}  # others: evonet list mutation",
    ]


def _normalise(space: spaces.Space[Any]) -> str:
    return json.dumps(_needs_normalising(space))


def _needs_normalising(space: spaces.Space[Any]) -> bool:
    """Whether observations may have numbers that saturate hidden neurons, or many scales."""
    if isinstance(space, spaces.Dict | spaces.Tuple):
        parts = space.values() if isinstance(space, spaces.Dict) else space
        return any(_needs_normalising(part) for part in parts)
    if not isinstance(space, spaces.Box):
        return False
    bounds = np.abs(np.concatenate([space.low.ravel(), space.high.ravel()]).astype(np.float64))
    finite = bounds[np.isfinite(bounds) & (bounds < np.finfo(np.float32).max)]
    unbounded = len(finite) < len(bounds)
    return bool((finite > _LARGE_VALUE).any() or (unbounded and space.low.size >= _MANY_INPUTS))


def _stop(threshold: float | None) -> list[str]:
    target = ["  # target: 100  # the mean return at which the task is solved, if you know it"]
    if threshold is not None:
        target = [
            f"  target: auto  # solved at a mean return of {threshold:g}, as Gymnasium has it",
            "  confident: true  # goes on until the test will reach the target too",
        ]
    return [
        "stop:  # whichever comes first",
        "  generations: 200",
        "  stagnation: 50  # generations without a better champion",
        "  # seconds: 600",
        *target,
    ]


def _text(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else json.dumps(value)
