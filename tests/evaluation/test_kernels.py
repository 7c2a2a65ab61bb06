"""Kernels: each keeps to its environment, and NumPy and Numba get the same bits of it."""

import dataclasses
import importlib.util
import itertools
import math
import os
import subprocess
import sys
import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

from evonet.environments.known import KNOWN, Kernel, KnownEnvironment, arithmetic, kernels
from evonet.environments.wrappers import Wrapper
from evonet.evaluation.engines import make_engine
from evonet.evaluation.gymnasium_engine import GymnasiumEngine
from evonet.evaluation.kernels import KernelEngine, NumbaEngine, NumpyEngine, auto, kernel_for
from evonet.evaluation.kernels.activations import ACTIVATIONS as KERNEL_ACTIVATIONS
from evonet.evaluation.kernels.activations import PRECISIONS
from evonet.evaluation.kernels.lane_networks import ordered_sum
from evonet.evaluation.kernels.task import KernelTask
from evonet.network import ACTIVATIONS
from evonet.testing import check_kernel
from tests.evaluation.kernel_cases import (
    TROUBLED,
    WALK,
    altered,
    bits,
    genomes_for,
    normaliser_for,
    register_walk,
    run,
    task_for,
)

pytestmark = pytest.mark.filterwarnings("ignore:.*CartPole-v0 is out of date:DeprecationWarning")

KERNELS = kernels()
CARTPOLE = KERNELS["CartPole-v1"]
CONTINUOUS = ("MountainCarContinuous-v0", "Pendulum-v1", "evonet/Maze-v0")
ROOT = Path(__file__).parents[2]
# Pendulum's reward holds a float32 power of the torque, which a library may get wrong in the last bit.
REWARD_TOLERANCE = {"Pendulum-v1": 1e-9}
VARIANTS = {
    "recurrent": {"recurrent": True, "activations": ("sigmoid", "tanh")},
    "no bias": {"bias": False, "activations": ("relu", "sin")},
    "normalised": {"normalise": True, "activations": ("gaussian", "sigmoid")},
    "skip": {"skip": True, "activations": ("tanh", "sigmoid")},
    "linear": {"hidden": 0, "skip": True, "normalise": True},
    "ten steps": {"max_steps": 10},
}


def matching(returns, expected, environment_id):
    """Share of the returns that are those expected: the same number, or to 1e-3 where rewards are continuous."""
    if environment_id in CONTINUOUS:
        return np.isclose(returns, expected, rtol=1e-3, atol=0.0).mean()
    return (returns == expected).mean()


