"""A number of episodes side by side in NumPy arrays, the episodes along the last axis, and the calls of one step."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from evonet.environments.kernels import Columns
from evonet.environments.kernels.kernel import Column
from evonet.environments.normaliser import LIMIT, ObservationNormaliser
from evonet.evaluation.kernel_engine.aligned import Flags, aligned_zeros
from evonet.evaluation.kernel_engine.binding import bind, bind_in_place, bind_renewing
from evonet.evaluation.kernel_engine.operations import Array, Call, clip, writing
from evonet.evaluation.kernel_engine.plan import Plan
from evonet.evaluation.kernel_engine.recording import Recording, Value

_SMALL = 1 << 18  # bytes of products that are better made in one call than row by row
_EXACT = 2.0**53  # whole numbers below it are exact
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
        rewards: of the last step, `(width,)`, or None if it is always `steady_reward`.
        steady_reward: what each step brings if there are no `rewards`, a whole number.
        terminated: flags, whether the last step ended the episode, `(width,)`.
        think: calls that fill `observations`, turn them into `outputs`, and fill `finite`.
        act: calls that take the step, and fill `finite_rewards`.
        finite: flags, whether observations and outputs are finite, `(inputs + outputs, width)`.
        finite_rewards: flags, whether `rewards` are, `(width,)`.
    """

    def __init__(self, program: StepProgram, width: int) -> None:
        plan = program.plan
        task, architecture, real = plan.task, plan.architecture, np.dtype(plan.real)
        inputs, outputs = architecture.num_inputs, architecture.num_outputs
        self.width = width
        self.genomes = aligned_zeros((architecture.genome_size, width), real)
        self.state = aligned_zeros((plan.state_size, width))
        self._hidden = aligned_zeros((architecture.num_hidden + architecture.bias, width), real)
        self._hidden[...] = 1.0  # to the last row, which remains so, belongs the output's bias
        self.memory = self._hidden[: architecture.num_hidden]
        self.memory[...] = 0.0
        self.finite = Flags((inputs + outputs, width))
        if task.observation_space.dtype == real:  # one array for both, to be looked through at once
            both = aligned_zeros((inputs + outputs, width), real)
            self.observations, self.outputs = both[:inputs], both[inputs:]
            checks = [partial(np.isfinite, both, self.finite.array)]
        else:
            self.observations = aligned_zeros((inputs, width), task.observation_space.dtype)
            self.outputs = aligned_zeros((outputs, width), real)
            seen, done = self.finite.array[:inputs], self.finite.array[inputs:]
            checks = [partial(np.isfinite, self.observations, seen), partial(np.isfinite, self.outputs, done)]
        self.sums = aligned_zeros((2, inputs, width)) if task.normalise else None
        self._mean, self._deviation = np.zeros((2, inputs, 1))
        self.think: list[Call] = [*self._looking(program), *self._thinking(program), *checks]

        new, reward, terminated = program.advance.result
        self.terminated, self.finite_rewards = Flags((width,)), Flags((width,))
        targets = [(terminated, self.terminated.array)]
        self.rewards, self.steady_reward = None, 0.0
        if not isinstance(reward, Value) and _adds_up(float(reward), task.max_steps):
            self.steady_reward = float(reward)
        else:
            self.rewards = aligned_zeros((width,))
            targets.append((reward, self.rewards))
        self.act = bind_renewing(program.advance, list(self.outputs), self.state, new, targets)
        if self.rewards is not None:
            self.act.append(partial(np.isfinite, self.rewards, self.finite_rewards.array))

    def normalise_by(self, normaliser: ObservationNormaliser) -> None:
        """Set mean and deviation of the observations."""
        self._mean[:, 0] = normaliser.mean
        self._deviation[:, 0] = normaliser.deviation

    def _looking(self, program: StepProgram) -> list[Call]:
        """Calls that make observations of the state."""
        seen, rows = program.observe.result, range(len(self.state))
        if [v.number if isinstance(v, Value) else None for v in seen] == list(rows):  # the state as it stands
            return [writing(self.observations, self.state)]
        return bind(program.observe, list(self.state), list(zip(seen, self.observations, strict=True)))

    def _thinking(self, program: StepProgram) -> list[Call]:
        """Calls that make outputs of observations."""
        architecture = program.plan.architecture
        blocks = {
            name: self.genomes[where].reshape(*architecture.shapes[name], self.width, copy=False)
            for name, where in architecture.slices.items()
        }
        calls, inputs = self._normalising(np.dtype(program.plan.real))
        sums, layer = _weighted_sum(inputs, blocks["input_hidden_weights"])
        calls += sums
        if architecture.bias:
            calls.append(partial(np.add, layer, blocks["hidden_bias"], layer))
        if architecture.recurrent:
            sums, echo = _weighted_sum(self.memory, blocks["hidden_hidden_weights"])
            calls += [*sums, partial(np.add, layer, echo, layer)]
        calls += bind_in_place(program.activate_hidden, layer, self.memory)
        outgoing = self.genomes[architecture.slices["hidden_output_weights"].start :]
        outgoing = outgoing.reshape(-1, *self.outputs.shape, copy=False)
        products = _like(outgoing)
        calls.append(partial(np.multiply, self._hidden[:, None, :], outgoing, products))
        calls.append(_adding(products, self.outputs))
        return [*calls, *bind_in_place(program.activate_output, self.outputs, self.outputs)]

    def _normalising(self, real: np.dtype[Any]) -> tuple[list[Call], Array]:
        """Calls that make inputs of observations, and the inputs."""
        if self.sums is None and self.observations.dtype == real:
            return [], self.observations
        inputs = aligned_zeros(self.observations.shape, real)
        if self.sums is None:
            return [writing(inputs, self.observations)], inputs
        wide, squares = aligned_zeros((2, *inputs.shape))
        return [
            partial(np.subtract, self.observations, self._mean, wide),
            partial(np.multiply, wide, wide, squares),
            partial(np.add, self.sums[0], wide, self.sums[0]),
            partial(np.add, self.sums[1], squares, self.sums[1]),
            partial(np.divide, wide, self._deviation, wide),
            partial(clip, wide, -LIMIT, LIMIT, wide),
            writing(inputs, wide),
        ], inputs


