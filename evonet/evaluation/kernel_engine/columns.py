"""A number of episodes side by side in NumPy arrays, the episodes along the last axis, and the calls of one step."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from evonet.environments.kernels import Columns
from evonet.environments.kernels.kernel import Column
from evonet.environments.normaliser import ObservationNormaliser
from evonet.evaluation.kernel_engine.plan import NORMALISED_LIMIT, Plan
from evonet.evaluation.kernel_engine.recording import Array, Call, Recording


class StepProgram:
    """A plan's functions, recorded; the same for any number of columns.

    Args:
        plan: the task as functions over columns.
    """

    def __init__(self, plan: Plan) -> None:
        architecture = plan.task.architecture
        self.plan = plan
        real, state = np.dtype(plan.real), (np.dtype(np.float64),) * plan.state_size

        def advance(outputs: Columns, state: Columns) -> tuple[Columns, Column, Column]:
            new, reward, terminated = plan.kernel.step(state, plan.decode(outputs), plan.parameters)
            # A column that has only moved is copied, lest it be overwritten before it is read.
            moved = tuple(np.positive(column) if any(column is old for old in state) else column for column in new)
            return moved, reward, terminated

        self.observe = Recording(plan.kernel.observe, state)
        self.activate_hidden = Recording(plan.activate_hidden, real)
        self.activate_output = Recording(plan.activate_output, real)
        self.advance = Recording(advance, (real,) * architecture.num_outputs, state)


class LaneColumns:
    """Arrays for `width` episodes side by side, each in a *lane*, and the calls that take them all one step on.

    Args:
        program: what to do.
        width: number of lanes, at least 2.

    Attributes:
        genomes: `(genome_size, width)`, in the network's precision.
        state: `(state_size, width)`.
        observations: `(inputs, width)`, as the environment would return them.
        memory: the hidden layer's last outputs, `(hidden, width)`.
        outputs: of the networks, `(outputs, width)`.
        sums: for the normaliser, the deviations and their squares, `(2, inputs, width)`.
        reward: of the last step, `(width,)`, or the number that it always is.
        terminated: whether the last step ended the episode, `(width,)`, or False if no step does.
        look: calls that fill `observations`.
        think: calls that turn observations into `outputs`.
        act: calls that take the step.
    """

    def __init__(self, program: StepProgram, width: int) -> None:
        plan = program.plan
        task, architecture, real = plan.task, plan.task.architecture, plan.real
        self.width = width
        self.genomes = np.zeros((architecture.genome_size, width), real)
        self.state = np.zeros((plan.state_size, width))
        self.observations = np.zeros((architecture.num_inputs, width), task.observation_space.dtype)
        self.memory = np.zeros((architecture.num_hidden, width), real)
        self.outputs = np.zeros((architecture.num_outputs, width), real)
        self.sums = np.zeros((2, *self.observations.shape)) if task.normalise else None
        self._mean, self._deviation = np.zeros((2, architecture.num_inputs, 1))

        calls, columns = program.observe.bind((width,), list(self.state))
        self.look = calls + [partial(_write, row, column) for row, column in zip(self.observations, columns, strict=True)]
        self.think = self._thinking(program)
        calls, (columns, self.reward, self.terminated) = program.advance.bind(
            (width,), [*self.outputs, *self.state]
        )
        self.act = calls + [partial(_write, row, column) for row, column in zip(self.state, columns, strict=True)]
        size = width * max(architecture.num_inputs, architecture.num_outputs)
        self._zeros = {dtype: np.zeros(size, dtype) for dtype in (np.dtype(np.float32), np.dtype(np.float64))}

    def normalise_by(self, normaliser: ObservationNormaliser) -> None:
        """Set mean and deviation of the observations."""
        self._mean[:, 0] = normaliser.mean
        self._deviation[:, 0] = normaliser.deviation

    def all_finite(self, array: Array) -> bool:
        """Whether all numbers of a contiguous array are finite, at the price of one product."""
        return bool(np.dot(array.ravel(), self._zeros[array.dtype][: array.size]) == 0)

    def _thinking(self, program: StepProgram) -> list[Call]:
        architecture = program.plan.task.architecture
        blocks = {
            name: self.genomes[where].reshape(*architecture.shapes[name], self.width, copy=False)
            for name, where in architecture.slices.items()
        }
        calls, inputs = self._normalising(program.plan.real)
        layer, part = np.zeros_like(self.memory), np.zeros_like(self.memory)
        calls += _weighted_sum(inputs, blocks["input_hidden_weights"], layer, part)
        if architecture.bias:
            calls.append(partial(np.add, layer, blocks["hidden_bias"], layer))
        if architecture.recurrent:
            echo = np.zeros_like(layer)
            calls += _weighted_sum(self.memory, blocks["hidden_hidden_weights"], echo, part)
            calls.append(partial(np.add, layer, echo, layer))
        activate, hidden = program.activate_hidden.bind(layer.shape, [layer])
        calls += activate
        if architecture.recurrent or hidden.dtype != self.memory.dtype:
            calls.append(partial(_write, self.memory, hidden))
            hidden = self.memory
        products = np.zeros_like(blocks["hidden_output_weights"])
        sums = np.zeros_like(self.outputs)
        calls.append(partial(np.multiply, hidden[:, None, :], blocks["hidden_output_weights"], products))
        # Along the first axis NumPy adds one row after the other, as long as a row holds two numbers.
        calls.append(partial(np.add.reduce, products, 0, None, sums))
        if architecture.bias:
            calls.append(partial(np.add, sums, blocks["output_bias"], sums))
        activate, outputs = program.activate_output.bind(sums.shape, [sums])
        return [*calls, *activate, partial(_write, self.outputs, outputs)]

    def _normalising(self, real: Callable[..., Any]) -> tuple[list[Call], Array]:
        """Calls that make inputs of observations, and the inputs."""
        if self.sums is None and self.observations.dtype == real:
            return [], self.observations
        inputs = np.zeros(self.observations.shape, real)
        if self.sums is None:
            return [partial(_write, inputs, self.observations)], inputs
        wide, squares = np.zeros((2, *inputs.shape))
        return [
            partial(np.subtract, self.observations, self._mean, wide),
            partial(np.multiply, wide, wide, squares),
            partial(np.add, self.sums[0], wide, self.sums[0]),
            partial(np.add, self.sums[1], squares, self.sums[1]),
            partial(np.divide, wide, self._deviation, wide),
            partial(np.maximum, wide, -NORMALISED_LIMIT, out=wide),
            partial(np.minimum, wide, NORMALISED_LIMIT, out=wide),
            partial(_write, inputs, wide),
        ], inputs


def _weighted_sum(inputs: Array, weights: Array, total: Array, part: Array) -> list[Call]:
    """`total (k, width)` = the sum over i of `inputs[i]` times `weights[i] (k, width)`, in the order of i."""
    calls: list[Call] = [partial(np.multiply, weights[0], inputs[0], total)]
    for row, weight in zip(inputs[1:], weights[1:], strict=True):
        calls.append(partial(np.multiply, weight, row, part))
        calls.append(partial(np.add, total, part, total))
    return calls


def _write(target: Array, source: Any) -> None:
    target[...] = source
