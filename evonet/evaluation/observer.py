"""What a network observes in an episode, for operators that look at it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from evonet.environments.normaliser import ObservationNormaliser
from evonet.evaluation.evaluate import evaluate
from evonet.evaluation.executors import Executor, InProcess, worker_processes
from evonet.evaluation.fault_policy import FaultPolicy
from evonet.task import Task
from evonet.types import FloatArray

_STEPS = 1000  # observations are taken from these first steps of an episode
_MOST = 64


class Observer:
    """Runs episodes whose observations are kept.

    Args:
        task: what an episode is.
        isolated: whether they run in a worker process, where they may hang or crash.
        faults: how an episode that fails is treated.
    """

    def __init__(self, task: Task, *, isolated: bool, faults: FaultPolicy) -> None:
        self._task = replace(task, recorded=min(task.max_steps, _STEPS), measures=())
        self._isolated, self._faults = isolated, faults
        self._executor: Executor | None = None

    def observe(
        self, genome: FloatArray, seed: int, normaliser: ObservationNormaliser | None, max_steps: int | None
    ) -> tuple[FloatArray, int]:
        """Network inputs of `genome` in the episode of a seed, and its steps; see `EpisodeReturn.observe`."""
        if self._executor is None:
            if self._isolated:
                self._executor = worker_processes(self._task, "gymnasium", 1, self._faults)
            else:
                self._executor = InProcess(self._task, "gymnasium")
        results = evaluate(self._executor.evaluate, genome[None, :], np.array([seed]), normaliser, max_steps=max_steps)
        if results.faults or results.inputs is None:
            return np.empty((0, self._task.architecture.num_inputs)), results.steps
        inputs: FloatArray = results.inputs[0, 0, : results.lengths[0, 0]]
        if self._task.architecture.recurrent or len(inputs) <= _MOST:
            return inputs[:_MOST].copy(), results.steps
        return inputs[np.linspace(0, len(inputs) - 1, _MOST).astype(np.int64)], results.steps

    def close(self) -> None:
        """End the worker process, or close the environment."""
        if self._executor is not None:
            self._executor.close()
            self._executor = None
