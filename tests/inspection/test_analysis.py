"""Analyses of champions, tested on networks whose results are known."""

import numpy as np
import pytest

from evonet import Architecture, Champion, EpisodeReturn
from evonet.environments.known import KNOWN, parameters_of
from evonet.environments.specification import EnvironmentSpec
from evonet.evaluation.gymnasium_engine import GymnasiumEngine
from evonet.inspection.analysis.ancestry import family, payoffs
from evonet.inspection.analysis.influence import (
    action_influence,
    neuron_states,
    sampled_observations,
    without_inputs,
    without_neurons,
)
from evonet.inspection.analysis.policy import policy_surface, policy_table
from evonet.inspection.analysis.robustness import landscape, observation_noise, parameter_sweeps, weight_noise
from evonet.inspection.analysis.trajectory import actions_for, numbers_of, trajectories
from evonet.inspection.analysis.trials import Trials
from evonet.inspection.loaded_run import load_run
from evonet.seeding import Purpose, episode_seeds
from tests.environments_for_tests import MODULE
from tests.stopped_runs import lineage_of

SEEDS = episode_seeds(0, Purpose.REPLAY, 0, 4)


@pytest.fixture(scope="module")
def balancer():
    """CartPole: pushes whither the pole falls, by its angle and its angular velocity only; hidden neuron 2 is idle."""
    fitness = EpisodeReturn("CartPole-v1", hidden=3, max_steps=100)
    genome = np.zeros(fitness.architecture.genome_size)
    blocks = fitness.architecture.views(genome)
    blocks["input_hidden_weights"][2:, 0] = [1.0, 0.5]
    blocks["hidden_bias"][1] = 9.0
    blocks["hidden_output_weights"][0] = [-1.0, 1.0]
    return Champion(fitness.architecture, genome, task=fitness.task)


@pytest.fixture(scope="module")
def episodes(balancer):
    return list(trajectories(balancer, SEEDS))


def test_a_trajectory_is_the_episode_that_an_engine_runs(balancer, episodes):
    results = GymnasiumEngine(balancer.task).run(balancer.genome[None, :], np.zeros(4, np.int64), SEEDS, None)
    assert [episode.total for episode in episodes] == results.returns.tolist()
    assert [len(episode) for episode in episodes] == results.lengths.tolist()
    first = episodes[0]
    assert first.hidden.shape == (len(first), 3)
    assert (first.actions[:, 0] == first.outputs.argmax(axis=1)).all()
    assert (actions_for(balancer, first.observations) == first.actions).all()


def test_a_recurrent_champion_decides_from_its_memory(continuous_run):
    champion = load_run(continuous_run).champion
    episode = next(trajectories(champion, SEEDS[:1]))
    np.testing.assert_allclose(actions_for(champion, episode.observations, episode.memory), episode.actions, rtol=1e-6)
    assert not np.allclose(actions_for(champion, episode.observations), episode.actions, rtol=1e-6)


@pytest.mark.parametrize("trouble", ["raise", "raise in reset", "nan observation", "wrong shape"])
def test_an_environment_that_fails_ends_the_trajectory_and_says_why(trouble):
    fitness = EpisodeReturn(EnvironmentSpec(f"{MODULE}:evonet-tests/Walk-v0", {"trouble": trouble}), hidden=2)
    champion = Champion(fitness.architecture, np.ones(fitness.architecture.genome_size), task=fitness.task)
    (episode,) = trajectories(champion, SEEDS[:1])
    assert episode.fault
    assert len(episode) == len(episode.observations) == (0 if trouble == "raise in reset" else len(episode.hidden))


def test_actions_of_any_space_become_numbers():
    action = {"a": 2, "b": (np.array([0.5, 1.5]), np.array([1, 0]))}
    assert numbers_of(action).tolist() == [2, 0.5, 1.5, 1, 0]


def test_inputs_that_are_not_read_have_no_influence(balancer, episodes):
    influence = action_influence(balancer, episodes)
    assert influence[:2].tolist() == [0, 0]
    assert (influence[2:] > 0.05).all()


def test_removing_a_part_lowers_the_return_only_if_the_network_uses_it(balancer, episodes):
    with Trials(balancer.task, None, balancer.genome, SEEDS) as trials:
        neurons = without_neurons(balancer, trials, [0, 1, 2], 1.0)
        inputs = without_inputs(balancer, episodes, trials, [0, 3], 1.0)
    assert neurons.episodes == 4
    assert neurons.means[0] < neurons.whole / 2
    assert neurons.means[1:].tolist() == [neurons.whole, neurons.whole]
    assert inputs.means[0] == inputs.whole
    assert inputs.means[1] < inputs.whole


def test_dead_and_saturated_neurons_are_found(balancer, episodes):
    hidden = np.concatenate([episode.hidden for episode in episodes])
    assert neuron_states(balancer.architecture, hidden) == ["active", "dead", "dead"]
    shape = Architecture(1, 2, 1, hidden_activation="tanh")
    values = np.array([[0.999, 0.1], [-0.999, 0.5], [1.0, -0.5]])
    assert neuron_states(shape, values) == ["saturated", "active"]
    unbounded = Architecture(1, 2, 1, hidden_activation="relu")
    assert neuron_states(unbounded, np.array([[0.0, 5.0], [0.0, 9.0]])) == ["dead", "active"]


def test_the_policy_is_mapped_where_the_champion_was(balancer, episodes):
    surface = policy_surface(balancer, episodes, [2, 3])
    assert surface.actions.shape == (61, 61, 1)
    angle, speed = np.meshgrid(surface.x, surface.y)
    clear = np.abs(angle + speed / 2) > 1e-9
    assert ((surface.actions[:, :, 0] == 1) == (angle + speed / 2 > 0))[clear].all()
    seen = sampled_observations(episodes)[0][:, 2]
    assert surface.x[0] < seen.min() < seen.max() < surface.x[-1] or surface.x[-1] > np.quantile(seen, 0.99)


