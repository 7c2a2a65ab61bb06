"""The champion: what its file holds, that it runs nobody's code, and that it acts as it did when it was chosen."""

import enum
import functools
import json
import pickle
import re
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st

from evonet import Champion, EnvironmentSpec, EnvironmentUnavailable, EpisodeReturn, Score, Wrapper
from evonet.architecture import Architecture
from evonet.environments.normaliser import ObservationNormaliser
from evonet.environments.space_descriptions import describe_space, space_from
from evonet.environments.spaces import MalformedObservation
from evonet.errors import ConfigError, EvonetWarning, TooManyFaults, UnsuitableEnvironment
from evonet.seeding import Purpose, episode_seeds
from tests.environments.test_spaces import MODEST, nested_spaces
from tests.environments_for_tests import MODULE, make_spaces, make_walk

ROOT = Path(__file__).parents[1]
WALK = EnvironmentSpec(f"{MODULE}:evonet-tests/Walk-v0", {"at": 3})
SEEDS = np.array([21, 22, 23, 24, 25])
BOX = spaces.Box(-1.0, 2.0, (3,), np.float32)
SPACES = {
    "box": spaces.Box(np.array([-np.inf, -1.5, 0.0]), np.array([np.inf, 0.1, np.inf]), dtype=np.float64),
    "image": spaces.Box(0, 255, (4, 3, 2), np.uint8),
    "scalar": spaces.Box(-1.0, 1.0, (), np.float32),
    "whole": spaces.Box(-(2**62), 2**62, (2,), np.int64),
    "discrete": spaces.Discrete(5, start=-2),
    "multi_discrete": spaces.MultiDiscrete([3, 2, 4], start=[1, 0, -1]),
    "multi_discrete_matrix": spaces.MultiDiscrete(np.array([[2, 3], [4, 5]])),
    "multi_binary": spaces.MultiBinary(4),
    "multi_binary_matrix": spaces.MultiBinary([2, 3]),
    "tuple": spaces.Tuple([spaces.Discrete(3), BOX, spaces.Tuple([spaces.MultiBinary(2)])]),
    "dict": spaces.Dict({"b": spaces.Discrete(3), "a": BOX, "c": spaces.Dict({"z": spaces.MultiDiscrete([2, 2])})}),
    "small discrete": spaces.Discrete(3, start=-128, dtype=np.int8),
    "small multi_discrete": spaces.MultiDiscrete([3, 2], np.int8, start=[124, 125]),
    "tuple of small ones": spaces.Tuple([spaces.Discrete(3, dtype=np.int32), spaces.MultiDiscrete([2, 2], np.uint16)]),
    "keys": spaces.Dict(
        [(("a", 1), BOX), ((("b",), None), spaces.Discrete(2)), (7, spaces.MultiBinary(2)), ("x", BOX)]
    ),
}


def champion_for(environment, *, normalise=False, seed=0, **settings):
    fitness = EpisodeReturn(environment, normalise_observations=normalise, engine="gymnasium", **settings)
    rng = np.random.default_rng(seed)
    normaliser = None
    if normalise:
        inputs = fitness.architecture.num_inputs
        normaliser = ObservationNormaliser(30, rng.normal(size=inputs), rng.uniform(9, 90, inputs))
    genome = rng.normal(size=fitness.architecture.genome_size)
    champion = Champion(
        fitness.architecture,
        genome,
        task=fitness.task,
        normaliser=normaliser,
        id=17,
        generation=4,
        training_fitness=1 / 3,
        validation=Score(rng.normal(size=6)),
    )
    return fitness, champion


def saved(champion, folder):
    path = folder / "champion.npz"
    champion.save(path)
    return path


def twice_saved(champion, folder):
    path = saved(champion, folder)
    first = path.read_bytes()
    loaded = Champion.load(path, allow_imports=[MODULE])
    loaded.save(path)
    assert path.read_bytes() == first
    assert [entry.name for entry in folder.iterdir()] == ["champion.npz"]
    return loaded


