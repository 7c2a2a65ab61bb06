"""The engine for any Gymnasium environment: a few instances side by side, one forward pass for all of them.

Each instance is a *slot*, a lane of the policy. In every round the policy acts for all busy slots together, then each
slot takes one step; a slot whose episode ends starts the next at once. A lane's actions do not depend on other lanes,
so the number of slots changes the time and nothing else.
"""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from evonet.environments.instance import Instance, MalformedResult, as_bool, as_float, wrong_step
from evonet.environments.normaliser import ObservationNormaliser
from evonet.environments.spaces import Actions, MalformedObservation
from evonet.evaluation.arrays import surely_finite
from evonet.evaluation.progress import PROGRESS
from evonet.evaluation.results import EpisodeResults, Fault, FaultKind
from evonet.foreign import ANY_ERROR, INTERRUPTS, described
from evonet.policy import Policy
from evonet.task import Task
from evonet.types import FloatArray, IntArray

SLOTS = 32
"""Instances side by side in an engine, where the task does not limit them."""

if TYPE_CHECKING:
    from evonet.evaluation.measuring import MeasureRecorder

Step: TypeAlias = Callable[[Any], Any]
"""Takes a step, as an environment's method does."""

PolicyMaker = Callable[[Task, FloatArray, ObservationNormaliser | None], Policy]


class GymnasiumEngine:
    """Runs episodes in instances of the real environment, made once and kept.

    Args:
        task: what an episode is.
        slots: instances side by side; by default what the task allows, or 32.
        make_policy: `(task, genomes, normaliser) -> Policy`; for studies of policies that see or act otherwise.
    """

    name = "gymnasium"
    has_threads = False

    def __init__(
        self,
        task: Task,
        slots: int | None = None,
        make_policy: PolicyMaker = Policy,
    ) -> None:
        self._task = task
        slots = slots or task.instances or SLOTS
        self._make_policy = make_policy
        self._instances = [task.instance() for _ in range(min(slots, task.instances or slots))]

    def run(
        self,
        genomes: FloatArray,
        individuals: IntArray,
        seeds: IntArray,
        normaliser: ObservationNormaliser | None,
        max_steps: int | None = None,
    ) -> EpisodeResults:
        """Flat results of the episodes; see `evonet.evaluation.engine.Engine`."""
        instances = self._instances[: len(seeds)]
        rollout = _Rollout(self._task, instances, self._make_policy, genomes, individuals, seeds, normaliser)
        limit = max_steps or self._task.max_steps
        with np.errstate(all="ignore"):  # numbers that are not finite become faults, not warnings
            return rollout.run(limit)

    def prepare(self, episodes: int) -> None:
        """Make the environments that `episodes` need; `run` does it too."""
        for instance in self._instances[:episodes]:
            instance.open()

    def close(self) -> None:
        """Close the environments; `run` makes them again."""
        for instance in self._instances:
            instance.close()


def _ignore(observation: Any) -> None:
    """Do nothing with an observation that a `MeasureRecorder` has encoded."""


