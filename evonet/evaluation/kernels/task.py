"""A task as the kernel engines see it: whether a kernel serves it, which network runs, how outputs become actions."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces

from evonet.activations import ACTIVATIONS as REFERENCE_ACTIVATIONS
from evonet.architecture import Architecture
from evonet.environments.ids import known_spec
from evonet.environments.known import Kernel, kernels, known_environment
from evonet.environments.known.arithmetic import Column
from evonet.environments.specification import EnvironmentSpec
from evonet.evaluation.kernels.activations import ACTIVATIONS, PRECISIONS
from evonet.evaluation.kernels.decoders import Decoder, GreatestOutput, box_decoder
from evonet.task import Task
from evonet.types import FloatArray

if TYPE_CHECKING:
    from evonet.evaluation.kernels.measures import KernelMeasures

_LARGEST_SINGLE_WEIGHT = 1e15  # sums of products of two such numbers are finite in float32
_MIN_CHOICES = 2


def kernel_for(task: Task) -> Kernel | None:
    """The kernel for exactly the task's environment; None if there is none.

    The environment must be registered in Gymnasium with the entry point that the kernel names, or be the class of a
    module that is this entry point, without wrappers and with keyword arguments that the kernel implements only; both
    activations must be evonet's, and measures must read what the kernel has. A hard reset makes no difference: an
    episode of a kernel depends on its seed alone.
    """
    environment = task.environment
    if not isinstance(environment, EnvironmentSpec) or environment.wrappers:
        return None
    kernel, spec = known_environment(environment.id).kernel, known_spec(environment.id)
    if kernel is None or spec is None or spec.entry_point != kernel.entry_point or spec.additional_wrappers:
        return None
    arguments = {**spec.kwargs, **environment.kwargs}
    if not all(_is_like(value, kernel.parameters.get(name)) for name, value in arguments.items()):
        return None
    if _foreign_activations(task) or not (_decoder(task) and _is_vector(task.observation_space)):
        return None
    kernel = kernel.for_arguments(arguments)
    return kernel if can_measure(task, kernel.infos) else None


def why_no_kernel(task: Task) -> str:
    """The reason why no kernel runs the task, in words, if its environment has one; "" if it has none, or one runs."""
    environment = task.environment
    if not isinstance(environment, EnvironmentSpec) or known_environment(environment.id).kernel is None:
        return ""
    if kernel_for(task) is not None:
        return ""
    why = "environment.wrappers" if environment.wrappers else "environment.kwargs, or an activation of your own,"
    without = kernel_for(dataclasses.replace(task, measures=()))
    if without is not None:
        why = f"measures.{_unmeasurable(task, without.infos)}"
    return f"{why} rules out the kernel of {environment.id}: the environment itself runs, many times as slowly"


def _foreign_activations(task: Task) -> list[str]:
    """The activations of the task's network that do not come with evonet."""
    architecture = task.architecture
    names = (architecture.hidden_activation, architecture.output_activation)
    return [name for name in names if name not in ACTIVATIONS["double"]]


def can_measure(task: Task, infos: Mapping[str, Any] = MappingProxyType({})) -> bool:
    """Whether the task's measures can be taken from columns of observations, actions, rewards and these infos."""
    return _unmeasurable(task, infos) is None


def _unmeasurable(task: Task, infos: Mapping[str, Any]) -> str | None:
    """The first measure of a task that cannot be taken from columns; None if all can."""
    if not task.measures:
        return None
    from evonet.evaluation.kernels.measures import unmeasurable  # a run without measures starts without it

    return unmeasurable(task.measures, list(infos))


def measures_of(task: Task, infos: Mapping[str, Any] = MappingProxyType({})) -> KernelMeasures | None:
    """What is kept of each step for the task's measures; None if there are none."""
    if not task.measures:
        return None
    from evonet.evaluation.kernels.measures import KernelMeasures  # a run without measures starts without it

    space = task.action_space
    actions = 1 if isinstance(space, spaces.Discrete) else math.prod(space.shape or ())
    return KernelMeasures(task.measures, task.architecture.num_inputs, actions, tuple(infos))


def _is_like(value: Any, default: float | str | None) -> bool:
    """Whether a keyword argument is of its default's kind: a text, or a finite number.

    The default is None where the kernel has no such argument; then nothing is like it.
    """
    if isinstance(default, str):
        return isinstance(value, str)
    return default is not None and isinstance(value, bool | int | float) and math.isfinite(value)


def _is_vector(space: Any) -> bool:
    return isinstance(space, spaces.Box) and len(space.shape) == 1 and space.dtype in (np.float32, np.float64)


