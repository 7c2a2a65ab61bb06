"""Kernels compiled by Numba: lanes of episodes side by side, one thread for each core."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property

import numpy as np

from evonet.environments.normaliser import ObservationNormaliser
from evonet.errors import EvonetError
from evonet.evaluation.arrays import read_only
from evonet.evaluation.kernels.outcomes import EpisodeLog
from evonet.evaluation.kernels.rollout import LANE_BLOCK, Episodes, Lanes
from evonet.evaluation.kernels.start_states import StartStates
from evonet.evaluation.kernels.task import KernelTask
from evonet.evaluation.results import EpisodeResults
from evonet.extras import install_hint
from evonet.processes.cores import cores
from evonet.task import Task
from evonet.types import FloatArray, IntArray

LANES = 256
_MOST_WEIGHTS = 1 << 16  # of all lanes of a thread, so that they fit into the cache of its core
_MIN_EPISODES = 32  # episodes of a thread; for fewer, waking one costs more than it saves


class NumbaEngine:
    """Runs the kernel of a task's environment compiled by Numba, which is imported at the first run.

    Args:
        task: what an episode is; `kernel_for` must know its environment.
        threads: threads that run at once; by default one for each core that this process may use.
        lanes: episodes side by side in a thread. Threads and lanes change the time and nothing else.

    Raises:
        ValueError: there is no kernel for the task's environment.
        EvonetError: Numba is not installed.
    """

    name = "numba"
    has_threads = True

    def __init__(self, task: Task, threads: int | None = None, lanes: int = LANES) -> None:
        if importlib.util.find_spec("numba") is None:
            raise EvonetError(f"the engine 'numba' needs Numba, which is not installed: {install_hint('fast')}")
        self._task = KernelTask.of(task)
        self._starts = StartStates(self._task.kernel)
        self._threads = threads or cores()
        fitting = min(lanes, _MOST_WEIGHTS // task.architecture.genome_size)
        self._lanes = max(LANE_BLOCK, fitting // LANE_BLOCK * LANE_BLOCK)
        self._free: list[Lanes] = []  # not in use by a thread

    @cached_property
    def roll_out(self) -> Callable[..., None]:
        """`rollout.roll_out` for the task, compiled at its first call.

        Raises:
            EvonetError: the kernel has something that Numba cannot compile.
        """
        from evonet.evaluation.kernels.compilation import compiled_rollout  # imports Numba

        return compiled_rollout(self._task)

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(max(1, self._threads - 1))  # the caller's thread works too

    def run(
        self,
        genomes: FloatArray,
        individuals: IntArray,
        seeds: IntArray,
        normaliser: ObservationNormaliser | None,
        max_steps: int | None = None,
    ) -> EpisodeResults:
        """Flat results of the episodes; see `evonet.evaluation.engine.Engine`."""
        num_inputs = self._task.architecture.num_inputs
        log = EpisodeLog.start(genomes, individuals, num_inputs if normaliser else None, self._task.measures)
        results, sums = log.results, log.results.observations
        nothing = np.zeros((0, num_inputs))
        starts, start_rows = self._starts(seeds)
        episodes = Episodes(
            # Read-only always: Numba would compile again for a writable array.
            read_only(np.ascontiguousarray(self._task.networks(genomes))),
            np.ascontiguousarray(individuals, dtype=np.int64),
            starts,
            start_rows,
            results.returns,
            results.lengths,
            log.outcomes,
            sums.sums if sums else nothing,
            sums.squares if sums else nothing,
            log.rows,
        )
        mean = normaliser.mean if normaliser else np.zeros(num_inputs)
        deviation = normaliser.deviation if normaliser else np.ones(num_inputs)
        parameters, limit = self._task.parameters, float(max_steps or self._task.task.max_steps)
        roll_out = self.roll_out  # before threads begin, each of which would compile it

        def run_share(order: IntArray) -> None:
            lanes = self._free_lanes()
            roll_out(lanes, episodes, order, mean, deviation, parameters, limit)
            self._free.append(lanes)

        shares = self._shares(log.running)
        others = [self._pool.submit(run_share, share) for share in shares[1:]]
        run_share(shares[0])
        for other in others:
            other.result()
        return log.finish(individuals, seeds)

    def _shares(self, episodes: IntArray) -> list[IntArray]:
        """The episodes that each thread runs.

        Threads take blocks of episodes in turn, because the first rows of a population are its elites, whose episodes
        are long.
        """
        threads = max(1, min(self._threads, len(episodes) // _MIN_EPISODES))
        blocks = np.arange(len(episodes)) // LANE_BLOCK
        return [np.ascontiguousarray(episodes[blocks % threads == thread]) for thread in range(threads)]

    def _free_lanes(self) -> Lanes:
        try:
            return self._free.pop()
        except IndexError:
            return Lanes.empty(self._task, self._lanes)

    def close(self) -> None:
        """End the threads and free the lanes."""
        self._free.clear()
        if "_pool" in vars(self):
            self._pool.shutdown()
            del self._pool
