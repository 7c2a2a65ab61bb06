"""One environment that was made: the only place in evonet that calls an environment's methods.

An `Instance` makes its environment when it is first needed, and again after it was closed. It checks what the
environment returns, and its errors name the method that broke a rule. Where only a few environments may be open in a
process, it closes idle ones before it makes its own.
"""

from __future__ import annotations

import inspect
import warnings
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Self

import gymnasium as gym
import numpy as np

from evonet import foreign
from evonet.environments.silent_copies import made_silently
from evonet.environments.spaces import Space
from evonet.environments.specification import NO_WINDOWS, Environment, EnvironmentFactory, EnvironmentSpec
from evonet.errors import CannotRender, EnvironmentUnavailable, EvonetError, UnsuitableEnvironment
from evonet.files.text import short_repr

RenderMode = Literal["human", "rgb_array"]

_open: weakref.WeakKeyDictionary[Instance, None] = weakref.WeakKeyDictionary()
"""The instances of this process whose environments are open; where their number is limited, the last reset is last."""

_NUMBERS = (float, int, np.floating, np.integer, np.bool_)


def make_environment(
    source: EnvironmentSpec | EnvironmentFactory, render_mode: RenderMode | None = None
) -> Environment:
    """A new environment from its specification, or from a callable, which gets `render_mode` if it has the argument.

    Raises:
        UnsuitableEnvironment: the environment is unknown, or may not be imported.
        EnvironmentUnavailable: the environment cannot be made.
    """
    if isinstance(source, EnvironmentSpec):
        return source.make(render_mode)
    arguments = {"render_mode": render_mode} if render_mode is not None and _takes_render_mode(source) else {}
    with foreign.guarded("the environment cannot be made", EnvironmentUnavailable), foreign.no_arguments():
        return source(**arguments)


def _takes_render_mode(make: Callable[..., Environment]) -> bool:
    try:
        return "render_mode" in inspect.signature(make).parameters
    except (TypeError, ValueError):  # some callables written in C have no signature
        return False


class MalformedResult(ValueError):
    """`reset` or `step` returned something else than Gymnasium's rules say."""


