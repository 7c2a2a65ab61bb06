"""What a kernel promises: to be the environment that it stands in for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import ArrayLike

from evonet.environments.known import Column, Columns, Kernel
from evonet.testing.contract import require
from evonet.types import FloatArray

TOLERANCE = 1e-12

ReadState = Callable[[Any], Sequence[float]]


def check_kernel(
    kernel: Kernel,
    environment_id: str,
    *,
    kwargs: dict[str, Any] | None = None,
    episodes: int = 20,
    steps: int = 200,
    read_state: ReadState | None = None,
    reward_tolerance: float = TOLERANCE,
) -> None:
    """Hold a kernel against its environment, in episodes of random actions.

    Start states must be those of `env.reset(seed=…)` to the last bit. Then each step starts from the state that the
    environment itself has reached: new state, reward and infos must agree to 1e-12, relative to what is greater than 1,
    the observation to the last place of its type, termination exactly.

    Args:
        kernel: to be checked.
        environment_id: as registered in Gymnasium.
        kwargs: keyword arguments of the environment that the kernel implements.
        episodes: how many, from seed 0 on.
        steps: after which an episode is left, if it has not ended.
        read_state: the numbers of the environment's state in the kernel's order; by default `env.unwrapped.state`.
        reward_tolerance: for environments that compute rewards in float32, where a library's `pow` may be off by a bit.

    Raises:
        AssertionError: they differ; the message says in what, where, and by how much.
        ValueError: a keyword argument is not among the kernel's parameters.
    """
    arguments = kwargs or {}
    if unknown := sorted(arguments.keys() - kernel.parameters.keys()):
        raise ValueError(f"check_kernel.kwargs must be parameters of the kernel, got {unknown}")
    kernel = kernel.for_arguments(arguments)
    environment = gym.make(environment_id, max_episode_steps=-1, disable_env_checker=True, **arguments).unwrapped
    registered = gym.spec(environment_id).entry_point
    require(registered == kernel.entry_point, f"{environment_id} is made by {registered}, not by {kernel.entry_point}")
    parameters = tuple(float({**kernel.parameters, **arguments}[name]) for name in kernel.parameters)
    comparison = _Comparison(kernel, environment, parameters, read_state or _state_attribute, reward_tolerance)
    for seed in range(episodes):
        comparison.run(seed, steps)
    environment.close()


def _state_attribute(environment: Any) -> Sequence[float]:
    state: Sequence[float] = environment.state
    return state


class _Comparison:
    """A kernel and an environment side by side."""

    def __init__(
        self, kernel: Kernel, environment: Any, parameters: Columns, read_state: ReadState, reward_tolerance: float
    ) -> None:
        self._kernel, self._environment = kernel, environment
        self._reward_tolerance = reward_tolerance
        self._parameters, self._read_state = parameters, read_state

    def _state(self) -> FloatArray:
        return np.array(self._read_state(self._environment), dtype=np.float64)

    def run(self, seed: int, steps: int) -> None:
        environment = self._environment
        environment.action_space.seed(seed)
        observation, _ = environment.reset(seed=seed)
        # The generator that `gymnasium.utils.seeding.np_random` makes of the seed.
        start = self._kernel.start(np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed))))
        where = f"after reset(seed={seed})"
        require(
            np.array_equal(np.asarray(start, np.float64), self._state()),
            f"the state {where} is {self._state()}, the kernel starts at {np.asarray(start)}",
        )
        self._observe(observation, where)
        for number in range(1, steps + 1):
            where = f"at step {number} of the episode of seed {seed}"
            if self._step(where):
                return

    def _observe(self, observation: Any, where: str) -> None:
        columns = self._kernel.observe(_columns(self._state()))
        expected = np.ravel(np.asarray(observation))
        seen = np.array([_number(column) for column in columns], dtype=expected.dtype)
        require(
            seen.shape == expected.shape,
            f"the observation {where} has {expected.size} numbers, the kernel's {seen.size}",
        )
        last_place = np.spacing(np.maximum(np.abs(expected), 1.0).astype(expected.dtype))
        require(
            (np.abs(seen - expected) <= last_place).all(),
            f"the observation {where} is {expected}, the kernel's {seen}",
        )

    def _step(self, where: str) -> bool:
        action = self._environment.action_space.sample()
        state = self._state()
        observation, reward, terminated, _, info = self._environment.step(action)
        numbers = np.ravel(np.asarray(action, dtype=np.float64))
        new, kernel_reward, kernel_terminated = self._kernel.step(_columns(state), _columns(numbers), self._parameters)
        _close([_number(column) for column in new], self._state(), f"the state {where}", TOLERANCE)
        _close(_number(kernel_reward), reward, f"the reward {where}", self._reward_tolerance)
        ended = bool(_number(kernel_terminated))
        require(ended == bool(terminated), f"{where} the environment says terminated={terminated}, the kernel {ended}")
        self._observe(observation, where)
        for key, read in self._kernel.infos.items():
            require(key in info, f"the info {where} has no {key!r}, which the kernel has")
            _close(_number(read(_columns(self._state()))), info[key], f"the info {key!r} {where}", TOLERANCE)
        return ended


def _columns(numbers: FloatArray) -> Columns:
    """Columns of one number each."""
    return tuple(numbers[:, None])


def _number(column: Column) -> float:
    """The one number of a column, or the number that stands for a column of equal ones."""
    return float(np.asarray(column).item())


def _close(got: ArrayLike, expected: ArrayLike, what: str, tolerance: float) -> None:
    reference = np.asarray(expected, dtype=np.float64)
    error = np.abs(np.asarray(got) - reference) / np.maximum(1.0, np.abs(reference))
    require((error <= tolerance).all(), f"{what} is {reference}, the kernel's {got!r}, off by {error.max():.1e}")
