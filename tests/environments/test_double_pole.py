import math

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from evonet.environments.double_pole import DoublePole, accelerations, runge_kutta_step
from evonet.environments.known import kernels
from evonet.environments.known.double_pole import MAX_ANGLE
from evonet.environments.specification import EnvironmentSpec
from evonet.evaluation.gymnasium_engine import GymnasiumEngine
from evonet.evaluation.kernels import NumpyEngine
from evonet.fitness import EpisodeReturn
from evonet.testing import check_kernel

ID = "evonet/DoublePole-v0"
VARIANTS = [{"velocities": v, "damping": d} for v in (True, False) for d in (False, True)]


def name(kwargs):
    return f"{'with' if kwargs['velocities'] else 'without'} velocities{', damping' if kwargs['damping'] else ''}"


def test_at_rest_and_upright_the_force_moves_the_cart_and_tips_the_poles():
    # mass = 1 + 0.1 * 0.25 + 0.01 * 0.25 = 1.0275; x'' = 10 / mass; θ'' = -0.75 / l * x''
    cart, long, short = accelerations(np.zeros(6), 10.0)
    assert cart == pytest.approx(10 / 1.0275, rel=1e-14)
    assert long == pytest.approx(-1.5 * 10 / 1.0275, rel=1e-14)
    assert short == pytest.approx(-15 * 10 / 1.0275, rel=1e-14)


def test_a_pole_that_lies_level_falls_with_one_and_a_half_g():
    # At 90 degrees the cosine is 0: the hinge does not push, and θ'' = -3 / (4 l) * g * sin θ, with g = -9.8.
    _, long, _ = accelerations(np.array([0, 0, math.pi / 2, 0, 0, 0]), 0.0)
    assert long == pytest.approx(0.75 / 0.5 * 9.8, rel=1e-12)


def test_friction_works_against_the_cart_and_at_the_hinges():
    # Upright, x' = 1 and θ1' = 2: hinge = 2e-6 * 2 / (0.1 * 0.5) = 8e-5; push = -5e-4 + 0.075 * hinge (and sin θ = 0).
    cart, long, _ = accelerations(np.array([0, 1.0, 0, 2.0, 0, 0]), 0.0)
    assert cart == pytest.approx((-5e-4 + 0.075 * 8e-5) / 1.0275, rel=1e-12)
    assert long == pytest.approx(-1.5 * (cart + 8e-5), rel=1e-12)


def test_a_leaning_pole_that_turns_pulls_the_cart():
    # θ1 = 30°, θ1' = 3: sin = 0.5, cos² = 0.75; hinge = 2e-6 * 3 / 0.05 = 1.2e-4; pull = hinge - 4.9.
    cosine, pull = math.sqrt(0.75), 1.2e-4 - 4.9
    push = 4.0 + 0.05 * 9 * 0.5 + 0.075 * cosine * pull
    mass = 1 + 0.1 * (1 - 0.75 * 0.75) + 0.01 * 0.25
    cart, long, short = accelerations(np.array([0.3, 0, math.pi / 6, 3.0, 0, 0]), 4.0)
    assert cart == pytest.approx(push / mass, rel=1e-13)
    assert long == pytest.approx(-1.5 * (cart * cosine + pull), rel=1e-13)
    assert short == pytest.approx(-15 * cart, rel=1e-13)


@pytest.mark.parametrize("force", [-10.0, 0.5, 10.0])
def test_a_trajectory_is_that_of_an_independent_integration(force):
    integrate = pytest.importorskip("scipy.integrate")
    state = np.array([0.1, 0.4, 0.05, -0.3, -0.04, 0.2])

    def change(_, s):
        cart, long, short = accelerations(s, force)
        return [s[1], cart, s[3], long, s[5], short]

    ours = state
    for _ in range(10):
        ours = runge_kutta_step(ours, force)
    # The cart's friction jumps where its velocity changes sign; here it does so at most once.
    theirs = integrate.solve_ivp(change, (0, 0.2), state, method="DOP853", rtol=1e-12, atol=1e-12, max_step=1e-3)
    assert ours == pytest.approx(theirs.y[:, -1], rel=2e-3, abs=2e-4)


