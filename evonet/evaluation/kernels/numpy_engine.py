"""Kernels in NumPy: many episodes side by side, one call of each function for all of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evonet.environments.known import Columns
from evonet.environments.normaliser import LIMIT, ObservationNormaliser
from evonet.evaluation.arrays import surely_finite
from evonet.evaluation.kernels.outcomes import EpisodeLog, Outcome
from evonet.evaluation.kernels.start_states import StartStates
from evonet.evaluation.kernels.task import KernelTask
from evonet.evaluation.results import EpisodeResults
from evonet.task import Task
from evonet.types import BoolArray, FloatArray, IntArray

LANES = 1024
_MOST_WEIGHTS = 1 << 20  # side by side
_FEWEST_LANES = 8
_RUNNING_SHARE = 0.75  # of the lanes; with fewer running episodes, the others leave


class NumpyEngine:
    """Runs the kernel of a task's environment in NumPy, on one core.

    Args:
        task: what an episode is; `kernel_for` must know its environment.
        lanes: episodes side by side; they change the time and nothing else.

    Raises:
        ValueError: there is no kernel for the task's environment.
    """

    name = "numpy"

    def __init__(self, task: Task, lanes: int = LANES) -> None:
        self._task = KernelTask.of(task)
        self._starts = StartStates(self._task.kernel)
        self._lanes = max(_FEWEST_LANES, min(lanes, _MOST_WEIGHTS // task.architecture.genome_size))

    def run(
        self, genomes: FloatArray, individuals: IntArray, seeds: IntArray, normaliser: ObservationNormaliser | None
    ) -> EpisodeResults:
        """Flat results of the episodes; see `evonet.evaluation.engine.Engine`."""
        inputs = self._task.architecture.num_inputs if normaliser else None
        log = EpisodeLog.start(genomes, individuals, inputs, self._task.measures)
        networks, (states, rows) = self._task.networks(genomes), self._starts(seeds)
        running = log.running
        with np.errstate(all="ignore"):  # a number that is not finite becomes a fault, not a warning
            for first in range(0, len(running), self._lanes):
                episodes = running[first : first + self._lanes]
                lanes = _Lanes(self._task, networks[individuals[episodes]], states[rows[episodes]], normaliser)
                lanes.run(log, episodes)
        return log.finish(individuals, seeds)

    def close(self) -> None:
        """Do nothing: this engine holds nothing open."""


class _Lanes:
    """Episodes side by side that began together; the lane is every array's last axis.

    Args:
        task: what an episode is.
        networks: genomes of `task.architecture`, `(lanes, genome_size)`.
        states: start states, `(lanes, state)`.
        normaliser: normaliser of the observations, or None.
    """

    def __init__(
        self, task: KernelTask, networks: FloatArray, states: FloatArray, normaliser: ObservationNormaliser | None
    ) -> None:
        architecture, lanes = task.architecture, len(states)
        self._task, self._normaliser = task, normaliser
        self._genomes = np.ascontiguousarray(networks.T, dtype=task.real)
        self._blocks = self._views()
        self._state: Columns = tuple(np.ascontiguousarray(states.T))
        self._hidden = np.zeros((architecture.num_hidden, lanes), task.real)
        self._sums = np.zeros((2, architecture.num_inputs, lanes))
        self._returns = np.zeros(lanes)
        self._rows = np.zeros((0, lanes)) if task.measures is None else task.measures.started(lanes)
        self._observations = self._observe()

    def run(self, log: EpisodeLog, episodes: IntArray) -> None:
        """Run the episodes with these numbers to their ends, and write into the log how they went."""
        running: BoolArray = np.ones(len(episodes), np.bool_)
        for length in range(1, self._task.task.max_steps + 1):
            outcomes = self._step(running, length)
            if outcomes is None:
                continue
            ended = running & (outcomes != Outcome.RUNNING)
            self._write(log, episodes, ended, outcomes, length)
            running &= ~ended
            count = np.count_nonzero(running)
            if not count:
                return
            if count < _RUNNING_SHARE * len(running):
                self._keep(running)
                episodes, running = episodes[running], running[running]

    def _observe(self) -> NDArray[np.floating]:
        """The lanes' observations, `(inputs, lanes)`."""
        observations = np.empty((self._task.architecture.num_inputs, len(self._returns)), self._task.observed)
        for row, column in zip(observations, self._task.kernel.observe(self._state), strict=True):
            row[...] = column
        return observations

    def _step(self, running: BoolArray, length: int) -> NDArray[np.uint8] | None:
        """Take the step number `length` in each lane; the lanes' outcomes, or None if all running episodes go on."""
        task, observations, last = self._task, self._observations, length == self._task.task.max_steps
        outputs = self._outputs(self._inputs(observations))
        action = task.decoder(tuple(outputs))
        self._state, reward, terminated = task.kernel.step(self._state, action, task.parameters)
        self._returns += reward
        self._observations = self._observe()
        if task.measures is not None:
            infos = tuple(info(self._state) for info in task.kernel.infos.values())
            seen = tuple(self._observations.astype(np.float64))
            task.measures.add_step(self._rows, slice(None), seen, action, reward, infos, length)
        finite = surely_finite(observations) and surely_finite(outputs) and surely_finite(self._returns)
        if finite and not last and not np.count_nonzero(running & terminated):
            return None
        outcomes = np.full(len(running), Outcome.TRUNCATED if last else Outcome.RUNNING, np.uint8)
        np.copyto(outcomes, np.uint8(Outcome.TERMINATED), where=terminated)
        if not finite:
            bad_reward = np.broadcast_to(~np.isfinite(reward), outcomes.shape)
            self._returns[bad_reward] = np.broadcast_to(reward, outcomes.shape)[bad_reward]
            outcomes[bad_reward] = Outcome.BAD_REWARD
            outcomes[~np.isfinite(outputs).all(axis=0)] = Outcome.BAD_OUTPUT
            outcomes[~np.isfinite(observations).all(axis=0)] = Outcome.BAD_OBSERVATION
        return outcomes

    def _inputs(self, observations: NDArray[np.floating]) -> NDArray[np.floating]:
        """The networks' inputs; deviations of the observations are added up if they are normalised."""
        if self._normaliser is None:
            return observations.astype(self._task.real, copy=False)
        deviations = observations - self._normaliser.mean[:, None]
        self._sums[0] += deviations
        self._sums[1] += deviations * deviations
        scaled = deviations / self._normaliser.deviation[:, None]
        return np.minimum(np.maximum(scaled, -LIMIT), LIMIT).astype(self._task.real)

    def _outputs(self, inputs: NDArray[np.floating]) -> NDArray[np.floating]:
        """The networks' outputs, `(outputs, lanes)`; sums run in the same order as in `rollout`."""
        architecture, real, blocks = self._task.architecture, self._task.real, self._blocks
        outputs: NDArray[np.floating] = np.zeros((architecture.num_outputs, inputs.shape[1]), real)
        if architecture.num_hidden:
            total = _weighted_sum(inputs, blocks["input_hidden_weights"])
            if architecture.bias:
                total += blocks["hidden_bias"]
            if architecture.recurrent:
                total += _weighted_sum(self._hidden, blocks["hidden_hidden_weights"])
            self._hidden = self._task.activate_hidden(total).astype(real, copy=False)
            outputs += _weighted_sum(self._hidden, blocks["hidden_output_weights"])
        if architecture.skip:
            outputs += _weighted_sum(inputs, blocks["input_output_weights"])
        if architecture.bias:
            outputs += blocks["output_bias"]
        activated: NDArray[np.floating] = self._task.activate_output(outputs).astype(real, copy=False)
        return activated

    def _write(
        self, log: EpisodeLog, episodes: IntArray, ended: BoolArray, outcomes: NDArray[np.uint8], length: int
    ) -> None:
        """Write down how the episodes of the lanes `ended (lanes,)` went."""
        numbers, results = episodes[ended], log.results
        log.outcomes[numbers] = outcomes[ended]
        results.returns[numbers] = self._returns[ended]
        results.lengths[numbers] = length - (outcomes[ended] > Outcome.TERMINATED)  # the step of a fault is not taken
        if self._task.measures is not None:
            log.rows[numbers] = self._rows[:, ended].T
            unseen = ~np.isfinite(self._observations[:, ended]).all(axis=0) & (outcomes[ended] <= Outcome.TERMINATED)
            log.outcomes[numbers[unseen]] = Outcome.BAD_OBSERVATION  # the end is measured, too
        if results.observations is not None:
            results.observations.sums[numbers] = self._sums[0][:, ended].T
            results.observations.squares[numbers] = self._sums[1][:, ended].T

    def _keep(self, running: BoolArray) -> None:
        """Keep the lanes `running (lanes,)` and forget the others."""
        self._state = tuple(np.broadcast_to(column, running.shape)[running] for column in self._state)
        self._genomes, self._hidden, self._sums, self._returns, self._rows, self._observations = (
            np.compress(running, array, axis=-1)
            for array in (self._genomes, self._hidden, self._sums, self._returns, self._rows, self._observations)
        )
        self._blocks = self._views()

    def _views(self) -> dict[str, NDArray[np.floating]]:
        """The blocks of the genomes, each `(*block, lanes)`."""
        architecture = self._task.architecture
        return {
            name: self._genomes[where].reshape(*architecture.shapes[name], -1)
            for name, where in architecture.slices.items()
        }


def _weighted_sum(values: NDArray[np.floating], weights: NDArray[np.floating]) -> NDArray[np.floating]:
    """Σ `values[i] (lanes,)` × `weights[i] (m, lanes)`, added up in the order of i: `(m, lanes)`."""
    products = values[:, None, :] * weights
    if products[0].size > 1:
        total: NDArray[np.floating] = np.add.reduce(products, axis=0)  # adds row after row
    else:  # of single numbers, NumPy would change the order
        total = np.add.accumulate(products, axis=0)[-1]
    return total
