"""An episode of a champion, step by step: observations, hidden and output neurons, actions, rewards."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from evonet.champion import Champion
from evonet.environments.instance import Instance, RenderMode
from evonet.environments.spaces import Actions
from evonet.foreign import ANY_ERROR, INTERRUPTS, described
from evonet.policy import Policy
from evonet.types import FloatArray, IntArray

StepCallback = Callable[[Instance, int], None]
"""Function of the environment's instance and the number of steps taken, called after the reset and after each step."""


@dataclass(frozen=True, eq=False)
class Trajectory:
    """An episode, a row for each step.

    Attributes:
        seed: seed of the reset.
        observations: encoded observations before normalisation, `(steps, inputs)`.
        hidden: outputs of the hidden neurons, `(steps, hidden)`.
        outputs: outputs of the network, `(steps, outputs)`.
        actions: actions as numbers, `(steps, numbers)`; one number for a Discrete action.
        rewards: rewards, `(steps,)`.
        terminated: whether the environment ended the episode; otherwise it was truncated, abandoned, or failed.
        fault: the error that ended the episode, or ""; rows of the steps before the error are there.
        abandoned: whether the episode would have gone on after its last row.
    """

    seed: int
    observations: FloatArray
    hidden: FloatArray
    outputs: FloatArray
    actions: FloatArray
    rewards: FloatArray
    terminated: bool
    fault: str = ""
    abandoned: bool = False

    @property
    def total(self) -> float:
        """The return: the sum of the rewards."""
        return float(sum(self.rewards.tolist()))

    @property
    def memory(self) -> FloatArray:
        """The hidden neurons' outputs before each step, `(steps, hidden)`."""
        return np.concatenate([np.zeros_like(self.hidden[:1]), self.hidden[:-1]])

    def __len__(self) -> int:
        return len(self.rewards)


def trajectories(
    champion: Champion,
    seeds: IntArray,
    on_step: StepCallback = lambda *_: None,
    render_mode: RenderMode | None = None,
    most_steps: int | None = None,
    most_seconds: float = math.inf,
) -> Iterator[Trajectory]:
    """The champion's episodes in its Gymnasium environment, one for each of `seeds (episodes,)`.

    Args:
        champion: the champion, which has an environment.
        seeds: seeds of the resets.
        on_step: callback, which may render the environment.
        render_mode: Gymnasium's render mode of the environment.
        most_steps: steps after which an episode is abandoned; by default it runs to its end.
        most_seconds: seconds from its reset after which an episode is abandoned, once it has taken a step.

    Raises:
        EnvironmentUnavailable: the champion has no environment, or it cannot be made.
    """
    policy = champion.policy_for(champion.task)
    limit = min(policy.task.max_steps, most_steps or policy.task.max_steps)
    for seed in seeds.tolist():
        policy.reset()
        with policy.task.instance(render_mode) as instance:
            instance.open()
            yield _Recorder(policy, instance, limit, most_seconds).trajectory(seed, on_step)


class _Recorder:
    """Runs a policy in an environment and records each step."""

    def __init__(self, policy: Policy, instance: Instance, limit: int, most_seconds: float) -> None:
        self._policy, self._instance, self._limit = policy, instance, limit
        self._most_seconds = most_seconds
        shape = policy.task.architecture
        self._widths = {"observations": shape.num_inputs, "hidden": shape.num_hidden, "outputs": shape.num_outputs}
        self._rows: dict[str, list[Any]] = {name: [] for name in (*self._widths, "actions", "rewards")}

    def trajectory(self, seed: int, on_step: StepCallback) -> Trajectory:
        fault, terminated, over = "", False, False
        rewards = self._rows["rewards"]
        try:
            observation = self._instance.reset(seed)
        except INTERRUPTS:
            raise
        except ANY_ERROR as error:
            fault, over = described(error), True
        if not over:
            on_step(self._instance, 0)
        deadline = time.monotonic() + self._most_seconds
        while not over and len(rewards) < self._limit and (not rewards or time.monotonic() < deadline):
            try:
                observation, reward, terminated, truncated, _ = self._instance.step(self._action(observation))
                rewards.append(reward)
                over = terminated or truncated
            except INTERRUPTS:
                raise
            except ANY_ERROR as error:
                fault, over = described(error), True
            else:
                on_step(self._instance, len(rewards))
        arrays = {name: np.array(self._rows[name][: len(rewards)]) for name in self._rows}
        for name, width in self._widths.items():
            arrays[name] = arrays[name].reshape(len(arrays[name]), width)
        arrays["actions"] = arrays["actions"].reshape(len(rewards), -1) if rewards else np.zeros((0, 1))
        abandoned = not over and len(rewards) < self._policy.task.max_steps
        return Trajectory(seed, **arrays, terminated=terminated, fault=fault, abandoned=abandoned)

    def _action(self, observation: Any) -> Any:
        policy = self._policy
        policy.observe(0, observation)
        self._rows["observations"].append(policy.observations[0].copy())
        with np.errstate(all="ignore"):  # the next line raises where a number is not finite
            outputs = policy.forward()
        if not (np.isfinite(policy.inputs).all() and np.isfinite(outputs).all()):
            raise ValueError("the observation or the network's output holds numbers that are not finite")
        action = policy.decode(outputs)[0]
        self._rows["hidden"].append(policy.memory[0].copy())
        self._rows["outputs"].append(outputs[0].copy())
        self._rows["actions"].append(numbers_of(action))
        return action


def numbers_of(action: Any) -> FloatArray:
    """An action as a vector of numbers, parts of a Dict or Tuple one after the other."""
    if isinstance(action, Mapping):
        return np.concatenate([numbers_of(part) for part in action.values()])
    if isinstance(action, tuple):
        return np.concatenate([numbers_of(part) for part in action])
    return np.ravel(np.asarray(action, dtype=np.float64))


def actions_as_numbers(actions: Actions) -> FloatArray:
    """Actions, one for each lane, as numbers, `(m, numbers)`."""
    if isinstance(actions, list) and isinstance(actions[0], Mapping | tuple):
        return np.array([numbers_of(action) for action in actions])
    return np.asarray(actions, dtype=np.float64).reshape(len(actions), -1)


def actions_for(champion: Champion, observations: FloatArray, memory: FloatArray | None = None) -> FloatArray:
    """Actions as numbers, `(m, numbers)`, for `observations (m, inputs)` before normalisation.

    Args:
        champion: the champion, which has an environment.
        observations: rows as the encoder writes them.
        memory: memory of a recurrent network, `(m, hidden)` or `(hidden,)`; 0 by default.

    Raises:
        EnvironmentUnavailable: the champion has no environment.
    """
    policy = champion.policy_for(champion.task, lanes=len(observations))
    policy.observations[...] = observations
    if memory is not None:
        policy.memory[...] = memory
    return actions_as_numbers(policy.decode(policy.forward()))