def replayed(champion, seed, environment=None):
    """An episode in the champion's own environment, by hand."""
    environment = environment or champion.task.make_environment()
    observation, _ = environment.reset(seed=int(seed))
    champion.reset()
    total = 0.0
    for _ in range(champion.task.max_steps):
        observation, reward, terminated, truncated, _ = environment.step(champion.act(observation))
        total += float(reward)
        if terminated or truncated:
            break
    return total


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("role", ["observation", "action"])
def test_a_champion_of_any_spaces_is_saved_loaded_and_acts_as_before(name, role, tmp_path):
    pair = (SPACES[name], BOX) if role == "observation" else (BOX, SPACES[name])
    make = make_spaces(*pair)
    fitness, champion = champion_for(make, hidden=3)
    expected = fitness(champion.genome[None], SEEDS)
    assert expected.faults == []
    loaded = twice_saved(champion, tmp_path)
    assert loaded.task.observation_space == pair[0]
    assert loaded.task.action_space == pair[1]
    acting = replace(loaded, task=replace(loaded.task, environment=make))
    assert acting.run(SEEDS).returns.tobytes() == expected.returns.tobytes()
    assert [replayed(acting, seed) for seed in SEEDS] == expected.returns[0].tolist()


@pytest.mark.parametrize("name", SPACES)
def test_a_space_is_what_its_description_says(name):
    space = SPACES[name]
    description = describe_space(space)
    again = space_from(json.loads(json.dumps(description, allow_nan=False)))
    assert again == space
    assert again.dtype == space.dtype
    assert describe_space(again) == description


def assert_same_space(one, other):
    assert (type(one), one.dtype, one.shape) == (type(other), other.dtype, other.shape)
    if isinstance(one, spaces.Tuple | spaces.Dict):
        pairs = [space.spaces.items() if isinstance(space, spaces.Dict) else enumerate(space) for space in (one, other)]
        for (key, part), (name, again) in zip(*pairs, strict=True):
            assert repr(key) == repr(name)
            assert_same_space(part, again)
    elif not isinstance(one, spaces.MultiBinary):  # to Gymnasium, MultiBinary(1) and MultiBinary([1]) differ
        assert one == other


@given(nested_spaces([*MODEST, "int64", "uint64"]))
def test_any_nested_space_comes_back_from_its_description_types_and_keys_included(space):
    assert_same_space(space_from(json.loads(json.dumps(describe_space(space), allow_nan=False))), space)


def test_a_description_without_a_type_is_one_of_int64():
    assert describe_space(spaces.Discrete(3)) == {"type": "Discrete", "n": 3, "start": 0}
    many = {"type": "MultiDiscrete", "nvec": [2, 2], "start": [0, 0]}
    assert describe_space(spaces.MultiDiscrete([2, 2])) == many
    assert space_from(many).dtype == np.int64