class Instance:
    """One environment, made when it is first needed.

    `reset` and `step` raise whatever the environment raises. `Policy.observe` checks the observations.

    Args:
        make: makes the environment; called with the render mode if it must have one, else without arguments.
        max_open: environments that may be open in this process; None if there is no limit.
        render_mode: the render mode that the environment must have, None if it draws nothing.
    """

    def __init__(
        self,
        make: Callable[..., Environment],
        max_open: int | None = None,
        render_mode: RenderMode | None = None,
    ) -> None:
        self._make = make
        self._max_open = max_open
        self._render_mode = render_mode
        self._environment: Environment | None = None
        self._step: Callable[[Any], Any]

    def open(self) -> Environment:
        """The environment, made now if there is none; idle ones are closed first where only a few may be open.

        Raises:
            EnvironmentUnavailable: the environment cannot be made.
            UnsuitableEnvironment: what was made is no environment, or is one that is open already.
            CannotRender: the environment has not the render mode.
        """
        if self._environment is None:
            if self._max_open is not None:
                instances = _open_instances()
                for other in instances[: max(0, len(instances) - self._max_open + 1)]:
                    other.close()
            environment = self._made()
            _refuse_unsuitable(environment)
            self._environment = environment
            self._step = environment.step
            _open[self] = None
            if self._render_mode is None and getattr(environment, "render_mode", None) == "human":
                self.close()
                raise UnsuitableEnvironment(NO_WINDOWS)
            if self._render_mode not in (None, getattr(environment, "render_mode", None)) and not (
                self._render_mode == "rgb_array" and self.has_pictures
            ):
                error = self._no_render_mode(self.metadata)
                self.close()
                raise error
        return self._environment

    def _made(self) -> Environment:
        try:
            with made_silently(), warnings.catch_warnings():
                warnings.filterwarnings(
                    "ignore", r".*with render_mode="
                )  # Gymnasium's; evonet has a message of its own
                return self._make() if self._render_mode is None else self._make(self._render_mode)
        except EnvironmentUnavailable as error:
            if self._render_mode == "rgb_array" and "render_mode" in str(error.__cause__):
                with made_silently():
                    return self._make()  # it may draw without being asked
            if self._render_mode is not None:
                self._explain_render_mode(error)
            if _open and error.__cause__ is not None:  # the environment's own error
                already = f"{len(_open)} environments are" if len(_open) > 1 else "an environment is"
                hint = "if there can be only one, set evaluation.instances to 1 (in Python, EpisodeReturn.instances)"
                error.args = (f"{error}\n{already} open in this process; {hint}",)
            raise

    def _explain_render_mode(self, error: EnvironmentUnavailable) -> None:
        """Raise CannotRender if the environment can only be made without a render mode, and it is clear why."""
        try:
            with Instance(self._make) as plain:
                metadata = plain.metadata
        except EvonetError:
            return
        if self._render_mode not in _render_modes(metadata):
            raise self._no_render_mode(metadata) from error

    def _no_render_mode(self, metadata: Mapping[str, Any]) -> CannotRender:
        modes = ", ".join(map(repr, _render_modes(metadata)))
        has = f"; its metadata name {modes}" if modes else "; its metadata name none"
        has += (
            "" if modes or self._render_mode != "rgb_array" else ", and it has no method render that returns a picture"
        )
        return CannotRender(f"the environment cannot be rendered: it has no render mode {self._render_mode!r}{has}")

    def space(self, name: Literal["observation_space", "action_space"]) -> Space:
        """One of the environment's spaces.

        Raises:
            UnsuitableEnvironment: the environment has no such space.
        """
        environment = self.open()
        with foreign.guarded(f"the environment's {name} cannot be read", UnsuitableEnvironment):
            try:
                space = getattr(environment, name)
            except AttributeError as error:
                if error.name != name:
                    raise
                message = f"the environment has no {name}; its constructor must set self.{name}"
                raise UnsuitableEnvironment(message) from error
        if not isinstance(space, gym.Space):
            rule = "must be a space of gymnasium.spaces"
            raise UnsuitableEnvironment(f"the environment's {name} {rule}, got {short_repr(space)} ({_type_of(space)})")
        return space

    @property
    def metadata(self) -> Mapping[str, Any]:
        """The environment's metadata; empty if they are no mapping, or cannot be read."""
        environment = self.open()
        try:
            metadata = getattr(environment, "metadata", None)
        except foreign.INTERRUPTS:
            raise
        except foreign.ANY_ERROR:
            return {}
        return metadata if isinstance(metadata, Mapping) else {}

    @property
    def has_pictures(self) -> bool:
        """Whether the environment names the render mode "rgb_array", or names none and has its own method `render`."""
        modes = _render_modes(self.metadata)
        if modes:
            return "rgb_array" in modes
        with foreign.guarded("the environment cannot be rendered", CannotRender):
            kind = type(getattr(environment := self.open(), "unwrapped", environment))
            return getattr(kind, "render", gym.Env.render) is not gym.Env.render

    def reset(self, seed: int) -> Any:
        """Begin an episode, and return its first observation.

        Raises:
            EvonetError: the environment cannot be made; see `open`.
            MalformedResult: `reset` takes no seed, or returns no observation and info.
        """
        environment = self.open()
        if self._max_open is not None:
            _open[self] = _open.pop(self)
        try:
            result = environment.reset(seed=seed)
        except TypeError as error:
            if "unexpected keyword argument 'seed'" in str(error):
                raise MalformedResult("reset must be reset(self, *, seed=None, options=None)") from error
            raise
        if not isinstance(result, tuple | list) or len(result) != 2:
            rule = "reset must return (observation, info)"
            raise MalformedResult(f"{rule}, got {_kind_of(result)}; old Gym returned the observation alone")
        return result[0]

    @property
    def unchecked_step(self) -> Callable[[Any], Any]:
        """The step of the environment that is open; whoever calls it checks what it returns, as `step` does."""
        return self._step

    def step(self, action: Any) -> tuple[Any, float, bool, bool, Any]:
        """Take a step: the observation, the reward, whether the episode is terminated or truncated, and the info.

        Raises:
            MalformedResult: `step` returns something else than Gymnasium's five values.
        """
        result = self._step(action)
        try:
            observation, reward, terminated, truncated, info = result
        except (TypeError, ValueError):
            raise MalformedResult(wrong_step(result)) from None
        if reward.__class__ is not float:
            reward = float(reward) if isinstance(reward, float) else as_float(reward)
        if terminated.__class__ is not bool:
            terminated = as_bool(terminated, "terminated")
        if truncated.__class__ is not bool:
            truncated = as_bool(truncated, "truncated")
        return observation, reward, terminated, truncated, info

    def render(self) -> Any:
        """The environment's picture.

        Raises:
            CannotRender: the environment raised an error.
        """
        with foreign.guarded("the environment cannot be rendered", CannotRender):
            return self.open().render()

    def close(self) -> None:
        """Close the environment if it is open; if that fails, a warning says so."""
        environment, self._environment = self._environment, None
        _open.pop(self, None)
        if environment is not None:
            foreign.close(environment, "the environment")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _render_modes(metadata: Mapping[str, Any]) -> Sequence[Any]:
    modes = metadata.get("render_modes")
    return modes if isinstance(modes, Sequence) else ()