class _Rollout:
    """One call of `run`: the slots, what each is doing, and the episodes still to come."""

    def __init__(
        self,
        task: Task,
        instances: list[Instance],
        make_policy: PolicyMaker,
        genomes: FloatArray,
        individuals: IntArray,
        seeds: IntArray,
        normaliser: ObservationNormaliser | None,
    ) -> None:
        slots, inputs = len(instances), task.architecture.num_inputs
        self._instances = instances
        self._task = task
        self._slot_genomes = np.zeros((task.architecture.genome_size, slots)).T  # rows last: fastest for the policy
        self._policy = make_policy(task, self._slot_genomes, normaliser)
        self._decode = task.step_decoder.decode
        self._genomes = genomes
        self._individuals: list[int] = individuals.tolist()
        self._seeds: list[int] = seeds.tolist()
        self._normaliser = normaliser
        self._pending: Iterator[int] = iter(range(len(seeds)))
        self._results = EpisodeResults.empty(len(seeds), inputs if normaliser else None, len(task.measures))
        if task.recorded:
            self._results = replace(self._results, inputs=np.zeros((len(seeds), task.recorded, inputs)))
        self._deviations = np.zeros((2, slots, inputs))
        self._steps: list[Step] = [instance.step for instance in instances]
        self._observers = self._policy.observers
        self._recorder: MeasureRecorder | None = None
        if task.measures:
            from evonet.evaluation.measuring import MeasureRecorder  # a run without measures starts without it

            self._recorder = MeasureRecorder(task, self._policy)
            self._steps = [self._recorder.recorded(step, slot) for slot, step in enumerate(self._steps)]
            self._observers = [_ignore] * slots
        self._episodes = [-1] * slots
        self._returns = [0.0] * slots
        self._lengths = [0] * slots
        self._busy: list[int] = []

    def run(self, max_steps: int) -> EpisodeResults:
        self._busy = [slot for slot in range(len(self._instances)) if self._begin(slot)]
        while self._busy:
            while unreadable := self._not_finite(self._policy.observations):
                for slot in unreadable:
                    self._fail(slot, "nonfinite", "the observation holds numbers that are not finite")
                self._refill(unreadable)
            if self._normaliser is not None:
                deviations = self._policy.observations - self._normaliser.mean
                self._deviations[0] += deviations
                self._deviations[1] += deviations * deviations
            outputs = self._policy.forward()
            if self._results.inputs is not None:
                self._record(self._results.inputs, self._policy.inputs)
            undecided = self._not_finite(outputs)
            for slot in undecided:
                self._fail(slot, "nonfinite", "the network's output holds numbers that are not finite")
            self._step(self._decode(outputs), undecided, max_steps)
        return self._results

    def _record(self, record: FloatArray, inputs: FloatArray) -> None:
        for slot in self._busy:
            if self._lengths[slot] < record.shape[1]:
                record[self._episodes[slot], self._lengths[slot]] = inputs[slot]

    def _step(self, actions: Actions, ended: list[int], limit: int) -> None:
        """One step of each busy slot but those that have `ended`; then the next episode in all that ended."""
        observers = self._observers
        steps, returns, lengths, isfinite = self._steps, self._returns, self._lengths, math.isfinite
        for slot in [slot for slot in self._busy if slot not in ended] if ended else self._busy:
            try:
                result = steps[slot](actions[slot])
                # The checks of `Instance.step`, here without a call: with it LunarLander is a fiftieth slower.
                try:
                    observation, reward, terminated, truncated, _ = result
                except (TypeError, ValueError):
                    raise MalformedResult(wrong_step(result)) from None
                if reward.__class__ is not float:
                    reward = float(reward) if isinstance(reward, float) else as_float(reward)
                if terminated.__class__ is not bool:
                    terminated = as_bool(terminated, "terminated")
                if truncated.__class__ is not bool:
                    truncated = as_bool(truncated, "truncated")
                if not isfinite(reward):
                    self._fail(slot, "nonfinite", f"the reward is {reward}")
                    ended.append(slot)
                    continue
                returns[slot] += reward
                lengths[slot] = length = lengths[slot] + 1
                if terminated or truncated or length >= limit:
                    self._finish(slot, terminated=terminated)
                    ended.append(slot)
                    continue
                observers[slot](observation)
            except INTERRUPTS:
                raise
            except ANY_ERROR as error:  # whatever the environment raises costs this episode only
                self._raised(slot, error)
                ended.append(slot)
        self._refill(ended)

    def _refill(self, ended: list[int]) -> None:
        idle = {slot for slot in ended if not self._begin(slot)}
        if idle:
            self._busy = [slot for slot in self._busy if slot not in idle]

    def _begin(self, slot: int) -> bool:
        """Start the next episode that can start in `slot`; without one, empty the slot and return False."""
        for episode in self._pending:
            self._episodes[slot] = episode
            self._returns[slot] = 0.0
            self._lengths[slot] = 0
            self._deviations[:, slot] = 0.0
            self._policy.reset(slot)
            if self._recorder is not None:
                self._recorder.begin(slot)
            self._slot_genomes[slot] = self._genomes[self._individuals[episode]]
            if not np.isfinite(self._slot_genomes[slot]).all():
                self._fail(slot, "nonfinite", "the genome holds numbers that are not finite")
                continue
            self._instances[slot].open()
            if self._recorder is None:
                self._steps[slot] = self._instances[slot].unchecked_step
            try:
                self._policy.observe(slot, self._instances[slot].reset(self._seeds[episode]))
            except INTERRUPTS:
                raise
            except ANY_ERROR as error:  # whatever the environment raises costs this episode only
                self._raised(slot, error)
            else:
                return True
        self._slot_genomes[slot] = 0.0
        self._policy.reset(slot)
        return False

    def _not_finite(self, numbers: FloatArray) -> list[int]:
        """The busy slots whose row of `numbers` is not finite."""
        if surely_finite(numbers):
            return []
        return [slot for slot in self._busy if not np.isfinite(numbers[slot]).all()]

    def _finish(self, slot: int, *, terminated: bool) -> None:
        """End an episode that has come to its end, which is a fault only if it cannot be measured."""
        if self._recorder is not None:
            assert self._results.measures is not None
            if not np.isfinite(self._policy.observations[slot]).all():
                self._fail(slot, "nonfinite", "the observation holds numbers that are not finite")
                return
            measured = self._recorder.end(slot)
            for name, value in zip(self._task.measure_names, measured, strict=True):
                if not math.isfinite(value):
                    self._fail(slot, "nonfinite", f"the measure {name!r} is {value}")
                    return
            self._results.measures[self._episodes[slot]] = measured
        self._results.terminated[self._episodes[slot]] = terminated
        self._end(slot, self._returns[slot])

    def _end(self, slot: int, total: float) -> None:
        PROGRESS.done += 1
        episode = self._episodes[slot]
        self._results.returns[episode] = total
        self._results.lengths[episode] = self._lengths[slot]
        if self._results.observations is not None:
            self._results.observations.sums[episode] = self._deviations[0, slot]
            self._results.observations.squares[episode] = self._deviations[1, slot]

    def _fail(self, slot: int, kind: FaultKind, message: str, trace: str = "") -> None:
        episode, step = self._episodes[slot], self._lengths[slot]
        fault = Fault(self._individuals[episode], episode, self._seeds[episode], kind, step, message, trace)
        self._results.faults.append(fault)
        self._deviations[:, slot] = 0.0
        self._end(slot, math.nan)

    def _raised(self, slot: int, error: BaseException) -> None:
        kind: FaultKind = "malformed" if isinstance(error, MalformedObservation | MalformedResult) else "exception"
        self._fail(slot, kind, described(error), traceback.format_exc())
        self._instances[slot].close()  # it may be in any state, so the next episode begins in a new environment
