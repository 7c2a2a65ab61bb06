"""The scheduler retries lost chunks: whatever is lost, and however often, only episodes that fail lack a result."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonet.environments.normaliser import ObservationNormaliser
from evonet.errors import TooManyFaults
from evonet.evaluation.executors import InProcess
from evonet.evaluation.executors.chunks import Chunk, ChunkFailure, ChunkResult
from evonet.evaluation.executors.pooled import PooledExecutor
from evonet.evaluation.fault_policy import FaultPolicy
from evonet.evaluation.results import EpisodeResults
from evonet.fitness import EpisodeReturn
from tests.environments_for_tests import Walk

TASK = EpisodeReturn(Walk, hidden=2, normalise_observations=True).task
NORMALISER = ObservationNormaliser(20, np.array([0.1, 0.2, 0.3]), np.array([20.0, 30.0, 40.0]))
EPISODES = 3
TOLERANT = {"max_share": 1.0}


class Roulette:
    """A pool that ends chunks in any order, loses those with a failing episode, and a few others too."""

    def __init__(self, failing, accidents, choose, kind="died"):
        self._engine = InProcess(TASK, "gymnasium")
        self._failing, self._accidents, self._choose, self._kind = failing, accidents, choose, kind
        self.workers = 2
        self.submitted, self.waiting, self.abandoned = [], [], False

    def submit(self, chunk):
        self.submitted.append(chunk)
        self.waiting.append(chunk)

    def next_done(self):
        chunk = self.waiting.pop(self._choose(len(self.waiting)))
        if self._failing & set(range(chunk.first, chunk.first + len(chunk))):
            return chunk, ChunkResult(failure=ChunkFailure(self._kind, "no more", "where it was"))
        if self._accidents and self._choose(4) == 0:
            self._accidents -= 1
            return chunk, ChunkResult(failure=ChunkFailure("died", "killed from outside"))
        (results,) = self._engine.evaluate(chunk.genomes, chunk.individuals, chunk.seeds, chunk.normaliser)
        return chunk, ChunkResult(results, 0.001 * len(chunk), "gymnasium")

    def abandon(self):
        self.abandoned = True
        self.waiting.clear()

    def close(self):
        pass


def executor_for(pool, **policy):
    return PooledExecutor(TASK, "gymnasium", FaultPolicy(**{**TOLERANT, **policy}), pool)


def episodes(n):
    genomes = np.random.default_rng(0).normal(size=(n, TASK.architecture.genome_size))
    return genomes, np.repeat(np.arange(n), EPISODES), np.tile(np.array([11, 12, 13]), n)


def evaluated(executor, n):
    genomes, individuals, seeds = episodes(n)
    return EpisodeResults.joined(executor.evaluate(genomes, individuals, seeds, NORMALISER), individuals, EPISODES)


def arrays(results, kept):
    every = [results.returns, results.lengths, results.terminated]
    sums = [results.observations.sums, results.observations.squares]
    return [a.ravel()[kept].tobytes() for a in every] + [a[kept].tobytes() for a in sums]


@given(
    st.integers(1, 9),
    st.sets(st.integers(0, 26), max_size=6),
    st.integers(0, 3),
    st.integers(0, 3),
    st.randoms(),
    st.data(),
)
def test_every_episode_that_does_not_fail_keeps_its_bits_whatever_is_lost_and_in_whatever_order(
    n, failing, retries, accidents, random, data
):
    failing = {episode for episode in failing if episode < n * EPISODES}
    pool = Roulette(failing, min(accidents, retries), random.randrange)
    executor = executor_for(pool, retries=retries)
    expected = evaluated(InProcess(TASK, "gymnasium"), n)
    for _ in range(2):  # the second time with chunks as they follow from the measured pace
        results = evaluated(executor, n)
        kept = sorted(set(range(n * EPISODES)) - failing)
        assert arrays(results, kept) == arrays(expected, kept)
        assert np.isnan(results.returns.ravel()[sorted(failing)]).all()
        assert [(f.individual, f.episode) for f in results.faults] == [divmod(g, EPISODES) for g in sorted(failing)]
        for fault in results.faults:
            assert (fault.seed, fault.kind, fault.step) == (11 + fault.episode, "died", None)
            assert (fault.message, fault.traceback, fault.attempts) == ("no more", "where it was", retries + 1)
        assert pool.waiting == []


def runs_of(pool, episode):
    return sum(chunk.first <= episode < chunk.first + len(chunk) for chunk in pool.submitted)


def test_a_failing_episode_runs_with_the_others_then_by_itself_and_its_neighbours_once_more():
    pool = Roulette({5}, 0, lambda n: 0)
    executor = executor_for(pool, retries=2)
    executor._scheduler.episode_seconds = 1e-9  # so that a chunk is as large as two workers leave it
    evaluated(executor, 4)
    first, second = pool.submitted[:2]
    assert [len(first), len(second)] == [6, 6]
    assert runs_of(pool, 5) == 4  # with all the others, and three trials of its own
    assert runs_of(pool, 4) == 2
    assert [runs_of(pool, episode) for episode in range(6, 12)] == [1] * 6


def test_the_episodes_of_a_lost_chunk_run_again_as_chunks_of_one():
    pool = Roulette({5}, 0, lambda n: 0)
    executor = executor_for(pool, retries=1)
    executor._scheduler.episode_seconds = 1e-9
    evaluated(executor, 4)
    again = [(chunk.first, len(chunk)) for chunk in pool.submitted[2:]]
    assert again == [*((first, 1) for first in range(6)), (5, 1)]


def test_the_time_limit_is_an_episodes_and_a_chunk_has_thrice_what_it_should_take_if_that_is_more():
    pool = Roulette(set(), 0, lambda n: 0)
    executor = executor_for(pool, timeout=0.25)
    evaluated(executor, 40)
    assert {chunk.limit for chunk in pool.submitted} == {0.25}
    executor._scheduler.episode_seconds = 0.04
    pool.submitted.clear()
    evaluated(executor, 40)
    assert {(len(chunk), round(chunk.limit, 9)) for chunk in pool.submitted} == {(7, 0.84), (8, 0.96)}  # 0.3 s of work
    executor._scheduler.episode_seconds = 0.04
    pool.submitted.clear()
    evaluated(executor, 10)
    assert len(pool.submitted) == 8  # four for each of two workers, as long as that is a tenth of a second
    pool = Roulette({0}, 0, lambda n: 0)
    executor = executor_for(pool, timeout=0.25, retries=0)
    evaluated(executor, 40)
    assert {chunk.limit for chunk in pool.submitted if len(chunk) == 1} == {0.25}


def test_a_single_episode_has_the_time_limit_itself():
    pool = Roulette(set(), 0, lambda n: 0)
    executor = executor_for(pool, timeout=0.25)
    executor._scheduler.episode_seconds = 4.0
    evaluated(executor, 2)
    assert {(len(chunk), chunk.limit) for chunk in pool.submitted} == {(1, 0.25)}


def test_what_was_lost_says_nothing_about_the_pace():
    pool = Roulette({0}, 0, lambda n: 0)
    executor = executor_for(pool)
    evaluated(executor, 20)
    assert executor._scheduler.episode_seconds == pytest.approx(0.001)


def test_evaluation_is_given_up_as_soon_as_more_individuals_are_lost_than_may():
    pool = Roulette(set(range(60)), 0, lambda n: 0)
    with pytest.raises(TooManyFaults) as stopped:
        evaluated(executor_for(pool, max_share=0.2, retries=0), 20)
    assert pool.abandoned
    assert len({fault.individual for fault in stopped.value.faults}) == 5
    assert all(fault.episode < EPISODES and fault.seed == 11 + fault.episode for fault in stopped.value.faults)
    assert str(stopped.value) == (
        "5 of 20 individuals failed, more than faults.max_share 0.2 allows; the first, died, seed 11: no more"
    )


def test_a_few_individuals_are_all_evaluated_whatever_share_fails():
    pool = Roulette(set(range(21)), 0, lambda n: 0)
    assert len(evaluated(executor_for(pool, max_share=0.2), 7).faults) == 21


def test_with_on_fault_stop_the_first_loss_ends_it():
    pool = Roulette({4}, 0, lambda n: 0, kind="timeout")
    with pytest.raises(TooManyFaults) as stopped:
        evaluated(executor_for(pool, on_fault="stop"), 3)
    assert str(stopped.value) == (
        "1 of 3 individuals failed, and faults.on_fault is 'stop'; the first, timeout, seed 12: no more"
    )


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, ValueError])
def test_who_leaves_an_evaluation_leaves_no_chunk_behind(error):
    pool = Roulette(set(), 0, lambda n: 0)

    def interrupted():
        raise error

    pool.next_done = interrupted
    with pytest.raises(error):
        evaluated(executor_for(pool), 3)
    assert pool.abandoned


def test_a_part_of_a_chunk_brings_the_genomes_that_it_needs_and_no_others():
    genomes, individuals, seeds = episodes(5)
    part = Chunk(0, genomes, individuals, seeds, None).part(4, 8, 1.0)
    assert part.first == 4
    assert part.genomes.tolist() == genomes[1:3].tolist()
    assert part.individuals.tolist() == [0, 0, 1, 1]
    inner = part.part(2, 4, 1.0)
    assert (inner.first, inner.genomes.tolist(), inner.individuals.tolist()) == (6, genomes[2:3].tolist(), [0, 0])
