"""The engine for any environment: a pure function that agrees with a plain loop; faults stay where they are."""

import math
import sys
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest

from evonet.environments.normaliser import ObservationNormaliser
from evonet.environments.specification import EnvironmentSpec
from evonet.environments.wrappers import Wrapper
from evonet.errors import EvonetWarning
from evonet.evaluation.cartpole_vector_engine import VectorEngine
from evonet.evaluation.engines import real_engine
from evonet.evaluation.gymnasium_engine import GymnasiumEngine
from evonet.evaluation.results import EpisodeResults
from evonet.fitness import EpisodeReturn
from evonet.foreign import without_place
from evonet.network import NeuralNetwork
from tests.environments_for_tests import MODULE, Endless, Walk, make_walk

EPISODES = 4
SEEDS = np.array([11, 12, 13, 14])
SLOTS = (1, 3, 16)


def task_for(environment, **settings):
    fitness = EpisodeReturn(environment, engine="gymnasium", **settings)
    fitness.close()
    return fitness.task


def genomes_for(task, n, seed=0):
    return np.random.default_rng(seed).normal(size=(n, task.architecture.genome_size))


def run(task, genomes, seeds=SEEDS, slots=16, normaliser=None):
    """Results `(n, episodes)` of a fresh engine."""
    engine = GymnasiumEngine(task, slots)
    try:
        individuals = np.repeat(np.arange(len(genomes)), len(seeds))
        flat = engine.run(genomes, individuals, np.tile(seeds, len(genomes)), normaliser)
    finally:
        engine.close()
    return EpisodeResults.joined([flat], individuals, len(seeds))


def bits(results):
    sums = results.observations
    arrays = [results.returns, results.lengths, results.terminated]
    return [a.tobytes() for a in arrays + ([] if sums is None else [sums.sums, sums.squares])]


def by_hand(environment, network, seed, action_of, inputs_of=np.asarray, limit=1000):
    """An episode as a textbook has it: return, length, whether it terminated, and all inputs that the network met."""
    observation, _ = environment.reset(seed=int(seed))
    network.reset()
    total, met = 0.0, []
    for _ in range(limit):
        met.append(np.asarray(inputs_of(observation), dtype=np.float64))
        action = action_of(network.predict(met[-1]))
        observation, reward, terminated, truncated, _ = environment.step(action)
        total += float(reward)
        if terminated or truncated:
            break
    return total, len(met), terminated, np.array(met)


def one_hot(size):
    return lambda observation: np.eye(size)[observation]


REAL = {
    "CartPole-v1": (np.argmax, np.asarray, {}),
    "Acrobot-v1": (np.argmax, np.asarray, {"max_steps": 60}),
    "MountainCar-v0": (np.argmax, np.asarray, {"hidden_activation": "relu"}),
    "Pendulum-v1": (lambda out: (np.tanh(out) * 2).astype(np.float32), np.asarray, {}),
    "FrozenLake-v1": (np.argmax, one_hot(16), {"bias": False}),
}


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("recurrent", [False, True], ids=["feedforward", "recurrent"])
def test_returns_and_lengths_are_those_of_a_plain_loop_over_the_real_environment(name, recurrent):
    action_of, inputs_of, settings = REAL[name]
    task = task_for(name, hidden=5, recurrent=recurrent, **settings)
    genomes = genomes_for(task, 3, seed=2)
    results = run(task, genomes, SEEDS[:2], slots=4)
    environment = gym.make(name, max_episode_steps=settings.get("max_steps"))
    for i, genome in enumerate(genomes):
        network = NeuralNetwork.from_genome(task.architecture, genome)
        for e, seed in enumerate(SEEDS[:2]):
            total, length, terminated, _ = by_hand(environment, network, seed, action_of, inputs_of)
            assert results.returns[i, e] == total
            assert results.lengths[i, e] == length
            assert results.terminated[i, e] == terminated
    assert results.faults == []
    environment.close()


