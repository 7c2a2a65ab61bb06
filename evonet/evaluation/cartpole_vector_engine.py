"""The engine for CartPole in Gymnasium's own vector implementation, which steps 100 episodes in the time of ten.

It is the real environment, a batch at a time: its physics, its rewards, its ends. Without it the 100 episodes of a
champion's test take longer than all else in a run of CartPole. Its reset takes one seed for all episodes, so the states
that `env.reset(seed=…)` gives are written into it; it resets episodes that have ended, so its results for an episode
after the end are ignored.
"""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

from evonet.environments.normaliser import ObservationNormaliser
from evonet.environments.specification import EnvironmentSpec
from evonet.evaluation.arrays import surely_finite
from evonet.evaluation.kernels.outcomes import EpisodeLog, Outcome
from evonet.evaluation.kernels.task import can_measure, measures_of
from evonet.evaluation.results import EpisodeResults
from evonet.network import NetworkStack
from evonet.task import Task
from evonet.types import BoolArray, FloatArray, IntArray

_LANES = 256
_ENTRY_POINT = "gymnasium.envs.classic_control.cartpole:CartPoleVectorEnv"


def has_vector_environment(task: Task) -> bool:
    """Whether `VectorEngine` can run the task: CartPole as registered, within its time limit, by ordinary resets."""
    environment = task.environment
    if not isinstance(environment, EnvironmentSpec) or environment.wrappers or environment.hard_reset:
        return False
    spec = gym.registry.get(environment.id)
    limit = spec.max_episode_steps if spec is not None else None
    known = spec is not None and spec.vector_entry_point == _ENTRY_POINT and limit is not None
    plain = known and not task.recorded and can_measure(task) and task.max_steps <= (limit or 0)
    return plain and set(environment.kwargs) <= {"sutton_barto_reward"}


class VectorEngine:
    """Runs CartPole episodes a batch at a time.

    Args:
        task: what an episode is; `has_vector_environment` must say yes.
        lanes: episodes side by side; it changes nothing but the time.
    """

    name = "gymnasium vector"
    has_threads = False

    def __init__(self, task: Task, lanes: int = _LANES) -> None:
        self._task = task
        self._lanes = lanes
        self._single = task.instance()
        self._measures = measures_of(task)

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
        limit = max_steps or self._task.max_steps
        log = EpisodeLog.start(genomes, individuals, inputs, self._measures)
        with np.errstate(all="ignore"):  # what is not finite becomes a fault, not a warning
            for batch in log.batches(self._lanes):
                self._run_batch(log, batch, genomes[individuals[batch]], seeds[batch], normaliser, limit)
        return log.finish(individuals, seeds)

    def _run_batch(
        self,
        log: EpisodeLog,
        episodes: IntArray,
        genomes: FloatArray,
        seeds: IntArray,
        normaliser: ObservationNormaliser | None,
        max_steps: int,
    ) -> None:
        environment = self._environment(seeds)
        networks = NetworkStack(self._task.architecture, np.asfortranarray(genomes), len(genomes))
        observations = environment.state.T.astype(np.float32)
        results, going, returns = log.results, np.ones(len(episodes), dtype=np.bool_), np.zeros(len(episodes))
        rows = None if self._measures is None else self._measures.initial_rows(len(episodes))

        def end(lanes: BoolArray, outcome: int, length: int) -> None:
            log.outcomes[episodes[lanes]] = outcome
            results.returns[episodes[lanes]], results.lengths[episodes[lanes]] = returns[lanes], length
            if rows is not None:
                log.rows[episodes[lanes]] = rows[:, lanes].T
            going[lanes] = False

        for length in range(max_steps):
            inputs = observations.astype(np.float64)
            if normaliser is not None and results.observations is not None:
                deviations = np.where(going[:, None], inputs - normaliser.mean, 0.0)
                results.observations.sums[episodes] += deviations
                results.observations.squares[episodes] += deviations * deviations
                normaliser.normalise(inputs)
            outputs = networks.forward(inputs)
            if not surely_finite(outputs):
                end(going & ~np.isfinite(outputs).all(axis=1), Outcome.BAD_OUTPUT, length)
            actions = outputs.argmax(axis=1)
            observations, rewards, terminated, _, _ = environment.step(actions)
            returns += rewards
            if self._measures is not None:
                seen, acted = tuple(observations.T.astype(np.float64)), (actions.astype(np.float64),)
                self._measures.add_step(rows, slice(None), seen, acted, rewards, (), length + 1)
            if np.count_nonzero(going & terminated):
                end(going & terminated, Outcome.TERMINATED, length + 1)
            if not np.count_nonzero(going):
                return
        end(going, Outcome.TRUNCATED, max_steps)

    def _environment(self, seeds: IntArray) -> Any:
        """A vector environment in the states that the real one has after `reset(seed=…)`, `(len(seeds),)`."""
        specification = self._task.environment
        assert isinstance(specification, EnvironmentSpec)
        environment: Any = gym.make_vec(
            specification.id,
            num_envs=len(seeds),
            vectorization_mode=gym.VectorizeMode.VECTOR_ENTRY_POINT,
            **specification.kwargs,
        ).unwrapped
        environment.reset()
        single: Any = self._single.open().unwrapped  # wrappers leave the state as it is, and slow its reset down
        for lane, seed in enumerate(seeds.tolist()):
            single.reset(seed=seed)
            environment.state[:, lane] = single.state
        return environment

    def close(self) -> None:
        """Close the environment."""
        self._single.close()
