"""The engine for EnvPool: Gymnasium's environments rewritten in C++, many of them stepped in threads.

An evaluation stays a pure function: each batch of episodes gets a pool of its own, with a seed for each episode, and
an episode that has ended is not stepped again. With several threads two batches take turns: the threads step one, while
the networks of the other choose their actions. Start states, last digits and rewards in single precision are EnvPool's
own, so only training takes it; validation and test play the episodes of Gymnasium.
"""

from __future__ import annotations

import math
import warnings
from collections import deque
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import islice
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from evonet.environments.normaliser import ObservationNormaliser
from evonet.environments.specification import EnvironmentSpec
from evonet.evaluation.arrays import surely_finite
from evonet.evaluation.kernels.outcomes import EpisodeLog, Outcome
from evonet.evaluation.kernels.task import can_measure, measures_of
from evonet.evaluation.progress import PROGRESS
from evonet.evaluation.results import EpisodeResults
from evonet.extras import optional_package
from evonet.policy import Policy
from evonet.processes.cores import cores
from evonet.task import Task
from evonet.types import FloatArray, IntArray

LANES = 512
_RUNNING_SHARE = 0.75  # of the lanes; with fewer running episodes, the other lanes are dropped
_POOL_SETTINGS = {  # settings that are no keyword arguments of an environment
    *("num_envs", "batch_size", "num_threads", "max_num_players", "thread_affinity_offset", "base_path", "seed"),
    *("env_seed", "gym_reset_return_info", "max_episode_steps", "reward_threshold"),
}
_RUNS = "the engine 'envpool' cannot run"
_INSTEAD = "take the engine 'gymnasium'"


class EnvPoolEngine:
    """Runs episodes in EnvPool's environments, a batch at a time.

    Args:
        task: what an episode is.
        threads: threads that step environments; by default one for each core. They change the time and nothing else.
        lanes: most episodes of a batch; they change the time and nothing else.

    Attributes:
        task: what an episode is.
        infos: keys of the infos that measures can read.
        measures: the running sums and extremes of the task's measures; None if there are none.
        action_type: type of EnvPool's actions.

    Raises:
        ValueError: EnvPool cannot run exactly this task; the message has the reason.
        EvonetError: EnvPool is not installed.
    """

    name = "envpool"
    has_threads = True

    def __init__(self, task: Task, threads: int | None = None, lanes: int = LANES) -> None:
        need = "the engine 'envpool' needs the package envpool"
        self._envpool = optional_package("envpool", need, "envpool")
        self.task = task
        self._lanes, self._threads = lanes, threads or cores()
        self._pools = min(2, self._threads)  # batches that take turns
        self._kwargs = _keyword_arguments(self._envpool, task)
        with _no_warnings_of_precision(), closing(self._pool([0], task.max_steps)) as pool:
            found = pool.observation_space, pool.action_space
            _, info = pool.reset()
        _refuse_other_spaces(task, *found)
        self.action_type = np.dtype(found[1].dtype)
        self.infos = tuple(key for key, column in info.items() if np.shape(column) == (1,) and key != "env_id")
        if not can_measure(task, dict.fromkeys(self.infos)):
            readable = "observations, actions, rewards, length and the infos " + ", ".join(self.infos)
            raise ValueError(f"{_RUNS} a measure that reads something else than {readable}; {_INSTEAD}")
        self.measures = measures_of(task, dict.fromkeys(self.infos))

    def run(
        self,
        genomes: FloatArray,
        individuals: IntArray,
        seeds: IntArray,
        normaliser: ObservationNormaliser | None,
        max_steps: int | None = None,
    ) -> EpisodeResults:
        """Flat results of the episodes; see `evonet.evaluation.engine.Engine`."""
        inputs = self.task.architecture.num_inputs if normaliser else None
        limit = max_steps or self.task.max_steps
        log = EpisodeLog.start(genomes, individuals, inputs, self.measures)
        with np.errstate(all="ignore"), _no_warnings_of_precision():  # what is not finite becomes a fault
            lanes = max(1, min(self._lanes, math.ceil(len(log.running) / self._pools)))
            batches = (
                self._run_batch(_Batch(self, log, batch, genomes[individuals[batch]], normaliser), seeds[batch], limit)
                for batch in log.batches(lanes)
            )
            _alternate(batches, self._pools)
        return log.finish(individuals, seeds)

    def _run_batch(self, batch: _Batch, seeds: IntArray, max_steps: int) -> Iterator[None]:
        """Run the batch's episodes in a pool of their own; it yields while the pool's threads step."""
        with closing(self._pool(seeds.tolist(), max_steps)) as pool:
            yield from batch.run(pool, max_steps)

    def _pool(self, seeds: list[int], max_steps: int) -> Any:
        """A pool of the task's environment, one for each of the seeds, whose episodes have at most so many steps."""
        return self._envpool.make_gymnasium(
            self.task.environment_id,
            num_envs=len(seeds),
            num_threads=min(self._threads, len(seeds)),
            seed=seeds,
            max_episode_steps=max_steps,
            **self._kwargs,
        )

    def close(self) -> None:
        """Do nothing: a pool lives as long as its batch."""