def test_an_action_answers_the_latest_observation_not_the_first():
    task = task_for(make_walk, hidden=6)
    for genome in genomes_for(task, 5):
        network = NeuralNetwork.from_genome(task.architecture, genome)
        expected = [by_hand(Walk(), network, seed, np.argmax)[0] for seed in SEEDS]
        assert run(task, genome[None]).returns[0].tolist() == expected
        frozen = []

        def first(observation, frozen=frozen):
            frozen.append(observation)
            return frozen[0]

        assert by_hand(Walk(), network, SEEDS[0], np.argmax, first)[0] != expected[0]


@pytest.mark.parametrize("recurrent", [False, True], ids=["feedforward", "recurrent"])
@pytest.mark.parametrize("normalise", [False, True], ids=["raw", "normalised"])
def test_slots_change_no_bit(recurrent, normalise):
    task = task_for(make_walk, hidden=4, recurrent=recurrent, normalise_observations=normalise)
    normaliser = ObservationNormaliser(50, np.array([0.1, -0.2, 0.3]), np.array([40.0, 60.0, 50.0]))
    genomes = genomes_for(task, 9)
    one, *others = (run(task, genomes, slots=slots, normaliser=normaliser if normalise else None) for slots in SLOTS)
    assert all(bits(other) == bits(one) for other in others)
    assert len(np.unique(one.returns)) > 12  # or nothing could have been mixed up


@pytest.mark.parametrize("recurrent", [False, True], ids=["feedforward", "recurrent"])
def test_neither_chunks_nor_their_order_nor_earlier_calls_change_a_bit(recurrent):
    task = task_for(make_walk, hidden=4, recurrent=recurrent)
    genomes = genomes_for(task, 6)
    whole = run(task, genomes)
    engine = GymnasiumEngine(task, 3)
    individuals, seeds = np.repeat(np.arange(6), EPISODES), np.tile(SEEDS, 6)
    chunks = [slice(0, 7), slice(7, 8), slice(8, 24)]
    for order in ([0, 1, 2], [2, 0, 1], [1, 1, 0, 2, 2]):
        parts = {i: engine.run(genomes, individuals[chunks[i]], seeds[chunks[i]], None) for i in order}
        assert bits(EpisodeResults.joined([parts[i] for i in range(3)], individuals, EPISODES)) == bits(whole)
    engine.close()


def test_with_hard_resets_no_episode_depends_on_those_before_it():
    haunted, exorcised = (
        task_for(EnvironmentSpec("evonet-tests/Haunted-v0", hard_reset=hard), hidden=4) for hard in (False, True)
    )
    genomes = genomes_for(haunted, 6)
    fresh = np.concatenate([run(haunted, genomes, SEEDS[i : i + 1], slots=24).returns for i in range(4)], axis=1)
    for slots in SLOTS:
        assert run(exorcised, genomes, slots=slots).returns.tobytes() == fresh.tobytes()
        assert (run(haunted, genomes, slots=slots).returns != fresh).any()


def test_an_individual_alone_scores_what_it_scores_in_company():
    task = task_for("CartPole-v1", hidden=4)
    genomes = genomes_for(task, 6)
    together = run(task, genomes)
    alone = [run(task, genome[None]) for genome in genomes]
    assert b"".join(one.returns.tobytes() for one in alone) == together.returns.tobytes()


def test_the_arguments_stay_as_they_are():
    task = task_for(make_walk, hidden=4, normalise_observations=True)
    genomes, seeds = genomes_for(task, 3), SEEDS.copy()
    normaliser = ObservationNormaliser(9, np.ones(3), np.full(3, 2.0))
    for array in (genomes, seeds, normaliser.mean, normaliser.sum_sq_dev):
        array.flags.writeable = False  # whoever writes an input raises
    results = run(task, genomes, seeds, normaliser=normaliser)
    assert results.faults == []


def test_recurrent_networks_forget_between_episodes():
    task = task_for(make_walk, hidden=5, recurrent=True)
    genomes = genomes_for(task, 4)
    twice = run(task, genomes, np.array([5, 5, 5]), slots=1)
    assert (twice.returns == twice.returns[:, :1]).all()