def test_a_discrete_observation_has_a_table(discrete_run):
    champion = load_run(discrete_run).champion
    table = policy_table(champion)
    assert table.tolist() == [champion.act(value) for value in range(16)]


def test_without_noise_a_sweep_is_the_champion_itself(balancer, episodes):
    seen, _ = sampled_observations(episodes)
    noisy = observation_noise(balancer, balancer.task, SEEDS, seen, 5.0)
    again = observation_noise(balancer, balancer.task, SEEDS, seen, 5.0)
    with Trials(balancer.task, None, balancer.genome, SEEDS) as trials:
        weights = weight_noise(balancer, trials, 50.0)
        own = trials.run(balancer.genome[None, :], 4).returns.mean()
    assert noisy.means[0] == weights.means[0] == own
    assert weights.means[-1] < own
    assert (noisy.means == again.means).all()
    assert noisy.episodes == 4


def test_a_misread_observation_is_one_that_was_seen(discrete_run):
    champion = load_run(discrete_run).champion
    seen = np.eye(16)[[0]]
    sweep = observation_noise(champion, champion.task, SEEDS, seen, 5.0)
    assert sweep.name == "share of observations misread"
    assert sweep.levels[-1] == 0.5


def test_the_champion_is_in_the_middle_of_its_landscape(balancer):
    with Trials(balancer.task, None, balancer.genome, SEEDS) as trials:
        found = landscape(balancer, trials, 0.2)
        own = trials.run(balancer.genome[None, :], found.episodes).returns.mean()
    middle = len(found.steps) // 2
    assert found.steps[middle] == 0
    assert found.means[middle, middle] == own


@pytest.mark.parametrize("hard_reset", [False, True])
@pytest.mark.parametrize("name", ["CartPole-v1", "Pendulum-v1", "MountainCar-v0", "Acrobot-v1", "FrozenLake-v1"])
def test_parameters_are_read_and_changed_in_the_environment(name, hard_reset):
    specification = EnvironmentSpec(name, hard_reset=hard_reset)
    for parameter in KNOWN[name].parameters:
        own, values = parameter.values(specification)
        assert own in values
        assert len(values) >= 4
        changed = parameter.changed(specification, values[0])
        environment = changed.make() if isinstance(changed, EnvironmentSpec) else changed()
        environment.reset(seed=1)
        environment.step(environment.action_space.sample())
        assert parameter.read(environment.unwrapped) == pytest.approx(values[0])
        environment.close()


def test_a_changed_mass_changes_all_that_follows_from_it():
    (changed,) = [each for each in KNOWN["CartPole-v1"].parameters if each.name.startswith("cart mass")]
    environment = changed.changed(EnvironmentSpec("CartPole-v1"), 2.0)().unwrapped
    assert environment.total_mass == 2.0 + environment.masspole


def test_parameters_are_swept_with_the_own_value_among_them(balancer):
    parameters = KNOWN["CartPole-v1"].parameters[:2]
    sweeps = list(parameter_sweeps(balancer, balancer.task, SEEDS, parameters, 1.0))
    assert [sweep.name for sweep in sweeps] == ["pole length (half, m)", "pole mass (kg)"]
    for sweep in sweeps:
        assert sweep.own in sweep.levels
        assert np.isfinite(sweep.means).all()


def test_numeric_arguments_of_an_unknown_environment_are_its_parameters():
    specification = EnvironmentSpec("evonet-tests/Obedient-v0", {"pause": 0.5, "only": None})
    environment = specification.make()
    (parameter,) = parameters_of(specification, environment)
    assert parameter.name == "pause"
    assert parameter.changed(specification, 0.0).kwargs == {"pause": 0.0, "only": None}
    assert parameters_of(lambda: environment, environment) == ()


def entry(generation, ids, parents, operators, fitness):
    return {
        "generation": generation,
        "ids": ids,
        "parents": parents,
        "operators": operators,
        "operator_names": ["cross", "mutate"],
        "fitness": fitness,
    }


@pytest.fixture(scope="module")
def lineage():
    return lineage_of(
        [
            entry(0, [0, 1, 2], [[-1, -1]] * 3, [0, 0, 0], [1.0, 2.0, None]),
            entry(1, [3, 4], [[0, 1], [2, -1]], [3, 2], [3.0, 9.0]),
            entry(2, [5, 6], [[3, 4], [1, -1]], [3, 2], [2.5, 8.0]),
        ]
    )


def test_a_family_has_the_line_and_all_second_parents(lineage):
    found = family(lineage, lineage.descent(5))
    assert [each.individual for each in found.line] == [0, 3, 5]
    assert sorted(found.others) == [1, 2, 4]
    assert sorted(found.edges) == [(0, 3), (1, 3), (2, 4), (3, 5), (4, 5)]
    assert sorted(family(lineage, lineage.descent(5), most=1).others) == [1]


def test_payoffs_of_operators_are_the_gains_of_their_children(lineage):
    both, mutation = payoffs(lineage, lineage.descent(5))
    assert (both.operators, both.births, both.improved, both.in_line) == (("cross", "mutate"), 2, 0.5, 2)
    assert (mutation.operators, mutation.births, mutation.improved) == (
        ("mutate",),
        1,
        1.0,
    )  # 4's parent has no fitness
    assert mutation.median_gain == 6.0


def test_a_lineage_without_parents_has_no_payoffs():
    alone = lineage_of([entry(0, [0], [[-1, -1]], [0], [1.0])])
    assert payoffs(alone, alone.descent(0)) == []
    assert payoffs(lineage_of([]), []) == []
