"""What a task means to a kernel: whether it fits, how outputs become actions, where episodes start."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from evonet.activations import ACTIVATIONS as REFERENCE_ACTIVATIONS
from evonet.environments.kernels import KERNELS, Columns, Kernel, arithmetic
from evonet.environments.kernels.kernel import Column
from evonet.environments.specification import EnvironmentSpec
from evonet.evaluation.kernel_engine import unrolled
from evonet.evaluation.kernel_engine.activations import ACTIVATIONS, PRECISIONS
from evonet.network import Architecture
from evonet.task import Task
from evonet.types import FloatArray, IntArray

_LARGEST_SINGLE = 1e15
_KNOWN_STARTS = 100_000
_FEWEST_CHOICES = 2


def kernel_for(task: Task) -> Kernel | None:
    """The kernel that stands in for exactly the task's environment; None if there is none.

    It must be registered in Gymnasium with the entry point that the kernel names, without wrappers and with keyword
    arguments that the kernel implements only; and both activations must be known as arithmetic. A hard reset is no
    hindrance: an episode of a kernel begins with what its seed gives, and with nothing else.
    """
    environment = task.environment
    if not isinstance(environment, EnvironmentSpec) or environment.wrappers:
        return None
    name = environment.id.rpartition(":")[2]
    kernel, spec = KERNELS.get(name), gym.registry.get(name)
    if kernel is None or spec is None or spec.entry_point != kernel.entry_point or spec.additional_wrappers:
        return None
    arguments = {**spec.kwargs, **environment.kwargs}
    if not all(name in kernel.parameters and _is_number(value) for name, value in arguments.items()):
        return None
    if _own_activations(task):
        return None
    return kernel.given(arguments) if _decoder(task) and _is_vector(task.observation_space) else None


def _own_activations(task: Task) -> list[str]:
    """The activations of the task's network that are not known as arithmetic: somebody's own."""
    architecture = task.architecture
    names = (architecture.hidden_activation, architecture.output_activation)
    return [name for name in names if name not in ACTIVATIONS["double"]]


def _is_number(value: Any) -> bool:
    return isinstance(value, bool | int | float) and math.isfinite(value)


def _is_vector(space: Any) -> bool:
    return isinstance(space, spaces.Box) and len(space.shape) == 1 and space.dtype in (np.float32, np.float64)


@dataclass(frozen=True)
class Plan:
    """A task as functions over columns.

    Attributes:
        task: what an episode is.
        kernel: of the task's environment.
    """

    task: Task
    kernel: Kernel

    @classmethod
    def of(cls, task: Task) -> Plan:
        """The plan of a task that has a kernel.

        Raises:
            ValueError: there is none for exactly this environment, or an activation is somebody's own.
        """
        own, kernel = _own_activations(task), kernel_for(task)
        if own:
            raise ValueError(
                "Task.architecture must have activations that come with evonet where a kernel runs it, "
                f"got {own[0]!r}; take the engine 'gymnasium'"
            )
        if kernel is None:
            raise ValueError(
                f"Task.environment must be one that a kernel stands in for, got {task.environment!r}; "
                f"kernels are known for {', '.join(sorted(KERNELS))}, without wrappers and with few keyword arguments"
            )
        return cls(task, kernel)

    @cached_property
    def real(self) -> type[np.floating]:
        """Type of the network's numbers."""
        return PRECISIONS[self.kernel.network]

    @cached_property
    def largest_weight(self) -> float:
        """Where weights are cut, lest they overflow in the network's precision."""
        return _LARGEST_SINGLE if self.kernel.network == "single" else float(np.finfo(np.float64).max)

    @cached_property
    def relative(self) -> bool:
        """Whether outputs count only against each other: the action is the greatest of them, and they are plain sums.

        Then the first may stand at 0, and the network that runs has one output less.
        """
        task = self.task
        return isinstance(task.action_space, spaces.Discrete) and task.architecture.output_activation == "identity"

    @cached_property
    def architecture(self) -> Architecture:
        """Of the network that runs."""
        whole = self.task.architecture
        return dataclasses.replace(whole, num_outputs=whole.num_outputs - self.relative)

    def networks(self, genomes: FloatArray) -> FloatArray:
        """What runs in the place of `genomes (n, genome_size)`: genomes of `architecture`, no weight too large."""
        genomes = self._cut(genomes)
        if not self.relative:
            return genomes
        whole = self.task.architecture
        before, last = np.split(genomes, [whole.slices["hidden_output_weights"].start], axis=1)
        last = last.reshape(len(genomes), -1, whole.num_outputs)
        differences = (last[:, :, 1:] - last[:, :, :1]).reshape(len(genomes), -1)
        return np.concatenate([before, self._cut(differences)], axis=1)

    def _cut(self, genomes: FloatArray) -> FloatArray:
        """The genomes, no weight larger than `largest_weight`; themselves, if none is."""
        largest = self.largest_weight
        if genomes.max() <= largest and genomes.min() >= -largest:
            return genomes
        return np.clip(genomes, -largest, largest)

    @cached_property
    def activate_hidden(self) -> Callable[[Column], Column]:
        """The hidden layer's activation."""
        return ACTIVATIONS[self.kernel.network][self.task.architecture.hidden_activation]

    @cached_property
    def activate_output(self) -> Callable[[Column], Column]:
        """The output layer's activation."""
        return ACTIVATIONS[self.kernel.network][self.task.architecture.output_activation]

    @cached_property
    def decode(self) -> Callable[[Columns], Columns]:
        """A network's outputs → the action's columns, as `ActionDecoder` has it."""
        decode = _decoder(self.task, relative=self.relative)
        assert decode is not None
        return decode

    @cached_property
    def parameters(self) -> tuple[float, ...]:
        """The environment's keyword arguments, in the kernel's order."""
        environment = self.task.environment
        given: Mapping[str, Any] = {}
        if isinstance(environment, EnvironmentSpec):
            spec = gym.registry.get(environment.id.rpartition(":")[2])
            given = {**(spec.kwargs if spec else {}), **environment.kwargs}
        return tuple(float({**self.kernel.parameters, **given}[name]) for name in self.kernel.parameters)

    @cached_property
    def state_size(self) -> int:
        """Columns of the environment's state."""
        return len(self.kernel.start(np.random.default_rng(0)))


