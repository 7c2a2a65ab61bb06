"""Environments are found by name, made as they were meant, and import nothing that nobody allowed."""

import copy
import pickle
import sys
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.classic_control import CartPoleEnv
from gymnasium.wrappers import TimeLimit

from evonet.environments.known import Parameter
from evonet.environments.specification import DEFAULT_MAX_STEPS, EnvironmentSpec
from evonet.environments.wrappers import Wrapper
from evonet.errors import ConfigError, EnvironmentUnavailable, EvonetWarning, UnsuitableEnvironment
from evonet.extras import install_hint
from evonet.fitness import EpisodeReturn

THIRD_PARTY = """
import gymnasium as gym
from gymnasium.envs.classic_control import CartPoleEnv

gym.register("{module}/Thing-v0", entry_point=CartPoleEnv, max_episode_steps=33, reward_threshold=12.5)

class Doubled(gym.Wrapper):
    def __init__(self, env, factor=2):
        super().__init__(env)
        self.factor = factor

    def step(self, action):
        observation, reward, *rest = super().step(action)
        return observation, self.factor * float(reward), *rest
"""


@pytest.fixture
def third_party(tmp_path, monkeypatch):
    """A module that registers an environment when it is imported, and is gone afterwards."""
    module = "evonet_test_third_party"
    (tmp_path / f"{module}.py").write_text(THIRD_PARTY.format(module=module))
    monkeypatch.syspath_prepend(tmp_path)
    yield module
    sys.modules.pop(module, None)
    gym.registry.pop(f"{module}/Thing-v0", None)


@pytest.fixture
def register():
    """Registers an environment under a name of its own for the test."""
    names = []

    def register_as(name, entry_point, **details):
        gym.register(name, entry_point=entry_point, **details)
        names.append(name)
        return name

    yield register_as
    for name in names:
        gym.registry.pop(name)


def layers(environment):
    """Classes from the outermost wrapper to the environment itself."""
    while True:
        yield type(environment)
        if environment is environment.unwrapped:
            return
        environment = environment.env


def test_the_environment_is_the_one_that_is_named_with_its_arguments():
    with EnvironmentSpec("CartPole-v1", {"sutton_barto_reward": True}).make() as environment:
        assert type(environment).__name__ == "CartPoleEnv"
        assert environment._sutton_barto_reward


def test_it_behaves_like_gymnasium_s_own():
    with EnvironmentSpec("Acrobot-v1").make() as ours, gym.make("Acrobot-v1") as theirs:
        assert np.array_equal(ours.reset(seed=5)[0], theirs.reset(seed=5)[0])
        for action in (0, 2, 1, 2):
            assert np.array_equal(ours.step(action)[0], theirs.step(action)[0])


def test_without_wrappers_nothing_stands_between_engine_and_environment():
    with EnvironmentSpec("Pendulum-v1", max_steps=50).make() as environment:
        assert len(list(layers(environment))) == 1
        environment.reset(seed=0)
        assert not any(environment.step(np.zeros(1, np.float32))[3] for _ in range(250))


def test_wrappers_are_applied_in_order_the_first_innermost():
    least, greatest = np.float32([-3]), np.float32([3])
    wrappers = [Wrapper("RescaleAction", {"min_action": least, "max_action": greatest}), Wrapper("FlattenObservation")]
    with EnvironmentSpec("Pendulum-v1", wrappers=wrappers).make() as environment:
        names = [layer.__name__ for layer in layers(environment)]
        assert names == ["FlattenObservation", "RescaleAction", "TimeLimit", "PendulumEnv"]
        assert environment.action_space.high.tolist() == [3.0]


@pytest.mark.parametrize(("max_steps", "limit"), [(None, 200), (7, 7), (300, 300)])
def test_below_wrappers_the_time_limit_stays_for_them_to_see(max_steps, limit):
    spec = EnvironmentSpec("Pendulum-v1", wrappers=[Wrapper("FlattenObservation")], max_steps=max_steps)
    with spec.make() as environment:
        assert TimeLimit in layers(environment)
        environment.reset(seed=0)
        truncated = [environment.step(np.zeros(1, np.float32))[3] for _ in range(limit)]
        assert truncated == [False] * (limit - 1) + [True]


