"""How an environment is named, made, and kept from importing code that nobody allowed."""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import importlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec

from evonet.errors import EnvironmentUnavailable, EvonetError, UnsuitableEnvironment
from evonet.extras import install_hint
from evonet.settings import NOT_A_SETTING, Count, Settings, did_you_mean
from evonet.shell import command

Environment: TypeAlias = gym.Env[Any, Any]
EnvironmentFactory: TypeAlias = Callable[[], Environment]

DEFAULT_MAX_STEPS = 1000
"""Step limit of an episode where neither the config nor the environment sets one."""

_EXTRAS = {
    "Box2D": "box2d",
    "box2d": "box2d",
    "mujoco": "mujoco",
    "MuJoCo": "mujoco",
    "pygame": "classic",
}


@dataclass(frozen=True)
class Wrapper(Settings):
    """One wrapper around an environment.

    Attributes:
        name: a class of `gymnasium.wrappers`, or `module:Name` for one of your own.
        kwargs: its keyword arguments.
    """

    name: str
    kwargs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class EnvironmentSpec(Settings):
    """An environment by its registered id, with its arguments, wrappers and limits.

    Attributes:
        id: a registered id such as `CartPole-v1`, or `module:Id-v0` to import `module` first.
        kwargs: keyword arguments of the environment.
        wrappers: applied in order, the first innermost.
        max_steps: cut an episode after so many steps; by default the environment's own limit, or 1,000.
        hard_reset: close the environment and make it anew, wrappers and all, for every episode: for one that keeps
            something over resets, so that an episode would depend on those before it.
        allowed_imports: modules that may be imported to make the environment; None allows all. It is no
            setting and in no file, so a stranger's config or champion cannot widen it; every copy keeps it.
    """

    id: str
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    wrappers: Sequence[Wrapper] = ()
    max_steps: Count | None = None
    hard_reset: bool = False

    allowed_imports: frozenset[str] | None = field(default=None, kw_only=True, repr=False, metadata=NOT_A_SETTING)

    def check_together(self) -> None:
        """Refuse a string in place of a set of modules, because `in` would accept any part of it."""
        if not isinstance(self.allowed_imports, frozenset | None):
            raise TypeError(
                f"EnvironmentSpec.allowed_imports must be a frozenset of modules, got {self.allowed_imports!r}"
            )

    @property
    def imports(self) -> Iterator[str]:
        """Modules whose code runs when the environment is made, beside Gymnasium's own."""
        return (name.rpartition(":")[0] for name in self._imported)

    @property
    def _imported(self) -> list[str]:
        return [name for name in (self.id, *(wrapper.name for wrapper in self.wrappers)) if ":" in name]

    def restricted(self, allowed: Collection[str]) -> EnvironmentSpec:
        """The specification restricted to import only the modules `allowed`; every copy keeps the restriction."""
        return dataclasses.replace(self, allowed_imports=frozenset(allowed))

    def described(self) -> dict[str, Any]:
        """The settings as plain data, for files: without `allowed_imports`, which is the reader's to say."""
        return {name: value for name, value in dataclasses.asdict(self).items() if name != "allowed_imports"}

    def _refuse_imports(self) -> None:
        for name, module in zip(self._imported, self.imports, strict=True):
            if self.allowed_imports is not None and module not in self.allowed_imports:
                raise UnsuitableEnvironment(import_refusal(repr(name), module))

    def make(self, render_mode: str | None = None, change: Callable[[Any], None] | None = None) -> Environment:
        """A new instance of the environment, inside a `HardReset` if `hard_reset` is set.

        Gymnasium's checker, its order enforcer and (below no other wrapper) its time limit are left out: evonet's
        engines keep order and count steps themselves, at a fraction of the time.

        Args:
            render_mode: Gymnasium's render mode; None draws nothing.
            change: is called with the unwrapped environment whenever one is made.

        Raises:
            UnsuitableEnvironment: the environment or a wrapper is unknown, or may not be imported.
            EnvironmentUnavailable: the environment lacks a package, or cannot be made with these arguments.
        """

        def make_once() -> Environment:
            environment = self._make_once(render_mode)
            if change is not None:
                change(environment.unwrapped)
            return environment

        return HardReset(make_once) if self.hard_reset else make_once()

    def _make_once(self, render_mode: str | None) -> Environment:
        self._refuse_imports()
        try:
            spec = dataclasses.replace(_registered(self.id), order_enforce=False, disable_env_checker=True)
            limit = self.max_steps if self.wrappers else -1
            arguments = dict(self.kwargs) if render_mode is None else {**self.kwargs, "render_mode": render_mode}
            environment: Environment = gym.make(spec, max_episode_steps=limit, **arguments)
            for wrapper in self.wrappers:
                environment = _wrapper_class(wrapper.name)(environment, **wrapper.kwargs)
        except EvonetError:
            raise
        except Exception as error:
            raise EnvironmentUnavailable(_why_not(self.id, error)) from error
        return environment

    def step_limit(self) -> tuple[int, bool]:
        """Steps after which an episode is cut, and whether somebody (the config, the environment) chose that."""
        self._refuse_imports()
        limit = self.max_steps or _registered(self.id).max_episode_steps
        return (limit, True) if limit else (DEFAULT_MAX_STEPS, False)

    def reward_threshold(self) -> float | None:
        """The mean return from which Gymnasium calls the environment solved, if it says so."""
        self._refuse_imports()
        return _registered(self.id).reward_threshold


