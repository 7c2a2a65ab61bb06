"""Kernels on whole batches in NumPy: many episodes side by side, one NumPy call for each operation on all of them."""

from __future__ import annotations

import numpy as np

from evonet.environments.normaliser import ObservationNormaliser
from evonet.evaluation.kernel_engine.aligned import Flags
from evonet.evaluation.kernel_engine.columns import LaneColumns, StepProgram
from evonet.evaluation.kernel_engine.outcomes import Ledger, Outcome
from evonet.evaluation.kernel_engine.plan import Plan, StartStates
from evonet.evaluation.results import EpisodeResults
from evonet.task import Task
from evonet.types import BoolArray, FloatArray, IntArray

LANES = 1024
_LARGEST_BATCH = 1 << 20  # weights side by side
_FEWEST_LANES = 8
_IDLE_SHARE = 8  # lanes wait until an eighth of them is idle
_WORTH_MOVING = 96  # below that a step takes as long for a few lanes as for all


class NumpyEngine:
    """Runs the kernel of a task's environment in NumPy, on one core.

    Args:
        task: what an episode is; `kernel_for` must know its environment.
        lanes: episodes side by side; it changes nothing but the time.

    Raises:
        ValueError: no kernel stands in for the task's environment.
    """

    name = "numpy"

    def __init__(self, task: Task, lanes: int = LANES) -> None:
        self._task = task
        self._plan = Plan.of(task)
        self._starts = StartStates(self._plan.kernel)
        self._lanes = max(_FEWEST_LANES, min(lanes, _LARGEST_BATCH // task.architecture.genome_size))
        self._program: StepProgram | None = None
        self._columns: dict[int, LaneColumns] = {}

    def run(
        self, genomes: FloatArray, individuals: IntArray, seeds: IntArray, normaliser: ObservationNormaliser | None
    ) -> EpisodeResults:
        """Flat results of the episodes; see `evonet.evaluation.engine.Engine`."""
        ledger = Ledger.opened(genomes, individuals, self._task.architecture.num_inputs if normaliser else None)
        if ledger.open_episodes.size:
            with np.errstate(all="ignore"):  # what is not finite becomes a fault, not a warning
                _Rollout(self, ledger, genomes, individuals, seeds, normaliser).run()
        return ledger.closed(individuals, seeds)

    def close(self) -> None:
        """Forget the arrays."""
        self._columns.clear()

    def columns(self, episodes: int) -> LaneColumns:
        """Lanes for so many episodes, or for as many as go side by side; made once and kept."""
        if self._program is None:
            self._program = StepProgram(self._plan)
        width = _rounded_up(min(episodes, self._lanes))
        if width not in self._columns:
            self._columns[width] = LaneColumns(self._program, width)
        return self._columns[width]

    @property
    def plan(self) -> Plan:
        """The task as functions over columns."""
        return self._plan

    @property
    def starts(self) -> StartStates:
        """Where episodes start."""
        return self._starts


def _rounded_up(width: int) -> int:
    """Up to the next of eight widths to the octave, so that few are ever made."""
    step = max(1, 1 << (max(width, _FEWEST_LANES).bit_length() - 4))
    return max(_FEWEST_LANES, -(-width // step) * step)


class _Rollout:
    """One call of `run`: the lanes, what each is doing, and the episodes still to come.

    A lane whose episode has ended idles until there are enough of its kind: then they take new episodes, or the busy
    ones move together into fewer lanes.
    """

    def __init__(
        self,
        engine: NumpyEngine,
        ledger: Ledger,
        genomes: FloatArray,
        individuals: IntArray,
        seeds: IntArray,
        normaliser: ObservationNormaliser | None,
    ) -> None:
        self._engine = engine
        self._ledger = ledger
        self._genomes = engine.plan.networks(genomes)
        self._individuals = individuals
        self._states, self._which = engine.starts(seeds)
        self._normaliser = normaliser
        self._pending = ledger.open_episodes
        self._limit = engine.plan.task.max_steps
        self._clock = 0
        self._adopt(engine.columns(len(self._pending)))

    def run(self) -> None:
        self._begin()
        while self._num_busy:
            self._advance()
            self._rearrange()

    def _adopt(self, columns: LaneColumns) -> None:
        self._columns = columns
        self._busy: BoolArray = np.zeros(columns.width, np.bool_)
        self._num_busy = 0
        self._hits = Flags((columns.width,))
        self._episodes = np.zeros(columns.width, np.int64)
        self._born = np.zeros(columns.width, np.int64)
        self._returns = np.zeros(columns.width)
        if self._normaliser is not None:
            columns.normalise_by(self._normaliser)

    def _rearrange(self) -> None:
        width = self._columns.width
        if self._pending.size:
            if width - self._num_busy >= width // _IDLE_SHARE:
                self._begin()
        elif self._num_busy <= width // 2 and width > _WORTH_MOVING and self._num_busy:
            self._move_together()

    def _begin(self) -> None:
        """Idle lanes take the next episodes."""
        lanes = np.flatnonzero(~self._busy)[: len(self._pending)]
        episodes, self._pending = self._pending[: len(lanes)], self._pending[len(lanes) :]
        columns = self._columns
        columns.genomes[:, _as_slice(lanes)] = self._genomes[self._individuals[episodes]].T
        columns.state[:, lanes] = self._states[self._which[episodes]].T
        columns.memory[:, lanes] = 0.0
        if columns.sums is not None:
            columns.sums[:, :, lanes] = 0.0
        self._episodes[lanes] = episodes
        self._born[lanes] = self._clock
        self._returns[lanes] = 0.0
        self._busy[lanes] = True
        self._count()

    def _move_together(self) -> None:
        """The busy lanes move into fewer."""
        old, lanes = self._columns, np.flatnonzero(self._busy)
        episodes, born, returns = self._episodes[lanes], self._born[lanes], self._returns[lanes]
        new = self._engine.columns(len(lanes))
        self._adopt(new)
        here = slice(len(lanes))
        new.genomes[:, here] = old.genomes[:, lanes]
        new.state[:, here] = old.state[:, lanes]
        new.memory[:, here] = old.memory[:, lanes]
        if new.sums is not None and old.sums is not None:
            new.sums[:, :, here] = old.sums[:, :, lanes]
        self._episodes[here], self._born[here], self._returns[here] = episodes, born, returns
        self._busy[here] = True
        self._count()

    def _count(self) -> None:
        self._num_busy = int(np.count_nonzero(self._busy))
        if self._num_busy:
            self._next_cut = int(self._born[self._busy].min()) + self._limit

    def _advance(self) -> None:
        """Take steps until an episode ends."""
        columns, busy = self._columns, self._num_busy
        think, act, finite = columns.think, columns.act, columns.finite.bytes
        while self._num_busy == busy:
            for call in think:
                call()
            if 0 in finite:
                seen, done = np.split(columns.finite.array, [len(columns.observations)])
                self._fail(~np.logical_and.reduce(seen), Outcome.BAD_OBSERVATION)
                self._fail(~np.logical_and.reduce(done), Outcome.BAD_OUTPUT)
            for call in act:
                call()
            if columns.rewards is not None:
                self._collect(columns.rewards)
            self._clock += 1
            hits = columns.terminated
            if self._num_busy < columns.width:
                np.logical_and(hits.array, self._busy, self._hits.array)
                hits = self._hits
            if 1 in hits.bytes:
                self._end(hits.array, Outcome.TERMINATED)
            if self._clock == self._next_cut:
                self._end(self._busy & (self._born == self._clock - self._limit), Outcome.CUT)

    def _collect(self, rewards: FloatArray) -> None:
        """Add the rewards of a step to the returns."""
        if 0 in self._columns.finite_rewards.bytes:
            bad = ~self._columns.finite_rewards.array
            self._returns[bad] = rewards[bad]
            self._fail(bad, Outcome.BAD_REWARD)
        np.add(self._returns, rewards, self._returns)

    def _end(self, which: BoolArray, outcome: Outcome) -> None:
        """The episodes of the lanes `which (width,)` are over."""
        lanes = np.flatnonzero(which)
        episodes, results = self._episodes[lanes], self._ledger.results
        self._ledger.outcomes[episodes] = outcome
        results.lengths[episodes] = lengths = self._clock - self._born[lanes]
        results.returns[episodes] = self._returns[lanes] + lengths * self._columns.steady_reward
        if results.observations is not None:
            assert self._columns.sums is not None
            results.observations.sums[episodes] = self._columns.sums[0][:, lanes].T
            results.observations.squares[episodes] = self._columns.sums[1][:, lanes].T
        self._busy[lanes] = False
        self._count()

    def _fail(self, which: BoolArray, outcome: Outcome) -> None:
        """The episodes of the lanes `which` met numbers that are not finite.

        Lanes without an episode come to rest, all of them: each would drive its numbers as far, one after the other.
        """
        met = which & self._busy
        if np.count_nonzero(met):
            self._end(met, outcome)
        columns, idle = self._columns, ~self._busy
        columns.genomes[:, idle] = 0.0
        columns.memory[:, idle] = 0.0
        columns.outputs[:, idle] = 0.0
        columns.state[:, idle] = self._states[0][:, None]


def _as_slice(lanes: IntArray) -> slice | IntArray:
    """Neighbouring lanes as a slice, which NumPy fills faster."""
    if lanes[-1] - lanes[0] == len(lanes) - 1:
        return slice(int(lanes[0]), int(lanes[-1]) + 1)
    return lanes
