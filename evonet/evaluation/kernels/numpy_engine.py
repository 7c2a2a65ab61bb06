"""Kernels in NumPy: many episodes side by side, one call of each function for all of them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from evonet.environments.known import Column, Columns
from evonet.environments.normaliser import LIMIT, ObservationNormaliser
from evonet.evaluation.arrays import surely_finite
from evonet.evaluation.kernels.lane_networks import LaneNetworks
from evonet.evaluation.kernels.outcomes import EpisodeLog, Outcome
from evonet.evaluation.kernels.start_states import StartStates
from evonet.evaluation.kernels.task import KernelTask
from evonet.evaluation.results import EpisodeResults
from evonet.task import Task
from evonet.types import BoolArray, FloatArray, IntArray

LANES = 1024
_MOST_WEIGHTS = 1 << 20  # of all lanes
_FEWEST_LANES = 8
_RUNNING_SHARE = 0.75  # of the lanes; with fewer running episodes, the other lanes are dropped


class NumpyEngine:
    """Runs the kernel of a task's environment in NumPy, on one core.

    Args:
        task: what an episode is; `kernel_for` must know its environment.
        lanes: episodes side by side; they change the time and nothing else.

    Raises:
        ValueError: there is no kernel for the task's environment.
    """

    name = "numpy"
    has_threads = False

    def __init__(self, task: Task, lanes: int = LANES) -> None:
        self._task = KernelTask.of(task)
        self._starts = StartStates(self._task.kernel)
        self._lanes = max(_FEWEST_LANES, min(lanes, _MOST_WEIGHTS // task.architecture.genome_size))

    def run(
        self,
        genomes: FloatArray,
        individuals: IntArray,
        seeds: IntArray,
        normaliser: ObservationNormaliser | None,
        max_steps: int | None = None,
    ) -> EpisodeResults:
        """Flat results of the episodes; see `evonet.evaluation.engine.Engine`."""
        inputs = self._task.architecture.num_inputs if normaliser else None
        log = EpisodeLog.start(genomes, individuals, inputs, self._task.measures)
        networks, (states, rows) = self._task.networks(genomes), self._starts(seeds)
        with np.errstate(all="ignore"):  # a number that is not finite becomes a fault, not a warning
            for episodes in log.batches(self._lanes):
                lanes = _Lanes(self._task, networks[individuals[episodes]], states[rows[episodes]], normaliser)
                lanes.run(log, episodes, max_steps or self._task.task.max_steps)
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
        inputs, lanes = task.architecture.num_inputs, len(states)
        self._task, self._normaliser = task, normaliser
        self._networks = LaneNetworks(task, networks)
        self._state: Columns = tuple(np.ascontiguousarray(states.T))
        self._sums = np.zeros((2, inputs, lanes))
        self._returns = np.zeros(lanes)
        self._rows = np.zeros((0, lanes)) if task.measures is None else task.measures.initial_rows(lanes)
        self._observations = np.zeros((inputs, lanes), task.observation_dtype)
        self._observation_rows = tuple(self._observations)
        self._observe()

    def run(self, log: EpisodeLog, episodes: IntArray, max_steps: int) -> None:
        """Run the episodes with these numbers to their ends, of at most so many steps, and log their outcomes."""
        running: BoolArray = np.ones(len(episodes), np.bool_)
        for length in range(1, max_steps + 1):
            outcomes = self._step(running, length, last=length == max_steps)
            if outcomes is None:
                continue
            (ended,) = (running & (outcomes != Outcome.RUNNING)).nonzero()
            self._write(log, episodes[ended], ended, outcomes[ended], length)
            running[ended] = False
            count = np.count_nonzero(running)
            if not count:
                return
            if count < _RUNNING_SHARE * len(running):
                self._keep(running)
                episodes, running = episodes[running], running[running]

    def _observe(self) -> None:
        """Observe each lane's state."""
        for row, column in zip(self._observation_rows, self._task.kernel.observe(self._state), strict=True):
            row[...] = column

    def _step(self, running: BoolArray, length: int, *, last: bool) -> NDArray[np.uint8] | None:
        """Take the step number `length` in each lane; the lanes' outcomes, or None if all running episodes go on."""
        task = self._task
        bad_observation = _not_finite(self._observations)
        outputs = self._networks.forward(self._inputs())
        action = task.decoder(tuple(outputs))
        self._state, reward, terminated = task.kernel.step(self._state, action, task.parameters)
        self._returns += reward
        self._observe()
        if task.measures is not None:
            infos = tuple(info(self._state) for info in task.kernel.infos.values())
            observation = tuple(self._observations.astype(np.float64))
            task.measures.add_step(self._rows, slice(None), observation, action, reward, infos, length)
        finite = bad_observation is None and surely_finite(outputs) and self._has_finite_returns(reward)
        if finite and not last and not np.count_nonzero(running & terminated):
            return None
        outcomes = np.full(len(running), Outcome.TRUNCATED if last else Outcome.RUNNING, np.uint8)
        outcomes[terminated] = Outcome.TERMINATED
        if not finite:
            bad_reward = np.broadcast_to(~np.isfinite(reward), outcomes.shape)
            self._returns[bad_reward] = np.broadcast_to(reward, outcomes.shape)[bad_reward]
            outcomes[bad_reward] = Outcome.BAD_REWARD
            outcomes[~np.isfinite(outputs).all(axis=0)] = Outcome.BAD_OUTPUT
            if bad_observation is not None:
                outcomes[bad_observation] = Outcome.BAD_OBSERVATION
        return outcomes

    def _has_finite_returns(self, reward: Column) -> bool:
        """Whether all returns are surely finite after a step with this reward."""
        return math.isfinite(reward) if isinstance(reward, float) else surely_finite(self._returns)

    def _inputs(self) -> NDArray[np.floating]:
        """The networks' inputs; deviations of the observations are added up if they are normalised."""
        observations = self._observations
        if self._normaliser is None:
            return observations.astype(self._task.network_dtype, copy=False)
        deviations = observations - self._normaliser.mean[:, None]
        self._sums[0] += deviations
        self._sums[1] += deviations * deviations
        scaled = deviations / self._normaliser.deviation[:, None]
        return np.minimum(np.maximum(scaled, -LIMIT), LIMIT).astype(self._task.network_dtype)

    def _write(
        self, log: EpisodeLog, episodes: IntArray, lanes: IntArray, outcomes: NDArray[np.uint8], length: int
    ) -> None:
        """Write down how these episodes, in these lanes, went: all `(ended,)`."""
        results = log.results
        log.outcomes[episodes] = outcomes
        results.returns[episodes] = self._returns[lanes]
        results.lengths[episodes] = length - (outcomes > Outcome.TERMINATED)  # the step of a fault is not taken
        if self._task.measures is not None:
            log.rows[episodes] = self._rows[:, lanes].T
            bad_end = ~np.isfinite(self._observations[:, lanes]).all(axis=0) & (outcomes <= Outcome.TERMINATED)
            log.outcomes[episodes[bad_end]] = Outcome.BAD_OBSERVATION  # the last observation is measured, too
        if results.observations is not None:
            results.observations.sums[episodes] = self._sums[0][:, lanes].T
            results.observations.squares[episodes] = self._sums[1][:, lanes].T

    def _keep(self, running: BoolArray) -> None:
        """Keep the lanes `running (lanes,)` and forget the others."""
        self._networks.keep(running)
        self._state = tuple(np.broadcast_to(column, running.shape)[running] for column in self._state)
        self._sums, self._returns, self._rows, self._observations = (
            np.compress(running, array, axis=-1)
            for array in (self._sums, self._returns, self._rows, self._observations)
        )
        self._observation_rows = tuple(self._observations)


def _not_finite(rows: NDArray[np.floating]) -> BoolArray | None:
    """The lanes in which a number of `rows (k, lanes)` is not finite, `(lanes,)`; None if all numbers are finite."""
    if surely_finite(rows):
        return None
    bad: BoolArray = ~np.isfinite(rows).all(axis=0)
    return bad