@pytest.mark.parametrize(
    ("description", "message"),
    [
        ({"type": "Discrete", "n": 3, "start": 0, "dtype": "float32"}, "space.dtype must be one of int8, int16"),
        ({"type": "Discrete", "n": 3, "start": 0, "dtype": 8}, "space.dtype must be a text"),
        (
            {"type": "Discrete", "n": 3, "start": 126, "dtype": "int8"},
            "space must have numbers that int8 holds, got 126",
        ),
        (
            {"type": "Discrete", "n": 3, "start": -1, "dtype": "uint8"},
            "space must have numbers that uint8 holds, got -1",
        ),
        (
            {"type": "Discrete", "n": 300, "start": -200, "dtype": "int8"},
            "space must have numbers that int8 holds, got -2",
        ),
        (
            {"type": "Discrete", "n": 2, "start": 2**63 - 1},
            "space must have numbers that int64 holds, got 922337203685",
        ),
        (
            {"type": "MultiDiscrete", "nvec": [2, 2], "start": [0, 255], "dtype": "uint8"},
            "space must have numbers that uint8 holds, got 0 to 256",
        ),
    ],
    ids=range(7),
)
def test_a_description_whose_type_does_not_hold_its_numbers_is_refused(description, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        space_from(description)


KWARGS = {
    "at": 3,
    "shape": (84, (2, 3.5)),
    "sizes": [1, (2,), {"deep": ("x", None)}],
    "table": {1: "one", (2, 3): True, "$tuple": [0]},
}


def test_arguments_come_back_as_they_were_and_numpy_s_numbers_as_python_s(tmp_path):
    own = EnvironmentSpec(
        f"{MODULE}:evonet-tests/Anything-v0", KWARGS | {"bias": np.bool_(1), "far": [np.float32(0.5)]}
    )
    spec = replace(own, wrappers=(Wrapper(f"{MODULE}:Doubled", {"times": np.float64(0.1)}),), max_steps=np.int64(6))
    assert repr(spec.kwargs) == repr(KWARGS | {"bias": True, "far": [0.5]})
    _, champion = champion_for(spec)
    loaded = twice_saved(champion, tmp_path)
    assert repr(loaded.task.environment.kwargs) == repr(spec.kwargs)
    assert repr(loaded.task.environment.wrappers) == repr(spec.wrappers)
    assert loaded.task.max_steps == 6


def test_settings_may_be_numpy_s_numbers(tmp_path):
    fitness, champion = champion_for(
        WALK, hidden=np.int16(3), bias=np.bool_(False), recurrent=np.bool_(True), episodes=np.uint8(2),
        max_steps=np.int64(5), normalise=np.bool_(True)
    )  # fmt: skip
    loaded = twice_saved(champion, tmp_path)
    assert loaded.task.max_steps == 5
    assert loaded.architecture == fitness.architecture
    assert not fitness.architecture.bias
    assert fitness.task.normalise is True
    assert type(fitness.episodes) is int


class Colour(enum.Enum):
    RED = 1


UNKEPT = {
    "function": ({"f": len}, "environment.kwargs['f'] must be a number, a text, "),
    "array": ({"goal": np.zeros(2)}, "environment.kwargs['goal'] must be a number, a text, "),
    "deep": ({"a": [{"b": 1j}]}, "environment.kwargs['a'][0]['b'] must be a number, a text, "),
    "enum": ({"c": Colour.RED}, "environment.kwargs['c'] must be a number, a text, "),
}


@pytest.mark.parametrize("name", UNKEPT)
def test_an_argument_that_no_file_holds_is_refused_by_name_before_evolution(name):
    kwargs, message = UNKEPT[name]
    with pytest.raises(UnsuitableEnvironment) as refused:
        EpisodeReturn(f"{MODULE}:evonet-tests/Anything-v0", kwargs=kwargs)
    assert str(refused.value).startswith(f"a champion's file cannot hold this environment: {message}")
    assert str(refused.value).endswith("; a function that makes the environment may use any arguments")


def test_a_wrapper_s_argument_that_no_file_holds_is_refused_with_the_wrapper_s_name():
    wrappers = (Wrapper("TransformReward", {"func": abs}),)
    with pytest.raises(UnsuitableEnvironment, match=r"wrappers\[0\] TransformReward\.kwargs\['func'\] must be "):
        EpisodeReturn("CartPole-v1", wrappers=wrappers)


@pytest.mark.parametrize(
    ("space", "message"),
    [
        (spaces.Dict([(Colour.RED, BOX)]), "a Dict's key must be a number, a text, "),
        (spaces.Box(-1, 1, (2,), np.longdouble), "space.dtype must be one of bool, int8"),
        (spaces.Discrete(2, start=2**63, dtype=np.uint64), "space.start must be a whole number from "),
        (functools.reduce(lambda inner, _: spaces.Tuple([inner]), range(40), BOX), "space must be at most 32 levels"),
        (spaces.Tuple([BOX, spaces.MultiDiscrete([])]), "space.nvec must have whole numbers"),
    ],
    ids=["key", "type", "large", "deep", "empty"],
)
def test_a_space_that_no_file_holds_is_refused_before_evolution(space, message):
    with pytest.raises(UnsuitableEnvironment) as refused:
        EpisodeReturn(make_spaces(space, BOX))
    assert str(refused.value).startswith(f"a champion's file cannot hold this environment: {message}")


@pytest.mark.parametrize("recurrent", [False, True], ids=["feedforward", "recurrent"])
@pytest.mark.parametrize("normalise", [False, True], ids=["raw", "normalised"])
@pytest.mark.parametrize(
    "environment",
    [WALK, replace(WALK, wrappers=(Wrapper(f"{MODULE}:Doubled", {"times": 0.1}),), max_steps=6), make_walk],
    ids=["id", "wrapped", "callable"],
)
def test_acting_by_hand_gives_the_engines_returns(environment, normalise, recurrent, tmp_path):
    fitness, champion = champion_for(environment, normalise=normalise, recurrent=recurrent, hidden=4)
    expected = fitness(champion.genome[None], SEEDS, champion.normaliser)
    loaded = twice_saved(champion, tmp_path)
    if environment is make_walk:
        loaded = replace(loaded, task=replace(loaded.task, environment=make_walk))
    for one in (champion, loaded):
        assert [replayed(one, seed) for seed in SEEDS] == expected.returns[0].tolist()
        assert one.run(SEEDS).returns.tobytes() == expected.returns.tobytes()
    assert len(set(expected.returns[0].tolist())) > 1


@pytest.mark.parametrize("name", ["CartPole-v1", "Pendulum-v1", "FrozenLake-v1", "MountainCarContinuous-v0"])
def test_the_test_score_is_what_acting_by_hand_in_the_real_environment_gives(name):
    _, champion = champion_for(name, hidden=3, max_steps=50)
    score = champion.evaluate(3, seed=5)
    seeds = episode_seeds(5, Purpose.TEST, 0, 3)
    assert score.returns.tolist() == [replayed(champion, seed) for seed in seeds]


def test_all_that_a_champion_knows_comes_back(tmp_path):
    _, champion = champion_for(WALK, normalise=True, recurrent=True, bias=False, hidden=4, action_squash="clip")
    champion = champion.tested(Score(np.array([1.0, np.nan, 3.0])))
    loaded = twice_saved(champion, tmp_path)
    for name in ("architecture", "id", "generation", "training_fitness"):
        assert getattr(loaded, name) == getattr(champion, name)
    assert loaded.genome.tobytes() == champion.genome.tobytes()
    assert loaded.task.environment == WALK.restricted([MODULE])
    assert (loaded.task.squash, loaded.task.max_steps, loaded.task.normalise) == ("clip", 20, True)
    assert loaded.normaliser.count == 30
    assert loaded.normaliser.mean.tobytes() == champion.normaliser.mean.tobytes()
    assert loaded.normaliser.sum_sq_dev.tobytes() == champion.normaliser.sum_sq_dev.tobytes()
    for kind in ("validation", "test"):
        assert getattr(loaded, kind).returns.tobytes() == getattr(champion, kind).returns.tobytes()


def test_a_champion_whose_environment_is_made_anew_for_every_episode_stays_so(tmp_path):
    haunted = EnvironmentSpec(f"{MODULE}:evonet-tests/Haunted-v0", hard_reset=True)
    fitness, champion = champion_for(haunted, hidden=4)
    expected = fitness(champion.genome[None], SEEDS, champion.normaliser)
    loaded = twice_saved(champion, tmp_path)
    assert loaded.task.environment == haunted.restricted([MODULE])
    environment = loaded.task.make_environment()
    for seed, total in zip(SEEDS.tolist(), expected.returns[0].tolist(), strict=True):
        assert replayed(loaded, seed, environment) == total
    assert loaded.run(SEEDS).returns.tobytes() == expected.returns.tobytes()


def test_a_file_from_before_there_were_hard_resets_is_one_without():
    champion = champion_for(WALK)[1]
    header, arrays = json.loads(json.dumps(champion._header)), {"genome": champion.genome}
    assert header["task"]["environment"].pop("hard_reset") is False
    assert Champion.from_parts(header, arrays).task.environment == WALK.restricted([])
    header["task"]["environment"]["hard_reset"] = "yes"
    with pytest.raises(ValueError, match=r"^task\.environment\.hard_reset must be true or false, got 'yes'$"):
        Champion.from_parts(header, arrays)


def test_a_champion_keeps_how_many_environments_may_be_open(tmp_path):
    for instances in (None, 1, np.int64(3)):
        _, champion = champion_for(WALK, instances=instances)
        loaded = twice_saved(champion, tmp_path)
        assert loaded.task.instances == instances
        assert type(loaded.task.instances) is type(instances and int(instances))


@pytest.mark.parametrize("dtype", [np.int64, np.float32, np.uint8, np.bool_])
def test_a_champion_made_of_other_numbers_than_float64_comes_back(dtype, tmp_path):
    architecture = Architecture(2, 3, 1)
    champion = Champion(
        architecture,
        np.ones(architecture.genome_size, dtype),
        id=np.int64(3),
        generation=np.uint8(2),
        training_fitness=np.float32(0.5),
        test=Score(np.ones(4, dtype)),
    )
    loaded = twice_saved(champion, tmp_path)
    assert (loaded.genome.dtype, loaded.genome.tolist()) == (np.float64, [1.0] * architecture.genome_size)
    assert (loaded.id, loaded.generation, loaded.training_fitness, loaded.test.mean) == (3, 2, 0.5, 1.0)


def test_scores_that_there_are_not_stay_absent(tmp_path):
    _, champion = champion_for(WALK)
    loaded = twice_saved(replace(champion, validation=None, training_fitness=-np.inf), tmp_path)
    assert (loaded.validation, loaded.test, loaded.normaliser) == (None, None, None)
    assert loaded.training_fitness == -np.inf


def test_the_same_champion_has_the_same_bytes_whenever_it_is_saved(tmp_path, monkeypatch):
    _, champion = champion_for(WALK, normalise=True)
    first = saved(champion, tmp_path).read_bytes()
    monkeypatch.setattr("time.time", lambda: 2e9)
    assert saved(champion, tmp_path).read_bytes() == first


def test_the_network_of_a_champion_is_its_genome():
    _, champion = champion_for(WALK)
    assert np.shares_memory(champion.network.genome, champion.genome)


def test_a_recurrent_champion_remembers_until_it_is_reset():
    _, champion = champion_for(WALK, recurrent=True)
    observation = np.array([0.5, -0.5, 1.0])
    first, second = (champion.network.predict(observation) for _ in range(2))
    assert first.tolist() != second.tolist()
    champion.reset()
    assert champion.network.predict(observation).tolist() == first.tolist()


def test_acting_leaves_the_observation_as_it_is():
    _, champion = champion_for(WALK, normalise=True)
    observation = np.array([5.0, 6.0, 7.0])
    champion.act(observation)
    assert observation.tolist() == [5.0, 6.0, 7.0]


def test_a_champion_of_a_function_has_no_environment_to_act_in(tmp_path):
    architecture = Architecture(2, 3, 1)
    champion = Champion(architecture, np.arange(float(architecture.genome_size)))
    loaded = twice_saved(champion, tmp_path)
    assert loaded.task is None
    for use in (lambda: loaded.act([1.0, 2.0]), lambda: loaded.run(SEEDS), lambda: loaded.evaluate(2)):
        with pytest.raises(EnvironmentUnavailable) as refused:
            use()
        assert str(refused.value) == "this individual was scored by a function and has no environment to act in"


@pytest.mark.parametrize("times", [1, 2, 3])
def test_an_environment_of_ones_own_is_named_however_often_the_file_is_written(times, tmp_path):
    _, champion = champion_for(make_walk)
    for _ in range(times):
        champion = Champion.load(saved(champion, tmp_path))
    assert champion.act(np.zeros(3)) in (0, 1)
    with pytest.raises(EnvironmentUnavailable) as refused:
        champion.run(SEEDS)
    assert str(refused.value) == (
        f"this champion's environment was made by {MODULE}.make_walk, which its file does not hold; "
        "give it with Champion.load(path, environment=…)"
    )


def test_a_champion_of_ones_own_environment_acts_there_again_with_its_scores(tmp_path):
    _, champion = champion_for(make_walk)
    champion = champion.tested(Score(np.ones(3)))
    path = saved(champion, tmp_path)
    loaded = Champion.load(path, environment=make_walk)
    assert loaded.run(SEEDS).returns.tolist() == champion.run(SEEDS).returns.tolist()
    assert loaded.test.returns.tolist() == [1.0] * 3
    assert loaded.task.max_steps == champion.task.max_steps


def test_a_champion_in_another_environment_of_the_same_spaces_has_no_scores_there(tmp_path):
    _, champion = champion_for("CartPole-v1")
    path = saved(champion.tested(Score(np.ones(3))), tmp_path)
    for environment in ("CartPole-v0", EnvironmentSpec("CartPole-v1", kwargs={"sutton_barto_reward": True})):
        loaded = Champion.load(path, environment=environment)
        assert (loaded.validation, loaded.test) == (None, None)
        assert loaded.genome.tolist() == champion.genome.tolist()
        assert loaded.run(SEEDS).returns.shape == (1, len(SEEDS))
    with pytest.raises(UnsuitableEnvironment, match=r"^the environment must have the observation_space Box.*, got Box"):
        Champion.load(path, environment="Acrobot-v1")


def test_loading_imports_and_makes_nothing(tmp_path):
    path = saved(champion_for(WALK)[1], tmp_path)
    program = (
        "import sys\n"
        "from evonet import Champion\n"
        f"champion = Champion.load({str(path)!r}, allow_imports=[{MODULE!r}])\n"
        "champion.act([0.0, 1.0, 2.0])\n"
        f"sys.exit({MODULE!r} in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


def test_the_file_needs_no_pickle(tmp_path):
    path = saved(champion_for(WALK, normalise=True)[1], tmp_path)
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    assert names == [
        "header.npy", "genome.npy", "validation.npy", "normaliser_mean.npy", "normaliser_squares.npy"
    ]  # fmt: skip
    with np.load(path, allow_pickle=False) as archive:
        assert all(archive[name].dtype.kind in "fu" for name in archive.files)
        header = json.loads(archive["header"].tobytes())
    assert header["format"] == "evonet champion 1"
    assert header["task"]["environment"]["id"] == WALK.id


@pytest.mark.parametrize("path", ["no/such/file.npz", "."])
def test_a_file_that_cannot_be_read_is_refused_with_its_name(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as refused:
        Champion.load(path)
    assert str(refused.value).startswith(f"{path}: cannot be read: ")


# Arguments


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"episodes": 0}, "ValueError: Champion.evaluate.episodes must be at least 1, got 0"),
        ({"episodes": 2.0}, "TypeError: Champion.evaluate.episodes must be a whole number, got 2.0"),
        ({"episodes": 10**7}, "ValueError: Champion.evaluate.episodes must be at most 1000000, got 10000000"),
        ({"seed": -1}, "ValueError: Champion.evaluate.seed must be at least 0, got -1"),
        ({"seed": 1.5}, "TypeError: Champion.evaluate.seed must be a whole number, got 1.5"),
        ({"seed": None}, "TypeError: Champion.evaluate.seed must be a whole number, got None"),
        ({"seed": True}, "TypeError: Champion.evaluate.seed must be a whole number, got True"),
    ],
    ids=str,
)
def test_a_wrong_argument_of_an_evaluation_is_refused_by_name(arguments, message):
    _, champion = champion_for(WALK)
    with pytest.raises((TypeError, ValueError)) as refused:
        champion.evaluate(**arguments)
    assert f"{type(refused.value).__name__}: {refused.value}" == message


