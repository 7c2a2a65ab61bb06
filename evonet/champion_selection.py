"""Validation during a run: each generation's fittest, or its mean, on held-out episodes; the best is the champion."""

from __future__ import annotations

import time
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from evonet.architecture import Architecture
from evonet.champion import Champion, score_of
from evonet.elite_validation import SAMPLE_EVERY, ArchiveSample, draw_sample, evaluate_held_out, summarise_sample
from evonet.environments.normaliser import ObservationNormaliser
from evonet.environments.specification import EnvironmentSpec
from evonet.evaluation.aggregation import episode_fitness
from evonet.evaluation.engine import EngineName
from evonet.evaluation.results import EpisodeResults
from evonet.files.fields import Fields
from evonet.fitness import Fitness
from evonet.population import Population
from evonet.scores import Score, described_scores, scores_from
from evonet.seeding import Purpose, episode_seeds
from evonet.settings import Count, Episodes, Natural, Settings
from evonet.statistics import standard_error
from evonet.strategies.algorithm import Algorithm, evaluates_mean
from evonet.types import FloatArray

if TYPE_CHECKING:
    from evonet.archives.archive import Archive

_EPISODES = 100, 10  # held-out episodes where the settings name no number: most and fewest
_STEPS = 50_000  # which these episodes may take, if each goes to the step limit


