"""The maze: robot, sensors and maps by hand, and the kernel against the environment."""

import math
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from evonet.environments.known import kernels
from evonet.environments.maze import Maze
from evonet.environments.maze_maps import MAPS, MazeMap, read_map
from evonet.environments.specification import EnvironmentSpec
from evonet.errors import ConfigError
from evonet.evaluation.gymnasium_engine import GymnasiumEngine
from evonet.evaluation.kernels import NumpyEngine, kernel_for
from evonet.fitness import EpisodeReturn
from evonet.testing import check_kernel

ID = "evonet/Maze-v0"
SQUARE = """\
4           # walls of a square, by hand
20 50
0
90 50
0 0 100 0
100 0 100 100

100 100 0 100
0 100 0 0
"""


@pytest.fixture
def square(tmp_path):
    """The path of a map: a square of 100 × 100, the robot at (20, 50) towards the goal at (90, 50)."""
    path = tmp_path / "square.txt"
    path.write_text(SQUARE, encoding="utf-8")
    return str(path)


@pytest.fixture
def in_square(square):
    environment = Maze(map=square)
    environment.reset()
    return environment


def fitness_on(name, **settings):
    return EpisodeReturn(EnvironmentSpec(ID, {"map": name}), hidden=4, **settings)


@pytest.mark.filterwarnings("ignore:.*render modes.*")
@pytest.mark.parametrize("name", MAPS)
def test_it_passes_gymnasium_s_checker(name):
    pytest.importorskip("pygame")
    check_env(gym.make(ID, map=name).unwrapped)


def test_gymnasium_knows_it_by_its_name():
    spec = gym.spec(ID)
    assert (spec.max_episode_steps, spec.reward_threshold) == (400, 295.0)


def test_range_finders_see_the_nearest_wall_and_pie_slices_the_goal(in_square):
    observation, _ = in_square.reset()
    # At (20, 50), heading 0: the walls at ±90 degrees are 50 away, that behind 20, that ahead 80.
    assert observation == pytest.approx([0.5, 0.5 * math.sqrt(2), 0.8, 0.5 * math.sqrt(2), 0.5, 0.2, 1, 0, 0, 0])
    for heading, goal in ((50, 9), (100, 9), (140, 8), (230, 7), (310, 7), (320, 6)):
        in_square.state[2] = heading
        assert np.flatnonzero(in_square._observation()[6:]).tolist() == [goal - 6]


def test_the_robot_moves_along_its_heading_before_it_turns(in_square):
    _, reward, _, _, info = in_square.step([1.0, 1.0])
    assert in_square.state[:5].tolist() == [20.5, 50.0, 0.5, 0.5, 0.5]
    assert info == {"x": 20.5, "y": 50.0, "distance": 69.5}
    assert reward == 300 - 69.5
    _, reward, _, _, _ = in_square.step([0.0, 1.0])
    assert in_square.state.tolist() == pytest.approx(
        [20.5 + math.cos(math.radians(0.5)), 50 + math.sin(math.radians(0.5)), 0.5, 1.0, 0.0, 69.5 - reward]
    )


def test_speed_and_angular_velocity_stay_within_three(in_square):
    for _ in range(20):
        in_square.step([0.0, 0.0])
    assert in_square.state[3:5].tolist() == [-3.0, -3.0]


def test_the_robot_stays_where_a_step_would_bring_it_nearer_than_its_radius_to_a_wall(in_square):
    for _ in range(12):  # backwards to the wall: speeds -0.5, -1, -1.5 … -3, and the wall is 20 - 8 away
        in_square.step([0.5, 0.0])
    # 20 - (0.5 + 1 + … + 2.5) = 12.5; a further step of 3 would end at 9.5, the next at 6.5
    assert in_square.state[0] == 9.5
    in_square.state[3] = 0.0
    in_square.step([0.5, 1.0])
    assert in_square.state[0] == 10.0


def test_it_terminates_within_five_units_of_the_goal_with_a_return_of_at_least_295(in_square):
    in_square.reset()
    total, steps, terminated = 0.0, 0, False
    while not terminated:
        _, reward, terminated, truncated, info = in_square.step([0.5, 1.0])
        total, steps = total + reward, steps + 1
        assert not truncated
        assert terminated == (info["distance"] < 5)
    assert total == pytest.approx(300 - info["distance"])
    assert 295 < total <= 300
    assert in_square.path[0] == (20.0, 50.0)
    assert len(in_square.path) == steps + 1


