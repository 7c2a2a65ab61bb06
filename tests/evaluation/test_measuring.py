"""Measures are what a plain loop over the episode finds, in any environment; what cannot be measured is a fault."""

import functools

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces

from evonet.evaluation.measuring import action_reader, action_size
from evonet.evolution import evolve
from evonet.fitness import EpisodeReturn
from evonet.genetic_algorithm import GeneticAlgorithm
from evonet.measures import Condition, Measure, WrongMeasure
from evonet.strategies.islands import Islands
from evonet.strategies.restarts import Restarts

SEEDS = np.array([3, 4, 5, 6])


class Journal(gym.Env):
    """Random numbers that the seed and the actions decide, for 2 to 9 steps, each of them kept in `episodes`.

    Args:
        spoilt: what the last step spoils: "observation", "shape", "info", or nothing.
    """

    def __init__(self, spoilt=""):
        self.observation_space = spaces.Box(-np.inf, np.inf, (3,), np.float32)
        self.action_space = spaces.Box(-1.0, 2.0, (2,), np.float32)
        self.episodes, self._spoilt = [], spoilt

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._steps = int(self.np_random.integers(2, 10))
        self.episodes.append([])
        return np.full(3, 1e6, np.float32), {"height": 1e6}

    def step(self, action):
        observation = self.np_random.normal(size=3).astype(np.float32) + action[0]
        info = {"height": self.np_random.normal(), "feet": self.np_random.normal(size=2), "fell": bool(action[1] > 0)}
        step = len(self.episodes[-1])
        if step % 2:
            info["odd"] = np.float32(step)
        reward = float(self.np_random.normal())
        self.episodes[-1].append((observation.astype(float), action.astype(float), reward, info))
        action[:] = 9.0
        over = step + 1 == self._steps
        if over and self._spoilt == "observation":
            observation[1] = np.nan
        elif over and self._spoilt == "shape":
            observation = observation[:2]
        elif over and self._spoilt == "info":
            info = None
        return observation, reward, over and step % 2 == 0, over and step % 2 == 1, info


def whole(observations, actions, rewards, infos):
    """A measure of the test's own."""
    assert len(observations) == len(actions) == len(rewards) == len(infos)
    return observations[:, 0] @ actions[:, 1] + rewards.max() + infos[-1]["height"]


def broken(observations, actions, rewards, infos):
    """A measure that fails in every episode but the first."""
    if rewards[0] > 0:
        raise ZeroDivisionError("no way")
    return "much" if infos[0]["height"] > 0 else 1.0


def touches(observations):
    return np.flatnonzero((observations[:, 1:] > 0.5).any(axis=1))


MEASURES = {
    "mean": (Measure("observation", index=1), lambda o, a, r, i: np.mean(o[:, 1])),
    "last": (Measure("observation", index=2, take="last"), lambda o, a, r, i: o[-1, 2]),
    "first": (Measure("observation", index=2, take="first"), lambda o, a, r, i: o[0, 2]),
    "several": (Measure("observation", index=[2, 0], take="max"), lambda o, a, r, i: (o[:, 0] + o[:, 2]).max()),
    "all": (Measure("observation", take="min"), lambda o, a, r, i: o.sum(axis=1).min()),
    "effort": (Measure("action", power=2), lambda o, a, r, i: (a**2).sum(axis=1).mean()),
    "cube": (Measure("action", index=1, power=3, take="sum"), lambda o, a, r, i: (a[:, 1] ** 3).sum()),
    "gain": (Measure("reward", take="sum", above=0.3), lambda o, a, r, i: (r > 0.3).sum()),
    "share": (
        Measure("observation", above=-0.2, below=0.1, index=[0, 2], take="share"),
        lambda o, a, r, i: ((o[:, [0, 2]] > -0.2) & (o[:, [0, 2]] < 0.1)).any(axis=1).mean(),
    ),
    "height": (Measure("info", key="height", take="last"), lambda o, a, r, i: i[-1]["height"]),
    "foot": (Measure("info", key="feet", index=1, take="max"), lambda o, a, r, i: max(s["feet"][1] for s in i)),
    "fell": (Measure("info", key="fell"), lambda o, a, r, i: np.mean([s["fell"] for s in i])),
    "odd": (Measure("info", key="odd"), lambda o, a, r, i: np.mean([s["odd"] for s in i if "odd" in s])),
    "length": (Measure("length"), lambda o, a, r, i: len(r)),
    "own": (Measure(f"{__name__}:whole"), whole),
    "touch or last": (
        Measure(
            "observation",
            index=0,
            take="first",
            when=Condition("observation", index=[1, 2], above=0.5),
            otherwise="last",
        ),
        lambda o, a, r, i: o[touches(o)[0] if len(touches(o)) else -1, 0],
    ),
    "touch or number": (
        Measure("reward", take="last", when=Condition("info", key="height", below=-1.0), otherwise=-7),
        lambda o, a, r, i: ([-7] + [reward for reward, s in zip(r, i, strict=True) if s["height"] < -1])[-1],
    ),
    "sum when never": (
        Measure("reward", take="sum", when=Condition("action", above=5.0)),
        lambda o, a, r, i: 0.0,
    ),
    "else of no info": (Measure("info", key="absent", otherwise=4), lambda o, a, r, i: 4.0),
}  # fmt: skip


