"""One generation of an evolution: its individuals, their episodes, and what was spent until then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from evonet.champion import Champion
from evonet.elite_validation import ArchiveSample
from evonet.environments.normaliser import ObservationNormaliser
from evonet.evaluation.results import EpisodeResults
from evonet.files.text import short_number
from evonet.population import Population
from evonet.types import FloatArray

if TYPE_CHECKING:
    from evonet.archives.archive import Archive


@dataclass(frozen=True, eq=False)
class Generation:
    """One generation, as the loop yields it.

    Attributes:
        number: from 0.
        population: the individuals with their fitness. Its genomes are not overwritten while you hold it.
        results: the training episodes, `(n, episodes)`; those that a race left out have a return of NaN, and no fault.
        evaluations: genomes scored in training so far.
        environment_steps: steps in training so far.
        validation_steps: steps in validation so far.
        champion: the best by validation so far; None without validation, or while none could be scored.
        normaliser: normaliser of the observations in these episodes; None if they are not normalised.
        measures: the mean over each individual's episodes of the return and of each measure by name, each `(n,)`.
        archive: the archive of the evolution or of its algorithm, which later generations change; None without one.
        weighted: whether weights make the fitness of return and measures.
        archive_sample: some of the archive's elites on held-out episodes; None in generations without such a sample.
        raced_episodes: episodes that were run in a race; None without one.
        episodes: episodes of an evaluation, where they follow a schedule; None where they do not.
        max_steps: steps after which an episode was truncated, where they follow a schedule; None where they do not.
    """

    number: int
    population: Population
    results: EpisodeResults
    evaluations: int
    environment_steps: int
    validation_steps: int
    champion: Champion | None
    normaliser: ObservationNormaliser | None = None
    measures: Mapping[str, FloatArray] = field(default_factory=dict)
    archive: Archive | None = None
    weighted: bool = False
    archive_sample: ArchiveSample | None = None
    raced_episodes: int | None = None
    episodes: int | None = None
    max_steps: int | None = None

    @property
    def fitness(self) -> FloatArray:
        """Training fitness, `(n,)`, higher is fitter; -inf for an individual with a fault."""
        assert self.population.fitness is not None
        return self.population.fitness

    def __repr__(self) -> str:
        scored = self.fitness[np.isfinite(self.fitness)]
        spread = (
            f"best {short_number(scored.max())}, median {short_number(float(np.median(scored)))}"
            if scored.size
            else "none scored"
        )
        validation = self.champion and self.champion.validation
        shown = f", champion's validation {short_number(validation.mean)}" if validation else ""
        steps = f", {self.environment_steps:,} steps" if self.environment_steps else ""
        return f"<Generation {self.number}: {len(self.population)} individuals, {spread}{shown}{steps}>"
