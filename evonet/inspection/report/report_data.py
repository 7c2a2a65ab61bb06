"""The data that the report's sections share: the run, its champion, and the champion's episodes."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np

from evonet.champion import Champion
from evonet.environments.known import Names
from evonet.errors import EvonetError
from evonet.evaluation.results import EpisodeResults
from evonet.inspection.analysis.influence import NeuronState, action_influence, is_choice, neuron_states, path_strength
from evonet.inspection.analysis.trajectory import Trajectory, trajectories
from evonet.inspection.analysis.trials import PATIENCE, Trials
from evonet.inspection.loaded_run import LoadedRun
from evonet.inspection.phrases import counted
from evonet.inspection.report.recording import record_episodes
from evonet.inspection.report.sprite_sheet import SpriteSheet
from evonet.seeding import Purpose, episode_seeds, generator
from evonet.task import Task
from evonet.types import FloatArray, IntArray

LONGEST = 5_000
"""Steps after which the report's own episodes are truncated."""

PLACES = ("median", "worst", "best")

_RANDOM_NETWORKS = 64
_MIN_RANDOM = 8  # networks with random weights; fewer have no mean worth a comparison
_FRESH = 100  # episodes of a run without a test
_MAX_SEEDS = 100_000


class RandomNetworks(NamedTuple):
    """Networks with random weights, with which the champion is compared.

    Attributes:
        size: number of networks.
        mean: mean of their returns.
    """

    size: int
    mean: float


