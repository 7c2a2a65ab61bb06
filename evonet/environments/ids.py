"""The environment that an id names: one that is registered in Gymnasium, or a class of a module."""

from __future__ import annotations

import sys
from collections.abc import Collection
from types import ModuleType
from typing import Any

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec

from evonet import foreign
from evonet.environments.imports import module_of
from evonet.environments.packages import making, package_hint
from evonet.errors import EnvironmentUnavailable, UnsuitableEnvironment

_MODULES = {
    "ALE/": "ale_py",
    "AdroitHand": "gymnasium_robotics",
    "AntMaze_": "gymnasium_robotics",
    "BabyAI-": "minigrid",
    "Fetch": "gymnasium_robotics",
    "FlappyBird-": "flappy_bird_gymnasium",
    "FrankaKitchen-": "gymnasium_robotics",
    "HandManipulate": "gymnasium_robotics",
    "HandReach": "gymnasium_robotics",
    "Meta-World/": "metaworld",
    "MiniGrid-": "minigrid",
    "MiniWorld-": "miniworld",
    "Panda": "panda_gym",
    "PointMaze_": "gymnasium_robotics",
    "PyFlyt/": "PyFlyt.gym_envs",
    "Vizdoom": "vizdoom.gymnasium_wrapper",
    "bsuite/": "shimmy",
    "dm_control/": "shimmy",
    "gym_aloha/": "gym_aloha",
    "gym_pusht/": "gym_pusht",
    "highway-": "highway_env",
    "intersection-": "highway_env",
    "merge-": "highway_env",
    "mo-": "mo_gymnasium",
    "parking-": "highway_env",
    "popgym-": "popgym",
    "racetrack-": "highway_env",
    "roundabout-": "highway_env",
}
"""The modules that register well-known environments, by how their ids begin."""


def registered(environment_id: str, register: str | None = None) -> EnvSpec:
    """The specification in Gymnasium of the environment that an id names.

    Args:
        environment_id: an id, `module:Id-v0` to import the module first, or `module:Class`.
        register: `module:function`, which is called if no environment has the id before.

    Raises:
        UnsuitableEnvironment: there is no such environment; the message names the nearest.
        EnvironmentUnavailable: a module cannot be imported, or the function raised an error.
    """
    name = environment_id.rpartition(":")[2]
    module = imported(environment_id) if ":" in environment_id else None
    if register is not None and name not in gym.registry:
        try:
            _call(register)
        except (EnvironmentUnavailable, UnsuitableEnvironment) as error:
            error.setting = ("register",)
            raise
    try:
        return gym.spec(name)
    except gym.error.Error as error:
        environment = getattr(module, name, None)
        if _is_environment(environment):
            return EnvSpec(name, environment_id)
        hint = _hint(environment_id, module, environment)
        raise UnsuitableEnvironment(f"{environment_id!r} is not a registered environment; {hint}") from error


def known_spec(environment_id: str) -> EnvSpec | None:
    """The specification of an environment that is registered or in a module that is imported; None for any other."""
    module, _, name = environment_id.rpartition(":")
    found = getattr(sys.modules.get(module), name, None)
    return gym.registry.get(name) or (EnvSpec(name, found) if _is_environment(found) else None)


def imported(name: str) -> ModuleType:
    """The module of `module:Name`, imported.

    Raises:
        EnvironmentUnavailable: it cannot be imported.
        UnsuitableEnvironment: `module` is the name of a package, and its module is called otherwise.
    """
    module = module_of(name)
    try:
        with making(repr(name)):
            return foreign.import_module(module)
    except EnvironmentUnavailable as error:
        missing = error.__cause__.name if isinstance(error.__cause__, ModuleNotFoundError) else None
        if missing is not None and "-" in module:
            raise UnsuitableEnvironment(f"{name!r} {package_hint(module)}") from error
        if missing in {known.partition(".")[0] for known in _MODULES.values()}:
            install = f"install it with: pip install {missing.replace('_', '-')}"
            raise EnvironmentUnavailable(f"{error}\n{install}") from error
        raise


def _call(register: str) -> None:
    """Call the function `module:function`, which registers environments."""
    function = getattr(imported(register), register.rpartition(":")[2], None)
    if not callable(function):
        raise UnsuitableEnvironment(f"{register!r} must be a function that registers environments, got {function!r}")
    with foreign.guarded(f"{register!r} failed", EnvironmentUnavailable), foreign.no_arguments():
        function()


def _old_registry() -> Collection[str]:
    """The ids that modules have registered in gym, Gymnasium's predecessor, if one of them imported it."""
    registry = getattr(getattr(sys.modules.get("gym"), "envs", None), "registry", ())
    ids: Collection[str] = getattr(registry, "env_specs", registry)
    return ids


def _hint(environment_id: str, module: ModuleType | None, found: Any) -> str:
    """What to write instead of an id that is not registered."""
    name = environment_id.rpartition(":")[2]
    if isinstance(found, gym.Env):
        return f"{environment_id} is one instance, and episodes need several: name its class, {type(found).__name__!r}"
    if found is not None:
        what = "a class" if isinstance(found, type) else f"of type {type(found).__name__}"
        return f"{environment_id} is {what}, and must be a subclass of gymnasium.Env"
    import difflib  # a run without mistakes starts without it

    near = difflib.get_close_matches(name, [*_classes(module), *gym.registry], n=1)
    suggestion = f"did you mean {_as_written(near[0], module)!r}? " if near else ""
    if name in _old_registry():
        return f"{name} is registered in gym, which Gymnasium replaced; the package shimmy makes such environments fit"
    if module is not None:
        functions = [each for each in vars(module) if each.startswith("register") and callable(vars(module)[each])]
        calls = f"; if its function {functions[0]!r} does that, set environment.register to " if functions else ""
        calls += repr(f"{module.__name__}:{functions[0]}") if functions else ""
        what = f"module {module.__name__!r} was imported and registers no such environment{calls}"
        return f"{suggestion}The {what}" if suggestion else f"the {what}"
    prefix, known = next((each for each in _MODULES.items() if name.startswith(each[0])), ("", ""))
    if known and not (near and near[0].startswith(prefix)):
        return f"did you mean {f'{known}:{name}'!r}? The module {known!r} registers such environments"
    return f"{suggestion}{'One' if suggestion else 'one'} that a module registers is written 'module:{name}'"


def _classes(module: ModuleType | None) -> list[str]:
    """The names of a module's environments, all but those that it imports from Gymnasium."""
    classes = {} if module is None else {name: each for name, each in vars(module).items() if _is_environment(each)}
    return [name for name, each in classes.items() if not each.__module__.startswith("gymnasium.")]


def _is_environment(found: object) -> bool:
    """Whether an object is a class of environments."""
    return isinstance(found, type) and issubclass(found, gym.Env)


def _as_written(name: str, module: ModuleType | None) -> str:
    """A name as a config has to write it, behind the module that has to be imported first."""
    if module is None:
        return name
    entry_point = gym.registry[name].entry_point if name in gym.registry else None
    home = entry_point.partition(":")[0] if isinstance(entry_point, str) else getattr(entry_point, "__module__", "")
    belongs = name not in gym.registry or home.partition(".")[0] == module.__name__.partition(".")[0]
    return f"{module.__name__}:{name}" if belongs else name
