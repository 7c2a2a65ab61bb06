"""A trial of an environment: a few steps of one episode, played twice, with another episode between and beside it.

An environment that repeats an episode gives the same observations, rewards and length the second time. One that does
not is tried with each setting that could repair it, which tells the cause.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from evonet.environments.normaliser import ObservationNormaliser
from evonet.environments.specification import EnvironmentSpec
from evonet.errors import EvonetError, WorkersUnavailable
from evonet.evaluation.executors import Executor, WorkerProcesses
from evonet.evaluation.executors.chunk_worker import close_environments, pickle_engine, unpickle_engine
from evonet.evaluation.gymnasium_engine import GymnasiumEngine
from evonet.evaluation.results import EpisodeResults, Fault
from evonet.task import Task
from evonet.types import FloatArray, IntArray

Cause = Literal["memory", "sharing", "memory and sharing", "randomness"]

_FEWEST, _MOST = 5, 23  # steps of an episode: with the first few, two episodes of 50 steps at most
_SECONDS = 10.0  # that a trial takes, unless the fewest steps take longer
_LONG_EPISODE = 0.3  # seconds at the step limit, from which an episode is measured to its end,
_LONGEST_MEASURE = 1.0  # if that takes no longer than this
_REPAIRED = 2  # trials that must repeat before a setting counts as the repair


@dataclass(frozen=True)
class Trial:
    """What a trial found.

    Attributes:
        cause: why the episode did not repeat: a reset leaves something behind ("memory"), instances share something
            ("sharing"), or both; "randomness" if no setting repairs it; None if the episode repeated.
        step_seconds: time of a step, with its share of the resets.
        lengths: steps of the episodes that were played to their end.
        faults: the faults of the episodes; with one, nothing is said about a repetition.
        refusal: the error of an environment that cannot be made beside another one; "" if it can.
    """

    cause: Cause | None
    step_seconds: float
    lengths: tuple[int, ...] = ()
    faults: tuple[Fault, ...] = ()
    refusal: str = ""


def trial(task: Task, genomes: FloatArray, seeds: IntArray) -> Trial:
    """Try an environment in this process.

    Args:
        task: what an episode is.
        genomes: `(2, genome_size)`, of the episode that is repeated and of the other one.
        seeds: seeds of the two episodes, `(2,)`.

    Raises:
        EvonetError: the environment cannot be made.
    """
    plays = _Plays(replace(task, max_steps=min(task.max_steps, _FEWEST)), genomes, seeds)
    with contextlib.closing(plays):
        plays.prepare()
        started = time.monotonic()
        brief = plays.run(0)
        seconds = (time.monotonic() - started) / max(brief.steps, 1)
    steps = int(np.clip(_SECONDS / 4 / max(seconds, 1e-9), _FEWEST, _MOST))
    whole, task = task, replace(task, max_steps=min(task.max_steps, steps))
    if brief.faults:
        return Trial(None, seconds, faults=tuple(brief.faults))
    try:
        first, other, second, seconds = _played(task, genomes, seeds)
    except EvonetError as error:
        return Trial(_cause(task, genomes, seeds), seconds, refusal=str(error).partition("\n")[0])
    lengths = tuple(int(each.lengths[0]) for each in (first, other) if each.lengths[0] < steps or each.terminated[0])
    faults = (*first.faults, *other.faults, *second.faults)
    if faults:
        return Trial(None, seconds, lengths, faults)
    if not lengths and whole.max_steps * seconds > _LONG_EPISODE:
        lengths = _measured(whole, genomes, seeds, int(_LONGEST_MEASURE / seconds))
    repeats = _same(first, second) and _same(brief, first)
    return Trial(None if repeats else _cause(task, genomes, seeds), seconds, lengths)


def try_out(task: Task, executor: Executor, genomes: FloatArray, seeds: IntArray, limit: float) -> Trial | None:
    """Try an environment where an executor runs its episodes: in this process, or in a worker process.

    Args:
        task: what an episode is.
        executor: runs the episodes; if its workers are elsewhere, the trial has a worker process of its own here.
        genomes: `(2, genome_size)`.
        seeds: `(2,)`.
        limit: seconds that a trial in a worker process may take.

    Returns:
        What the trial found; None if the worker process ends or hangs, which an evaluation then says better.

    Raises:
        EvonetError: the environment cannot be made in this process.
    """
    if not executor.isolated:
        return trial(task, genomes, seeds)
    from evonet.processes.pool import Call, WorkerPool  # their imports cost a run without worker processes 20 ms

    call = Call(_unpickled_trial, (pickle_engine(task, "gymnasium"), genomes, seeds), limit)
    with contextlib.ExitStack() as stack:
        pool = executor.processes if isinstance(executor, WorkerProcesses) else stack.enter_context(WorkerPool(1))
        try:
            pool.submit(call)
            _, reply = pool.next_done()
        except WorkersUnavailable:
            return None
    if reply.error is not None and reply.error.traceback:  # no error of an environment, which the trial would tell
        raise reply.error
    found: Trial | None = reply.value
    return found


def _unpickled_trial(pickled: bytes, genomes: FloatArray, seeds: IntArray) -> Trial:
    close_environments()  # a second one, beside the worker's own, may be impossible to make
    task, _ = unpickle_engine(pickled)
    return trial(task, genomes, seeds)


class _Plays:
    """Episodes in new instances of an environment, which stay open from one play to the next.

    Args:
        task: what an episode is; its network inputs are recorded.
        genomes: `(n, genome_size)`.
        seeds: seed of each genome's episode, `(n,)`.
    """

    def __init__(self, task: Task, genomes: FloatArray, seeds: IntArray) -> None:
        self._engine = GymnasiumEngine(replace(task, recorded=task.max_steps), slots=2)
        self._genomes, self._seeds = genomes, np.asarray(seeds, dtype=np.int64)
        inputs = task.architecture.num_inputs
        self._normaliser = ObservationNormaliser.fresh(inputs) if task.normalise else None

    def prepare(self) -> None:
        """Make the first instance."""
        self._engine.prepare(1)

    def run(self, *episodes: int) -> EpisodeResults:
        """Play episodes side by side, each with its own genome and seed."""
        rows = np.array(episodes)
        return self._engine.run(self._genomes[rows], np.arange(len(rows)), self._seeds[rows], self._normaliser)

    def close(self) -> None:
        self._engine.close()


def _played(
    task: Task, genomes: FloatArray, seeds: IntArray
) -> tuple[EpisodeResults, EpisodeResults, EpisodeResults, float]:
    """The results of the episode, of the other one, and of both side by side, and the time of a step."""
    with contextlib.closing(_Plays(task, genomes, seeds)) as plays:
        plays.prepare()
        started = time.monotonic()
        first, other = plays.run(0), plays.run(1)
        seconds = (time.monotonic() - started) / max(first.steps + other.steps, 1)
        return first, other, plays.run(0, 1), seconds


def _measured(task: Task, genomes: FloatArray, seeds: IntArray, most_steps: int) -> tuple[int, ...]:
    """The length of the episode; nothing if it takes more than `most_steps`, or fails."""
    limit = min(task.max_steps, most_steps)
    if limit < 1:
        return ()
    normaliser = ObservationNormaliser.fresh(task.architecture.num_inputs) if task.normalise else None
    with contextlib.closing(GymnasiumEngine(replace(task, max_steps=limit), slots=1)) as engine:
        results = engine.run(genomes[:1], np.zeros(1, np.int64), seeds[:1], normaliser)
    length = int(results.lengths[0])
    return () if results.faults or (length == limit < task.max_steps and not results.terminated[0]) else (length,)


def _same(one: EpisodeResults, two: EpisodeResults) -> bool:
    """Whether the first episodes of two results agree, as far as the shorter record goes."""
    assert one.inputs is not None
    assert two.inputs is not None
    steps = min(one.inputs.shape[1], two.inputs.shape[1])
    if steps == one.inputs.shape[1] == two.inputs.shape[1]:
        ends = [np.array([each.returns[0], each.lengths[0], each.terminated[0]]) for each in (one, two)]
        if not np.array_equal(ends[0], ends[1], equal_nan=True):
            return False
    return np.array_equal(one.inputs[0, :steps], two.inputs[0, :steps])


def _cause(task: Task, genomes: FloatArray, seeds: IntArray) -> Cause:
    """The cause why an episode does not repeat, which follows from the setting that repairs it."""
    alone = replace(task, instances=1)
    settings: list[tuple[Cause, Task]] = [] if task.instances == 1 else [("sharing", alone)]
    environment = task.environment
    if isinstance(environment, EnvironmentSpec) and not environment.hard_reset:
        remade = replace(environment, hard_reset=True)
        settings += [("memory", replace(task, environment=remade))]
        settings += [] if task.instances == 1 else [("memory and sharing", replace(alone, environment=remade))]
    return next((cause for cause, repaired in settings if _repeats(repaired, genomes, seeds)), "randomness")


def _repeats(task: Task, genomes: FloatArray, seeds: IntArray) -> bool:
    try:
        for _ in range(_REPAIRED):
            first, _, second, _ = _played(task, genomes, seeds)
            if first.faults or not _same(first, second):
                return False
    except EvonetError:  # it cannot be made with this setting
        return False
    return True
