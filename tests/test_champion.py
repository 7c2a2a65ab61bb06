"""The champion: what its file holds, that it runs nobody's code, and that it acts as it did when it was chosen."""

import json
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gymnasium import spaces

from evonet import Champion, EnvironmentSpec, EnvironmentUnavailable, EpisodeReturn, Score, Wrapper
from evonet.environments.normaliser import ObservationNormaliser
from evonet.environments.space_descriptions import describe_space, space_from
from evonet.errors import ConfigError
from evonet.network import Architecture
from evonet.seeding import Purpose, episode_seeds
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
        "use dataclasses.replace to give its task an environment"
    )


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