def evaluated(measures, n=6, **settings):
    """The results of n random networks and the fitness that ran them."""
    fitness = EpisodeReturn(Journal, hidden=2, measures=measures, **settings)
    genomes = np.random.default_rng(1).normal(size=(n, fitness.architecture.genome_size))
    with fitness:
        return fitness(genomes, SEEDS), fitness


def test_each_measure_is_what_a_plain_loop_over_the_episode_finds():
    made = []
    with EpisodeReturn(
        lambda: made.append(Journal()) or made[-1],
        hidden=2,
        instances=1,
        measures={name: measure for name, (measure, _) in MEASURES.items()},
    ) as fitness:
        genomes = np.random.default_rng(1).normal(size=(6, fitness.architecture.genome_size))
        results = fitness(genomes, SEEDS)
    episodes = [episode for environment in made for episode in environment.episodes]
    assert len(episodes) == results.returns.size == 24
    assert not results.faults
    for steps, measured in zip(episodes, results.measures.reshape(24, -1), strict=True):
        observations, actions, rewards = (np.array(column) for column in list(zip(*steps, strict=True))[:3])
        infos = [step[3] for step in steps]
        wanted = [float(plain(observations, actions, rewards, infos)) for _, plain in MEASURES.values()]
        assert measured == pytest.approx(wanted, rel=1e-12, abs=1e-12)


def test_measures_change_no_other_result():
    measured, fitness = evaluated({name: measure for name, (measure, _) in MEASURES.items()})
    plain, other = evaluated(None)
    assert fitness.measure_names == tuple(MEASURES)
    assert other.measure_names == ()
    assert plain.measures is None
    assert measured.returns.tobytes() == plain.returns.tobytes()
    assert measured.lengths.tobytes() == plain.lengths.tobytes()
    assert measured.terminated.tobytes() == plain.terminated.tobytes()


@pytest.mark.parametrize(
    ("spoilt", "kind", "message"),
    [
        ("observation", "nonfinite", "the observation holds numbers that are not finite"),
        ("shape", "malformed", "MalformedObservation: an observation must have shape (3,), got (2,)"),
        ("info", "malformed", "MalformedResult: the measure 'h' cannot be taken: the info must be a dict, got None"),
    ],
)
def test_an_end_that_cannot_be_measured_is_a_fault(spoilt, kind, message):
    measures = {"h": Measure("info", key="height", take="last"), "x": Measure("observation", take="last")}
    with EpisodeReturn(lambda: Journal(spoilt), hidden=2, measures=measures) as fitness:
        results = fitness(np.zeros((1, fitness.architecture.genome_size)), SEEDS)
    assert {(fault.kind, fault.message) for fault in results.faults} == {(kind, message)}
    assert len(results.faults) == len(SEEDS)
    assert np.isnan(results.returns).all()
    assert np.isnan(results.measures).all()
    assert not results.terminated.any()


def test_a_key_that_no_info_has_is_a_fault_that_names_the_nearest_one():
    results, _ = evaluated({"h": Measure("info", key="hight", take="last"), "n": Measure("length")}, n=1)
    assert min(fault.message for fault in results.faults) == (
        "MalformedResult: the measure 'h' cannot be taken: no step's info has the key 'hight'; "
        "did you mean 'height'? Known: feet, fell, height"
    )
    assert len(results.faults) == len(SEEDS)
    assert np.isnan(results.measures).all()


