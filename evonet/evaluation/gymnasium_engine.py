"""The engine for any Gymnasium environment: a few instances side by side, one forward pass for all of them.

Each instance is a *slot*. In every round the networks of all busy slots decide together, then each slot takes one step;
a slot whose episode ends begins the next at once, so that none waits for the longest. A network's outputs do not depend
on who runs beside it, so the number of slots changes nothing but the time.
"""

from __future__ import annotations

import contextlib
import math
import traceback
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from evonet.environments.normaliser import ObservationNormaliser
from evonet.environments.spaces import Actions, MalformedObservation
from evonet.environments.specification import Environment
from evonet.evaluation.results import EpisodeResults, Fault, FaultKind
from evonet.evaluation.task import Task
from evonet.network import NetworkStack
from evonet.types import FloatArray, IntArray

SLOTS = 16


class GymnasiumEngine:
    """Runs episodes in instances of the real environment, made once and kept.

    Args:
        task: what an episode is.
        slots: instances side by side.
    """

    name = "gymnasium"

    def __init__(self, task: Task, slots: int = SLOTS) -> None:
        self._task = task
        self._slots = slots
        self._environments: list[Environment] = []

    def run(
        self, genomes: FloatArray, individuals: IntArray, seeds: IntArray, normaliser: ObservationNormaliser | None
    ) -> EpisodeResults:
        """Flat results of the episodes; see `evonet.evaluation.task.Engine`."""
        self.prepare(len(seeds))
        slots = min(self._slots, len(seeds))
        rollout = _Rollout(self._task, self._environments[:slots], genomes, individuals, seeds, normaliser)
        try:
            with np.errstate(all="ignore"):  # what is not finite becomes a fault, not a warning
                return rollout.run()
        finally:  # whoever interrupts the run finds no instance here that was replaced
            self._environments[:slots] = rollout.environments

    def prepare(self, episodes: int) -> None:
        """Make the instances that so many episodes need; `run` does it too."""
        while len(self._environments) < min(self._slots, episodes):
            self._environments.append(self._task.make_environment())

    def close(self) -> None:
        """Close the environments."""
        for environment in self._environments:
            environment.close()
        self._environments.clear()