class StartStates:
    """States after `env.reset(seed=…)`, drawn once for each seed.

    Args:
        kernel: of the environment.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._forget()

    def _forget(self) -> None:
        self._known: set[int] = set()
        self._seeds: IntArray = np.zeros(0, np.int64)
        self._states = np.zeros((0, len(self._kernel.start(np.random.default_rng(0)))))

    def __call__(self, seeds: IntArray) -> tuple[FloatArray, IntArray]:
        """Start states `(k, state)` and which of them each of the `seeds (m,)` has, `(m,)`."""
        wanted = set(seeds.tolist())
        unknown = sorted(wanted - self._known)
        if unknown:
            if len(self._seeds) + len(unknown) > _KNOWN_STARTS:
                self._forget()
                unknown = sorted(wanted)
            self._known.update(unknown)
            states = [self._kernel.start(_reset_generator(seed)) for seed in unknown]
            known = np.concatenate([self._seeds, unknown])
            order = np.argsort(known)
            self._seeds, self._states = known[order], np.concatenate([self._states, states])[order]
        return self._states, np.searchsorted(self._seeds, seeds).astype(np.int64, copy=False)


def _reset_generator(seed: int) -> np.random.Generator:
    """The generator that `env.reset(seed=seed)` makes, as `gymnasium.utils.seeding.np_random` does."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed)))


def _decoder(task: Task, *, relative: bool = False) -> Callable[[Columns], Columns] | None:
    """The task's `ActionDecoder` over columns; None for spaces that kernels do not serve."""
    space = task.action_space
    if isinstance(space, spaces.Discrete) and space.n >= _FEWEST_CHOICES:
        return unrolled.argmax(int(space.n), int(space.start), relative=relative)
    if isinstance(space, spaces.Box) and space.dtype in (np.float32, np.float64) and space.is_bounded():
        low, high = space.low.ravel().astype(np.float64), space.high.ravel().astype(np.float64)
        numbers = np.stack([high / 2 - low / 2, low / 2 + high / 2, low, high], axis=1).tolist()
        return unrolled.box([tuple(bounds) for bounds in numbers], _squash(task), narrow=space.dtype == np.float32)
    return None


def _squash(task: Task) -> Callable[[Column], Column]:
    activation = REFERENCE_ACTIVATIONS[task.architecture.output_activation]
    if not activation.bounded:
        return arithmetic.tanh if task.squash == "tanh" else _clip
    middle, scale = activation.middle, 2.0 / (activation.high - activation.low)
    return lambda outputs: (outputs - middle) * scale


def _clip(outputs: Column) -> Column:
    return arithmetic.bounded(outputs, -1.0, 1.0)