def import_refusal(name: str, module: str) -> str:
    """The error about something called `name` whose module nobody allowed to be imported."""
    return (
        f"{name} would import the module {module!r}, which runs its code; "
        f"to allow that, add {command('--allow-import', module)}, or in Python allow_imports=[{module!r}]"
    )


class HardReset(gym.Wrapper[Any, Any, Any, Any]):
    """An environment that `reset` closes and makes anew, so that nothing but the seed decides an episode.

    Where a reset has no seed, random numbers go on from those of the last episode, as Gymnasium has it.

    Args:
        make: makes the environment.
    """

    def __init__(self, make: EnvironmentFactory) -> None:
        super().__init__(make())
        self._make = make

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode in a new environment."""
        old = self.env
        with contextlib.suppress(Exception):  # how the last episode's environment ends is no fault of this episode
            old.close()
        self.env = self._make()
        if seed is None:
            self.env.np_random = old.np_random
        return self.env.reset(seed=seed, options=options)


def _registered(environment_id: str) -> EnvSpec:
    module, _, name = environment_id.rpartition(":")
    if module:
        try:
            importlib.import_module(module)  # registers its environments
        except Exception as error:
            raise EnvironmentUnavailable(_why_not(environment_id, error)) from error
    try:
        return gym.spec(name)
    except gym.error.Error as error:
        raise UnsuitableEnvironment(
            f"{environment_id!r} is not a registered environment; {_nearest_environments(environment_id)}"
        ) from error


def _nearest_environments(environment_id: str) -> str:
    module, _, name = environment_id.rpartition(":")
    near = difflib.get_close_matches(name, gym.registry, n=1)
    suggestion = f"did you mean {near[0]!r}? " if near else ""
    if module:
        return f"{suggestion}The module {module!r} was imported and registers no such environment"
    return f"{suggestion}One that a module registers is written 'module:{name}'"


def _wrapper_class(name: str) -> Callable[..., Environment]:
    module_name, _, class_name = name.rpartition(":")
    module: Any = importlib.import_module(module_name or "gymnasium.wrappers")
    if not hasattr(module, class_name):
        known = [n for n in getattr(module, "__all__", dir(module)) if not n.startswith("_")]
        raise UnsuitableEnvironment(
            f"{name!r} is not a wrapper of {module.__name__}; {did_you_mean(class_name, known)}"
        )
    wrapper: Callable[..., Environment] = getattr(module, class_name)
    return wrapper


def _why_not(environment_id: str, error: Exception) -> str:
    message = f"{environment_id!r} cannot be made: {error}"
    extra = next((extra for sign, extra in _EXTRAS.items() if sign in str(error)), None)
    if extra and isinstance(error, gym.error.DependencyNotInstalled | ModuleNotFoundError):
        message += f"\ninstall it with: {install_hint(extra)}"
    return message