def test_a_normaliser_stands_still_and_its_sums_are_those_of_all_observations_met():
    task = task_for(make_walk, hidden=4, normalise_observations=True)
    normaliser = ObservationNormaliser(50, np.array([0.1, -0.2, 0.3]), np.array([40.0, 60.0, 50.0]))
    deviation = np.sqrt(normaliser.sum_sq_dev / 50)
    genomes = genomes_for(task, 3)
    results = run(task, genomes, slots=2, normaliser=normaliser)
    everything = []
    for i, genome in enumerate(genomes):
        network = NeuralNetwork.from_genome(task.architecture, genome)
        for e, seed in enumerate(SEEDS):
            seen = []

            def normalised(observation, seen=seen):
                seen.append(observation)
                return (observation - normaliser.mean) / deviation

            total, length, _, _ = by_hand(Walk(), network, seed, np.argmax, normalised)
            assert results.returns[i, e] == pytest.approx(total, abs=1e-12)
            assert results.lengths[i, e] == length == len(seen)
            away = np.array(seen) - normaliser.mean
            row = i * EPISODES + e
            np.testing.assert_allclose(results.observations.sums[row], away.sum(axis=0), atol=1e-12)
            np.testing.assert_allclose(results.observations.squares[row], (away**2).sum(axis=0), atol=1e-12)
            everything += seen
    merged = results.merged_into(normaliser)
    assert merged.count == 50 + len(everything)
    prior_sum, prior_squares = normaliser.mean * 50, normaliser.sum_sq_dev + 50 * normaliser.mean**2
    mean = (prior_sum + np.sum(everything, axis=0)) / merged.count
    spread = prior_squares + np.sum(np.square(everything), axis=0) - merged.count * mean**2
    np.testing.assert_allclose(merged.mean, mean, rtol=1e-12)
    np.testing.assert_allclose(merged.sum_sq_dev, spread, rtol=1e-12)


FAULTS = {
    "raise": ("exception", 2, "ValueError: broken at step 2"),
    "nan reward": ("nonfinite", 2, "the reward is nan"),
    "inf reward": ("nonfinite", 2, "the reward is inf"),
    "nan observation": ("nonfinite", 3, "the observation holds numbers that are not finite"),
    "inf observation": ("nonfinite", 3, "the observation holds numbers that are not finite"),
    "wrong shape": ("malformed", 3, "MalformedObservation: an observation must have shape (3,), got (2,)"),
    "raise in reset": ("exception", 0, "RuntimeError: no way to begin"),
    "wrong shape in reset": ("malformed", 0, "MalformedObservation: an observation must have shape (3,), got (1,)"),
    "wrong type in reset": ("malformed", 0, "MalformedObservation: an observation must have type float64, got text"),
}


@pytest.mark.parametrize("slots", SLOTS)
@pytest.mark.parametrize("trouble", FAULTS)
def test_a_fault_has_kind_step_and_seed_and_leaves_its_neighbours_alone(trouble, slots):
    sane = task_for(f"{MODULE}:evonet-tests/Walk-v0", hidden=4, normalise_observations=True)
    kwargs = {"trouble": trouble, "at": 2, "seeds": [12, 14]}
    ill = replace(sane, environment=EnvironmentSpec(f"{MODULE}:evonet-tests/Walk-v0", kwargs))
    genomes, normaliser = genomes_for(sane, 5), ObservationNormaliser.fresh(3)
    expected, results = (run(task, genomes, slots=slots, normaliser=normaliser) for task in (sane, ill))
    assert (expected.lengths > 3).all()  # so that every episode reaches the trouble
    kind, step, message = FAULTS[trouble]
    assert [(f.individual, f.episode) for f in results.faults] == [(i, e) for i in range(5) for e in (1, 3)]
    for fault in results.faults:
        assert (fault.kind, fault.step, without_place(fault.message)) == (kind, step, message)
        assert fault.seed == SEEDS[fault.episode]
        assert ("Traceback (most recent call last)" in fault.traceback) == (kind != "nonfinite")
        assert message.partition(": ")[2] in fault.traceback or kind == "nonfinite"
    assert np.isnan(results.returns[:, [1, 3]]).all()
    assert not results.terminated[:, [1, 3]].any()
    assert (results.lengths[:, [1, 3]] == step).all()
    for whole, part in ((expected.returns, results.returns), (expected.lengths, results.lengths)):
        assert whole[:, [0, 2]].tobytes() == part[:, [0, 2]].tobytes()
    for whole, part in (
        (expected.observations.sums, results.observations.sums),
        (expected.observations.squares, results.observations.squares),
    ):
        untouched = np.tile([True, False, True, False], 5)
        assert whole[untouched].tobytes() == part[untouched].tobytes()
        assert not part[~untouched].any()  # of a failed episode nothing is known