def test_half_the_time_step_is_sixteen_times_as_exact():
    """The method is of fourth order."""
    integrate = pytest.importorskip("scipy.integrate")
    from evonet.environments import double_pole

    state = np.array([0.1, 0.4, 0.05, -0.3, -0.04, 0.2])

    def change(_, s):
        cart, long, short = accelerations(s, 5.0)
        return [s[1], cart, s[3], long, s[5], short]

    exact = integrate.solve_ivp(change, (0, 0.02), state, method="DOP853", rtol=1e-13, atol=1e-14).y[:, -1]
    coarse = np.abs(runge_kutta_step(state, 5.0) - exact).max()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(double_pole, "TIME_STEP", 0.005)
        patch.setattr(double_pole, "SUBSTEPS", 4)
        fine = np.abs(runge_kutta_step(state, 5.0) - exact).max()
    assert coarse / fine == pytest.approx(16, rel=0.3)


@pytest.mark.filterwarnings("ignore:.*render modes.*")
@pytest.mark.filterwarnings("ignore:.*infinity.*")
@pytest.mark.parametrize("kwargs", VARIANTS, ids=name)
def test_it_passes_gymnasium_s_checker(kwargs):
    pytest.importorskip("pygame")
    check_env(gym.make(ID, **kwargs).unwrapped)


def test_gymnasium_knows_it_by_its_name():
    spec = gym.spec(ID)
    assert (spec.max_episode_steps, spec.reward_threshold) == (100_000, 100_000.0)


def test_it_begins_with_the_long_pole_at_four_degrees():
    environment = DoublePole()
    observation, _ = environment.reset(seed=3)
    assert environment.state.tolist() == [0, 0, math.radians(4), 0, 0, 0]
    assert observation == pytest.approx([0, 0, 4 / 36, 0, 0, 0])
    assert DoublePole(velocities=False).reset(seed=1)[0] == pytest.approx([0, 4 / 36, 0])


def test_a_start_can_be_chosen_and_a_wrong_one_is_refused():
    environment = DoublePole()
    environment.reset(options={"state": [1, 0, 0.1, 0, 0, 0]})
    assert environment.state[0] == 1
    with pytest.raises(
        ValueError, match=r"^DoublePole.reset.options\['state'\] must be 6 finite numbers, got \[1, 2\]$"
    ):
        environment.reset(options={"state": [1, 2]})


def test_the_weakest_force_is_10_256ths_of_a_newton():
    still, weak = DoublePole(), DoublePole()
    still.reset()
    weak.reset()
    still.step(np.array([0.0]))
    weak.step(np.array([1 / 256]))
    assert np.array_equal(still.state, weak.state)
    weak.reset()
    weak.step(np.array([2 / 256]))
    assert not np.array_equal(still.state, weak.state)


def test_it_ends_when_a_pole_leans_too_far_and_that_control_counts_for_nothing():
    environment = DoublePole()
    environment.reset()
    rewards, over = [], False
    while not over:
        _, reward, over, truncated, _ = environment.step(np.array([1.0]))
        rewards.append(reward)
        assert not truncated
    assert np.abs(environment.state[[2, 4]]).max() > MAX_ANGLE
    assert rewards == [1.0] * (len(rewards) - 1) + [0.0]


def gruau(states, steps_to_go=1000):
    """The fitness as the paper has it, from the states that were balanced."""
    t = len(states)
    unrest = [sum(abs(value) for value in state[:4]) for state in states]
    return 0.1 * t / steps_to_go + 0.9 * (0.75 / sum(unrest[-100:]) if t >= 100 else 0.0)


