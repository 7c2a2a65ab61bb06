"""Wrappers by their names: lists become what the wrapper wants, and errors name the wrapper."""

import itertools
import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.wrappers import FlattenObservation, TimeAwareObservation, TimeLimit

from evonet.environments.keyword_arguments import call_with_lists
from evonet.environments.specification import EnvironmentSpec
from evonet.environments.time_limits import time_limit
from evonet.environments.wrappers import Wrapper
from evonet.errors import EnvironmentUnavailable, UnsuitableEnvironment
from evonet.fitness import EpisodeReturn

MODULE = __name__
closed = []


class Weighted(gym.Wrapper):
    """Takes an array."""

    def __init__(self, env, weight, names=()):
        super().__init__(env)
        assert weight.shape == (2,), f"two weights are wanted, got {len(weight)}"
        self.weight, self.names = weight, names


class Pairs(gym.Wrapper):
    """Takes a dictionary's key, which is a tuple of tuples."""

    def __init__(self, env, cells):
        super().__init__(env)
        self.cells = {cells: 1}


class Listed(gym.Wrapper):
    """Takes a list."""

    def __init__(self, env, names):
        super().__init__(env)
        names.append("more")
        self.names = names


class Silent(gym.Wrapper):
    """Raises without a word."""

    def __init__(self, env):
        raise AssertionError


class Leaving(gym.Wrapper):
    """Leaves the program."""

    def __init__(self, env):
        raise SystemExit(0)


def nothing(env):
    """Forgets to return the environment."""


def unannotated(env, scale, *, func=None):
    """Is a function that wraps."""
    return TimeLimit(env, scale)


class Remembered(gym.Env):
    """Remembers that it was closed."""

    observation_space = gym.spaces.Box(-1.0, 1.0, (2,), np.float32)
    action_space = gym.spaces.Discrete(2)

    def close(self):
        closed.append(self)


def wrapped(name, **kwargs):
    return Wrapper(f"{MODULE}:{name}" if name in globals() else name, kwargs).around(Remembered())


def test_a_list_becomes_a_tuple_where_the_wrapper_wants_one():
    environment = EnvironmentSpec("CartPole-v1", wrappers=[Wrapper("ReshapeObservation", {"shape": [2, 2]})]).make()
    assert environment.observation_space.shape == (2, 2)
    assert wrapped("Pairs", cells=[[0, 1], [1, 0]]).cells == {((0, 1), (1, 0)): 1}


def test_a_list_becomes_an_array_where_the_wrapper_wants_one():
    weight = wrapped("Weighted", weight=[1, 0.5], names=["a"]).weight
    assert weight.tolist() == [1.0, 0.5]
    assert weight.dtype == np.float64


def test_a_list_stays_a_list_where_that_is_what_the_wrapper_wants():
    assert wrapped("Listed", names=["one"]).names == ["one", "more"]


@pytest.mark.parametrize("least", [-2.0, [-2.0], [-2]])
def test_bounds_of_a_box_may_be_lists_and_warn_of_nothing(least):
    kwargs = {"min_action": least, "max_action": [2.0]}
    spec = EnvironmentSpec("Pendulum-v1", wrappers=[Wrapper("RescaleAction", kwargs)])
    with spec.make() as environment:
        assert (environment.action_space.low, environment.action_space.high) == (-2.0, 2.0)
    assert len(EpisodeReturn(spec)(np.zeros((1, 81)), np.arange(2)).returns[0]) == 2


def test_the_lists_of_an_environment_s_own_arguments_become_tuples_or_arrays_too():
    def make(size):
        return f"{size[0]} of {type(size).__name__} {len({size: 0})}"

    assert call_with_lists(make, {"size": [8, 8]}) == "8 of tuple 1"
    assert call_with_lists(lambda grid: grid.shape, {"grid": [[1, 2], [3, 4]]}) == (2, 2)


def test_two_lists_may_become_a_tuple_and_an_array_or_stay_as_they_are():
    kinds = (list, tuple, np.ndarray)
    for first, second in itertools.product(kinds, kinds):

        def make(size, weights, first=first, second=second):
            assert (type(size), type(weights)) == (first, second)
            return "made"

        assert call_with_lists(make, {"size": [8, 8], "weights": [1.0, 0.5]}) == "made"