class TestContract:
    @pytest.mark.parametrize("environment_id", KERNELS)
    def test_each_kernel_starts_steps_observes_and_ends_like_its_environment(self, environment_id):
        tolerance = REWARD_TOLERANCE.get(environment_id, 1e-12)
        check_kernel(KERNELS[environment_id], environment_id, episodes=8, steps=100, reward_tolerance=tolerance)

    @pytest.mark.parametrize(
        ("environment_id", "kwargs"),
        [
            ("CartPole-v1", {"sutton_barto_reward": True}),
            ("MountainCar-v0", {"goal_velocity": 0.02}),
            ("MountainCarContinuous-v0", {"goal_velocity": 0.02}),
            ("Pendulum-v1", {"g": 9.81}),
        ],
    )
    def test_keyword_arguments_of_the_environment_are_parameters_of_the_kernel(self, environment_id, kwargs):
        check_kernel(KERNELS[environment_id], environment_id, kwargs=kwargs, episodes=3, reward_tolerance=1e-9)

    def test_a_car_at_the_goal_is_judged_like_the_real_one(self):
        # Random actions never get there: start right of the valley's middle, at speed.
        for environment_id, name in (("MountainCar-v0", "state"), ("MountainCarContinuous-v0", "state")):
            environment = gym.make(environment_id).unwrapped
            environment.reset(seed=0)
            for position, velocity in itertools.product((0.38, 0.44, 0.49), (0.0, 0.03, 0.07)):
                dtype = np.float32 if "Continuous" in environment_id else np.float64
                setattr(environment, name, np.array([position, velocity], dtype))
                state = tuple(np.array(environment.state, np.float64)[:, None])
                action = environment.action_space.sample()
                _, reward, terminated, _, _ = environment.step(action)
                columns = tuple(np.ravel(np.float64(action))[:, None])
                new, kernel_reward, kernel_terminated = KERNELS[environment_id].step(state, columns, (0.0,))
                assert np.array_equal(np.ravel(new), np.array(environment.state, np.float64))
                assert kernel_terminated.item() == terminated
                assert np.isclose(kernel_reward, reward, rtol=1e-12, atol=0.0).all()

    @pytest.mark.parametrize(
        ("lie", "message"),
        [
            ({"start": lambda rng: rng.uniform(-0.05, 0.05, 4) + 1e-16}, r"the state after reset\(seed=0\) is"),
            ({"observe": lambda state: (*state[:3], state[3] * 1.00001)}, "the observation after"),
            ({"observe": lambda state: state[:3]}, r"has 4 numbers, the kernel's 3"),
            (
                {"step": lambda s, a, p: ((s[0] + 1e-11, *CARTPOLE.step(s, a, p)[0][1:]), 1.0, False)},
                "the state at step 1 of the episode of seed 0 is",
            ),
            ({"step": lambda s, a, p: (CARTPOLE.step(s, a, p)[0], 0.999, False)}, "the reward at step 1"),
            ({"step": lambda s, a, p: (CARTPOLE.step(s, a, p)[0], 1.0, False)}, "terminated=True, the kernel False"),
            ({"entry_point": "somewhere:Else"}, "CartPole-v1 is made by .*, not by somewhere:Else"),
        ],
    )
    def test_the_contract_finds_each_kind_of_lie(self, lie, message):
        with pytest.raises(AssertionError, match=message):
            check_kernel(altered(CARTPOLE, **lie), "CartPole-v1")

    def test_the_contract_refuses_arguments_that_the_kernel_does_not_know(self):
        with pytest.raises(ValueError, match=r"must be parameters of the kernel, got \['length'\]"):
            check_kernel(CARTPOLE, "CartPole-v1", kwargs={"length": 2.0})


class TestArithmetic:
    NUMBERS = np.concatenate([np.linspace(-40.0, 40.0, 20_001), np.geomspace(1e-12, 1e5, 2_000), [0.0]])

    @pytest.mark.parametrize(
        ("function", "reference", "places"),
        [
            (arithmetic.sin, math.sin, 1),
            (arithmetic.cos, math.cos, 1),
            (arithmetic.tanh, math.tanh, 4),
            (lambda x: arithmetic.exp(-np.abs(x)), lambda x: math.exp(-abs(x)) if abs(x) < 708 else math.exp(-708), 2),
        ],
    )
    def test_functions_are_right_to_the_last_places(self, function, reference, places):
        expected = np.array([reference(x) for x in self.NUMBERS])
        assert (np.abs(function(self.NUMBERS) - expected) <= places * np.spacing(np.abs(expected))).all()

    def test_sines_are_nearly_always_the_nearest_number(self):
        sine, cosine = arithmetic.sin_cos_rounded(self.NUMBERS)
        assert (sine == [math.sin(x) for x in self.NUMBERS]).mean() > 0.99
        assert (cosine == [math.cos(x) for x in self.NUMBERS]).mean() > 0.99

    def test_small_angles_agree_with_large_ones(self):
        x = np.linspace(-0.22, 0.22, 2_001)
        np.testing.assert_allclose(arithmetic.sin_cos_small(x), [np.sin(x), np.cos(x)], rtol=3e-16, atol=0.0)


