"""What a executor promises: the results of this process, to the bit, wherever episodes run."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from evonet.environments.normaliser import ObservationNormaliser
from evonet.evaluation.engine import EngineName
from evonet.evaluation.executors import Executor, InProcess
from evonet.evaluation.results import EpisodeResults, Fault
from evonet.task import Task
from evonet.testing.contract import require, run_checks, same_bits, unchanged

_SEEDS = np.array([11, 12, 13])


def check_executor(executor: Executor, task: Task) -> None:
    """Hold a executor of a task to its contract.

    For one genome, two and thirteen it returns what this process would, bit for bit: returns, lengths, measures,
    observations and faults, numbered alike; however often it is asked.

    Args:
        executor: which stays open.
        task: that it was made for; one in which some episodes fail shows most.

    Raises:
        AssertionError: a promise is broken; the message says which.
    """
    run_checks(CHECKS, executor, task)


def check_results_are_those_of_this_process(executor: Executor, task: Task) -> None:
    """Bit for bit, faults too."""
    evaluate(executor, task, 1)  # by then it knows which engine it runs
    here = InProcess(task, cast("EngineName", executor.engine_name))
    try:
        for n in (1, 2, 13):
            found, expected = evaluate(executor, task, n), evaluate(here, task, n)
            for name in ("returns", "lengths", "terminated"):
                same = same_bits(getattr(found, name), getattr(expected, name))
                require(same, f"for {n} genomes, {name} must be those of this process, bit for bit")
            require(_measures(found) == _measures(expected), f"for {n} genomes, measures must be those of this process")
            require(
                _sums(found) == _sums(expected), f"for {n} genomes, sums of observations must be those of this process"
            )
            faults = [_facts(fault) for fault in found.faults]
            wanted = [_facts(fault) for fault in expected.faults]
            require(faults == wanted, f"for {n} genomes, faults must be {wanted}, got {faults}")
    finally:
        here.close()


def check_asked_again_it_answers_the_same(executor: Executor, task: Task) -> None:
    """By workers that have served before."""
    first, second = evaluate(executor, task, 5), evaluate(executor, task, 5)
    same = same_bits(first.returns, second.returns) and same_bits(first.lengths, second.lengths)
    same = same and _measures(first) == _measures(second)
    require(same and _sums(first) == _sums(second), "asked again, it must return the same bits")


CHECKS = (check_results_are_those_of_this_process, check_asked_again_it_answers_the_same)


def evaluate(executor: Executor, task: Task, n: int) -> EpisodeResults:
    """Results `(n, 3)` of n random genomes."""
    rng = np.random.default_rng(0)
    genomes = rng.normal(size=(n, task.architecture.genome_size))
    inputs = task.architecture.num_inputs
    seen = ObservationNormaliser(20, rng.normal(size=inputs), rng.uniform(20.0, 40.0, inputs))
    individuals, seeds = np.repeat(np.arange(n), len(_SEEDS)), np.tile(_SEEDS, n)
    with unchanged(type(executor).__name__, genomes=genomes, individuals=individuals, seeds=seeds):
        chunks = executor.evaluate(genomes, individuals, seeds, seen if task.normalise else None)
    return EpisodeResults.joined(chunks, individuals, len(_SEEDS))


def _measures(results: EpisodeResults) -> bytes | None:
    return None if results.measures is None else results.measures.tobytes()


def _sums(results: EpisodeResults) -> list[bytes]:
    sums = results.observations
    return [] if sums is None else [sums.sums.tobytes(), sums.squares.tobytes()]


def _facts(fault: Fault) -> tuple[Any, ...]:
    return fault.individual, fault.episode, fault.seed, fault.kind, fault.step, fault.message