def test_of_many_lists_not_every_way_is_tried():
    calls = []

    def make(**arguments):
        calls.append(arguments)
        raise ValueError("never")

    with pytest.raises(ValueError, match="never"):
        call_with_lists(make, {name: [1.0] for name in "abcdef"})
    assert len(calls) == 3


@pytest.mark.parametrize(
    ("name", "kwargs", "message"),
    [
        ("ReshapeObservation", {"shape": [3, 3]}, "Reshape"),
        ("Weighted", {"weight": [1.0]}, "two weights are wanted, got 1"),
        ("Weighted", {"weight": [[1.0], []]}, "'list' object has no attribute 'shape'"),
        ("Weighted", {"wait": [1.0]}, "unexpected keyword argument 'wait'"),
        ("TimeLimit", {"max_episode_steps": -1}, "max_episode_steps"),
        (
            "Silent",
            {},
            "the wrapper 'tests.environments.test_wrappers:Silent' cannot be made: AssertionError in tests/",
        ),
        ("Leaving", {}, "it left the program (sys.exit) in tests/environments/test_wrappers.py:"),
    ],
)
def test_what_a_wrapper_raises_is_told_with_its_name_and_not_with_the_type_of_a_list_that_was_tried(
    name, kwargs, message
):
    with pytest.raises(EnvironmentUnavailable) as refused:
        wrapped(name, **kwargs)
    assert str(refused.value).startswith(f"the wrapper {f'{MODULE}:{name}' if name in globals() else name!r}"[:12])
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("name", "kwargs", "argument"),
    [
        ("TransformReward", {"func": "lambda r: 2 * r"}, "func"),
        ("TransformReward", {}, "func"),
        ("TransformObservation", {"func": "abs", "observation_space": None}, "func"),
        ("RecordVideo", {"video_folder": "videos", "episode_trigger": 5}, "episode_trigger"),
    ],
)
def test_an_argument_that_must_be_a_function_is_told_in_words(name, kwargs, argument):
    with pytest.raises(UnsuitableEnvironment) as refused:
        wrapped(name, **kwargs)
    assert str(refused.value) == (
        f"the wrapper {name!r} wants a function as {argument!r}, which a config cannot hold; write a subclass that has "
        "the function, and name that as 'module:Name'"
    )


def test_in_python_a_function_is_handed_on():
    assert wrapped("TransformReward", func=abs).func is abs
    assert isinstance(wrapped("unannotated", scale=3, func="text"), TimeLimit)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("vector", "'vector' is not a wrapper of gymnasium.wrappers; "),
        (f"{MODULE}:closed", f"'{MODULE}:closed' is not a wrapper of {MODULE}; "),
        (f"{MODULE}:nothing", f"the wrapper '{MODULE}:nothing' must return a gymnasium.Env, got None"),
    ],
)
def test_what_is_no_wrapper_is_refused(name, message):
    with pytest.raises(UnsuitableEnvironment) as refused:
        Wrapper(name).around(Remembered())
    assert str(refused.value).startswith(message)


def test_where_a_wrapper_fails_the_environment_is_closed_and_the_error_names_the_setting():
    gym.register("evonet/Remembered-v0", entry_point=Remembered)
    try:
        spec = EnvironmentSpec("evonet/Remembered-v0", wrappers=[Wrapper("FlattenObservation"), Wrapper("TimeLimt")])
        closed.clear()
        with pytest.raises(UnsuitableEnvironment) as refused:
            spec.make()
        assert refused.value.setting == ("wrappers", 1)
        assert [type(environment) for environment in closed] == [Remembered]
    finally:
        gym.registry.pop("evonet/Remembered-v0")


@pytest.mark.parametrize(
    ("make", "limit"),
    [
        (Remembered, None),
        (lambda: TimeLimit(Remembered(), 5000), 5000),
        (lambda: FlattenObservation(TimeLimit(Remembered(), 70)), 70),
        (lambda: TimeLimit(FlattenObservation(TimeLimit(Remembered(), 70)), 90), 70),
        (lambda: TimeLimit(TimeLimit(Remembered(), 90), 70), 70),
        (lambda: gym.make("CartPole-v1"), 500),
        (lambda: gym.make("CartPole-v1", max_episode_steps=40), 40),
        (lambda: gym.make("Blackjack-v1"), None),
    ],
)
def test_the_time_limit_is_that_of_the_environment_that_was_made(make, limit):
    assert time_limit(make()) == limit
    if limit is not None:
        fitness = EpisodeReturn(make)
        assert (fitness.time_limit, fitness.task.max_steps) == (limit, limit)