def test_an_environment_that_raised_is_closed_and_never_used_again():
    made, closed = [], []

    class Breaking(Walk):
        def __init__(self):
            super().__init__("raise", at=0, seeds=[12])
            made.append(self)

        def close(self):
            closed.append(self)
            raise OSError("cannot even be closed")

    task = replace(task_for(Walk, hidden=2), environment=Breaking)
    engine = GymnasiumEngine(task, slots=1)
    with pytest.warns(
        EvonetWarning, match=r"^the environment cannot be closed: OSError in tests/evaluation/.*:\d+: cannot"
    ):
        results = engine.run(genomes_for(task, 3), np.repeat(np.arange(3), EPISODES), np.tile(SEEDS, 3), None)
    assert [fault.seed for fault in results.faults] == [12, 12, 12]
    assert len(made) == 1 + 3
    assert closed == made[:3]


def test_an_observation_that_numpy_would_stretch_is_a_fault():
    task = task_for(lambda: Walk("stretchable", at=0), hidden=2)
    results = run(task, genomes_for(task, 1), SEEDS[:1])
    message = "MalformedObservation: an observation must have shape (3,), got (1,)"
    assert [fault.message for fault in results.faults] == [message]


def test_an_environment_that_would_end_the_program_costs_its_episode_only():
    class Leaving(Walk):
        def step(self, action):
            sys.exit("enough")

    task = task_for(Leaving, hidden=2)
    results = run(task, genomes_for(task, 1), SEEDS[:1])
    assert [(f.kind, f.step, without_place(f.message)) for f in results.faults] == [
        ("exception", 0, "it left the program (sys.exit): enough")
    ]


def test_an_interrupt_goes_through_and_the_engine_serves_on_with_open_environments():
    opened, closed = [], []

    class Interrupting(Walk):
        trouble = "raise"

        def __init__(self):
            super().__init__()
            opened.append(self)

        def step(self, action):
            if Interrupting.trouble == "raise" and len(opened) == 4:  # the sample, and three slots
                raise ValueError("so that this slot gets another environment")
            if Interrupting.trouble == "raise":
                raise KeyboardInterrupt
            assert self not in closed
            return super().step(action)

        def close(self):
            closed.append(self)

    task = task_for(Interrupting, hidden=2)
    engine, genomes = GymnasiumEngine(task, slots=3), genomes_for(task, 4)
    individuals, seeds = np.arange(4), SEEDS[:4]
    with pytest.raises(KeyboardInterrupt):
        engine.run(genomes, individuals, seeds, None)
    Interrupting.trouble = ""
    results = engine.run(genomes, individuals, seeds, None)
    assert results.faults == []
    expected = GymnasiumEngine(task_for(make_walk, hidden=2)).run(genomes, individuals, seeds, None)
    assert results.returns.tobytes() == expected.returns.tobytes()