@pytest.mark.parametrize("seeds", [[], [-1], [1.5], 3, [[1, 2]], ["1"], None], ids=repr)
def test_seeds_that_are_none_are_refused(seeds):
    _, champion = champion_for(WALK)
    with pytest.raises(
        ValueError, match=r"^Champion\.run\.seeds must be whole numbers of at least 0, \(episodes,\), got "
    ):
        champion.run(seeds)


def failing_after(steps):
    """A maker of environments whose observation loses a number after so many steps; the odd seeds' never does."""

    class Shrinking(gym.Env):
        observation_space, action_space = spaces.Box(-1.0, 1.0, (2,)), spaces.Discrete(2)

        def reset(self, *, seed=None, options=None):
            self.limit, self.step_number = steps if seed % 8 < 4 else 99, 0
            return np.zeros(2, np.float32), {}

        def step(self, action):
            self.step_number += 1
            size = 1 if self.step_number >= self.limit else 2
            return np.zeros(size, np.float32), 1.0, self.step_number == 9, False, {}

    return Shrinking


def test_where_all_episodes_fail_the_first_one_s_message_is_told():
    _, champion = champion_for(WALK)
    changed = replace(champion, task=replace(champion.task, environment=make_spaces(spaces.MultiBinary(4), BOX)))
    with pytest.raises(TooManyFaults) as refused:
        changed.evaluate(3)
    assert str(refused.value) == (
        f"3 of 3 episodes failed; the first, malformed, seed {episode_seeds(0, Purpose.TEST, 0, 3)[0]}, step 0: "
        "MalformedObservation: an observation must have shape (3,), got (4,)"
    )
    assert len(refused.value.faults) == 3