@pytest.mark.parametrize(
    ("name", "max_steps", "limit"),
    [("CartPole-v1", None, 500), ("CartPole-v1", 77, 77), ("Blackjack-v1", None, None), ("Blackjack-v1", 3, 3)],
)
def test_an_episode_is_always_finite(name, max_steps, limit):
    fitness = EpisodeReturn(name, max_steps=max_steps)
    assert (fitness.time_limit, fitness.task.max_steps) == (limit, limit or DEFAULT_MAX_STEPS)


def test_the_reward_threshold_is_the_environment_s_own():
    assert EnvironmentSpec("CartPole-v1").reward_threshold() == 475
    assert EnvironmentSpec("Pendulum-v1").reward_threshold() is None


class Third(CartPoleEnv):
    """An environment of another package."""


@pytest.mark.parametrize(
    ("environment", "kind"),
    [
        (EnvironmentSpec("CartPole-v1"), int),
        (EnvironmentSpec("CartPole-v1", wrappers=[Wrapper("TimeLimit", {"max_episode_steps": 9})]), np.int64),
        (EnvironmentSpec(f"{__name__}:Third"), np.int64),
        (CartPoleEnv, np.int64),
    ],
    ids=["Gymnasium's own", "wrapped", "another's", "made by a callable"],
)
def test_only_gymnasium_s_own_environments_get_python_integers_as_actions(environment, kind):
    task = EpisodeReturn(environment).task
    assert type(task.step_decoder.decode(np.zeros((1, 2)))[0]) is kind
    assert type(task.decoder.decode(np.zeros((1, 2)))[0]) is np.int64


def test_render_mode_is_handed_on():
    with EnvironmentSpec("CartPole-v1").make(render_mode="rgb_array") as environment:
        assert environment.render_mode == "rgb_array"


@pytest.fixture
def counted(register):
    """The id of an environment whose reset tells how many episodes its instance had; instances made, and closed."""
    made, closed = [], []

    class Counted(gym.Env):
        observation_space = gym.spaces.Box(0.0, np.inf, (1,), np.float32)
        action_space = gym.spaces.Discrete(2)

        def __init__(self):
            made.append(self)
            self._episodes = 0

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            self._episodes += 1
            return np.float32([self._episodes]), options or {}

        def close(self):
            closed.append(self)
            raise RuntimeError("it cannot even be closed")

    return register("evonet/Counted-v0", Counted), made, closed


@pytest.mark.filterwarnings("ignore:the environment cannot be closed")
@pytest.mark.parametrize(("hard_reset", "episodes"), [(False, [1, 2, 3]), (True, [1, 1, 1])])
def test_a_hard_reset_keeps_nothing_of_the_episodes_before(counted, hard_reset, episodes):
    environment = EnvironmentSpec(counted[0], hard_reset=hard_reset).make()
    assert [int(environment.reset(seed=7)[0][0]) for _ in range(3)] == episodes


def test_a_hard_reset_closes_the_old_environment_whatever_that_raises_and_makes_one_new(counted):
    name, made, closed = counted
    environment = EnvironmentSpec(name, hard_reset=True).make()
    for _ in range(3):
        with pytest.warns(EvonetWarning, match="cannot even be closed"):
            _, info = environment.reset(seed=7, options={"handed": "on"})
        assert info == {"handed": "on"}
    assert len(made) == 4
    assert closed == made[:3]
    assert environment.unwrapped is made[3]


def test_a_hard_reset_makes_wrappers_anew_too():
    firsts = {}
    for hard_reset in (False, True):
        wrappers = [Wrapper("NormalizeObservation")]
        with EnvironmentSpec("CartPole-v1", wrappers=wrappers, hard_reset=hard_reset).make() as environment:
            firsts[hard_reset] = [environment.reset(seed=7)[0].tolist() for _ in range(2)]
    assert firsts[False][0] != firsts[False][1]
    assert firsts[True] == [firsts[False][0]] * 2