@pytest.mark.parametrize("poison", [np.nan, np.inf, -np.inf])
def test_a_genome_that_is_not_finite_is_a_fault_of_its_own_only(poison):
    task = task_for(make_walk, hidden=4)
    genomes = genomes_for(task, 4)
    expected = run(task, genomes)
    genomes[2, 5] = poison
    for slots in SLOTS:
        results = run(task, genomes, slots=slots)
        assert {(f.individual, f.kind, f.step) for f in results.faults} == {(2, "nonfinite", 0)}
        assert {f.message for f in results.faults} == {"the genome holds numbers that are not finite"}
        assert len(results.faults) == EPISODES
        assert np.isnan(results.returns[2]).all()
        others = [0, 1, 3]
        assert results.returns[others].tobytes() == expected.returns[others].tobytes()


def test_an_output_that_overflows_is_a_fault_not_a_warning():
    task = task_for(make_walk, hidden=4, hidden_activation="identity")
    genomes = genomes_for(task, 3)
    genomes[1] = 1e308
    results = run(task, genomes)
    assert {f.message for f in results.faults} == {"the network's output holds numbers that are not finite"}
    assert {(f.individual, f.kind, f.step) for f in results.faults} == {(1, "nonfinite", 0)}


def test_huge_but_finite_numbers_are_no_fault():
    task = task_for(make_walk, hidden=4)
    results = run(task, np.full((2, task.architecture.genome_size), 1e200))
    assert results.faults == []


@pytest.mark.parametrize(
    ("settings", "limit", "length", "terminated"),
    [
        ({}, 5, 5, False),
        ({"ends": 3}, 5, 3, True),
        ({"is_cut": 3}, 5, 3, False),
        ({"ends": 5}, 5, 5, True),
        ({"ends": 6}, 5, 5, False),
        ({"ends": 3, "is_cut": 3}, 5, 3, True),
        ({}, 1, 1, False),
    ],
    ids=str,
)
def test_an_episode_that_ends_and_one_that_is_cut_are_told_apart(settings, limit, length, terminated):
    task = task_for(lambda: Endless(**settings), hidden=2, max_steps=limit)
    results = run(task, genomes_for(task, 3), slots=2)
    assert (results.lengths == length).all()
    assert (results.terminated == terminated).all()
    assert (results.returns == length).all()
    assert results.steps == length * 3 * EPISODES


def test_an_environment_without_any_limit_is_cut_after_a_thousand_steps():
    task = task_for(f"{MODULE}:evonet-tests/Endless-v0", hidden=2)
    assert task.max_steps == 1000
    assert run(task, genomes_for(task, 1), SEEDS[:1]).lengths.tolist() == [[1000]]


def test_a_constant_policy_in_cliff_walking_comes_to_an_end():
    task = task_for("CliffWalking-v1", hidden=2, max_steps=40)
    results = run(task, np.zeros((1, task.architecture.genome_size)), SEEDS[:1])
    assert results.lengths.tolist() == [[40]]
    assert not results.terminated.any()
    assert math.isfinite(results.returns[0, 0])


def test_closing_the_engine_closes_every_environment():
    closed = []

    class Closing(Walk):
        def close(self):
            closed.append(self)

    task = task_for(Closing, hidden=2)
    closed.clear()
    run(task, genomes_for(task, 3), slots=5)
    assert len(closed) == len(set(map(id, closed))) == 5