def test_where_some_episodes_fail_the_first_one_s_message_is_a_warning():
    _, champion = champion_for(failing_after(3))
    with pytest.warns(EvonetWarning) as warned:
        score = champion.evaluate(20)
    failed = int(np.isnan(score.returns).sum())
    assert 0 < failed < 20
    seed = episode_seeds(0, Purpose.TEST, 0, 20)[np.isnan(score.returns).argmax()]
    assert str(warned[0].message) == (
        f"{failed} of 20 episodes failed; the first, malformed, seed {seed}, step 3: "
        "MalformedObservation: an observation must have shape (2,), got (1,)"
    )


# Observations of the stored champion


NOT_FINITE = "an observation must have finite numbers, got NaN or infinity"


@pytest.mark.parametrize(
    ("observation", "message"),
    [
        (None, "an observation must have shape (3,), got None"),
        ([0.0], "an observation must have shape (3,), got (1,)"),
        (0.5, "an observation must have shape (3,), got 0.5"),
        ("123", "an observation must have shape (3,), got '123'"),
        (["1", "2", "3"], "an observation must have type float64, got text"),
        ([0.0, None, 1.0], "an observation must have type float64, got object"),
        ([0.0, np.nan, 1.0], NOT_FINITE),
        ([0.0, np.inf, 1.0], NOT_FINITE),
        ([[0.0], [1.0]], "an observation must have shape (3,), got (1,)"),
        (np.zeros((2, 1)), "an observation must have shape (3,), got (1,)"),
        (np.zeros((2, 3, 1)), "an observation must have shape (3,), got (2, 3, 1)"),
        ([[0.0, 1.0, 2.0], [0.0]], "an observation must have shape (3,), got (1,)"),
        (np.zeros((0, 3)), "a batch must have at least one observation, got array([], shape=(0, 3), dtype=float64)"),
        ([[0.0, 1.0, np.nan], [0.0, 1.0, 2.0]], NOT_FINITE),
    ],
    ids=range(14),
)
def test_a_champion_gives_no_action_for_what_is_no_observation(observation, message):
    _, champion = champion_for(WALK)
    with pytest.raises(MalformedObservation) as refused:
        champion.predict(observation)
    assert str(refused.value) == message
    with pytest.raises(MalformedObservation):
        champion.act(observation)