class _Batch:
    """Episodes that begin together in one pool; a lane is an episode, and is dropped some time after its end.

    Args:
        engine: the engine, whose pools have the task's environment.
        log: the results of all episodes.
        episodes: numbers of the batch's episodes in the log, `(lanes,)`.
        genomes: the network of each, `(lanes, genome_size)`.
        normaliser: normaliser of observations, or None.
    """

    def __init__(
        self,
        engine: EnvPoolEngine,
        log: EpisodeLog,
        episodes: IntArray,
        genomes: FloatArray,
        normaliser: ObservationNormaliser | None,
    ) -> None:
        self._task, self._measures, self._infos = engine.task, engine.measures, engine.infos
        self._action_type = engine.action_type
        self._log, self._episodes, self._genomes, self._normaliser = log, episodes, genomes, normaliser
        lanes = len(episodes)
        self._places: IntArray = np.arange(lanes)  # the environment of each lane in the pool
        self._running: IntArray = np.arange(lanes)  # the lanes whose episodes have not ended
        self._returns = np.zeros(lanes)
        self._deviations = np.zeros((2, lanes, self._task.architecture.num_inputs))
        self._rows = np.zeros((0, lanes)) if self._measures is None else self._measures.initial_rows(lanes)
        self._policy = Policy(self._task, np.asfortranarray(genomes), normaliser)

    def run(self, pool: Any, max_steps: int) -> Iterator[None]:
        """Run the episodes in the pool to their ends, of at most so many steps, and log their outcomes.

        It yields while the pool's threads step.
        """
        pool.async_reset()
        yield
        observations, _ = pool.recv(reset=True)
        self._observe(self._running, observations)
        for length in range(1, max_steps + 1):
            outputs = self._policy.forward()
            if self._normaliser is not None:
                deviations = self._policy.observations[self._running] - self._normaliser.mean
                self._deviations[0, self._running] += deviations
                self._deviations[1, self._running] += deviations * deviations
            if not surely_finite(outputs) or not surely_finite(self._policy.observations):
                self._end(
                    self._not_finite(self._running, self._policy.observations), Outcome.BAD_OBSERVATION, length - 1
                )
                self._end(self._not_finite(self._running, outputs), Outcome.BAD_OUTPUT, length - 1)
            if not len(self._running):
                return
            actions = np.asarray(self._policy.decode(outputs))[self._running].astype(self._action_type, copy=False)
            pool.send(actions, self._places[self._running])
            yield
            self._receive(pool, actions, length, last=length == max_steps)
            if not len(self._running):
                return
            if len(self._running) < _RUNNING_SHARE * len(self._places):
                self._keep(self._running)

    def _receive(self, pool: Any, actions: NDArray[Any], length: int, *, last: bool) -> None:
        """Record step number `length` of the running lanes, to which the `actions` were sent."""
        lanes = self._running
        observations, rewards, terminated, truncated, info = pool.recv()
        self._observe(lanes, observations)
        rewards = rewards.astype(np.float64)
        self._returns[lanes] += rewards
        if self._measures is not None:
            observation = self._policy.observations[lanes].T
            action = actions.reshape(len(lanes), -1).astype(np.float64).T
            infos = tuple(info[name].astype(np.float64) for name in self._infos)
            rows = self._rows[:, lanes]
            self._measures.add_step(rows, slice(None), tuple(observation), tuple(action), rewards, infos, length)
            self._rows[:, lanes] = rows
        ended = terminated | truncated | last
        if not surely_finite(rewards):
            bad = ~np.isfinite(rewards)
            self._returns[lanes[bad]] = rewards[bad]
            self._end(lanes[bad], Outcome.BAD_REWARD, length - 1)
            ended &= ~bad
        if ended.any():
            self._end(lanes[ended & terminated], Outcome.TERMINATED, length)
            self._end(lanes[ended & ~terminated], Outcome.TRUNCATED, length)

    def _observe(self, lanes: IntArray, observations: NDArray[Any]) -> None:
        """Encode the observations of `lanes`: those of a Box all at once, others one by one."""
        if isinstance(self._task.observation_space, spaces.Box):
            self._policy.observations[lanes] = observations.reshape(len(lanes), -1)
            return
        for lane, observation in zip(lanes.tolist(), observations, strict=True):
            self._policy.observe(lane, observation)

    def _not_finite(self, lanes: IntArray, numbers: FloatArray) -> IntArray:
        """Those of `lanes` that have a number which is not finite, in `numbers` of all lanes."""
        return lanes[~np.isfinite(numbers[lanes]).all(axis=1)]

    def _end(self, lanes: IntArray, outcome: int, length: int) -> None:
        """End these running lanes after `length` steps, and log their outcomes."""
        if not len(lanes):
            return
        episodes, results = self._episodes[lanes], self._log.results
        self._log.outcomes[episodes] = outcome
        results.returns[episodes], results.lengths[episodes] = self._returns[lanes], length
        if self._measures is not None:
            self._log.rows[episodes] = self._rows[:, lanes].T
            if outcome <= Outcome.TERMINATED:  # the last observation is measured, too
                bad_end = self._not_finite(lanes, self._policy.observations)
                self._log.outcomes[self._episodes[bad_end]] = Outcome.BAD_OBSERVATION
        if results.observations is not None:
            results.observations.sums[episodes] = self._deviations[0, lanes]
            results.observations.squares[episodes] = self._deviations[1, lanes]
        self._running = np.setdiff1d(self._running, lanes, assume_unique=True)
        PROGRESS.done += len(lanes)

    def _keep(self, lanes: IntArray) -> None:
        """Keep these lanes and forget the others; all that are kept run."""
        old = self._policy
        self._episodes, self._places, self._genomes = self._episodes[lanes], self._places[lanes], self._genomes[lanes]
        self._returns, self._running = self._returns[lanes], np.arange(len(lanes))
        self._deviations, self._rows = self._deviations[:, lanes], self._rows[:, lanes]
        self._policy = Policy(self._task, np.asfortranarray(self._genomes), self._normaliser)
        self._policy.observations[...] = old.observations[lanes]
        self._policy.memory[...] = old.memory[lanes]


