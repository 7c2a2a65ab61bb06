"""Genomes × episode seeds become flat episodes and a table again, whatever runs the episodes."""

import numpy as np
import pytest

from evonet import EpisodeReturn
from evonet.environments.specification import EnvironmentSpec
from evonet.evaluation.evaluate import evaluate
from evonet.evaluation.executors import InProcess
from evonet.evaluation.gymnasium_engine import GymnasiumEngine
from evonet.evaluation.results import Fault
from tests.environments_for_tests import MODULE

FAULTY = EnvironmentSpec(f"{MODULE}:evonet-tests/Walk-v0", {"trouble": "raise", "at": 1, "seeds": [12]}, max_steps=20)
SEEDS = np.array([[11, 12], [13, 11], [12, 12]])


def parts():
    fitness = EpisodeReturn(FAULTY, hidden=3)
    return fitness.task, np.random.default_rng(0).normal(size=(3, fitness.architecture.genome_size))


@pytest.mark.parametrize("kind", ["engine", "executor"])
def test_each_genome_may_have_episodes_of_its_own(kind):
    task, genomes = parts()
    run = GymnasiumEngine(task).run if kind == "engine" else InProcess(task, "gymnasium").evaluate
    results = evaluate(run, genomes, SEEDS, None)
    assert results.returns.shape == (3, 2)
    for row, seeds in enumerate(SEEDS):
        alone = evaluate(run, genomes[row : row + 1], seeds, None)
        assert results.returns[row].tobytes() == alone.returns[0].tobytes()
        assert results.lengths[row].tolist() == alone.lengths[0].tolist()
    faults = [(fault.individual, fault.episode, fault.seed) for fault in results.faults]
    assert faults == [(0, 1, 12), (2, 0, 12), (2, 1, 12)]


def test_the_same_seeds_for_all_are_those_repeated():
    task, genomes = parts()
    run = GymnasiumEngine(task).run
    shared, own = evaluate(run, genomes, SEEDS[0], None), evaluate(run, genomes, np.tile(SEEDS[0], (3, 1)), None)
    assert shared.returns.tobytes() == own.returns.tobytes()
    assert [fault.individual for fault in shared.faults] == [0, 1, 2]


@pytest.mark.parametrize(("flat", "individual", "episode"), [(0, 0, 0), (2, 0, 2), (3, 1, 0), (4, 4, 0), (6, 4, 2)])
def test_a_flat_fault_is_numbered_among_the_episodes_of_its_individual(flat, individual, episode):
    fault = Fault(0, flat, 7, "died", None, "gone").for_individual(np.array([0, 0, 0, 1, 4, 4, 4]))
    assert (fault.individual, fault.episode, fault.seed) == (individual, episode, 7)