def test_after_a_hard_reset_random_numbers_go_on_as_gymnasium_has_it():
    starts = []
    for hard_reset in (False, True):
        with EnvironmentSpec("CartPole-v1", hard_reset=hard_reset).make() as environment:
            starts.append([environment.reset(seed=seed)[0].tolist() for seed in (3, None, None, 3)])
    assert starts[0] == starts[1]
    assert starts[1][0] == starts[1][3] != starts[1][1] != starts[1][2]


def test_an_environment_with_hard_resets_draws_itself_in_every_episode():
    pytest.importorskip("pygame")
    with EnvironmentSpec("CartPole-v1", hard_reset=True).make(render_mode="rgb_array") as environment:
        for seed in (1, 2):
            environment.reset(seed=seed)
            assert (environment.render_mode, environment.render().shape) == ("rgb_array", (400, 600, 3))


@pytest.mark.parametrize("hard_reset", [False, True])
def test_a_change_is_made_in_whatever_plays(hard_reset):
    specification = EnvironmentSpec("CartPole-v1", hard_reset=hard_reset)
    with specification.make(change=lambda unwrapped: setattr(unwrapped, "gravity", 1.5)) as environment:
        for _ in range(2):
            environment.reset(seed=0)
            assert environment.unwrapped.gravity == 1.5


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("CartPole-v11", "did you mean 'CartPole-v1'? "),
        ("Cartpole-v1", "did you mean 'CartPole-v1'? "),
        ("CartPole", "did you mean 'CartPole-v1'? "),
        ("MountainCarContinous-v0", "did you mean 'MountainCarContinuous-v0'? "),
        ("???", ""),
        ("", ""),
    ],
)
def test_an_unknown_id_is_answered_with_the_nearest(name, suggestion):
    one = "One" if suggestion else "one"
    message = (
        f"{name!r} is not a registered environment; {suggestion}{one} that a module registers is written "
        f"'module:{name}'"
    )
    for ask in (EnvironmentSpec.make, EnvironmentSpec.difference, EnvironmentSpec.reward_threshold):
        with pytest.raises(UnsuitableEnvironment) as refused:
            ask(EnvironmentSpec(name))
        assert str(refused.value) == message
    assert issubclass(UnsuitableEnvironment, ConfigError)


def test_an_unknown_wrapper_is_answered_with_the_nearest():
    with pytest.raises(UnsuitableEnvironment) as refused:
        EnvironmentSpec("CartPole-v1", wrappers=[Wrapper("TimeLimt")]).make()
    message = str(refused.value)
    assert message.startswith(
        "'TimeLimt' is not a wrapper of gymnasium.wrappers; did you mean 'TimeLimit'? Known: AddRenderObservation, "
    )
    assert "NormalizeObservation" in message


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (EnvironmentSpec("CartPole-v1", {"gravity": 3}), "unexpected keyword argument 'gravity'"),
        (
            EnvironmentSpec("CartPole-v1", wrappers=[Wrapper("TimeLimit", {"steps": 3})]),
            "unexpected keyword argument 'steps'",
        ),
        (EnvironmentSpec("CartPole-v1", wrappers=[Wrapper("evonet_no_module:Thing")]), "No module named"),
        (EnvironmentSpec("evonet_no_module:Thing-v0"), "No module named 'evonet_no_module'"),
        (EnvironmentSpec("evonet_no_module:inner:Thing-v0"), "No module named"),
    ],
)
def test_what_cannot_be_made_says_why(spec, reason):
    with pytest.raises(EnvironmentUnavailable) as refused:
        spec.make()
    name = repr(spec.wrappers[0].name if spec.wrappers else spec.id)
    assert str(refused.value).startswith((f"{name} cannot be made: ", f"the wrapper {name} cannot be made: "))
    assert reason in str(refused.value)
    assert "pip install" not in str(refused.value)
    assert refused.value.__cause__ is not None