def _alternate(runs: Iterator[Iterator[None]], at_once: int) -> None:
    """Advance the first `at_once` runs in turn, and begin another where one ends."""
    going = deque(islice(runs, at_once))
    while going:
        run = going.popleft()
        try:
            next(run)
        except StopIteration:
            going.extend(islice(runs, 1))
        else:
            going.append(run)


def _keyword_arguments(envpool: Any, task: Task) -> dict[str, Any]:
    """The keyword arguments of the task's environment, which EnvPool's must know by the same names.

    Raises:
        ValueError: EnvPool does not have the environment, or cannot honour a setting of it.
    """
    environment = task.environment
    if not isinstance(environment, EnvironmentSpec):
        raise ValueError(f"{_RUNS} an environment that a function makes; {_INSTEAD}")  # noqa: TRY004 - as below
    if environment.id not in envpool.list_all_envs():
        raise ValueError(f"{_RUNS} {environment.id}, which EnvPool does not have; {_INSTEAD}")
    for setting in ("wrappers", "register"):  # hard_reset is honoured: each episode has an environment of its own
        if getattr(environment, setting):
            raise ValueError(f"{_RUNS} an environment with environment.{setting}; leave it out, or {_INSTEAD}")
    if task.recorded:
        raise ValueError(f"{_RUNS} episodes whose observations are recorded; {_INSTEAD}")
    known = set(envpool.make_spec(environment.id)._config_keys) - _POOL_SETTINGS
    for name in environment.kwargs:
        if name not in known:
            has = ", ".join(sorted(known)) or "none"
            raise ValueError(
                f"{_RUNS} {environment.id} with kwargs.{name}; in EnvPool its arguments are {has}; {_INSTEAD}"
            )
    return dict(environment.kwargs)


@contextmanager
def _no_warnings_of_precision() -> Iterator[None]:
    """Gymnasium warns that bounds of EnvPool's spaces are rounded; nothing is computed from them."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r".*precision lowered by casting")
        yield


def _refuse_other_spaces(task: Task, observation_space: Any, action_space: Any) -> None:
    """Refuse spaces of EnvPool's environment that are not Gymnasium's.

    Bounds of observations may differ, because nothing is computed from them.

    Raises:
        ValueError: a shape, a kind of number, a count or a bound of an action is another one.
    """
    for name, found in (("observation_space", observation_space), ("action_space", action_space)):
        wanted = getattr(task, name)
        if not _alike(wanted, found, bounds=name == "action_space"):
            raise ValueError(f"{_RUNS} {task.environment_id}: its {name} is {wanted}, EnvPool's {found}; {_INSTEAD}")


def _alike(wanted: Any, found: Any, *, bounds: bool) -> bool:
    if type(wanted) is not type(found) or wanted.shape != found.shape:
        return False
    if isinstance(wanted, spaces.Discrete):
        return bool(wanted.n == found.n and wanted.start == found.start)
    if isinstance(wanted, spaces.Box):
        same = not bounds or (np.allclose(wanted.low, found.low) and np.allclose(wanted.high, found.high))
        return bool(same and np.dtype(wanted.dtype).kind == np.dtype(found.dtype).kind)
    return bool(wanted == found)
