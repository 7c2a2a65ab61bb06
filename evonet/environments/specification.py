"""How an environment is named and made, and which modules that may import."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeAlias

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec

from evonet.environments.ids import registered
from evonet.environments.imports import import_refusal, module_of
from evonet.environments.keyword_arguments import call_with_lists
from evonet.environments.packages import making
from evonet.environments.time_limits import time_limit
from evonet.environments.wrappers import Wrapper
from evonet.errors import EnvironmentUnavailable, UnsuitableEnvironment
from evonet.foreign import close
from evonet.settings import NOT_A_SETTING, ByName, Count, Settings

Environment: TypeAlias = gym.Env[Any, Any]
EnvironmentFactory: TypeAlias = Callable[[], Environment]

NO_WINDOWS = (
    "render_mode must not be 'human', which shows every episode of training in a window, at the speed of the screen\n"
    "to see the champion play while it evolves: evonet run CONFIG --watch, or --window; afterwards: evonet replay RUN, "
    "in Python champion.play()"
)
"""Why an environment with the render mode "human" is refused, and what to do instead."""

DEFAULT_MAX_STEPS = 1000
"""Step limit of an episode where neither the config nor the environment sets one."""


@dataclass(frozen=True)
class EnvironmentSpec(Settings):
    """An environment by its registered id, with its arguments, wrappers and limits.

    Attributes:
        id: a registered id such as `CartPole-v1`, `module:Id-v0` to import `module` first, or `module:Class`.
        kwargs: keyword arguments of the environment. Where it refuses a list, it gets a tuple or an array of it.
        wrappers: applied in order, the first innermost.
        max_steps: step limit of an episode; by default the environment's own limit, or 1,000.
        hard_reset: close the environment and make it anew, wrappers and all, for every episode: for one that keeps
            something over resets, so that an episode would depend on those before it.
        register: a function `module:function` that registers the environment, for a module that does not do so when
            it is imported.
        allowed_imports: modules that may be imported to make the environment, with their submodules; None allows all.
            It is no setting and in no file, so a stranger's config or champion cannot widen it; every copy keeps it.
    """

    id: str
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    wrappers: Sequence[Annotated[Wrapper, ByName("name")]] = ()
    max_steps: Count | None = None
    hard_reset: bool = False
    register: str | None = None

    allowed_imports: frozenset[str] | None = field(default=None, kw_only=True, repr=False, metadata=NOT_A_SETTING)

    def check_together(self) -> None:
        """Refuse values of the wrong type in collections, and a function to call that has no module."""
        if not isinstance(self.allowed_imports, frozenset | None):
            raise TypeError(
                f"EnvironmentSpec.allowed_imports must be a frozenset of modules, got {self.allowed_imports!r}"
            )
        for wrapper in self.wrappers:
            if not isinstance(wrapper, Wrapper):
                raise TypeError(f"EnvironmentSpec.wrappers must be a list of Wrapper, got {wrapper!r} in it")
        if self.register is not None and ":" not in self.register:
            raise ValueError(f"EnvironmentSpec.register must be 'module:function', got {self.register!r}")

    @property
    def imports(self) -> Iterator[str]:
        """Modules whose code runs when the environment is made, beside Gymnasium's own."""
        return (module_of(name) for _, name in self.imported)

    @property
    def imported(self) -> list[tuple[tuple[str | int, ...], str]]:
        """The settings that name a module, and their values `module:Name`."""
        wrappers = [(("wrappers", number, "name"), wrapper.name) for number, wrapper in enumerate(self.wrappers)]
        names = [(("id",), self.id), (("register",), self.register or ""), *wrappers]
        return [(setting, name) for setting, name in names if ":" in name]

    def restricted(self, allowed: Collection[str]) -> EnvironmentSpec:
        """The specification restricted to import only the modules `allowed`; every copy keeps the restriction."""
        return dataclasses.replace(self, allowed_imports=frozenset(allowed))

    def described(self) -> dict[str, Any]:
        """The settings as plain data, for files: without `allowed_imports`, which is the reader's to say."""
        left_out = {"allowed_imports"} if self.register else {"allowed_imports", "register"}
        return {name: value for name, value in dataclasses.asdict(self).items() if name not in left_out}

    def _registered(self) -> EnvSpec:
        """What the id stands for, imported if that is allowed."""
        if self.allowed_imports is not None:
            refusal = import_refusal([name for _, name in self.imported], self.allowed_imports)
            if refusal is not None:
                raise UnsuitableEnvironment(refusal)
        return registered(self.id, self.register)

    def make(self, render_mode: str | None = None, change: Callable[[Any], None] | None = None) -> Environment:
        """A new instance of the environment, inside a `HardReset` if `hard_reset` is set.

        Gymnasium's checker, its order enforcer and (below no other wrapper) its time limit are left out: evonet's
        engines keep order and count steps themselves, at a fraction of the time. Wrappers may ask for the limit.

        Args:
            render_mode: Gymnasium's render mode; None draws nothing.
            change: is called with the unwrapped environment whenever one is made.

        Raises:
            UnsuitableEnvironment: the environment or a wrapper is unknown, or may not be imported, or the keyword
                arguments ask for windows.
            EnvironmentUnavailable: the environment lacks a package, or cannot be made with these arguments.
        """
        if render_mode is None and self.kwargs.get("render_mode") == "human":
            error = UnsuitableEnvironment(NO_WINDOWS)
            error.setting = ("kwargs", "render_mode")
            raise error

        def make_once() -> Environment:
            environment = self._make_once(render_mode)
            if change is not None:
                change(environment.unwrapped)
            return environment

        return HardReset(make_once) if self.hard_reset else make_once()

    def _make_once(self, render_mode: str | None) -> Environment:
        spec = dataclasses.replace(self._registered(), order_enforce=False, disable_env_checker=True)
        limit = self.max_steps if self.wrappers or spec.additional_wrappers else -1
        arguments = dict(self.kwargs) if render_mode is None else {**self.kwargs, "render_mode": render_mode}

        def made(**kwargs: Any) -> Environment:
            return gym.make(spec, max_episode_steps=limit, **kwargs)

        with making(repr(self.id)):
            environment = call_with_lists(made, arguments)
        for number, wrapper in enumerate(self.wrappers):
            try:
                environment = wrapper.around(environment)
            except (EnvironmentUnavailable, UnsuitableEnvironment) as error:
                close(environment, repr(self.id))
                error.setting = ("wrappers", number)
                raise
        return environment

    def time_limit(self, environment: Environment) -> int | None:
        """The steps after which an episode is truncated, by `max_steps`, the registry or `environment` itself.

        Args:
            environment: an instance of this specification.
        """
        limits = self._registered().max_episode_steps, time_limit(environment)
        return self.max_steps or min((limit for limit in limits if limit is not None), default=None)

    @property
    def is_gymnasiums_own(self) -> bool:
        """Whether the environment is one of Gymnasium's, without wrappers, so that no other code gets its actions."""
        spec = gym.registry.get(self.id)
        if spec is None or spec.additional_wrappers or self.wrappers:
            return False
        return str(spec.entry_point).startswith("gymnasium.envs.")

    def reward_threshold(self) -> float | None:
        """The mean return from which Gymnasium calls the environment solved, if it says so and this is its task."""
        return None if self.difference() is not None else self._registered().reward_threshold

    def difference(self) -> str | None:
        """Why returns cannot be compared with the threshold of the registered environment; None if they can be.

        Returns:
            The first setting that may change rewards or the end of episodes; None too where there is no threshold.
        """
        spec = self._registered()
        if spec.reward_threshold is None:
            return None
        for name, value in self.kwargs.items():
            if name != "render_mode" and not (name in spec.kwargs and _same(spec.kwargs[name], value)):
                return f"kwargs.{name} is {value!r}"
        if self.max_steps not in (None, spec.max_episode_steps):
            return f"max_steps is {self.max_steps}, not {spec.max_episode_steps}"
        for wrapper in self.wrappers:
            if not wrapper.keeps_reward_and_end(spec.max_episode_steps):
                return f"the wrapper {wrapper.name!r} may change rewards or the end of episodes"
        return None


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and repr(one) == repr(other)


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
        close(old, "the environment")
        self.env = self._make()
        if self.env.unwrapped is old.unwrapped:
            message = "environment.hard_reset needs a new environment each time, got the one that was just closed"
            raise UnsuitableEnvironment(message)
        if seed is None:
            self.env.np_random = old.np_random
        return self.env.reset(seed=seed, options=options)