def _refuse_unsuitable(environment: Any) -> None:
    if isinstance(environment, gym.vector.VectorEnv):
        raise UnsuitableEnvironment(
            f"the environment must be a single one, got the vector environment {_type_of(environment)}: "
            "evonet runs several side by side itself"
        )
    if not all(callable(getattr(environment, name, None)) for name in ("reset", "step", "close")):
        raise UnsuitableEnvironment(f"the environment must be a gymnasium.Env, got {short_repr(environment)}")
    inner = _innermost(environment)
    for other in _open_instances():
        if other._environment is not None and _innermost(other._environment) is inner:
            raise UnsuitableEnvironment(
                "the environment must be a new one each time that it is made, got one that is open already: "
                "make it inside the function, as in lambda: gymnasium.make('CartPole-v1')"
            )


def _open_instances() -> list[Instance]:
    """The instances in `_open` at this moment; another thread may open one while they are looked through."""
    return [instance for reference in _open.keyrefs() if (instance := reference()) is not None]


def _innermost(environment: Any) -> Any:
    return getattr(environment, "unwrapped", environment)


def wrong_step(result: Any) -> str:
    """The message for what `step` returned, which is not five values."""
    rule = "step must return (observation, reward, terminated, truncated, info)"
    old = (
        "; old Gym had one done for terminated and truncated" if isinstance(result, tuple) and len(result) == 4 else ""
    )
    return f"{rule}, got {_kind_of(result)}{old}"


def _kind_of(result: Any) -> str:
    """What was returned, in a few words."""
    return f"a tuple of {len(result)}" if isinstance(result, tuple) else _type_of(result)


def _type_of(value: Any) -> str:
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


def as_float(reward: Any) -> float:
    """A reward that is no `float` as a `float`; NumPy would also convert texts, complex numbers and arrays of one.

    Raises:
        MalformedResult: it is no number.
    """
    try:
        if isinstance(reward, _NUMBERS) or (np.shape(reward) == () and np.asarray(reward).dtype.kind in "biufO"):
            return float(reward)
    except (TypeError, ValueError, OverflowError):
        pass
    shape = np.shape(reward) if isinstance(reward, np.ndarray) else ()
    of_shape = f" of shape {shape}" if shape else ""
    raise MalformedResult(f"the reward must be a number, got {short_repr(reward)}{of_shape}")


def as_bool(value: Any, name: str) -> bool:
    """`terminated` or `truncated` as a `bool`.

    Raises:
        MalformedResult: it is a text, or neither true nor false.
    """
    try:
        if not isinstance(value, str):  # "False" would be true
            return bool(value)
    except ValueError:  # an array of several
        pass
    raise MalformedResult(f"{name} must be True or False, got {short_repr(value)}")