@pytest.mark.parametrize(("own", "limit"), [(None, None), (12, 12)])
def test_an_environment_may_have_its_limit_in_a_specification_of_its_own(own, limit):
    environment = Remembered()
    environment.spec = gym.envs.registration.EnvSpec("Own-v0", max_episode_steps=own)
    assert time_limit(FlattenObservation(environment)) == limit


@pytest.mark.parametrize(
    ("environment_id", "steps", "max_steps", "limit"),
    [
        ("Blackjack-v1", 50, None, 50),
        ("CartPole-v1", 50, None, 50),
        ("CartPole-v1", 5000, None, 500),
        ("Blackjack-v1", 50, 20, 20),
    ],
)
def test_the_limit_of_a_wrapper_in_the_config_counts(environment_id, steps, max_steps, limit):
    wrappers = [Wrapper("TimeLimit", {"max_episode_steps": steps}), Wrapper("FlattenObservation")]
    for hard_reset in (False, True):
        spec = EnvironmentSpec(environment_id, wrappers=wrappers, max_steps=max_steps, hard_reset=hard_reset)
        assert EpisodeReturn(spec).time_limit == limit


@pytest.mark.parametrize(("max_steps", "limit"), [(None, 30), (7, 7)])
def test_wrappers_that_are_registered_with_an_environment_find_the_time_limit_below_them(max_steps, limit):
    wrapper = gym.envs.registration.WrapperSpec(
        "TimeAwareObservation", "gymnasium.wrappers:TimeAwareObservation", TimeAwareObservation(
            TimeLimit(gym.make("CartPole-v1").unwrapped, 3)
        )._saved_kwargs,
    )  # fmt: skip
    gym.register(
        "evonet/Aware-v0",
        "gymnasium.envs.classic_control:CartPoleEnv",
        max_episode_steps=30,
        additional_wrappers=(wrapper,),
    )
    try:
        spec = EnvironmentSpec("evonet/Aware-v0", max_steps=max_steps)
        with spec.make() as environment:
            assert isinstance(environment, TimeAwareObservation)
            assert time_limit(environment) == limit
        assert EpisodeReturn(spec).time_limit == limit
    finally:
        gym.registry.pop("evonet/Aware-v0")


def test_a_warning_of_an_environment_is_told_once_and_not_for_each_instance():
    def warn():
        warnings.warn("an old setting", UserWarning, stacklevel=1)

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("default")
        for _ in range(3):
            call_with_lists(warn, {})
    assert len(told) == 1


def noisy(count=3):
    return EnvironmentSpec("CartPole-v1", wrappers=[Wrapper("NoiseInputs", {"count": count})]).make()


def test_noise_inputs_append_numbers_that_the_episode_s_seed_decides():
    def episode(environment, seed):
        observations = [environment.reset(seed=seed)[0]]
        observations += [environment.step(action)[0] for action in (0, 1, 1)]
        return np.array(observations)

    with noisy() as environment, noisy() as other, gym.make("CartPole-v1") as plain:
        first = episode(environment, 5)
        assert first.dtype == np.float32
        assert all(environment.observation_space.contains(row) for row in first)
        assert (first[:, :4] == episode(plain, 5)).all()
        assert len(np.unique(first[:, 4:])) == 12
        episode(other, 6)
        assert (episode(other, 5) == first).all()
        assert (episode(other, 7)[:, 4:] != first[:, 4:]).all()


def test_noise_leaves_the_environment_s_threshold_as_it_is():
    spec = EnvironmentSpec("CartPole-v1", wrappers=[Wrapper("NoiseInputs")])
    assert spec.reward_threshold() == gym.spec("CartPole-v1").reward_threshold


@pytest.mark.parametrize(
    ("env", "count", "message"),
    [("FrozenLake-v1", 8, "NoiseInputs.env must have vectors as observations, got Discrete(16)"),
     ("CartPole-v1", 0, "NoiseInputs.count must be at least 1, got 0")],
)  # fmt: skip
def test_noise_without_a_place_is_refused(env, count, message):
    with pytest.raises(EnvironmentUnavailable) as refused:
        EnvironmentSpec(env, wrappers=[Wrapper("NoiseInputs", {"count": count})]).make()
    assert message in str(refused.value)