class ReportData:
    """A run and its champion's episodes, computed on first use; a context manager that closes engines.

    Args:
        run: a run from `load_run`.
        effort: time limit for runs of the champion, in units of about six seconds.
    """

    def __init__(self, run: LoadedRun, effort: float = 1.0) -> None:
        self.run = run
        self.effort = effort
        self.champion: Champion | None = run.champion
        self._open = contextlib.ExitStack()

    @cached_property
    def names(self) -> Names:
        """Names of the champion's inputs and outputs."""
        return self.run.names

    @cached_property
    def choices(self) -> bool:
        """Whether the champion's actions are discrete."""
        assert self.champion is not None
        return is_choice(self.champion)

    @cached_property
    def task(self) -> Task | None:
        """The champion's task, its episodes truncated after 5,000 steps; None if the champion cannot act here."""
        return None if self.why_no_episodes else self._task

    @property
    def _task(self) -> Task:
        assert self.champion is not None
        assert self.champion.task is not None
        longest = min(self.champion.task.max_steps, LONGEST)
        return replace(self.champion.task, max_steps=longest, measures=(), weights=())

    @cached_property
    def why_no_episodes(self) -> str:
        """The reason why the champion cannot act here; "" if it can."""
        if self.champion is None:
            return "there is no champion."
        if self.champion.task is None:
            return "the champion was scored by a function and has no environment to act in"
        try:
            with self.champion.task.instance() as instance:
                instance.open()
        except EvonetError as error:
            return str(error)
        return "" if any(map(len, self.episodes)) else f"no step can be taken: {self.episodes[0].fault}"

    @cached_property
    def seeds(self) -> IntArray:
        """Seeds of the test episodes, or of fresh episodes for a run without a test, `(episodes,)`.

        They are at most 100,000, because a million seeds take five seconds.
        """
        assert self.champion is not None
        tested = self.champion.test is not None
        count = min(self.champion.test.episodes, _MAX_SEEDS) if self.champion.test is not None else _FRESH
        return episode_seeds(int(self.run.summary["seed"]), Purpose.TEST if tested else Purpose.REPLAY, 0, count)

    @cached_property
    def trials(self) -> Trials | None:
        """Runner of genomes on the episodes of `seeds`; None if an episode takes longer than a figure may."""
        if self._first.abandoned:
            return None
        task = self._task
        assert self.champion is not None
        normaliser, genome = self.champion.normaliser, self.champion.genome
        return self._open.enter_context(Trials(task, normaliser, genome, self.seeds, patience=self._patience))

    @property
    def _patience(self) -> float:
        return PATIENCE * max(1.0, self.effort)

    @cached_property
    def _first(self) -> Trajectory:
        """The first of the episodes, abandoned if it takes longer than a figure may."""
        assert self.champion is not None
        whole = replace(self.champion, task=self._task)
        return next(trajectories(whole, self.seeds[:1], most_seconds=self._patience))

    @property
    def cost_in_words(self) -> str:
        """What an episode and a genome cost, in words, as the reason why something is left out."""
        if self.trials is None:
            return f"an episode takes longer than {self._patience:g} s here"
        assert self.champion is not None
        genes = counted(self.champion.architecture.genome_size, "gene")
        return f"an episode takes {self.trials.episode_seconds:.1g} s here, and a network has {genes}"

    @cached_property
    def repeated(self) -> EpisodeResults | None:
        """Results `(1, episodes)` of the champion on the first episodes, within a second; None without `trials`."""
        if self.trials is None:
            return None
        assert self.champion is not None
        return self.trials.within(self.champion.genome[None, :], 1.0 * self.effort, power=False)

    @cached_property
    def returns(self) -> FloatArray:
        """The champion's returns, `(episodes,)`: those of the test, or of `repeated` for a run without a test.

        Without either, it is the return of the first episode, as far as the episode was run.
        """
        assert self.champion is not None
        if self.champion.test is not None:
            return self.champion.test.returns
        return np.array([self._first.total]) if self.repeated is None else self.repeated.returns[0]

    @cached_property
    def replayed(self) -> dict[str, int]:
        """Indices of the replayed episodes: the median, the worst and the best of those that have seeds, each once.

        Failed episodes are the worst.
        """
        returns = self.returns[: len(self.seeds)]
        order = np.argsort(np.where(np.isfinite(returns), returns, -np.inf), kind="stable")
        places = dict(zip(PLACES, (order[(len(order) - 1) // 2], order[0], order[-1]), strict=True))
        found: dict[str, int] = {}
        for place, index in places.items():
            if int(index) not in found.values():
                found[place] = int(index)
        return found

    @cached_property
    def _played(self) -> tuple[list[Trajectory], list[SpriteSheet], str]:
        assert self.champion is not None
        return record_episodes(self.champion, self.seeds[list(self.replayed.values())])

    @property
    def episodes(self) -> Sequence[Trajectory]:
        """Trajectories of the episodes of `replayed`, in their order."""
        return self._played[0]

    @property
    def sheets(self) -> Sequence[SpriteSheet]:
        """Sprite sheets of `episodes`; none if the environment cannot be rendered."""
        return self._played[1]

    @property
    def why_no_pictures(self) -> str:
        """The reason why there are no sheets, "" if there are."""
        return self._played[2]

    @cached_property
    def influence(self) -> FloatArray:
        """Influence of each input on the actions, `(inputs,)`; NaN for an input that was not tried."""
        assert self.champion is not None
        return action_influence(self.champion, self.episodes)

    @cached_property
    def states(self) -> list[NeuronState] | None:
        """States of the hidden neurons; None if the champion cannot act here."""
        if self.champion is None or self.task is None:
            return None
        return neuron_states(self.champion.architecture, np.concatenate([each.hidden for each in self.episodes]))

    @cached_property
    def random_networks(self) -> RandomNetworks | None:
        """Networks with random weights on the episodes; None if there are too few, or all fail."""
        if self.champion is None or self.task is None or self.trials is None:
            return None
        count = self.trials.affordable(_RANDOM_NETWORKS)
        if count < _MIN_RANDOM:
            return None
        rng = generator(0, Purpose.INSPECTION, 300)
        genomes = rng.standard_normal((count, self.champion.architecture.genome_size))
        returns = self.trials.within(genomes, 0.5 * self.effort, most=8).returns
        known = returns[np.isfinite(returns)]
        return RandomNetworks(count, float(known.mean())) if known.size else None

    def strongest(self, what: str, most: int) -> list[int]:
        """Indices of the `most` "inputs" or "neurons" with the strongest paths to the outputs, ascending."""
        assert self.champion is not None
        strength = dict(zip(("inputs", "neurons"), path_strength(self.champion), strict=True))[what]
        return sorted(np.argsort(-strength, kind="stable")[:most].tolist())

    def close(self) -> None:
        """Close engines."""
        self._open.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
