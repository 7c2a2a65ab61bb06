"""The one place where genomes × episode seeds become the flat episodes that engines run, and become a table again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from evonet.environments.normaliser import ObservationNormaliser
from evonet.evaluation.progress import PROGRESS
from evonet.evaluation.results import EpisodeResults
from evonet.types import FloatArray, IntArray

RunEpisodes: TypeAlias = Callable[
    [FloatArray, IntArray, IntArray, ObservationNormaliser | None], EpisodeResults | Sequence[EpisodeResults]
]
"""An engine's `run`, or an executor's `evaluate`, which returns consecutive chunks."""


def evaluate(
    run: RunEpisodes, genomes: FloatArray, episode_seeds: IntArray, normaliser: ObservationNormaliser | None
) -> EpisodeResults:
    """Results `(n, episodes)` of `genomes (n, genome_size)`.

    Args:
        run: runs the flat episodes.
        genomes: `(n, genome_size)`.
        episode_seeds: `(episodes,)`, the same for all genomes; or `(n, episodes)`.
        normaliser: normaliser of observations; None if the task does not normalise.
    """
    n, episodes = len(genomes), np.shape(episode_seeds)[-1]
    individuals = np.repeat(np.arange(n), episodes)
    seeds = np.broadcast_to(np.asarray(episode_seeds, dtype=np.int64), (n, episodes)).ravel()
    PROGRESS.done, PROGRESS.total = 0, len(seeds)
    results = run(genomes, individuals, seeds, normaliser)
    return EpisodeResults.joined([results] if isinstance(results, EpisodeResults) else results, individuals, episodes)
