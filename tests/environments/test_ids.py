"""An id names a registered environment or a class; one that is not found is answered with what to write."""

import json
import sys
from types import SimpleNamespace

import gymnasium as gym
import pytest
from gymnasium.envs.classic_control import CartPoleEnv

from evonet.environments.specification import EnvironmentSpec
from evonet.errors import EnvironmentUnavailable, UnsuitableEnvironment
from evonet.evaluation.task_descriptions import describe_task, task_from
from evonet.fitness import EpisodeReturn

PACKAGE = "evonet_test_package"
FILES = {
    "__init__.py": f"""
import gymnasium as gym
from gymnasium.envs.classic_control import CartPoleEnv

calls = []
not_callable = 3

def register_all():
    calls.append("register_all")
    gym.register("{PACKAGE}/Late-v0", entry_point=CartPoleEnv, max_episode_steps=44)

def raises():
    raise LookupError("there is no list of levels")

def leaves():
    raise SystemExit(0)

class Pole(CartPoleEnv):
    def __init__(self, size=1, render_mode=None):
        super().__init__(render_mode=render_mode)
        self.size = size

class Old:
    def __init__(self):
        calls.append("made")

one = CartPoleEnv()
""",
    "levels.py": f"import gymnasium as gym\ngym.register('{PACKAGE}/Deep-v0', entry_point='{PACKAGE}:Pole')\n",
}


@pytest.fixture(autouse=True)
def package(tmp_path, monkeypatch):
    """A package with a module, whose environments are forgotten afterwards."""
    (tmp_path / PACKAGE).mkdir()
    for name, text in FILES.items():
        (tmp_path / PACKAGE / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for module in (PACKAGE, f"{PACKAGE}.levels"):
        sys.modules.pop(module, None)
    for name in ("Late-v0", "Deep-v0"):
        gym.registry.pop(f"{PACKAGE}/{name}", None)


def refusal(spec, kind=UnsuitableEnvironment):
    with pytest.raises(kind) as refused:
        spec.make()
    return refused.value


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("ALE/Breakout-v5", "ale_py"),
        ("MiniGrid-Empty-5x5-v0", "minigrid"),
        ("FetchReach-v4", "gymnasium_robotics"),
        ("PandaReach-v3", "panda_gym"),
        ("dm_control/cartpole-balance-v0", "shimmy"),
        ("parking-v0", "highway_env"),
    ],
)
def test_the_id_of_a_well_known_package_is_answered_with_its_module(name, module):
    assert str(refusal(EnvironmentSpec(name))) == (
        f"{name!r} is not a registered environment; did you mean '{module}:{name}'? "
        f"The module {module!r} registers such environments"
    )


@pytest.mark.parametrize("registry", [{"Old-v0": 1}, SimpleNamespace(env_specs={"Old-v0": 1})], ids=["dict", "older"])
def test_an_environment_of_old_gym_is_told_as_such(registry, monkeypatch):
    monkeypatch.setitem(sys.modules, "gym", SimpleNamespace(envs=SimpleNamespace(registry=registry)))
    assert str(refusal(EnvironmentSpec(f"{PACKAGE}:Old-v0"))) == (
        f"'{PACKAGE}:Old-v0' is not a registered environment; Old-v0 is registered in gym, which Gymnasium replaced; "
        "the package shimmy makes such environments fit"
    )
    assert "shimmy" not in str(refusal(EnvironmentSpec(f"{PACKAGE}:Older-v0")))


def test_an_id_that_is_like_one_of_a_well_known_package_that_is_imported_is_answered_with_that():
    gym.register("ALE/Breakout-v5", entry_point=CartPoleEnv)
    try:
        assert "did you mean 'ALE/Breakout-v5'? " in str(refusal(EnvironmentSpec("ALE/Breakot-v5")))
    finally:
        gym.registry.pop("ALE/Breakout-v5")


@pytest.mark.parametrize("allowed", [None, [], ["flappy-bird-gymnasium"]])
@pytest.mark.parametrize(
    ("package", "module"),
    [
        ("flappy-bird-gymnasium", "flappy_bird_gymnasium"),
        ("ruamel-yaml", "ruamel"),  # installed: its own record says what its module is called
        ("typing-extensions", "typing_extensions"),
    ],
)
def test_the_name_of_a_package_in_place_of_a_module_is_answered_with_the_module(package, module, allowed):
    spec = EnvironmentSpec(f"{package}:FlappyBird-v0")
    assert str(refusal(spec if allowed is None else spec.restricted(allowed))) == (
        f"'{package}:FlappyBird-v0' must begin with the name of a module, got that of a package; "
        f"did you mean {module!r}?"
    )


def test_a_well_known_module_that_is_missing_is_answered_with_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ale_py", None)
    error = refusal(EnvironmentSpec("ale_py:ALE/Pong-v5"), EnvironmentUnavailable)
    assert str(error).endswith("\ninstall it with: pip install ale-py")
    monkeypatch.setitem(sys.modules, "my_game", None)
    assert "pip install" not in str(refusal(EnvironmentSpec("my_game:MyGame"), EnvironmentUnavailable))


def test_the_nearest_name_in_a_module_is_suggested_as_a_config_has_to_write_it():
    assert f"did you mean '{PACKAGE}:Pole'? " in str(refusal(EnvironmentSpec(f"{PACKAGE}:Poles")))
    deep = refusal(EnvironmentSpec(f"{PACKAGE}.levels:{PACKAGE}/Dep-v0"))
    assert f"did you mean '{PACKAGE}.levels:{PACKAGE}/Deep-v0'? " in str(deep)
    assert "did you mean 'CartPole-v1'? " in str(refusal(EnvironmentSpec(f"{PACKAGE}:CartPole-v11")))


