"""The choice of an executor: this process where that is safe and fast, worker processes where it is not."""

from __future__ import annotations

import math
import time
import warnings
from typing import TYPE_CHECKING

import gymnasium as gym

from evonet.cluster.executor import Cluster, FuturesExecutor
from evonet.environments.normaliser import ObservationNormaliser
from evonet.environments.specification import EnvironmentSpec
from evonet.errors import EvonetWarning, WorkersUnavailable
from evonet.evaluation.engine import EngineName
from evonet.evaluation.engines import runs_foreign_code
from evonet.evaluation.executors.executor import Executor, InProcess, Workers
from evonet.evaluation.fault_policy import FaultPolicy
from evonet.evaluation.results import EpisodeResults
from evonet.processes.cores import cores
from evonet.task import Task
from evonet.types import FloatArray, IntArray

if TYPE_CHECKING:
    from evonet.evaluation.executors.pooled import WorkerProcesses

_WORTH_TRYING = 2.0  # seconds of evaluation after which worker processes are tried
_WORTH_KEEPING = 1.1  # how much faster they must be


def make_executor(
    task: Task,
    engine: EngineName,
    workers: Workers,
    faults: FaultPolicy = FaultPolicy(),  # noqa: B008 - frozen
    executor: FuturesExecutor | Cluster | None = None,
) -> Executor:
    """The executor for a number of workers.

    With one worker, episodes run in this process, unless there is a time limit and an environment that others wrote:
    only a worker process can be ended. With `executor`, its workers run all episodes.

    Raises:
        ValueError: the engine does not serve the task.
        WorkersUnavailable: the task cannot be sent to worker processes, or the executor's workers cannot run it.
    """
    if executor is not None:
        from evonet.evaluation.executors.pooled import RemoteWorkers

        return RemoteWorkers(task, engine, executor, cores() if workers == "auto" else workers, faults)
    limited = faults.timeout is not None and runs_foreign_code(engine, task)
    if workers == 1 and not limited:
        return InProcess(task, engine)
    if workers != "auto":
        return worker_processes(task, engine, workers, faults)
    if limited or (runs_foreign_code(engine, task) and not _is_well_known(task)):
        return worker_processes(task, engine, cores(), faults)
    return AutoExecutor(task, engine, faults)


class AutoExecutor:
    """This process while evaluation is cheap; worker processes, one for each core, if they turn out to be faster.

    Worker processes start in the background once evaluation has taken a while, are tried for one evaluation, and are
    kept only if a step then takes less time. An engine that has threads of its own needs no processes. If none can
    start, a warning says so, and everything runs in this process: so this is for environments that come with Gymnasium
    or evonet, not for those that may hang or crash.

    Args:
        task: what an episode is.
        engine: name of the engine.
        faults: how to treat episodes that cannot be scored.

    Raises:
        ValueError: the engine does not serve the task.
    """

    isolated = False

    def __init__(
        self,
        task: Task,
        engine: EngineName = "auto",
        faults: FaultPolicy = FaultPolicy(),  # noqa: B008 - frozen
    ) -> None:
        self._task, self._engine, self._faults = task, engine, faults
        self._in_process = InProcess(task, engine)
        self._workers: WorkerProcesses | None = None
        self._seconds = 0.0
        self._step_seconds = math.inf
        self._cores = cores()
        self._undecided = True

    @property
    def engine_name(self) -> str:
        return self._in_process.engine_name

    def evaluate(
        self,
        genomes: FloatArray,
        individuals: IntArray,
        seeds: IntArray,
        normaliser: ObservationNormaliser | None,
        max_steps: int | None = None,
    ) -> list[EpisodeResults]:
        started = time.monotonic()
        executor: Executor = self._in_process
        try:
            if self._workers is not None and self._workers.processes.ready:
                executor = self._workers
            results = executor.evaluate(genomes, individuals, seeds, normaliser, max_steps)
        except WorkersUnavailable as error:
            self._dismiss_workers()
            warnings.warn(f"{error}; episodes run in this process", EvonetWarning, stacklevel=2)
            return self._in_process.evaluate(genomes, individuals, seeds, normaliser, max_steps)
        if self._undecided:
            self._compare_speed(executor, time.monotonic() - started, sum(chunk.steps for chunk in results))
        return results

    def _compare_speed(self, executor: Executor, seconds: float, steps: int) -> None:
        """Learn from an evaluation whether to start worker processes, to keep them, or to do without."""
        if executor is self._in_process:
            self._seconds += seconds
            self._step_seconds = seconds / max(steps, 1)
            if self._workers is None and self._seconds > _WORTH_TRYING:
                self._undecided = self._cores > 1 and not self._in_process.has_threads
                if self._undecided:
                    self._workers = worker_processes(self._task, self._engine, self._cores, self._faults)
                    self._workers.processes.start()
        else:
            self._undecided = False
            if seconds / max(steps, 1) * _WORTH_KEEPING > self._step_seconds:
                self._dismiss_workers()

    def _dismiss_workers(self) -> None:
        """Do without worker processes from now on."""
        self._undecided = False
        if self._workers is not None:
            self._workers.close()
            self._workers = None

    def close(self) -> None:
        self._in_process.close()
        if self._workers is not None:
            self._workers.close()


def worker_processes(task: Task, engine: EngineName, workers: int, faults: FaultPolicy) -> WorkerProcesses:
    """The executor that is so many worker processes; a run in this process starts without its module."""
    from evonet.evaluation.executors.pooled import WorkerProcesses

    return WorkerProcesses(task, engine, workers, faults)


def _is_well_known(task: Task) -> bool:
    """Whether the environment and its wrappers come with Gymnasium or evonet."""
    environment = task.environment
    if not isinstance(environment, EnvironmentSpec) or list(environment.imports):
        return False
    spec = gym.registry.get(environment.id)
    return spec is not None and str(spec.entry_point).startswith(("gymnasium.", "evonet."))
