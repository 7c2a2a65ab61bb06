"""Wrappers around an environment, by their names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import gymnasium as gym

from evonet.environments.ids import imported
from evonet.environments.keyword_arguments import call_with_lists, wanted_function
from evonet.environments.packages import making
from evonet.errors import UnsuitableEnvironment
from evonet.settings import Settings, did_you_mean

_KEEP_REWARD_AND_END = {
    "AddRenderObservation",
    "ClipAction",
    "DelayObservation",
    "DiscretizeAction",
    "DiscretizeObservation",
    "DtypeObservation",
    "FilterObservation",
    "FlattenObservation",
    "FrameStackObservation",
    "GrayscaleObservation",
    "HumanRendering",
    "NoiseInputs",
    "OrderEnforcing",
    "PassiveEnvChecker",
    "RecordEpisodeStatistics",
    "RecordVideo",
    "RenderCollection",
    "RescaleAction",
    "RescaleObservation",
    "ReshapeObservation",
    "ResizeObservation",
    "TimeAwareObservation",
}
"""Wrappers that change what a policy sees or how an action is written, and nothing else."""

_STATISTICS = {
    "NormalizeObservation": "and set evaluation.normalise_observations to true",
    "NormalizeReward": "because a fitness needs no scale",
}
"""Gymnasium's wrappers that keep running statistics, and what to do instead."""


@dataclass(frozen=True)
class Wrapper(Settings):
    """One wrapper around an environment.

    Attributes:
        name: a class of `gymnasium.wrappers`, `FixedSeed`, `NoiseInputs`, or `module:Name` for one of your own.
        kwargs: its keyword arguments. Where the wrapper refuses a list, it gets a tuple or an array of it.
    """

    name: str
    kwargs: Mapping[str, Any] = field(default_factory=dict)

    def keeps_reward_and_end(self, limit: int | None) -> bool:
        """Whether an environment has the same rewards and the same ends of episodes without this wrapper.

        Args:
            limit: the environment's time limit.
        """
        if self.name == "TimeLimit" and limit is not None:
            steps = self.kwargs.get("max_episode_steps")
            return isinstance(steps, int) and steps >= limit
        return self.name in _KEEP_REWARD_AND_END

    def around(self, environment: gym.Env[Any, Any]) -> gym.Env[Any, Any]:
        """The environment inside this wrapper.

        Raises:
            UnsuitableEnvironment: the wrapper is unknown, or wants an argument that no file can hold.
            EnvironmentUnavailable: the wrapper lacks a package, or cannot be made with these arguments.
        """
        wrapper = self._class()
        function = wanted_function(wrapper, self.kwargs)
        if function is not None:
            raise UnsuitableEnvironment(
                f"the wrapper {self.name!r} wants a function as {function!r}, which a config cannot hold; "
                f"write a subclass that has the function, and name that as 'module:Name'"
            )

        def wrapped(**kwargs: Any) -> gym.Env[Any, Any]:
            return wrapper(environment, **kwargs)

        with making(f"the wrapper {self.name!r}"):
            made = call_with_lists(wrapped, self.kwargs)
        if not isinstance(made, gym.Env):
            raise UnsuitableEnvironment(f"the wrapper {self.name!r} must return a gymnasium.Env, got {made!r}")
        return made

    def _class(self) -> Callable[..., gym.Env[Any, Any]]:
        if self.name == "NoiseInputs":
            from evonet.environments.noise_inputs import NoiseInputs

            return NoiseInputs
        if self.name == "FixedSeed":
            from evonet.environments.fixed_seed import FixedSeed

            return FixedSeed
        module: Any = imported(self.name) if ":" in self.name else gym.wrappers
        name = self.name.rpartition(":")[2]
        with making(f"the wrapper {self.name!r}"):
            wrapper = getattr(module, name, None)
        if not callable(wrapper):
            known = [each for each in getattr(module, "__all__", dir(module)) if not each.startswith("_")]
            raise UnsuitableEnvironment(
                f"{self.name!r} is not a wrapper of {module.__name__}; {did_you_mean(name, known)}"
            )
        return wrapper  # type: ignore[no-any-return]


def refuse_statistics(environment: gym.Env[Any, Any], wrappers: Sequence[Wrapper] = ()) -> None:
    """Refuse an environment inside a wrapper whose running statistics would not be stored with a policy.

    Args:
        environment: the environment that was made.
        wrappers: those of its specification, of which one is named as the setting that is wrong.

    Raises:
        UnsuitableEnvironment: a layer of the environment is a NormalizeObservation or a NormalizeReward.
    """
    layer: Any = environment
    while isinstance(layer, gym.Wrapper):
        for kind, instead in _STATISTICS.items():
            if isinstance(layer, getattr(gym.wrappers, kind)):
                error = UnsuitableEnvironment(
                    f"the wrapper {kind!r} keeps statistics that no champion's file has: leave it out, {instead}"
                )
                names = [wrapper.name.rpartition(":")[2] for wrapper in wrappers]
                if type(layer).__name__ in names:
                    error.setting = ("wrappers", names.index(type(layer).__name__))
                raise error
        layer = layer.env