def test_after_a_refused_observation_a_champion_acts_on_the_next():
    _, champion = champion_for(WALK)
    expected = champion.act([0.0, 1.0, 2.0])
    for wrong in ([0.0, np.nan, 1.0], None):
        with pytest.raises(MalformedObservation):
            champion.act(wrong)
    assert champion.act([0.0, 1.0, 2.0]) == expected


def plain(action):
    return action if isinstance(action, dict | tuple) else np.asarray(action)


@given(nested_spaces(MODEST), nested_spaces(MODEST), st.integers(0, 2**31 - 1))
@settings(max_examples=50)
def test_a_batch_s_actions_are_those_of_its_observations_alone(observation_space, action_space, seed):
    _, champion = champion_for(make_spaces(observation_space, action_space), hidden=2)
    observation_space.seed(seed)
    observations = [observation_space.sample() for _ in range(3)]
    actions, memory = champion.predict(observations)
    assert memory is None
    assert len(actions) == 3
    alone = [champion.predict(observation)[0] for observation in observations]
    acted = [champion.act(observation) for observation in observations]
    assert [repr(action) for action in alone] == [repr(action) for action in acted]
    assert [repr(plain(action)) for action in actions] == [repr(plain(action)) for action in acted]


def test_a_dict_of_batches_is_a_batch_of_dicts():
    space = spaces.Dict({"far": spaces.Dict({"x": BOX, "y": spaces.Discrete(3)}), "on": spaces.MultiBinary(2)})
    _, champion = champion_for(make_spaces(space, BOX), hidden=2)
    space.seed(1)
    observations = [space.sample() for _ in range(4)]
    stacked = {
        "far": {key: np.stack([one["far"][key] for one in observations]) for key in ("x", "y")},
        "on": np.stack([one["on"] for one in observations]),
    }
    actions, _ = champion.predict(stacked)
    assert actions.tolist() == champion.predict(observations)[0].tolist()
    with pytest.raises(MalformedObservation, match=r"^the parts of a batch must have equal lengths, got \[4, 3\]$"):
        champion.predict(stacked | {"on": stacked["on"][:3]})
    with pytest.raises(MalformedObservation, match=r"^an observation must have a part 'far', got \['on'\]$"):
        champion.predict({"on": stacked["on"]})