@pytest.mark.parametrize(
    ("error", "extra"),
    [
        (gym.error.DependencyNotInstalled('Box2D is not installed, run `pip install "gymnasium[box2d]"`'), "box2d"),
        (gym.error.DependencyNotInstalled("MuJoCo is not installed"), "mujoco"),
        (gym.error.DependencyNotInstalled("pygame is not installed"), "classic"),
        (ModuleNotFoundError("No module named 'mujoco'"), "mujoco"),
        (ModuleNotFoundError("No module named 'pygame'"), "classic"),
        (ModuleNotFoundError("No module named 'box2d'"), "box2d"),
    ],
    ids=str,
)
def test_a_missing_package_is_answered_with_the_extra_to_install(register, error, extra):
    def unavailable(**_):
        raise error

    name = register("evonet/Unavailable-v0", unavailable)
    with pytest.raises(EnvironmentUnavailable) as refused:
        EnvironmentSpec(name).make()
    first, last = str(refused.value).splitlines()
    assert first.startswith(f"{name!r} cannot be made: {type(error).__name__} in ")
    assert first.endswith(str(error))
    assert last == f"install it with: {install_hint(extra)}"


def test_a_failure_that_only_mentions_a_package_is_no_missing_package(register):
    def broken(**_):
        raise ValueError("the mujoco model has no joints")

    with pytest.raises(EnvironmentUnavailable) as refused:
        EnvironmentSpec(register("evonet/Broken-v0", broken)).make()
    assert "the mujoco model has no joints" in str(refused.value)
    assert "pip install" not in str(refused.value)


def test_a_module_is_refused_with_the_flag_that_allows_it_and_is_not_imported(third_party):
    spec = EnvironmentSpec(f"{third_party}:{third_party}/Thing-v0")
    assert list(spec.imports) == [third_party]
    for ask in (EnvironmentSpec.make, EnvironmentSpec.difference, EnvironmentSpec.reward_threshold):
        with pytest.raises(UnsuitableEnvironment) as refused:
            ask(spec.restricted([]))
        assert str(refused.value) == (
            f"'{third_party}:{third_party}/Thing-v0' would import the module '{third_party}', which runs its code; "
            f"to allow that, add --allow-import {third_party}, or in Python allow_imports=['{third_party}']"
        )
    assert third_party not in sys.modules
    assert spec.restricted([third_party]).reward_threshold() == 12.5


def test_a_wrapper_s_module_is_refused_likewise(third_party):
    spec = EnvironmentSpec("CartPole-v1", wrappers=[Wrapper("FlattenObservation"), Wrapper(f"{third_party}:Doubled")])
    assert list(spec.imports) == [third_party]
    with pytest.raises(UnsuitableEnvironment, match=f"'{third_party}:Doubled' would import the module"):
        spec.restricted(["another_module"]).make()
    assert third_party not in sys.modules
    spec.restricted({third_party}).make().close()


COPIES = {
    "replace": lambda spec: replace(spec, kwargs={"sutton_barto_reward": True}),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda spec: pickle.loads(pickle.dumps(spec)),
    "a fitness with another limit": lambda spec: EpisodeReturn(spec, max_steps=5).task.environment,
    "a changed argument": lambda spec: Parameter("gravity", float, None, "gravity").changed(spec, 3.0),
    "a changed attribute": lambda spec: Parameter("gravity", float, lambda *_: None).changed(spec, 3.0),
}


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize("where", ["id", "wrapper"])
def test_a_copy_imports_no_more_than_its_original(where, way, third_party):
    spec = EnvironmentSpec(f"{third_party}:{third_party}/Thing-v0")
    if where == "wrapper":
        spec = EnvironmentSpec("CartPole-v1", wrappers=[Wrapper(f"{third_party}:Doubled")])

    def make_a_copy():
        copied = COPIES[way](spec.restricted(["another_module"]))
        return copied.make() if isinstance(copied, EnvironmentSpec) else copied()

    with pytest.raises(UnsuitableEnvironment, match="would import the module"):
        make_a_copy()
    assert third_party not in sys.modules