class TestAgainstTheRealEnvironment:
    @pytest.mark.parametrize("environment_id", KERNELS)
    def test_returns_are_those_of_the_environment_under_the_network_itself(self, environment_id):
        task = task_for(environment_id, max_steps=100)
        genomes = genomes_for(task, 60)
        real, kernel = (run(engine(task), task, genomes) for engine in (GymnasiumEngine, NumpyEngine))
        assert matching(kernel.returns, real.returns, environment_id) == 1.0
        assert np.array_equal(kernel.lengths, real.lengths)
        assert np.array_equal(kernel.terminated, real.terminated)

    @pytest.mark.parametrize("variant", VARIANTS)
    @pytest.mark.parametrize("environment_id", ["CartPole-v1", "Pendulum-v1"])
    def test_networks_of_all_kinds_act_as_they_do_there(self, environment_id, variant):
        task = task_for(environment_id, **{"hidden": 5, "max_steps": 60, **VARIANTS[variant]})
        genomes = genomes_for(task, 30, seed=1)
        real, kernel = (run(engine(task), task, genomes) for engine in (GymnasiumEngine, NumpyEngine))
        assert matching(kernel.returns, real.returns, environment_id) == 1.0
        assert np.array_equal(kernel.lengths, real.lengths)
        assert np.array_equal(kernel.terminated, real.terminated)
        if task.normalise:
            np.testing.assert_allclose(kernel.observations.sums, real.observations.sums, rtol=1e-5, atol=1e-4)
            np.testing.assert_allclose(kernel.observations.squares, real.observations.squares, rtol=1e-5, atol=1e-4)

    @pytest.mark.parametrize("environment_id", ["CartPole-v1", "MountainCar-v0"])
    def test_of_equal_outputs_the_first_is_chosen_as_there(self, environment_id):
        task = task_for(environment_id, max_steps=40)
        genomes = genomes_for(task, 12)
        last = genomes[:, task.architecture.slices["hidden_output_weights"].start :].reshape(12, -1)
        choices = task.architecture.num_outputs
        for k in range(choices):  # the k-th and all after it are equal
            rows = last[k::choices].reshape(-1, last.shape[1] // choices, choices)
            rows[:, :, k:] = rows[:, :, k : k + 1]
            last[k::choices] = rows.reshape(-1, last.shape[1])
        real, kernel = (run(engine(task), task, genomes) for engine in (GymnasiumEngine, NumpyEngine))
        assert np.array_equal(kernel.lengths, real.lengths)
        assert np.array_equal(kernel.returns, real.returns)

    def test_what_is_added_to_all_outputs_alike_changes_nothing(self):
        task = task_for("Acrobot-v1", max_steps=40)
        genomes = np.round(genomes_for(task, 8), 3)
        shifted = genomes.copy()
        shifted[:, task.architecture.slices["hidden_output_weights"].start :] += 0.5
        one, other = (run(NumpyEngine(task), task, these) for these in (genomes, shifted))
        assert bits(one) == bits(other)

    @pytest.mark.parametrize("precision", ["single", "double"])
    @pytest.mark.parametrize("activation", ACTIVATIONS)
    def test_each_activation_is_the_network_s(self, activation, precision):
        x = np.linspace(-12.0, 12.0, 1_001).astype(PRECISIONS[precision])
        expected = x.astype(np.float64)
        ACTIVATIONS[activation].apply(expected)
        tolerance = 1e-6 if precision == "single" else 1e-15
        np.testing.assert_allclose(KERNEL_ACTIVATIONS[precision][activation](x), expected, rtol=0.0, atol=tolerance)

    @pytest.mark.parametrize("squash", ["tanh", "clip"])
    @pytest.mark.parametrize("output", ["identity", "sigmoid", "leaky_relu"])
    def test_actions_of_a_box_are_stretched_as_the_decoder_does(self, output, squash):
        task = task_for("Pendulum-v1", activations=("tanh", output), squash=squash, max_steps=30)
        genomes = genomes_for(task, 20)
        real, kernel = (run(engine(task), task, genomes) for engine in (GymnasiumEngine, NumpyEngine))
        np.testing.assert_allclose(kernel.returns, real.returns, rtol=1e-6)

    @pytest.mark.slow
    @pytest.mark.parametrize("environment_id", KERNELS)
    def test_of_ten_thousand_returns_999_in_a_thousand_are_the_environment_s(self, environment_id):
        task = task_for(environment_id)
        genomes = genomes_for(task, 10_000, seed=1)
        seeds, individuals = np.random.default_rng(2).integers(0, 2**31, 10_000), np.arange(10_000)
        real, numpy, numba = (
            engine(task).run(genomes, individuals, seeds, None)
            for engine in (GymnasiumEngine, NumpyEngine, NumbaEngine)
        )
        assert bits(numpy) == bits(numba)
        assert matching(numpy.returns, real.returns, environment_id) >= 0.999


COMPILED = {
    # Each is compiled, which takes many seconds: together they meet each kernel, activation and kind of network.
    "CartPole-v1": {"activations": ("tanh", "identity")},
    "MountainCar-v0": {"activations": ("gaussian", "sin"), "bias": False, "normalise": True, "max_steps": 60},
    "MountainCarContinuous-v0": {"activations": ("leaky_relu", "step"), "max_steps": 60},
    "Pendulum-v1": {"activations": ("sigmoid", "tanh"), "recurrent": True, "normalise": True, "max_steps": 60},
    "Acrobot-v1": {"activations": ("relu", "sigmoid"), "max_steps": 60},
}


WHOLE = ("CartPole-v1", "Pendulum-v1")
"""What is compiled whole; of the others, by default, only what differs: the kernel and the activations."""


def numbers_of_an_action(kernel_task):
    return int(np.prod(kernel_task.task.action_space.shape))


def test_two_threads_may_compile_the_same_at_the_same_time(monkeypatch):
    from evonet.evaluation.kernels import compilation

    def fill_slowly(loader, module):
        began.wait()
        time.sleep(0.05 * begins.pop())  # one ends later than the other begins
        module.filled = True

    began, begins = threading.Barrier(2, timeout=10), [1, 0]
    monkeypatch.setattr(compilation._Source, "exec_module", fill_slowly)
    with ThreadPoolExecutor(2) as threads:
        modules = list(threads.map(lambda _: compilation._module("evonet_generated_twice", ""), range(2)))
    del sys.modules["evonet_generated_twice"]
    assert modules[0] is modules[1]
    assert modules[0].filled


def alone(kernel_task):
    """A kernel's observation and step, compiled by themselves: a small part of a rollout."""
    from evonet.evaluation.kernels import codegen
    from evonet.evaluation.kernels.compilation import compiled_function

    names = {
        "load_state": codegen.load(kernel_task.state_size),
        "load_action": codegen.load(numbers_of_an_action(kernel_task)),
        "store_state": codegen.store(kernel_task.state_size),
        "store_observation": codegen.store(kernel_task.task.architecture.num_inputs),
        "observe": kernel_task.kernel.observe,
        "step": kernel_task.kernel.step,
    }
    return compiled_function(take_one_step, names)


load_state = load_action = store_state = store_observation = observe = step = activate = store = None


def take_one_step(states, actions, parameters, observations, new, rewards, ended):
    for lane in range(states.shape[1]):
        store_observation(observations, lane, observe(load_state(states, lane)))
        after, reward, terminated = step(load_state(states, lane), load_action(actions, lane), parameters)
        store_state(new, lane, after)
        rewards[lane] = reward
        ended[lane] = terminated


def every_activation(functions):
    """What each activation makes of numbers, a row for each."""
    from evonet.evaluation.kernels import codegen
    from evonet.evaluation.kernels.compilation import compiled_function

    source = f"def activate(x):\n    return ({', '.join(f'{name}(x)' for name in functions)},)"
    names = {"store": codegen.store(len(functions)), "activate": codegen.GeneratedFunction(source, functions)}
    return compiled_function(activate_all, names)


def activate_all(numbers, activated):
    for lane in range(len(numbers)):
        store(activated, lane, activate(numbers[lane]))


class TestNumbaAndNumPy:
    @pytest.mark.parametrize("environment_id", [name for name in KERNELS if name not in (*WHOLE, "CartPole-v0")])
    def test_step_and_observation_have_the_same_bits_compiled_and_on_columns(self, environment_id):
        kernel_task = KernelTask.of(task_for(environment_id))
        rng = np.random.default_rng(0)
        states = np.transpose([kernel_task.kernel.start(rng) for _ in range(640)]) * rng.choice([1.0, 3.0, 30.0], 640)
        states *= rng.uniform(0.5, 1.5, states.shape)  # an environment may have one start only
        actions = rng.integers(0, 3, (numbers_of_an_action(kernel_task), 640)).astype(np.float64)
        observed = np.zeros((kernel_task.task.architecture.num_inputs, 640), kernel_task.task.observation_space.dtype)
        results = [np.zeros_like(states), np.zeros(640), np.zeros(640, np.bool_)]
        alone(kernel_task)(states, actions, kernel_task.parameters, observed, *results)
        new, reward, terminated = kernel_task.kernel.step(tuple(states), tuple(actions), kernel_task.parameters)
        expected = [np.array(new), np.broadcast_to(reward, 640), np.broadcast_to(terminated, 640)]
        assert [array.tobytes() for array in results] == [array.tobytes() for array in expected]
        assert observed.tobytes() == np.array(kernel_task.kernel.observe(tuple(states)), observed.dtype).tobytes()

    @pytest.mark.parametrize("precision", PRECISIONS)
    def test_activations_have_the_same_bits_compiled_and_on_columns(self, precision):
        functions = KERNEL_ACTIVATIONS[precision]
        numbers = np.random.default_rng(0).normal(scale=4.0, size=640).astype(PRECISIONS[precision])
        activated = np.zeros((len(functions), 640))
        every_activation(functions)(numbers, activated)
        for row, (name, activate) in zip(activated, functions.items(), strict=True):
            assert row.tobytes() == np.float64(activate(numbers)).tobytes(), name

    @pytest.mark.parametrize(
        "environment_id", [name if name in WHOLE else pytest.param(name, marks=pytest.mark.slow) for name in COMPILED]
    )
    def test_both_get_the_same_bits_whatever_runs_beside_and_has_run_before(self, environment_id):
        task = task_for(environment_id, hidden=7, **COMPILED[environment_id])
        genomes = genomes_for(task, 50)
        expected = bits(run(NumpyEngine(task), task, genomes))
        engines = [
            NumpyEngine(task, lanes=8),
            NumbaEngine(task, 1, lanes=16),
            NumbaEngine(task, 2),
            NumbaEngine(task, 3),
        ]
        for engine in engines:
            run(engine, task, genomes[::-1])
            assert bits(run(engine, task, genomes)) == expected

    def test_genomes_that_came_read_only_are_not_compiled_for_once_more(self):
        task = task_for("CartPole-v1", hidden=7)
        genomes, engine = genomes_for(task, 5), NumbaEngine(task, 1)
        run(engine, task, genomes)
        genomes.flags.writeable = False
        run(engine, task, genomes)
        assert len(engine.roll_out.signatures) == 1

    def test_a_sum_runs_in_the_same_order_for_one_lane_as_for_many(self):
        rng = np.random.default_rng(0)
        terms = rng.normal(size=(40, 1, 9)).astype(np.float32)
        whole = ordered_sum(terms)
        for lane in range(9):
            assert ordered_sum(terms[:, :, [lane]]).tobytes() == whole[:, [lane]].tobytes()
            assert whole[0, lane] == list(itertools.accumulate(terms[:, 0, lane]))[-1]

    def test_chunks_of_any_size_get_the_bits_of_the_whole(self):
        task = task_for("CartPole-v1", normalise=True)
        genomes = genomes_for(task, 30)
        engine = NumpyEngine(task)
        individuals, seeds = np.repeat(np.arange(30), 3), np.tile([5, 6, 7], 30)
        whole = engine.run(genomes, individuals, seeds, normaliser_for(task))
        for size in (1, 7, 89):
            chunks = [slice(start, start + size) for start in range(0, 90, size)]
            parts = [engine.run(genomes, individuals[c], seeds[c], normaliser_for(task)) for c in chunks]
            assert np.concatenate([part.returns for part in parts]).tobytes() == whole.returns.tobytes()
            sums = np.concatenate([part.observations.squares for part in parts])
            assert sums.tobytes() == whole.observations.squares.tobytes()

    @pytest.mark.slow
    @pytest.mark.parametrize("recurrent", [False, True])
    @pytest.mark.parametrize("environment_id", ["CartPole-v1", "Pendulum-v1"])
    @pytest.mark.parametrize("activation", ACTIVATIONS)
    def test_both_get_the_same_bits_with_each_activation_in_both_layers(self, environment_id, activation, recurrent):
        task = task_for(environment_id, activations=(activation, activation), recurrent=recurrent, normalise=recurrent)
        genomes = 3.0 * genomes_for(task, 200)
        assert bits(run(NumpyEngine(task), task, genomes)) == bits(run(NumbaEngine(task), task, genomes))

    @pytest.mark.slow
    def test_code_from_the_cache_gets_numpy_s_bits_whatever_other_code_from_the_cache_runs_beside(self, tmp_path):
        program = (
            "import sys; from tests.evaluation.kernel_cases import *;"
            "from evonet.evaluation.kernels import *; from tests.evaluation.test_kernels import COMPILED\n"
            "for name in sys.argv[1:]:\n"
            "    task = task_for(name, hidden=7, **COMPILED[name]); genomes = genomes_for(task, 50)\n"
            "    numpy, numba = (run(engine(task), task, genomes) for engine in (NumpyEngine, NumbaEngine))\n"
            "    assert bits(numpy) == bits(numba), name"
        )
        environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
        names = ["CartPole-v1", "MountainCar-v0", "Pendulum-v1"]
        for arguments in ([names[0]], [names[1]], [names[2]], names):  # each compiled on its own, then all together
            subprocess.run([sys.executable, "-c", program, *arguments], check=True, cwd=ROOT, env=environment)


class TestFaults:
    @pytest.fixture(params=[NumpyEngine, NumbaEngine])
    def engine(self, request):
        return request.param

    def faults(self, task, genomes, engine):
        """Faults of an engine, found equal to those of the gymnasium engine."""
        results, real = run(engine(task), task, genomes), run(GymnasiumEngine(task), task, genomes)
        assert list(results.faults) == sorted(real.faults, key=lambda fault: fault.episode)
        assert np.array_equal(results.returns, real.returns, equal_nan=True)
        assert np.array_equal(results.lengths, real.lengths)
        assert np.array_equal(results.terminated, real.terminated)
        return results.faults

    def test_a_genome_that_is_not_finite_costs_its_own_episodes_only(self, engine):
        task = task_for("CartPole-v1")
        genomes = genomes_for(task, 40)
        genomes[3, 5], genomes[17, 0] = np.nan, np.inf
        faults = self.faults(task, genomes, engine)
        assert [fault.individual for fault in faults] == [3, 3, 17, 17]
        assert {fault.message for fault in faults} == {"the genome holds numbers that are not finite"}

    @pytest.mark.parametrize("trouble", ["nan_observation", "nan_reward"])
    def test_an_environment_that_yields_nan_costs_the_episode(self, engine, trouble, monkeypatch):
        register_walk(monkeypatch)
        task = task_for(TROUBLED, kwargs={trouble: True}, activations=("identity", "identity"))
        faults = self.faults(task, genomes_for(task, 40), engine)
        assert faults
        assert {fault.message for fault in faults} <= {
            "the observation holds numbers that are not finite",
            "the reward is nan",
        }

    def test_outputs_that_overflow_cost_the_episode(self, engine, monkeypatch):
        register_walk(monkeypatch)
        task = task_for(TROUBLED, activations=("identity", "identity"))
        genomes = genomes_for(task, 40)
        genomes[::4] *= 1e200
        faults = self.faults(task, genomes, engine)
        assert {fault.message for fault in faults} == {"the network's output holds numbers that are not finite"}
        assert {fault.individual % 4 for fault in faults} == {0}


class TestKernelFor:
    def test_a_kernel_stands_in_for_the_plain_environment(self):
        assert kernel_for(task_for("CartPole-v1")) is CARTPOLE
        assert kernel_for(task_for("Pendulum-v1", kwargs={"g": 9.81})) is KERNELS["Pendulum-v1"]
        assert kernel_for(task_for("CartPole-v1", hard_reset=True)) is CARTPOLE

    @pytest.mark.parametrize(
        "settings",
        [
            {"environment_id": "FrozenLake-v1"},
            {"environment_id": "CartPole-v1", "wrappers": [Wrapper("TransformReward", {"func": abs})]},
            {"environment_id": "Pendulum-v1", "kwargs": {"g": math.nan}},
            {"environment_id": "CartPole-v1", "kwargs": {"render_mode": "rgb_array"}},
        ],
    )
    def test_it_stands_in_for_nothing_else(self, settings):
        if settings["environment_id"] == "FrozenLake-v1":
            task = task_for("CartPole-v1")
            task = type(task)(**{**vars(task), "environment": type(task.environment)("FrozenLake-v1")})
        else:
            task = task_for(**settings)
        assert kernel_for(task) is None

    def test_it_does_not_stand_in_for_a_callable(self):
        task = task_for("CartPole-v1")
        assert kernel_for(type(task)(**{**vars(task), "environment": lambda: gym.make("CartPole-v1")})) is None

    @pytest.mark.parametrize("activations", [("mine", "identity"), ("tanh", "mine")])
    def test_an_activation_of_somebody_s_own_is_run_by_the_environment_itself(self, activations, monkeypatch):
        monkeypatch.setitem(ACTIVATIONS, "mine", ACTIVATIONS["sin"])
        task = task_for("CartPole-v1", activations=activations)
        assert kernel_for(task) is None
        engine = make_engine("auto", task)
        results = engine.run(np.zeros((1, task.architecture.genome_size)), np.zeros(1, np.int64), np.array([3]), None)
        assert results.lengths[0] > 0
        with pytest.raises(ValueError, match="activations that come with evonet where a kernel runs it, got 'mine'"):
            make_engine("numpy", task)

    def test_it_does_not_stand_in_for_another_environment_of_the_same_name(self, monkeypatch):
        task = task_for("CartPole-v1")
        monkeypatch.setattr(gym.registry["CartPole-v1"], "entry_point", "somewhere:Else")
        assert kernel_for(task) is None

    def test_an_engine_without_a_kernel_says_which_there_are(self):
        task = task_for("CartPole-v1", kwargs={"render_mode": "rgb_array"})
        for engine in (NumpyEngine, NumbaEngine, KernelEngine):
            with pytest.raises(ValueError, match="kernels are known for Acrobot-v1, CartPole-v0"):
                engine(task)


class TestKernelEngine:
    @pytest.fixture(autouse=True)
    def no_time_in_numpy_yet(self, monkeypatch):
        monkeypatch.setattr(auto, "_seconds", defaultdict(float))

    def test_it_begins_in_numpy_and_goes_on_compiled_with_the_same_bits(self, monkeypatch):
        task = task_for("CartPole-v1", hidden=7)
        genomes = genomes_for(task, 50)
        expected = bits(run(NumpyEngine(task), task, genomes))
        monkeypatch.setattr(auto, "SECONDS_IN_NUMPY", 0.0001)
        engine = KernelEngine(task)
        assert bits(run(engine, task, genomes)) == expected
        assert engine.name == "numpy"
        assert bits(run(engine, task, genomes)) == expected
        assert engine.name == "numpy+numba"

    def test_engines_for_the_same_task_share_their_time_in_numpy_and_others_do_not(self, monkeypatch):
        task, other = task_for("CartPole-v1", hidden=7), task_for("CartPole-v1", hidden=7, max_steps=9)
        for _ in range(3):
            engine = KernelEngine(task)
            run(engine, task, genomes_for(task, 50))
            assert engine.name == "numpy"
        monkeypatch.setattr(auto, "SECONDS_IN_NUMPY", 0.0001)
        engine = KernelEngine(task)
        run(engine, task, genomes_for(task, 50))
        assert engine.name == "numba"
        engine = KernelEngine(other)
        run(engine, other, genomes_for(other, 50))
        assert engine.name == "numpy"

    def test_it_stays_in_numpy_where_numba_is_not_installed(self, monkeypatch):
        task = task_for("CartPole-v1", hidden=7)
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
        monkeypatch.setattr(auto, "SECONDS_IN_NUMPY", 0.0)
        engine = KernelEngine(task)
        for _ in range(2):
            run(engine, task, genomes_for(task, 5))
        assert engine.name == "numpy"
        with pytest.raises(Exception, match=r"pip install .*\[fast\]"):
            NumbaEngine(task)

    def test_importing_and_making_engines_does_not_import_numba(self):
        program = (
            "import sys; from tests.evaluation.kernel_cases import task_for;"
            "from evonet.evaluation.kernels import *; task = task_for('CartPole-v1');"
            "NumpyEngine(task), NumbaEngine(task), KernelEngine(task); sys.exit('numba' in sys.modules)"
        )
        subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)


