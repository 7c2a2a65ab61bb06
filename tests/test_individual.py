"""An individual is a genome with its id, generation, training fitness and normaliser; a champion is one with scores."""

import copy
import pickle
from dataclasses import fields, replace

import numpy as np
import pytest

from evonet import Architecture, Champion, EpisodeReturn
from evonet.environments.normaliser import ObservationNormaliser
from evonet.errors import EnvironmentUnavailable
from evonet.individual import Individual

ARCHITECTURE = Architecture(3, 4, 1, "tanh", "identity")
GENOME = np.linspace(-1.0, 1.0, ARCHITECTURE.genome_size)


def test_a_champion_is_an_individual_with_its_task_and_scores():
    assert issubclass(Champion, Individual)
    own = {field.name for field in fields(Champion)} - {field.name for field in fields(Individual)}
    assert own == {"task", "validation", "test", "scored_digest"}


def test_an_individual_that_nothing_is_known_of_has_no_fitness_and_no_normaliser():
    one = Individual(ARCHITECTURE, GENOME)
    assert (one.id, one.generation, one.training_fitness, one.normaliser) == (0, 0, -np.inf, None)


def test_the_network_shares_the_genome():
    one = Individual(ARCHITECTURE, GENOME.copy())
    assert np.shares_memory(one.network.genome, one.genome)
    one.network.hidden_bias[:] = 7.0
    assert one.genome[ARCHITECTURE.slices["hidden_bias"]].tolist() == [7.0] * 4


@pytest.mark.parametrize("kind", [Individual, Champion])
def test_a_genome_of_another_size_is_refused(kind):
    with pytest.raises(
        ValueError, match=rf"^{kind.__name__}\.genome must have shape \(21,\) for 3-4-1 .*, got \(20,\)$"
    ):
        kind(ARCHITECTURE, GENOME[:-1])


def test_an_individual_acts_in_the_environment_of_a_task_under_its_own_normaliser():
    task = EpisodeReturn("Pendulum-v1", hidden=4).task
    normaliser = ObservationNormaliser(4, np.array([0.5, 0.0, 1.0]), np.array([4.0, 1.0, 9.0]))
    plain, normalised = Individual(ARCHITECTURE, GENOME), Individual(ARCHITECTURE, GENOME, normaliser=normaliser)
    observation = np.array([1.0, 0.5, 0.2], np.float32)
    champion = Champion(ARCHITECTURE, GENOME, task=task, normaliser=normaliser)
    assert normalised.policy_for(task).act(observation) == champion.act(observation)
    assert plain.policy_for(task).act(observation) != champion.act(observation)


def test_without_a_task_an_individual_cannot_act():
    with pytest.raises(EnvironmentUnavailable, match=r"^this individual was scored by a function"):
        Individual(ARCHITECTURE, GENOME).policy_for(None)


@pytest.mark.parametrize("copied", [lambda one: pickle.loads(pickle.dumps(one)), copy.deepcopy], ids=["pickle", "copy"])
def test_a_champion_that_has_acted_can_be_copied(copied):
    task = EpisodeReturn("Pendulum-v1", hidden=4).task
    champion = Champion(ARCHITECTURE, GENOME, task=task, id=5)
    action = champion.act(np.zeros(3, np.float32))
    twin = copied(champion)
    assert (twin.id, twin.genome.tobytes()) == (5, champion.genome.tobytes())
    assert not np.shares_memory(twin.genome, champion.genome)
    twin.genome[:] = 0.0
    assert twin.act(np.zeros(3, np.float32)) != action
    assert champion.act(np.zeros(3, np.float32)) == action


def test_replace_keeps_what_it_is_not_given():
    one = Individual(ARCHITECTURE, GENOME, id=5, generation=2, training_fitness=1.5)
    other = replace(one, genome=np.zeros_like(GENOME))
    assert (other.id, other.generation, other.training_fitness) == (5, 2, 1.5)
    assert not other.network.genome.any()