def _adds_up(reward: float, steps: int) -> bool:
    """Whether so many equal rewards, added one by one, come to their product to the last bit."""
    return reward.is_integer() and abs(reward) * steps < _EXACT


def _like(array: Array) -> Array:
    return aligned_zeros(array.shape, array.dtype)


def _weighted_sum(inputs: Array, weights: Array) -> tuple[list[Call], Array]:
    """The sum over i of `inputs[i] (width,)` times `weights[i] (k, width)`, in the order of i: calls and sum."""
    if weights.nbytes > _SMALL:
        total, part = _like(weights[0]), _like(weights[0])
        calls: list[Call] = [partial(np.multiply, weights[0], inputs[0], total)]
        for row, weight in zip(inputs[1:], weights[1:], strict=True):
            calls += [partial(np.multiply, weight, row, part), partial(np.add, total, part, total)]
        return calls, total
    # Copied to where each is needed and multiplied in place, inputs are faster than where NumPy repeats them; and
    # fastest if each row is copied as if it were one number.
    products, row = _like(weights), np.dtype((np.void, inputs[0].nbytes))
    calls = [writing(products.view(row)[:, :, 0], inputs.view(row)), partial(np.multiply, products, weights, products)]
    if len(products) > _FEW:
        total = _like(weights[0])
        return [*calls, _adding(products, total)], total
    total, *others = products
    return [*calls, *(partial(np.add, total, other, total) for other in others)], total


def _adding(rows: Array, total: Array) -> Call:
    """`total` = the sum over the first axis of `rows`, in order."""
    # Along the first axis NumPy adds one row after the other, as long as a row holds two numbers or more.
    return partial(np.add.reduce, rows.reshape(len(rows), -1, copy=False), 0, None, total.reshape(-1, copy=False))