def _decoder(task: Task, *, relative: bool = False) -> Decoder | None:
    """The task's `ActionDecoder` over columns; None for spaces that kernels do not serve."""
    space = task.action_space
    if isinstance(space, spaces.Discrete) and space.n >= _MIN_CHOICES:
        return GreatestOutput(int(space.n), int(space.start), relative)
    if isinstance(space, spaces.Box) and space.dtype in (np.float32, np.float64) and space.is_bounded():
        low, high = space.low.ravel().astype(np.float64), space.high.ravel().astype(np.float64)
        activation = REFERENCE_ACTIVATIONS[task.architecture.output_activation]
        return box_decoder(low, high, activation, task.squash, space.dtype)
    return None


@dataclass(frozen=True)
class KernelTask:
    """A task whose environment has a kernel.

    Attributes:
        task: the task.
        kernel: the kernel for its environment.
    """

    task: Task
    kernel: Kernel

    @classmethod
    def of(cls, task: Task) -> KernelTask:
        """The kernel task of a task.

        Raises:
            ValueError: there is no kernel for exactly this environment, or an activation is not evonet's.
        """
        foreign, kernel = _foreign_activations(task), kernel_for(task)
        if foreign:
            raise ValueError(
                "Task.architecture must have activations that come with evonet where a kernel runs it, "
                f"got {foreign[0]!r}; take the engine 'gymnasium'"
            )
        without = kernel_for(dataclasses.replace(task, measures=())) if kernel is None else None
        if without is not None:
            name = _unmeasurable(task, without.infos)
            raise ValueError(
                f"Task.measures must be numbers that the kernel of {task.environment_id} has, but {name!r} is a "
                "function of your own, or reads an info that the kernel does not have; take the engine 'gymnasium'"
            )
        if kernel is None:
            raise ValueError(
                f"Task.environment must be one that has a kernel, got {task.environment!r}; kernels are known for "
                f"{', '.join(sorted(kernels()))}, without wrappers and with few keyword arguments"
            )
        return cls(task, kernel)

    @cached_property
    def network_dtype(self) -> type[np.floating]:
        """Type of the network's numbers."""
        return PRECISIONS[self.kernel.network]

    @cached_property
    def observation_dtype(self) -> type[np.floating]:
        """Type of the observation's numbers."""
        dtype: type[np.floating] = np.dtype(self.task.observation_space.dtype).type
        return dtype

    @cached_property
    def relative(self) -> bool:
        """Whether the network's first output can be left out and taken as 0.

        True where the action is the greatest output and the outputs have no activation: only their differences count.
        """
        task = self.task
        return isinstance(task.action_space, spaces.Discrete) and task.architecture.output_activation == "identity"

    @cached_property
    def architecture(self) -> Architecture:
        """Architecture of the network that runs: without the first output if outputs are relative."""
        whole = self.task.architecture
        return dataclasses.replace(whole, num_outputs=whole.num_outputs - self.relative)

    def networks(self, genomes: FloatArray) -> FloatArray:
        """Genomes of `architecture` that act like `genomes (n, genome_size)`, clipped where a weight would overflow."""
        genomes = self._clipped(genomes)
        if not self.relative:
            return genomes
        whole = self.task.architecture
        first = "hidden_output_weights" if whole.num_hidden else "input_output_weights"
        before, last = np.split(genomes, [whole.slices[first].start], axis=1)  # the genes from there on lead to outputs
        last = last.reshape(len(genomes), -1, whole.num_outputs)
        differences = (last[:, :, 1:] - last[:, :, :1]).reshape(len(genomes), -1)
        return np.concatenate([before, self._clipped(differences)], axis=1)

    def _clipped(self, genomes: FloatArray) -> FloatArray:
        """The genomes, clipped where a weight would overflow in the network's precision; uncopied if none would."""
        largest = _LARGEST_SINGLE_WEIGHT if self.kernel.network == "single" else float(np.finfo(np.float64).max)
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
    def decoder(self) -> Decoder:
        """The network's outputs → columns of the action."""
        decoder = _decoder(self.task, relative=self.relative)
        assert decoder is not None
        return decoder

    @cached_property
    def measures(self) -> KernelMeasures | None:
        """What is kept of each step for the task's measures; None if there are none."""
        return measures_of(self.task, self.kernel.infos)

    @cached_property
    def parameters(self) -> tuple[float, ...]:
        """The environment's keyword arguments, in the kernel's order."""
        environment = self.task.environment
        given: Mapping[str, Any] = {}
        if isinstance(environment, EnvironmentSpec):
            spec = known_spec(environment.id)
            given = {**(spec.kwargs if spec else {}), **environment.kwargs}
        return tuple(float({**self.kernel.parameters, **given}[name]) for name in self.kernel.parameters)

    @cached_property
    def state_size(self) -> int:
        """Columns of the environment's state."""
        return len(self.kernel.start(np.random.default_rng(0)))
