"""The one place where genomes × episode seeds become the flat episodes that engines run, and become a table again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from evonet.environments.normaliser import ObservationNormaliser
from evonet.evaluation.progress import PROGRESS
from evonet.evaluation.results import EpisodeResults
from evonet.types import FloatArray, IntArray

RunEpisodes: TypeAlias = Callable[..., EpisodeResults | Sequence[EpisodeResults]]
"""An engine's `run`, or an executor's `evaluate`, which returns consecutive chunks."""


def evaluate(
    run: RunEpisodes,
    genomes: FloatArray,
    episode_seeds: IntArray,
    normaliser: ObservationNormaliser | None,
    rows: IntArray | None = None,
    max_steps: int | None = None,
) -> EpisodeResults:
    """Results `(k, episodes)` of k of the `genomes (n, genome_size)`, of all n by default.

    Args:
        run: runs the flat episodes.
        genomes: `(n, genome_size)`.
        episode_seeds: `(episodes,)`, the same for all genomes; or `(k, episodes)`.
        normaliser: normaliser of observations; None if the task does not normalise.
        rows: rows of the genomes that run, `(k,)`, ascending; faults name an individual by its place among them.
        max_steps: steps after which an episode is truncated; by default the task's.
    """
    rows = np.arange(len(genomes)) if rows is None else rows
    episodes = np.shape(episode_seeds)[-1]
    individuals = np.repeat(rows, episodes)
    seeds = np.broadcast_to(np.asarray(episode_seeds, dtype=np.int64), (len(rows), episodes)).ravel()
    PROGRESS.done, PROGRESS.total = 0, len(seeds)
    results = run(genomes, individuals, seeds, normaliser, max_steps)
    chunks = [results] if isinstance(results, EpisodeResults) else results
    return EpisodeResults.joined(chunks, np.repeat(np.arange(len(rows)), episodes), episodes)