class _Rollout:
    """One call of `run`: the slots, what each is doing, and the episodes still to come."""

    def __init__(
        self,
        task: Task,
        environments: list[Environment],
        genomes: FloatArray,
        individuals: IntArray,
        seeds: IntArray,
        normaliser: ObservationNormaliser | None,
    ) -> None:
        slots, inputs = len(environments), task.architecture.num_inputs
        self.environments = environments
        self._task = task
        self._genomes = genomes
        self._individuals: list[int] = individuals.tolist()
        self._seeds: list[int] = seeds.tolist()
        self._normaliser = normaliser
        self._pending: Iterator[int] = iter(range(len(seeds)))
        self._results = EpisodeResults.empty(len(seeds), inputs if normaliser else None)
        if task.recorded:
            self._results = replace(self._results, inputs=np.zeros((len(seeds), task.recorded, inputs)))

        self._encode = task.encoder.encode_into
        self._observations = np.zeros((slots, inputs))
        self._rows = list(self._observations)
        self._slot_genomes = np.zeros((slots, task.architecture.genome_size))
        self._networks = NetworkStack(task.architecture, self._slot_genomes, slots)
        self._deviations = np.zeros((2, slots, inputs))
        self._steps = [environment.step for environment in environments]
        self._episodes = [-1] * slots
        self._returns = [0.0] * slots
        self._lengths = [0] * slots
        self._busy: list[int] = []

    def run(self) -> EpisodeResults:
        self._busy = [slot for slot in range(len(self.environments)) if self._begin(slot)]
        while self._busy:
            while unreadable := self._not_finite(self._observations):
                for slot in unreadable:
                    self._fail(slot, "nonfinite", "the observation holds numbers that are not finite")
                self._refill(unreadable)
            inputs = self._inputs()
            if self._results.inputs is not None:
                self._record(self._results.inputs, inputs)
            outputs = self._networks.forward(inputs)
            undecided = self._not_finite(outputs)
            for slot in undecided:
                self._fail(slot, "nonfinite", "the network's output holds numbers that are not finite")
            self._step(self._task.decoder.decode(outputs), undecided)
        return self._results

    def _inputs(self) -> FloatArray:
        if self._normaliser is None:
            return self._observations
        deviations = self._observations - self._normaliser.mean
        self._deviations[0] += deviations
        self._deviations[1] += deviations * deviations
        inputs = self._observations.copy()
        self._normaliser.normalise(inputs)
        return inputs

    def _record(self, record: FloatArray, inputs: FloatArray) -> None:
        for slot in self._busy:
            if self._lengths[slot] < record.shape[1]:
                record[self._episodes[slot], self._lengths[slot]] = inputs[slot]

    def _step(self, actions: Actions, ended: list[int]) -> None:
        """One step of each busy slot but those that have `ended`; then all that ended begin anew."""
        limit, encode, check, rows = self._task.max_steps, self._encode, self._task.encoder.check, self._rows
        steps, returns, lengths, isfinite = self._steps, self._returns, self._lengths, math.isfinite
        for slot in [slot for slot in self._busy if slot not in ended] if ended else self._busy:
            try:
                observation, reward, terminated, truncated, _ = steps[slot](actions[slot])
                reward = float(reward)
                if not isfinite(reward):
                    self._fail(slot, "nonfinite", f"the reward is {reward}")
                    ended.append(slot)
                    continue
                returns[slot] += reward
                lengths[slot] = length = lengths[slot] + 1
                if terminated or truncated or length >= limit:
                    self._results.terminated[self._episodes[slot]] = terminated
                    self._end(slot, returns[slot])
                    ended.append(slot)
                    continue
                if length == 1:  # once is enough, for an environment has one way to build observations
                    check(observation)
                try:
                    encode(observation, rows[slot])
                except Exception:
                    check(observation)  # which says what is wrong with it, if it can
                    raise
            except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it raises costs this episode only
                self._raised(slot, error)
                ended.append(slot)
        self._refill(ended)

    def _refill(self, ended: list[int]) -> None:
        idle = {slot for slot in ended if not self._begin(slot)}
        if idle:
            self._busy = [slot for slot in self._busy if slot not in idle]

    def _begin(self, slot: int) -> bool:
        """Begin the next episode that can begin in `slot`; False, and an empty slot, if there is none."""
        for episode in self._pending:
            self._episodes[slot] = episode
            self._returns[slot] = 0.0
            self._lengths[slot] = 0
            self._deviations[:, slot] = 0.0
            self._networks.hidden[slot] = 0.0
            self._slot_genomes[slot] = self._genomes[self._individuals[episode]]
            if not np.isfinite(self._slot_genomes[slot]).all():
                self._fail(slot, "nonfinite", "the genome holds numbers that are not finite")
                continue
            try:
                observation, _ = self.environments[slot].reset(seed=self._seeds[episode])
                self._task.encoder.check(observation)
                self._encode(observation, self._rows[slot])
            except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it raises costs this episode only
                self._raised(slot, error)
            else:
                return True
        self._slot_genomes[slot] = 0.0
        self._observations[slot] = 0.0
        self._networks.hidden[slot] = 0.0
        return False

    def _not_finite(self, numbers: FloatArray) -> list[int]:
        """The busy slots whose row of `numbers` is not finite."""
        if math.isfinite(np.vdot(numbers, numbers)):  # one cheap product for all slots, nearly always enough
            return []
        return [slot for slot in self._busy if not np.isfinite(numbers[slot]).all()]

    def _end(self, slot: int, total: float) -> None:
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
        kind: FaultKind = "malformed" if isinstance(error, MalformedObservation) else "exception"
        self._fail(slot, kind, _in_a_line(error), traceback.format_exc())
        self._replace(slot)

    def _replace(self, slot: int) -> None:
        """A new instance for a slot whose environment raised: nobody knows what state it is in."""
        with contextlib.suppress(Exception):
            self.environments[slot].close()
        environment = self.environments[slot] = self._task.make_environment()
        self._steps[slot] = environment.step


def _in_a_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]