@pytest.mark.parametrize("recurrent", [False, True], ids=["feedforward", "recurrent"])
@pytest.mark.parametrize("normalise", [False, True], ids=["raw", "normalised"])
@pytest.mark.parametrize("settings", [{}, {"kwargs": {"sutton_barto_reward": True}, "max_steps": 90}], ids=str)
def test_gymnasiums_own_vector_environment_gives_the_same_bits(settings, normalise, recurrent):
    fitness = EpisodeReturn(
        "CartPole-v1", hidden=6, recurrent=recurrent, normalise_observations=normalise, engine="gymnasium", **settings
    )
    task = fitness.task
    normaliser = ObservationNormaliser(50, np.array([0.1, -0.2, 0.0, 0.0]), np.full(4, 30.0)) if normalise else None
    genomes = genomes_for(task, 12)
    genomes[3] = [0.0] * 4 + [np.nan] + [0.0] * (genomes.shape[1] - 5)
    able = NeuralNetwork.from_genome(task.architecture, genomes[5])
    able.genome = 0.0
    able.input_hidden_weights[:, 0], able.hidden_output_weights[0] = [0.0, 0.0, 1.0, 1.0], [-1.0, 1.0]
    one_by_one = run(task, genomes, slots=7, normaliser=normaliser)
    individuals, seeds = np.repeat(np.arange(12), EPISODES), np.tile(SEEDS, 12)
    for lanes in (1, 7, 256):
        flat = VectorEngine(task, lanes).run(genomes, individuals, seeds, normaliser)
        together = EpisodeResults.joined([flat], individuals, EPISODES)
        assert bits(together) == bits(one_by_one)
        assert [replace(f, traceback="") for f in together.faults] == one_by_one.faults
    assert type(real_engine(task)) is VectorEngine
    assert one_by_one.lengths[5].max() > 80
    assert one_by_one.lengths[0].max() < task.max_steps


def test_where_the_vector_environment_would_differ_the_environment_itself_runs():
    for settings in ({"max_steps": 600}, {"wrappers": [Wrapper("TimeAwareObservation")]}):
        assert type(real_engine(task_for("CartPole-v1", **settings))) is GymnasiumEngine
    assert type(real_engine(task_for(EnvironmentSpec("CartPole-v1", hard_reset=True)))) is GymnasiumEngine
    assert type(real_engine(task_for("Acrobot-v1"))) is GymnasiumEngine
    assert type(real_engine(task_for(lambda: gym.make("CartPole-v1")))) is GymnasiumEngine


def test_the_vector_environment_tells_of_networks_that_overflow_midway_as_the_engine_does():
    fitness = EpisodeReturn(
        "CartPole-v1",
        hidden=3,
        hidden_activation="identity",
        recurrent=True,
        normalise_observations=True,
        engine="gymnasium",
    )
    task, normaliser = fitness.task, ObservationNormaliser.fresh(4)
    genomes = genomes_for(task, 6)
    genomes[::2] *= 1e60
    expected = run(task, genomes, slots=5, normaliser=normaliser)
    individuals, seeds = np.repeat(np.arange(6), EPISODES), np.tile(SEEDS, 6)
    flat = VectorEngine(task, 7).run(genomes, individuals, seeds, normaliser)
    together = EpisodeResults.joined([flat], individuals, EPISODES)
    assert bits(together) == bits(expected)
    assert together.faults == expected.faults
    assert {fault.individual for fault in expected.faults} <= {0, 2, 4}
    assert max(fault.step for fault in expected.faults) > 2
    assert not together.observations.sums.reshape(6, EPISODES, 4)[np.isnan(together.returns)].any()


class Wide(gym.Env):
    """3,000 numbers whose first two the seed chooses at the second step: huge ones, or some that are not finite."""

    PAIRS = ((1.7e308, 1.7e308), (np.inf, -np.inf), (np.nan, 0.0), (0.0, 0.0))

    def __init__(self):
        self.observation_space = gym.spaces.Box(-np.inf, np.inf, (3_000,), np.float64)
        self.action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        self._pair = self.PAIRS[seed]
        return np.zeros(3_000), {}

    def step(self, action):
        observation = np.zeros(3_000)
        observation[:2] = self._pair
        return observation, 1.0, False, False, {}


def test_numbers_that_are_not_finite_are_found_in_wide_observations_without_a_product_in_threads(monkeypatch):
    task = task_for(Wide, hidden=2, max_steps=3)
    genomes = np.zeros((1, task.architecture.genome_size))
    sizes = []
    vdot = np.vdot
    monkeypatch.setattr(np, "vdot", lambda a, b: sizes.append(a.size) or vdot(a, b))
    results = run(task, genomes, np.arange(4))
    assert {fault.seed: fault.step for fault in results.faults} == {1: 1, 2: 1}
    assert results.lengths[0, [0, 3]].tolist() == [3, 3]
    assert max(sizes) < 10_000