def test_a_measure_that_is_not_finite_is_a_fault():
    big = Measure("info", key="height", power=8, take="sum")
    with EpisodeReturn(Tall, hidden=0, measures={"big": big}) as fitness:
        results = fitness(np.zeros((1, fitness.architecture.genome_size)), SEEDS)
    assert {(fault.kind, fault.message) for fault in results.faults} == {("nonfinite", "the measure 'big' is inf")}


class Tall(Journal):
    """A journal whose heights are vast."""

    def step(self, action):
        *rest, _ = super().step(action)
        return *rest, {"height": 1e300}


def test_a_function_of_ones_own_that_fails_or_returns_no_number_costs_its_episode():
    results, _ = evaluated({"own": Measure(f"{__name__}:broken")}, n=4)
    failed = np.isnan(results.returns)
    assert 0 < failed.sum() < failed.size
    assert (np.isnan(results.measures[:, :, 0]) == failed).all()
    raised, malformed = ({f.message for f in results.faults if f.kind == kind} for kind in ("exception", "malformed"))
    assert all(message.startswith("ZeroDivisionError in ") and message.endswith(": no way") for message in raised)
    assert malformed == {"MalformedResult: the measure 'own' must be a number, its function returned 'much'"}
    assert raised


def test_a_function_that_cannot_be_imported_is_refused_before_anything_runs():
    with pytest.raises(WrongMeasure, match=r"^the measure 'own' cannot be taken: 'json:dump_all' cannot be used: Attr"):
        EpisodeReturn("CartPole-v1", measures={"own": Measure("json:dump_all")})


@pytest.mark.parametrize(
    ("space", "action", "numbers"),
    [
        (spaces.Discrete(3, start=-1), np.int64(1), [1.0]),
        (spaces.Box(-1, 1, (2, 2)), np.array([[1, 2], [3, 4]], np.float32), [1.0, 2.0, 3.0, 4.0]),
        (spaces.Box(-1, 1, ()), np.array(0.5, np.float32), [0.5]),
        (spaces.MultiBinary(2), np.array([0, 1], np.int8), [0.0, 1.0]),
        (
            spaces.Dict(a=spaces.Discrete(2), b=spaces.Tuple([spaces.Discrete(4), spaces.Box(0, 1, (2,))])),
            {"a": 1, "b": (2, np.array([0.25, 0.5]))},
            [1.0, 2.0, 0.25, 0.5],
        ),
    ],
)
def test_the_numbers_of_an_action_are_those_of_its_parts_in_order(space, action, numbers):
    assert list(action_reader(space)(action)) == numbers
    assert action_size(space) == len(numbers)


def told(algorithm):
    """What a generation tells `algorithm`, whose `tell` is replaced, and the generation."""
    seen = []
    tell = algorithm.tell
    algorithm.tell = lambda fitness, *, measures: (seen.append(measures), tell(fitness))
    measures = {"x": Measure("observation", index=0, take="last"), "steps": Measure("length")}
    with EpisodeReturn(Journal, hidden=1, measures=measures) as fitness:
        generation = next(evolve(algorithm, fitness, seed=1))
    return seen[0], generation


def test_an_algorithm_is_told_the_mean_of_each_measure_and_of_the_return():
    shape = EpisodeReturn(Journal, hidden=1).architecture
    measures, generation = told(GeneticAlgorithm(shape, population_size=4, seed=1))
    assert list(measures) == ["return", "x", "steps"]
    assert measures["return"].tobytes() == generation.results.returns.mean(axis=1).tobytes()
    assert measures["x"].tobytes() == generation.results.measures[:, :, 0].mean(axis=1).tobytes()
    assert measures["steps"].tolist() == generation.results.lengths.mean(axis=1).tolist()


class Listening(GeneticAlgorithm):
    """A genetic algorithm that keeps what it is told."""

    def tell(self, fitness, *, measures=None):
        self.told = measures
        super().tell(fitness)


def test_islands_and_restarts_hand_measures_on():
    shape = EpisodeReturn(Journal, hidden=1).architecture
    islands = Islands(shape, functools.partial(Listening, population_size=4), islands=2)
    islands.ask()
    islands.tell(np.arange(8.0), measures={"x": np.arange(8.0)})
    assert [island.told["x"].tolist() for island in islands._islands] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    restarts = Restarts(shape, functools.partial(Listening, population_size=4))
    restarts.ask()
    restarts.tell(np.arange(4.0), measures={"x": np.arange(4.0)})
    assert restarts.running.told["x"].tolist() == [0, 1, 2, 3]