def test_what_may_be_imported_is_part_of_what_a_specification_is_and_of_no_description():
    spec = EnvironmentSpec("CartPole-v1")
    assert spec.restricted([]) != spec != spec.restricted(["a"])
    assert spec.restricted(["b", "a"]) == spec.restricted({"a", "b"})
    assert spec.restricted(["a"]).described() == spec.described()
    assert set(spec.described()) == {"id", "kwargs", "wrappers", "max_steps", "hard_reset"}


def test_a_text_is_no_list_of_modules():
    with pytest.raises(TypeError, match="allowed_imports must be a frozenset of modules, got 'evil_twin'"):
        EnvironmentSpec("evil:Thing-v0", allowed_imports="evil_twin")


def test_leave_for_a_part_of_a_name_is_no_leave_for_the_whole():
    spec = EnvironmentSpec("harmless:evil:Thing-v0")
    assert list(spec.imports) == ["harmless:evil"]
    with pytest.raises(UnsuitableEnvironment, match="--allow-import harmless:evil"):
        spec.restricted(["harmless", "evil"]).make()
    with pytest.raises(UnsuitableEnvironment, match="--allow-import packages, or"):
        EnvironmentSpec("packages:Thing-v0").restricted(["package", "packages.inner"]).make()


def test_gymnasium_s_own_environments_and_wrappers_need_no_leave():
    EnvironmentSpec("CartPole-v1", wrappers=[Wrapper("FlattenObservation")]).restricted([]).make().close()


def test_a_third_party_s_environment_and_wrapper_are_made_once_allowed(third_party):
    spec = EnvironmentSpec(
        f"{third_party}:{third_party}/Thing-v0", wrappers=[Wrapper(f"{third_party}:Doubled", {"factor": 5})]
    ).restricted([third_party])
    assert EpisodeReturn(spec).time_limit == 33
    assert spec.reward_threshold() is None  # a wrapper changes the rewards
    with spec.make() as environment:
        environment.reset(seed=0)
        assert environment.step(0)[1] == 5.0


def test_a_module_that_lacks_the_environment_says_so(third_party):
    with pytest.raises(UnsuitableEnvironment) as refused:
        EnvironmentSpec(f"{third_party}:{third_party}/Thin-v0").make()
    assert str(refused.value) == (
        f"'{third_party}:{third_party}/Thin-v0' is not a registered environment; did you mean "
        f"'{third_party}/Thing-v0'? The module '{third_party}' was imported and registers no such environment"
    )


def test_a_module_that_cannot_be_imported_says_why(tmp_path, monkeypatch):
    (tmp_path / "evonet_test_broken.py").write_text("raise RuntimeError('out of order')")
    monkeypatch.syspath_prepend(tmp_path)
    spec = EnvironmentSpec("evonet_test_broken:Thing-v0")
    for ask in (EnvironmentSpec.make, EnvironmentSpec.difference, EnvironmentSpec.reward_threshold):
        with pytest.raises(EnvironmentUnavailable) as refused:
            ask(spec)
        assert str(refused.value) == (
            "'evonet_test_broken:Thing-v0' cannot be made: RuntimeError in evonet_test_broken.py:1: out of order"
        )


def test_a_specification_survives_pickling():
    spec = EnvironmentSpec(
        "CartPole-v1", {"sutton_barto_reward": True}, (Wrapper("FlattenObservation"),), 40, hard_reset=True
    )
    assert pickle.loads(pickle.dumps(spec)) == spec


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"id": 3}, "EnvironmentSpec.id must be text, got 3"),
        ({"id": "CartPole-v1", "max_steps": 0}, "EnvironmentSpec.max_steps must be at least 1, got 0"),
        ({"id": "CartPole-v1", "max_steps": 1.5}, "EnvironmentSpec.max_steps must be a whole number, got 1.5"),
        ({"id": "CartPole-v1", "hard_reset": 1}, "EnvironmentSpec.hard_reset must be true or false, got 1"),
    ],
)
def test_wrong_settings_are_refused(settings, message):
    with pytest.raises((TypeError, ValueError)) as refused:
        EnvironmentSpec(**settings)
    assert str(refused.value) == message