OWN_MODULE = """
import dataclasses, sys
import numpy as np
from evonet.environments.known import arithmetic
from evonet.environments.known import KNOWN, KnownEnvironment
from evonet.evaluation.kernels import NumbaEngine
from tests.evaluation.kernel_cases import task_for, genomes_for, run

def step(state, actions, parameters):
    x, x_dot, theta, theta_dot = state
    push = {push} * arithmetic.where(actions[0] == 1.0, 1.0, -1.0)
    return (x + x_dot, x_dot + push, theta, theta_dot), 1.0, np.abs(x) > 2.4

KNOWN["CartPole-v1"] = KnownEnvironment(dataclasses.replace(KNOWN["CartPole-v1"].kernel, step=step))
task = task_for("CartPole-v1", hidden=3)
print(run(NumbaEngine(task), task, genomes_for(task, 40)).returns.sum())
"""


class TestOwnKernels:
    @pytest.mark.slow
    def test_a_kernel_in_a_user_s_file_is_compiled_once_and_again_only_when_it_changes(self, tmp_path):
        cache, program = tmp_path / "cache", tmp_path / "own.py"

        def compiled_after(push):
            program.write_text(OWN_MODULE.format(push=push))
            environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": str(ROOT)}
            run = subprocess.run([sys.executable, program], check=True, env=environment, capture_output=True, text=True)
            return run.stdout, sorted(cache.rglob("*.nbc"))

        first, files = compiled_after(push=0.1)
        assert len(files) == 1
        assert compiled_after(push=0.1) == (first, files)
        changed, files = compiled_after(push=0.2)
        assert changed != first
        assert len(files) == 2
        down, _ = compiled_after(push="np.floor(0.4 + x)")
        up, files = compiled_after(push="np.ceil(0.4 + x)")  # the same bytecode and constants, but for one name
        assert up != down
        assert len(files) == 4

    @pytest.mark.parametrize("reward", [1, -2.0, 0.1, True, 2.0**53 + 2.0, 1e300, np.float32(0.3)])
    def test_a_steady_reward_is_ordered_sum_step_by_step(self, reward, monkeypatch):
        def step(state, actions, parameters):
            new, _, terminated = CARTPOLE.step(state, actions, (0.0,))
            return new, reward, terminated

        task = task_for("CartPole-v1", hidden=3)
        lengths = run(NumpyEngine(task), task, genomes_for(task, 10)).lengths
        monkeypatch.setitem(KNOWN, "CartPole-v1", KnownEnvironment(dataclasses.replace(CARTPOLE, step=step)))
        returns = run(NumpyEngine(task), task, genomes_for(task, 10)).returns
        assert returns.tolist() == [list(itertools.accumulate([float(reward)] * n))[-1] for n in lengths.tolist()]

    def test_the_worked_example_agrees_with_its_environment(self, capsys):
        specification = importlib.util.spec_from_file_location("own_kernel", ROOT / "experiments" / "own_kernel.py")
        example = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(example)
        try:
            example.main(num_networks=20)
        finally:
            KNOWN.pop(example.ID)
            gym.registry.pop(example.ID)
        printed = capsys.readouterr().out
        assert "the kernel agrees with the environment" in printed
        assert "100.0% of 20 returns are equal" in printed

    def test_a_kernel_of_one_s_own_needs_one_line(self, monkeypatch):
        register_walk(monkeypatch)
        check_kernel(WALK, TROUBLED, read_state=lambda environment: (*environment.state, 0.0))
        assert isinstance(kernel_for(task_for(TROUBLED)), Kernel)
