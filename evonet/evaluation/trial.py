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

_BRIEF_STEPS = 5
"""Steps of the first episode, which tells the time of a step."""

_MAX_STEPS = 23
"""Steps of an episode that is compared with its repetition; fewer, but at least the brief ones, if steps are slow."""

_SECONDS = 10.0
"""Time that the compared episodes may take; the number of their steps follows from it."""

_LONG_EPISODE = 0.3
"""Seconds. If an episode may take longer, one is played to its end, because a run's costs depend on the length."""

_LONGEST_MEASUREMENT = 1.0
"""Seconds after which the episode that is played to its end is given up."""

_REPETITIONS = 2
"""Repetitions that must succeed before a setting counts as the repair."""


@dataclass(frozen=True)
class Trial:
    """What a trial found.

    Attributes:
        cause: why the episode did not repeat: a reset leaves something behind ("memory"), instances share something
            ("sharing"), or both; "randomness" if no setting repairs it; None if the episode repeated.
        step_seconds: time of a step, with its share of the resets.
        lengths: steps of the episodes that were played to their end.
        faults: the faults of the episodes; with one, nothing is said about a repetition.
        second_error: why a second environment could not be made while the first was open; "" if it could.
    """

    cause: Cause | None
    step_seconds: float
    lengths: tuple[int, ...] = ()
    faults: tuple[Fault, ...] = ()
    second_error: str = ""


def trial(task: Task, genomes: FloatArray, seeds: IntArray) -> Trial:
    """Try an environment in this process.

    Args:
        task: what an episode is.
        genomes: `(2, genome_size)`, of the episode that is repeated and of the other one.
        seeds: seeds of the two episodes, `(2,)`.

    Raises:
        EvonetError: the environment cannot be made.
    """
    brief, seconds = _brief(task, genomes, seeds)
    if brief.faults:
        return Trial(None, seconds, faults=tuple(brief.faults))
    steps = int(np.clip(_SECONDS / 4 / max(seconds, 1e-9), _BRIEF_STEPS, _MAX_STEPS))
    short = _recorded(task, steps)
    try:
        first, other, second, seconds = _played(short, genomes, seeds)
    except EvonetError as error:
        return Trial(_cause(short, genomes, seeds), seconds, second_error=str(error).partition("\n")[0])
    lengths = tuple(int(each.lengths[0]) for each in (first, other) if each.lengths[0] < steps or each.terminated[0])
    faults = (*first.faults, *other.faults, *second.faults)
    if faults:
        return Trial(None, seconds, lengths, faults)
    if not lengths and task.max_steps * seconds > _LONG_EPISODE:
        lengths = _whole_length(task, genomes, seeds, int(_LONGEST_MEASUREMENT / seconds))
    repeats = _same(first, second) and _same(brief, first)
    return Trial(None if repeats else _cause(short, genomes, seeds), seconds, lengths)


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


class _OpenEnvironments:
    """New environments that stay open from one episode to the next.

    Args:
        task: what an episode is.
        genomes: `(n, genome_size)`.
        seeds: seed of each genome's episode, `(n,)`.
    """

    def __init__(self, task: Task, genomes: FloatArray, seeds: IntArray) -> None:
        self._engine = GymnasiumEngine(task, slots=2)
        self._genomes, self._seeds = genomes, np.asarray(seeds, dtype=np.int64)
        inputs = task.architecture.num_inputs
        self._normaliser = ObservationNormaliser.fresh(inputs) if task.normalise else None
        self._engine.prepare(1)

    def play(self, *episodes: int) -> EpisodeResults:
        """Play episodes side by side, each with its own genome and seed."""
        rows = np.array(episodes)
        return self._engine.run(self._genomes[rows], np.arange(len(rows)), self._seeds[rows], self._normaliser)

    def close(self) -> None:
        self._engine.close()


def _recorded(task: Task, steps: int) -> Task:
    """The task with episodes of at most `steps` steps, whose network inputs are recorded."""
    steps = min(task.max_steps, steps)
    return replace(task, max_steps=steps, recorded=steps)


def _brief(task: Task, genomes: FloatArray, seeds: IntArray) -> tuple[EpisodeResults, float]:
    """The results of the first few steps of the episode, and the time of a step."""
    with contextlib.closing(_OpenEnvironments(_recorded(task, _BRIEF_STEPS), genomes, seeds)) as environments:
        started = time.monotonic()
        results = environments.play(0)
        return results, (time.monotonic() - started) / max(results.steps, 1)


def _played(
    task: Task, genomes: FloatArray, seeds: IntArray
) -> tuple[EpisodeResults, EpisodeResults, EpisodeResults, float]:
    """The results of the episode, of the other one, and of both side by side, and the time of a step."""
    with contextlib.closing(_OpenEnvironments(task, genomes, seeds)) as environments:
        started = time.monotonic()
        first, other = environments.play(0), environments.play(1)
        seconds = (time.monotonic() - started) / max(first.steps + other.steps, 1)
        return first, other, environments.play(0, 1), seconds


def _whole_length(task: Task, genomes: FloatArray, seeds: IntArray, most_steps: int) -> tuple[int, ...]:
    """The length of the episode; nothing if it takes more than `most_steps`, or fails."""
    limit = min(task.max_steps, most_steps)
    if limit < 1:
        return ()
    with contextlib.closing(_OpenEnvironments(replace(task, max_steps=limit), genomes, seeds)) as environments:
        results = environments.play(0)
    length = int(results.lengths[0])
    unfinished = length == limit < task.max_steps and not results.terminated[0]
    return () if results.faults or unfinished else (length,)


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
        for _ in range(_REPETITIONS):
            first, _, second, _ = _played(task, genomes, seeds)
            if first.faults or not _same(first, second):
                return False
    except EvonetError:  # it cannot be made with this setting
        return False
    return True