def held_out_episodes(chosen: int | None, fitness: Fitness) -> int:
    """Number of held-out episodes for a validation or a test.

    Without a choice it follows from the step limit alone, so that it is the same on each machine and with each engine.

    Args:
        chosen: the number in the settings; None for 100, or as many as take 50,000 steps at the step limit, but no
            fewer than 10.
        fitness: runs the episodes.
    """
    if chosen is not None:
        return int(chosen)
    most, fewest = _EPISODES
    return most if fitness.task is None else min(most, max(fewest, _STEPS // fitness.task.max_steps))


@dataclass(frozen=True)
class Validation(Settings):
    """How the champion is chosen: on held-out episodes, the same in every generation, none of them used in training.

    Attributes:
        episodes: held-out episodes; by default 100, or as many as take 50,000 steps at the environment's step limit,
            but no fewer than 10.
        candidates: how many of a generation's fittest are tried, if they were not tried before.
        policy: what is tried, the "fittest" of a generation, or the "mean" of a strategy's distribution; where fitness
            is noisy, the mean is often the better policy (Salimans et al. 2017 and Mania et al. 2018 report it alone).
        every: generations from one validation to the next, from the first on; those between have none.
        environment: environment of the held-out episodes, with the same spaces; by default that of training.
        engine: engine of the held-out episodes; by default that of training, after EnvPool "gymnasium". That one runs
            the environment itself, for tasks so sensitive that the rounding of a kernel decides which individual
            succeeds.
        weights: what a held-out episode is worth in the choice of the champion, such as `{return: 1}`; by default what
            it is worth in training, at the end of the schedules.
        archive_episodes: held-out episodes of each elite of an archive, and of each individual on a Pareto front, at
            the end of the run; by default none.
        archive_sample: how many elites, drawn at random, are run on these episodes in every tenth generation; 0 for
            none.
    """

    episodes: Episodes | None = None
    candidates: Count = 1
    policy: Literal["fittest", "mean"] = "fittest"
    every: Count = 1
    environment: EnvironmentSpec | None = None
    engine: EngineName | None = None
    weights: Mapping[str, float] | None = None
    archive_episodes: Episodes | None = None
    archive_sample: Natural = 10

    def check_algorithm(self, algorithm: object) -> None:
        """Check that `algorithm` scores the policy that is tried.

        Raises:
            ValueError: the policy is the mean, and the algorithm has none among its individuals.
        """
        if self.policy == "mean" and not evaluates_mean(algorithm):
            raise ValueError(
                "the policy 'mean' needs a strategy that samples around a mean, with evaluate_mean: true, "
                f"got {type(algorithm).__name__}"
            )
        if self.policy == "mean" and self.candidates > 1:
            raise ValueError(f"the policy 'mean' is one candidate, got candidates {self.candidates}")

    def check_like_training(self) -> None:
        """Check that the fitness of training can run the held-out episodes.

        Raises:
            ValueError: a setting asks for another environment, another engine or other weights.
        """
        for name in ("environment", "engine", "weights"):
            if getattr(self, name) is not None:
                raise ValueError(
                    f"Validation.{name} must be left out where the fitness of training runs the validation, "
                    f"got {getattr(self, name)!r}; give evolve a validation_fitness that has it"
                )


class ChampionSelector:
    """Runs each generation's fittest on the held-out episodes, and keeps the individual that does best there."""

    def __init__(self, fitness: Fitness, validation: Validation, seed: int) -> None:
        self._fitness = fitness
        self._candidates, self._policy, self._every = validation.candidates, validation.policy, validation.every
        self._seed = seed
        self._archive_episodes, self._archive_sample = validation.archive_episodes, validation.archive_sample
        self._episodes = episode_seeds(seed, Purpose.VALIDATION, 0, held_out_episodes(validation.episodes, fitness))
        self._tried: set[int] = set()
        self._in_order = array("q")  # the ids of `_tried`, so that a state is one copy, however many there are
        self._best_mean = -np.inf
        self.champion: Champion | None = None
        self.steps = self.episodes_run = 0
        self.seconds = 0.0

    def consider(self, algorithm: Algorithm, generation: int, normaliser: ObservationNormaliser | None) -> None:
        """Validate the fittest of the algorithm's population, or its mean, if they were not validated before."""
        population = algorithm.population
        assert population.fitness is not None
        if generation % self._every:
            return
        if self._policy == "mean" and evaluates_mean(algorithm):  # what prunes or refines may have none
            ranking = np.array([len(population) - 1])
        else:
            ranking = np.argsort(-population.fitness, kind="stable")[: self._candidates]
        rows = [int(row) for row in ranking if int(population.ids[row]) not in self._tried]
        rows = [row for row in rows if np.isfinite(population.fitness[row])]
        if not rows:
            return
        results = self._run(population.genomes[rows], normaliser)
        worth = episode_fitness(self._fitness.task, results)
        for place, row in enumerate(rows):
            if normaliser is None:  # under the next normaliser, the same genome acts otherwise
                self._tried.add(int(population.ids[row]))
                self._in_order.append(int(population.ids[row]))
            if worth[place].mean() > self._best_mean:  # never true of NaN, an episode that failed
                self._choose(population, row, generation, normaliser, score_of(self._fitness.task, results, place))

    def prefer(self, champion: Champion, population: Population, generation: int) -> None:
        """Make the first individual of `population` that validates as well as `champion` the champion.

        It validates as well if its mean on the held-out episodes is lower by at most one standard error of the mean of
        the differences, as Breiman et al. (1984) choose the smallest of several trees. If none does, nothing changes.

        Args:
            champion: a validated champion of the run.
            population: with fitness; those who are preferred come first. They act with the champion's normaliser.
            generation: number of the last generation.
        """
        validation = champion.validation
        assert validation is not None
        if not len(population):
            return
        results = self._run(population.genomes, champion.normaliser)
        before = validation.returns if validation.fitness is None else validation.fitness
        for row, worth in enumerate(episode_fitness(self._fitness.task, results)):
            if worth.mean() >= before.mean() - standard_error(worth - before):  # never true of NaN
                score = score_of(self._fitness.task, results, row)
                self._choose(population, row, generation, champion.normaliser, score)
                return

    def _run(self, genomes: FloatArray, normaliser: ObservationNormaliser | None) -> EpisodeResults:
        """Run `genomes (n, genome_size)` on the held-out episodes."""
        started = time.monotonic()
        results = self._fitness(genomes, self._episodes, normaliser)
        self.seconds += time.monotonic() - started
        self.episodes_run += results.returns.size
        self.steps += results.steps
        return results

    def _choose(
        self,
        population: Population,
        row: int,
        generation: int,
        normaliser: ObservationNormaliser | None,
        validation: Score,
    ) -> None:
        """Make an individual the champion."""
        assert population.fitness is not None
        self._best_mean = validation.fitness_mean
        self.champion = Champion(
            population.architecture,
            population.genomes[row].copy(),
            id=int(population.ids[row]),
            generation=generation,
            training_fitness=float(population.fitness[row]),
            normaliser=normaliser,
            task=self._fitness.task,
            validation=validation,
        )

    def sample(
        self, archive: Archive | None, generation: int, normaliser: ObservationNormaliser | None
    ) -> ArchiveSample | None:
        """Run a sample of an archive's elites on held-out episodes; None in generations without a sample."""
        episodes, size = self._archive_episodes, self._archive_sample
        if archive is None or not len(archive) or episodes is None or not size or (generation + 1) % SAMPLE_EVERY:
            return None
        started = time.monotonic()
        rows = draw_sample(archive, size, self._seed, generation)
        genomes = archive.genomes_of(rows)
        held_out = evaluate_held_out(genomes, archive.measure_names, self._fitness, self._seed, episodes, normaliser)
        self.seconds += time.monotonic() - started
        self.episodes_run += len(rows) * episodes
        self.steps += held_out.steps
        return summarise_sample(archive, rows, held_out)

    def state(self) -> dict[str, Any]:
        champion = self.champion
        return {
            "tried": np.array(self._in_order, dtype=np.int64),
            "steps": self.steps,
            "champion": None
            if champion is None or champion.validation is None
            else {
                "genome": champion.genome,
                "normaliser": champion.normaliser and champion.normaliser.to_arrays(),
                "individual": champion.id,
                "generation": champion.generation,
                "training_fitness": champion.training_fitness,
                **_score_state(champion.validation),
            },
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        self._in_order = array("q", np.asarray(state["tried"], dtype=np.int64).tolist())
        self._tried = set(self._in_order)
        self.steps = int(state["steps"])
        self.champion, self._best_mean = None, -np.inf
        if (saved := state["champion"]) is not None:
            architecture = self._fitness.architecture
            validation = _score_from_state(saved)
            self.champion = Champion(
                architecture,
                np.array(saved["genome"], dtype=np.float64),
                id=int(saved["individual"]),
                generation=int(saved["generation"]),
                training_fitness=float(saved["training_fitness"]),
                normaliser=normaliser_from(saved["normaliser"], architecture),
                task=self._fitness.task,
                validation=validation,
            )
            self._best_mean = validation.fitness_mean


def _score_state(validation: Score) -> dict[str, Any]:
    names, arrays = described_scores({"validation": validation})
    return arrays | ({"measures": names} if names else {})


def _score_from_state(saved: Mapping[str, Any]) -> Score:
    header = Fields({"measures": saved.get("measures")}, "champion")
    arrays = {name: np.array(value, np.float64) for name, value in saved.items() if name.startswith("validation")}
    return scores_from(header, arrays, ["validation"])["validation"]


def normaliser_from(arrays: Mapping[str, Any] | None, architecture: Architecture) -> ObservationNormaliser | None:
    """The normaliser whose arrays a state holds; None if observations are not normalised."""
    return None if arrays is None else ObservationNormaliser.from_arrays(arrays, architecture.num_inputs)