@pytest.mark.parametrize(
    ("state", "start", "message"),
    [
        ((np.zeros((1, 16)),), None, "Champion.predict.state[0] must have shape (2, 16), got (1, 16)"),
        ((np.zeros(16),), None, "Champion.predict.state[0] must have shape (2, 16), got (16,)"),
        ((np.zeros((2, 16)),), [True], "Champion.predict.episode_start must have shape (2,), got (1,)"),
    ],
    ids=["one for two", "no batch", "start"],
)
def test_a_memory_of_another_shape_is_refused_and_never_stretched(state, start, message):
    _, champion = champion_for(WALK, recurrent=True)
    with pytest.raises(ValueError) as refused:
        champion.predict(np.zeros((2, 3)), state, start)
    assert str(refused.value) == message


def scored_champion():
    _, champion = champion_for(WALK, normalise=True, hidden=4)
    return champion.tested(Score(np.array([1.0, 3.0])))


def silence_a_neuron(champion):
    champion.network.neuron("hidden", 1).outgoing[:] = 0.0


@pytest.mark.parametrize(
    "edit",
    [
        silence_a_neuron,
        lambda champion: champion.genome.__setitem__(0, np.nextafter(champion.genome[0], 9.0)),
        lambda champion: champion.normaliser.mean.__setitem__(0, 7.0),
    ],
    ids=["a neuron", "the last bit of a gene", "the normaliser"],
)
def test_scores_are_gone_once_the_network_is_not_the_one_that_earned_them(edit, tmp_path):
    champion = scored_champion()
    assert (champion.edited, champion.test.mean) == (False, 2.0)
    edit(champion)
    for changed in (champion, twice_saved(champion, tmp_path), pickle.loads(pickle.dumps(champion))):
        assert (changed.edited, changed.validation, changed.test) == (True, None, None)


