"""A number of episodes side by side in NumPy arrays, the episodes along the last axis, and the calls of one step."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np

from evonet.environments.kernels import Columns
from evonet.environments.kernels.kernel import Column
from evonet.environments.normaliser import LIMIT, ObservationNormaliser
from evonet.evaluation.kernel_engine.plan import Plan
from evonet.evaluation.kernel_engine.recording import Array, Call, Recording

_SMALL = 1 << 18  # bytes of products that are better made in one call than row by row
_FEW = 6  # rows that are faster added one by one


class StepProgram:
    """A plan's functions, recorded; the same for any number of columns.

    Args:
        plan: the task as functions over columns.
    """

    def __init__(self, plan: Plan) -> None:
        architecture = plan.architecture
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
        reward: of the last step, `(width,)`, or `()` if it is always the same.
        terminated: whether the last step ended the episode, `(width,)`, or `()` if no step does.
        look: calls that fill `observations`.
        think: calls that turn observations into `outputs`.
        act: calls that take the step.
    """

    def __init__(self, program: StepProgram, width: int) -> None:
        plan = program.plan
        task, architecture, real = plan.task, plan.architecture, plan.real
        self.width = width
        self.genomes = np.zeros((architecture.genome_size, width), real)
        self.state = np.zeros((plan.state_size, width))
        self.observations = np.zeros((architecture.num_inputs, width), task.observation_space.dtype)
        self.memory = np.zeros((architecture.num_hidden, width), real)
        self.outputs = np.zeros((architecture.num_outputs, width), real)
        self.sums = np.zeros((2, *self.observations.shape)) if task.normalise else None
        self._mean, self._deviation = np.zeros((2, architecture.num_inputs, 1))

        rows = list(self.state)
        calls, columns = program.observe.bind((width,), rows)
        self.look: list[Call] = list(calls)
        if len(columns) == len(rows) and all(map(operator.is_, columns, rows)):  # the state as it stands
            self.look.append(partial(_write, self.observations, self.state))
        else:
            self.look += _writing(self.observations, columns)
        self.think = self._thinking(program)
        advance = program.advance
        calls, (columns, reward, terminated) = advance.bind((width,), [*self.outputs, *rows], advance.result[0])
        self.reward, self.terminated = np.asarray(reward, np.float64), np.asarray(terminated)
        self.act: list[Call] = [*calls, *_writing(rows, columns)]
        self.finite_observations = _finiteness(self.observations)
        self.finite_outputs = _finiteness(self.outputs)
        self.finite_reward = _finiteness(self.reward) if self.reward.ndim else _always

    def normalise_by(self, normaliser: ObservationNormaliser) -> None:
        """Set mean and deviation of the observations."""
        self._mean[:, 0] = normaliser.mean
        self._deviation[:, 0] = normaliser.deviation

    def _thinking(self, program: StepProgram) -> list[Call]:
        architecture = program.plan.architecture
        blocks = {
            name: self.genomes[where].reshape(*architecture.shapes[name], self.width, copy=False)
            for name, where in architecture.slices.items()
        }
        calls, inputs = self._normalising(np.dtype(program.plan.real))
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
        calls += _adding(products, sums)
        if architecture.bias:
            calls.append(partial(np.add, sums, blocks["output_bias"], sums))
        activate, outputs = program.activate_output.bind(sums.shape, [sums])
        return [*calls, *activate, partial(_write, self.outputs, outputs)]

    def _normalising(self, real: np.dtype[Any]) -> tuple[list[Call], Array]:
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
            partial(np.maximum, wide, -LIMIT, out=wide),
            partial(np.minimum, wide, LIMIT, out=wide),
            partial(_write, inputs, wide),
        ], inputs


def _weighted_sum(inputs: Array, weights: Array, total: Array, part: Array) -> list[Call]:
    """`total (k, width)` = the sum over i of `inputs[i]` times `weights[i] (k, width)`, in the order of i."""
    if weights.nbytes <= _SMALL:
        products = np.zeros_like(weights)
        return [partial(np.multiply, weights, inputs[:, None, :], products), *_adding(products, total)]
    calls: list[Call] = [partial(np.multiply, weights[0], inputs[0], total)]
    for row, weight in zip(inputs[1:], weights[1:], strict=True):
        calls.append(partial(np.multiply, weight, row, part))
        calls.append(partial(np.add, total, part, total))
    return calls


def _writing(rows: Iterable[Array], columns: Columns) -> list[Call]:
    """Calls that write columns into rows; one that stands there already needs none."""
    return [partial(_write, row, column) for row, column in zip(rows, columns, strict=True) if column is not row]


def _adding(rows: Array, total: Array) -> list[Call]:
    """`total` = the sum over the first axis of `rows`, in order."""
    if not 1 < len(rows) <= _FEW:
        return [partial(_add_rows, rows, total)]
    return [partial(np.add, rows[0], rows[1], total), *(partial(np.add, total, row, total) for row in rows[2:])]


def _add_rows(rows: Array, total: Array) -> None:
    # Along the first axis NumPy adds one row after the other, as long as a row holds two numbers or more.
    np.add.reduce(rows, axis=0, out=total)


def _finiteness(array: Array) -> Callable[[], bool]:
    """Whether all numbers of a contiguous array are finite, at the price of one product."""
    product, zeros = array.reshape(-1, copy=False).dot, np.zeros(array.size, array.dtype)

    def finite() -> bool:
        return bool(product(zeros) == 0.0)

    return finite


def _always() -> bool:
    return True


def _write(target: Array, source: Any) -> None:
    target[...] = source