def test_a_class_of_a_module_is_an_environment_by_its_name():
    spec = EnvironmentSpec(f"{PACKAGE}:Pole", {"size": 3}, max_steps=9)
    with spec.restricted([PACKAGE]).make("rgb_array") as environment:
        assert (type(environment).__name__, environment.size, environment.render_mode) == ("Pole", 3, "rgb_array")
    assert EpisodeReturn(spec).time_limit == 9
    assert EpisodeReturn(EnvironmentSpec(f"{PACKAGE}:Pole")).time_limit is None
    assert spec.reward_threshold() is None


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("one", f"{PACKAGE}:one is one instance, and episodes need several: name its class, 'CartPoleEnv'"),
        ("not_callable", f"{PACKAGE}:not_callable is of type int, and must be a subclass of gymnasium.Env"),
        ("raises", f"{PACKAGE}:raises is of type function, and must be a subclass of gymnasium.Env"),
        ("Old", f"{PACKAGE}:Old is a class, and must be a subclass of gymnasium.Env"),
    ],
)
def test_what_is_no_class_of_an_environment_is_not_called(name, hint):
    error = refusal(EnvironmentSpec(f"{PACKAGE}:{name}"))
    assert str(error) == f"'{PACKAGE}:{name}' is not a registered environment; {hint}"
    assert sys.modules[PACKAGE].calls == []


def test_a_module_that_registers_by_a_function_is_answered_with_the_setting_that_calls_it():
    message = str(refusal(EnvironmentSpec(f"{PACKAGE}:{PACKAGE}/Late-v0")))
    assert message.endswith(
        f"was imported and registers no such environment; if its function 'register_all' does that, "
        f"set environment.register to '{PACKAGE}:register_all'"
    )


@pytest.mark.parametrize("name", [f"{PACKAGE}/Late-v0", f"{PACKAGE}:{PACKAGE}/Late-v0"])
def test_a_function_that_registers_environments_is_called_once_and_only_where_it_is_needed(name):
    spec = EnvironmentSpec(name, register=f"{PACKAGE}:register_all").restricted([PACKAGE])
    for _ in range(2):
        assert EpisodeReturn(spec).time_limit == 44
    EnvironmentSpec("CartPole-v1", register=f"{PACKAGE}:register_all").make().close()
    assert sys.modules[PACKAGE].calls == ["register_all"]


@pytest.mark.parametrize(
    ("register", "kind", "message"),
    [
        (
            "raises",
            EnvironmentUnavailable,
            "failed: LookupError in {package}/__init__.py:13: there is no list of levels",
        ),
        ("leaves", EnvironmentUnavailable, "failed: it left the program (sys.exit) in {package}/__init__.py:16"),
        ("not_callable", UnsuitableEnvironment, "must be a function that registers environments, got 3"),
        ("missing", UnsuitableEnvironment, "must be a function that registers environments, got None"),
    ],
)
def test_a_function_that_cannot_register_is_told_with_its_setting(register, kind, message):
    error = refusal(EnvironmentSpec("Late-v0", register=f"{PACKAGE}:{register}"), kind)
    assert str(error) == f"'{PACKAGE}:{register}' {message.format(package=PACKAGE)}"
    assert error.setting == ("register",)


def test_a_champion_s_file_keeps_the_function_that_registers_and_one_without_it_is_as_before():
    spec = EnvironmentSpec(f"{PACKAGE}/Late-v0", register=f"{PACKAGE}:register_all")
    task = EpisodeReturn(spec).task
    description = json.loads(json.dumps(describe_task(task)))
    assert task_from(description, task.architecture, [PACKAGE]).environment == spec.restricted([PACKAGE])
    task = EpisodeReturn("CartPole-v1").task
    assert set(describe_task(task)["environment"]) == {"id", "kwargs", "wrappers", "max_steps", "hard_reset"}


def test_a_function_to_call_needs_a_module_and_its_import_is_allowed_like_others():
    with pytest.raises(ValueError, match=r"^EnvironmentSpec.register must be 'module:function', got 'register_all'$"):
        EnvironmentSpec("Late-v0", register="register_all")
    spec = EnvironmentSpec(f"{PACKAGE}/Late-v0", register=f"{PACKAGE}:register_all")
    assert f"add --allow-import {PACKAGE}, or" in str(refusal(spec.restricted([])))
    assert PACKAGE not in sys.modules


def test_a_package_that_may_be_imported_allows_its_modules_and_no_package_whose_name_begins_likewise():
    spec = EnvironmentSpec(f"{PACKAGE}.levels:{PACKAGE}/Deep-v0")
    for allowed in ([], [PACKAGE[:-1]], [f"{PACKAGE}.level"], [f"{PACKAGE}.levels.deeper"]):
        assert f"--allow-import {PACKAGE}.levels, or" in str(refusal(spec.restricted(allowed)))
    assert PACKAGE not in sys.modules
    spec.restricted([PACKAGE]).make().close()
    spec.restricted([f"{PACKAGE}.levels"]).make().close()


def test_a_refusal_asks_for_a_package_once_where_its_module_is_wanted_too():
    spec = EnvironmentSpec(f"{PACKAGE}.levels:{PACKAGE}/Deep-v0", register=f"{PACKAGE}:register_all")
    assert str(refusal(spec.restricted([]))) == (
        f"'{PACKAGE}.levels:{PACKAGE}/Deep-v0' and '{PACKAGE}:register_all' would import the modules "
        f"'{PACKAGE}.levels' and '{PACKAGE}', which runs their code; to allow that, add --allow-import {PACKAGE}, "
        f"or in Python allow_imports=['{PACKAGE}']"
    )