def test_scores_are_back_once_the_edit_is_undone():
    champion = scored_champion()
    before = champion.genome.copy()
    champion.genome[:] = 0.0
    assert champion.test is None
    champion.genome[:] = before
    assert champion.test.mean == 2.0


def test_a_copy_with_another_genome_has_no_score():
    champion = scored_champion()
    assert replace(champion, genome=champion.genome + 1.0).test is None
    assert replace(champion, genome=champion.genome.copy()).test.mean == 2.0


def test_an_edited_champion_that_is_tested_has_that_score_and_no_other(tmp_path):
    champion = scored_champion()
    champion.genome[:] = 0.0
    loaded = twice_saved(champion.tested(Score(np.array([5.0]))), tmp_path)
    assert (loaded.edited, loaded.validation, loaded.test.mean) == (False, None, 5.0)
    assert np.isnan(loaded.training_fitness)


def test_a_file_whose_genome_was_changed_beside_evonet_has_no_scores():
    champion = scored_champion()
    normaliser = champion.normaliser.to_arrays()
    arrays = {"genome": champion.genome + 1.0, "test": np.array([9.0])}
    arrays |= {f"normaliser_{name}": normaliser[name] for name in ("mean", "squares")}
    loaded = Champion.from_parts(json.loads(json.dumps(champion._header)), arrays)
    assert (loaded.edited, loaded.test) == (True, None)


def test_a_file_from_before_there_were_digests_keeps_its_scores():
    champion = champion_for(WALK)[1]
    header = json.loads(json.dumps(champion._header))
    assert header.pop("digest") == champion.digest
    arrays = {"genome": champion.genome, "validation": np.array([9.0])}
    assert Champion.from_parts(header, arrays).validation.mean == 9.0


def test_a_setting_at_its_default_is_no_part_of_the_digest(monkeypatch):
    champion = champion_for(WALK)[1]
    before = champion.digest
    monkeypatch.setattr(Architecture.__dataclass_fields__["recurrent"], "default", True)
    assert champion.digest != before