@pytest.mark.parametrize(("name", "start"), [("medium", (30, 22)), ("hard", (36, 184))])
def test_the_published_maps_are_there(name, start):
    environment = Maze(map=name)
    _, info = environment.reset()
    assert (info["x"], info["y"]) == start
    assert len(environment.plan.walls) == 11
    assert environment._is_free(*start)


def test_a_map_is_read_from_a_file(square):
    walls = ((0, 0, 100, 0), (100, 0, 100, 100), (100, 100, 0, 100), (0, 100, 0, 0))
    assert read_map(square) == MazeMap((20, 50), 0, (90, 50), walls)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("20 50", "20", ":2: must be 2 numbers within ±1,000,000, got '20'"),
        ("20 50", "20 nan", ":2: must be 2 numbers within ±1,000,000, got '20 nan'"),
        ("100 0 100 100", "100 0 x 100", ":6: must be 4 numbers within ±1,000,000, got '100 0 x 100'"),
        ("100 0 100 100", "100 0 100 0", ":6: a wall must have two different ends, got 100 0 twice"),
        ("4  ", "5  ", ":1: must be the number of walls that follow, at most 200, got 5; 4 follow"),
        (SQUARE[2:], "", ": a map must have a number of walls, a start, a heading, a goal and walls, got 1 line"),
    ],
)
def test_a_file_that_is_no_map_is_refused_with_its_line(square, old, new, message):
    Path(square).write_text(SQUARE.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ValueError) as refused:
        Maze(map=square)
    assert str(refused.value) == square + message


def test_a_map_that_is_not_there_is_refused_with_the_published_ones():
    with pytest.raises(ConfigError) as refused:
        Maze(map="hrad")
    assert (
        str(refused.value) == "hrad: cannot be read: No such file or directory; the map must be medium, hard or a file"
    )


def test_the_kernel_is_the_environment(square):
    for name in (*MAPS, square):
        check_kernel(kernels()[ID], ID, kwargs={"map": name}, episodes=4, steps=150)


@pytest.mark.parametrize("name", MAPS)
def test_engines_agree_about_whole_episodes(name):
    fitness = fitness_on(name)
    genomes = 3 * np.random.default_rng(1).standard_normal((30, fitness.architecture.genome_size))
    order, seeds = np.arange(30), np.zeros(30, np.int64)
    kernel = NumpyEngine(fitness.task).run(genomes, order, seeds, None)
    real = GymnasiumEngine(fitness.task).run(genomes, order, seeds, None)
    assert np.array_equal(kernel.lengths, real.lengths)
    assert kernel.returns == pytest.approx(real.returns, rel=1e-9)
    assert np.ptp(kernel.returns) > 50


def test_the_map_is_part_of_what_is_compiled(square):
    codegen = pytest.importorskip("evonet.evaluation.kernels.codegen")
    from evonet.evaluation.kernels.task import KernelTask

    sources = {codegen.rollout_source(KernelTask.of(fitness_on(name).task)) for name in (*MAPS, square)}
    assert len(sources) == 3


@pytest.mark.parametrize("map_name", [3, True, None])
def test_a_map_that_is_no_text_is_none_of_the_kernel_s(map_name):
    task = fitness_on("hard").task
    environment = EnvironmentSpec(ID, {"map": map_name})
    assert kernel_for(type(task)(**{**vars(task), "environment": environment})) is None


@pytest.mark.slow  # by default its step alone is compiled, in test_kernels.py
@pytest.mark.parametrize("name", MAPS)
def test_numba_gives_the_bits_of_numpy(name):
    pytest.importorskip("numba")
    from evonet.evaluation.kernels import NumbaEngine

    fitness = fitness_on(name, recurrent=True)
    genomes = 3 * np.random.default_rng(2).standard_normal((200, fitness.architecture.genome_size))
    order, seeds = np.arange(200), np.zeros(200, np.int64)
    first = NumpyEngine(fitness.task).run(genomes, order, seeds, None)
    second = NumbaEngine(fitness.task, threads=1).run(genomes, order, seeds, None)
    assert np.array_equal(first.returns, second.returns)
    assert np.array_equal(first.lengths, second.lengths)


def test_it_draws_itself(square):
    pytest.importorskip("pygame")
    environment = Maze(map=square, render_mode="rgb_array")
    environment.reset()
    picture = environment.render()
    assert picture.shape == (600, 600, 3)
    assert picture[300, 12 + round(0.2 * 576) - 20].tolist() == [0, 114, 178]  # the robot
    assert picture[300, 12 + round(0.9 * 576)].tolist() == [213, 94, 0]  # the goal
    environment.step([0.5, 1.0])
    assert not np.array_equal(environment.render(), picture)
    environment.close()
    assert Maze().render() is None