def controller(state):
    """Pushes after the poles, well enough to balance for some hundred steps."""
    x, v, a, da, b, db = state
    return np.clip(0.3 * x + 0.5 * v + 6 * a + 2 * da - 9 * b - 0.8 * db, -1, 1)


@pytest.mark.parametrize("start", [(0, 0, math.radians(4), 0, 0, 0), (0, 0, 0.001, 0, 0, 0), (2.3, 1.5, 0, 0, 0, 0)])
def test_the_rewards_of_damping_add_up_to_gruau_s_fitness(start):
    environment = DoublePole(damping=True)
    environment.reset(options={"state": start})
    total, states, over = 0.0, [], False
    while not over:
        _, reward, over, truncated, _ = environment.step([controller(environment.state)])
        total += reward
        fallen = np.abs(environment.state[[2, 4]]).max() > MAX_ANGLE or abs(environment.state[0]) > 2.4
        if not fallen:
            states.append(environment.state.copy())
        assert not truncated
    assert total == pytest.approx(gruau(states), rel=1e-10)


@pytest.mark.parametrize("kwargs", VARIANTS, ids=name)
def test_the_kernel_is_the_environment(kwargs):
    def read(environment):
        if not kwargs["damping"]:
            return environment.state
        return [*environment.state, environment._balanced, environment._sum, *environment._unrest]

    check_kernel(kernels()[ID], ID, kwargs=kwargs, episodes=3, steps=150, read_state=read)


@pytest.mark.parametrize("kwargs", VARIANTS, ids=name)
def test_engines_agree_about_whole_episodes(kwargs):
    fitness = EpisodeReturn(
        EnvironmentSpec(ID, kwargs, max_steps=300), hidden=2, bias=False, recurrent=not kwargs["velocities"]
    )
    rng = np.random.default_rng(1)
    n = 60
    genomes = 3 * rng.standard_normal((n, fitness.architecture.genome_size))
    order, seeds = np.arange(n), np.zeros(n, np.int64)
    kernel = NumpyEngine(fitness.task).run(genomes, order, seeds, None)
    real = GymnasiumEngine(fitness.task).run(genomes, order, seeds, None)
    assert np.array_equal(kernel.lengths, real.lengths)
    assert kernel.returns == pytest.approx(real.returns, rel=1e-9)
    assert kernel.returns.max() > kernel.returns.min()


@pytest.mark.slow  # by default its step alone is compiled, in test_kernels.py
@pytest.mark.parametrize("kwargs", [VARIANTS[0], VARIANTS[3]], ids=name)
def test_numba_gives_the_bits_of_numpy(kwargs):
    pytest.importorskip("numba")
    from evonet.evaluation.kernels import NumbaEngine

    fitness = EpisodeReturn(EnvironmentSpec(ID, kwargs, max_steps=400), hidden=2, bias=False)
    genomes = 3 * np.random.default_rng(2).standard_normal((200, fitness.architecture.genome_size))
    order, seeds = np.arange(200), np.zeros(200, np.int64)
    first = NumpyEngine(fitness.task).run(genomes, order, seeds, None)
    second = NumbaEngine(fitness.task, threads=1).run(genomes, order, seeds, None)
    assert np.array_equal(first.returns, second.returns)
    assert np.array_equal(first.lengths, second.lengths)


def test_it_draws_itself():
    pytest.importorskip("pygame")
    environment = DoublePole(render_mode="rgb_array")
    environment.reset()
    picture = environment.render()
    assert picture.shape == (320, 600, 3)
    colours = np.unique(picture.reshape(-1, 3), axis=0).tolist()
    assert [0, 114, 178] in colours
    assert [213, 94, 0] in colours
    environment.step([1.0])
    assert not np.array_equal(environment.render(), picture)
    environment.close()
    assert DoublePole().render() is None


def test_gymnasium_makes_it_without_an_import():
    import subprocess
    import sys

    program = "import gymnasium; print(gymnasium.make('evonet.environments:evonet/DoublePole-v0').spec.id)"
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout == f"{ID}\n", done.stderr
