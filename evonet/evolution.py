"""The loop: ask, evaluate, tell, yield. It prints nothing, writes nothing and never stops by itself.

>>> from evonet import EpisodeReturn, GeneticAlgorithm, evolve
>>> fitness = EpisodeReturn("CartPole-v1", hidden=8)
>>> algorithm = GeneticAlgorithm(fitness.architecture, population_size=16, seed=1)
>>> for generation in evolve(algorithm, fitness):
...     if generation.number == 2:
...         break
"""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from evonet.champion import Champion
from evonet.champion_selection import ChampionSelector, Validation, normaliser_from
from evonet.environments.normaliser import ObservationNormaliser
from evonet.errors import ConfigError, TooManyFaults
from evonet.evaluation.aggregation import episode_worth, training_weights
from evonet.evaluation.fault_policy import FaultPolicy
from evonet.evaluation.training_episodes import TrainingEpisodes
from evonet.files.archive import ArchiveLimits, pack_state, read_state
from evonet.files.bounded import reading
from evonet.files.directory import write_atomically
from evonet.fitness import Fitness
from evonet.foreign import guarded_algorithm
from evonet.function_fitness import FitnessFunction, NetworkFunction, function_fitness
from evonet.generation import Generation
from evonet.population import Population
from evonet.seeding import Purpose, episode_seeds
from evonet.settings import Count, Episodes, Natural, Schedule, check_value
from evonet.strategies.algorithm import Algorithm, ask, mu_of, tell_with_episodes
from evonet.types import FloatArray

if TYPE_CHECKING:
    from evonet.archives.archive import Archive
    from evonet.evaluation.racing import Race, RaceResult

FORMAT = "evonet evolution 1"
_LIMITS = ArchiveLimits(file=4 << 30, header=16 << 20)


def evolve(
    algorithm: Algorithm,
    fitness: Fitness | FitnessFunction | NetworkFunction,
    *,
    seed: Natural | None = None,
    validation: Validation | None = None,
    faults: FaultPolicy | None = None,
    validation_fitness: Fitness | None = None,
    normaliser: ObservationNormaliser | None = None,
    archive: Archive | None = None,
    race: Race | None = None,
    episodes: Episodes | Schedule | None = None,
    max_steps: Count | Schedule | None = None,
    resume: str | os.PathLike[str] | None = None,
) -> Evolution:
    """Evolve one generation after another, for as long as the caller iterates.

    All genomes of a generation run on the same episodes; each generation has new ones.

    Args:
        algorithm: proposes genomes.
        fitness: scores them; a plain function does, too: `genomes, episode_seeds -> returns`, or `network -> number`.
        seed: seed of the episodes; by default the algorithm's.
        validation: how a champion is chosen; by default none is.
        faults: how many of a generation may fail; by default any number.
        validation_fitness: runs the validation; by default the fitness does.
        normaliser: normaliser of the first generation's observations, such as that of a champion from which the
            algorithm starts; by default a fresh one, if the fitness normalises observations.
        archive: takes every individual that is scored, over measures of the fitness; it changes nothing else.
        race: ends the episodes of individuals that can no longer be among the fittest; by default all run all episodes.
        episodes: episodes of an evaluation, also by a schedule of the generation; by default the fitness's.
        max_steps: steps after which an episode of training is truncated, at most the fitness's, which is the default,
            also by a schedule of the generation; validation has whole episodes.
        resume: a file that `Evolution.save` wrote; evolution goes on from there, bit for bit. Algorithm, fitness,
            validation, seed, episodes and max_steps must be as before.

    Raises:
        ConfigError: the file of `resume` cannot be read, or is of another evolution.
        TypeError, ValueError: a number is out of its range, the fitness cannot truncate episodes there or is neither a
            fitness nor such a function, `normaliser` does not fit it, or `validation` asks for other episodes than
            training's without a `validation_fitness`.
    """
    evolution = Evolution(
        algorithm,
        fitness,
        seed=seed,
        validation=validation,
        faults=faults,
        validation_fitness=validation_fitness,
        archive=archive,
        race=race,
        episodes=episodes,
        max_steps=max_steps,
    )
    if normaliser is not None:
        evolution.start_with(normaliser)
    if resume is not None:
        evolution.load(resume)
    return evolution


class Evolution:
    """The loop, an iterator over generations that can be stopped and resumed; `evolve` makes one.

    Args:
        algorithm, fitness and all others: those of `evolve`.

    Attributes:
        algorithm: proposes the genomes of the next generation.
        normaliser: of the next generation's observations; None if they are not normalised.
        generations: generations so far.
        evaluations: genomes scored in training so far.
        environment_steps: steps in training so far.
    """

    def __init__(
        self,
        algorithm: Algorithm,
        fitness: Fitness | FitnessFunction | NetworkFunction,
        *,
        seed: Natural | None = None,
        validation: Validation | None = None,
        faults: FaultPolicy | None = None,
        validation_fitness: Fitness | None = None,
        archive: Archive | None = None,
        race: Race | None = None,
        episodes: Episodes | Schedule | None = None,
        max_steps: Count | Schedule | None = None,
    ) -> None:
        seed = getattr(algorithm, "seed", None) if seed is None else seed
        if seed is None:
            raise TypeError(f"Evolution.seed must be given, because {type(algorithm).__name__} has no attribute seed")
        check_value("Evolution.seed", Natural, seed)
        self.algorithm = algorithm
        self._fitness: Fitness = (
            fitness if isinstance(fitness, Fitness) else function_fitness(fitness, algorithm.architecture)
        )
        self._seed = int(seed)
        self._faults = faults
        self._passive_archive = archive
        self._goes_on = False  # whether another algorithm went on
        self._final_archive: Archive | None = None  # that of the evolution before
        episodes = self._fitness.episodes if episodes is None else episodes
        self._training = self._given = TrainingEpisodes(episodes, max_steps)
        self._training.check("episodes", "Evolution")
        self._training.check("max_steps", "Evolution")
        self._training.check_limit("Evolution", self._fitness, archive=self.archive is not None)
        self._race = race
        if race is not None:
            race.check(self._fitness, algorithm, self._training.most_episodes)
        if validation is not None:
            validation.check_algorithm(algorithm)
            if validation_fitness is None:
                validation.check_like_training()
        self._selector = (
            None
            if validation is None
            else ChampionSelector(validation_fitness or self._fitness, validation, self._seed)
        )
        self.normaliser = _first_normaliser(self._fitness)
        self.generations = self.evaluations = self.environment_steps = 0

    def start_with(self, normaliser: ObservationNormaliser) -> None:
        """Use `normaliser` in the first generation.

        Raises:
            ValueError: the fitness does not normalise observations, or has others.
        """
        if self.normaliser is None:
            raise ValueError(
                "evolve.normaliser must be left out where the fitness does not normalise observations; "
                "set EpisodeReturn.normalise_observations to True"
            )
        inputs = self._fitness.architecture.num_inputs
        self.normaliser = ObservationNormaliser.from_arrays(normaliser.to_arrays(), inputs)

    def continue_with(self, algorithm: Algorithm, episodes: Episodes | None = None) -> None:
        """Let another algorithm propose the genomes of the next generations, which see what the champion sees.

        Counts and the choice of the champion go on. Races do not, and archive and normaliser stay what they are. New
        individuals of `algorithm` must have new ids.

        Args:
            algorithm: proposes genomes.
            episodes: episodes of an evaluation from now on; by default the most of any generation.
        """
        self._final_archive, self._goes_on = self.archive, True
        self.algorithm = algorithm
        self._race = None  # every individual runs all its episodes now
        self._training = self._given.from_now_on(episodes)
        if self.champion is not None and self.champion.normaliser is not None:
            self.normaliser = self.champion.normaliser

    def prefer(self, champion: Champion, population: Population) -> None:
        """Make the first individual of `population` that validates as well as `champion` the champion.

        As well means: its mean is lower by at most one standard error. If none does, the champion stays what it is.

        Args:
            champion: a validated champion of this evolution.
            population: with fitness; those who are preferred come first.
        """
        if self._selector is not None:
            self._selector.prefer(champion, population, self.generations - 1)

    def __iter__(self) -> Evolution:
        return self

    @property
    def validation_steps(self) -> int:
        """Steps in validation so far."""
        return 0 if self._selector is None else self._selector.steps

    @property
    def validation_seconds(self) -> float:
        """Time spent in validation since this object was made."""
        return 0.0 if self._selector is None else self._selector.seconds

    @property
    def seconds_per_held_out_episode(self) -> float:
        """Mean time of a validation's episode since this object was made; 0 before the first validation."""
        if self._selector is None or not self._selector.episodes_run:
            return 0.0
        return self._selector.seconds / self._selector.episodes_run

    @property
    def champion(self) -> Champion | None:
        """The best by validation so far; None without validation, or while none could be scored."""
        return None if self._selector is None else self._selector.champion

    @property
    def archive(self) -> Archive | None:
        """The passive archive, or that of the algorithm; None if there is neither."""
        if self._final_archive is not None:
            return self._final_archive
        own: Archive | None = getattr(self.algorithm, "archive", None)
        return own if self._passive_archive is None else self._passive_archive

    def __next__(self) -> Generation:
        """The next generation, scored.

        Raises:
            AlgorithmFailed: an operator or an algorithm of the user's own raised an error.
            TooManyFaults: more individuals failed than `faults` allows; the algorithm was not told their fitness.
        """
        algorithm, fitness, normaliser = self.algorithm, self._fitness, self.normaliser
        with np.errstate(over="ignore", invalid="ignore"):  # a genome that is not finite becomes a fault, not a warning
            genomes = ask(algorithm)
        episodes, max_steps = self._training.in_generation(self.generations)
        limit: dict[str, Any] = {} if max_steps is None else {"max_steps": max_steps}
        run: Any = functools.partial(fitness, **limit)
        seeds = episode_seeds(self._seed, Purpose.TRAINING, self.generations, episodes)
        weights = training_weights(fitness, self.generations)
        raced: RaceResult | None = None
        try:
            if self._race is None:
                results = run(genomes, seeds, normaliser)
            else:
                raced = self._race.run(run, genomes, seeds, normaliser, mu_of(algorithm), weights)
                results = raced.results
            if self._faults is not None:
                self._faults.enforce(results.faults, len(genomes))
        except TooManyFaults as error:
            error.generation = self.generations
            raise
        worth = episode_worth(results, weights)
        scores = fitness.aggregate(worth) if raced is None else raced.fitness()
        self.evaluations += len(genomes)
        self.environment_steps += results.steps
        measures = results.means(getattr(fitness, "measure_names", ()))  # which a fitness of one's own may lack
        self._tell(genomes, scores, worth, measures, int(seeds[0]), limit)
        if self._passive_archive is not None and not self._goes_on:
            self._passive_archive.add(genomes, scores, measures, algorithm.population.ids)
        sample = None
        if self._selector is not None:
            self._selector.consider(algorithm, self.generations, normaliser)
            growing = None if self._goes_on else self.archive
            sample = self._selector.sample(growing, self.generations, normaliser)
        if normaliser is not None and not self._goes_on:
            self.normaliser = results.merged_into(normaliser)
        generation = Generation(
            self.generations,
            algorithm.population,
            results,
            self.evaluations,
            self.environment_steps,
            self.validation_steps,
            self.champion,
            normaliser,
            measures,
            self.archive,
            weighted=worth is not results.returns,
            archive_sample=sample,
            raced_episodes=None if raced is None else int(raced.count.sum()),
            episodes=episodes if isinstance(self._training.episodes, Schedule) else None,
            max_steps=max_steps if isinstance(self._training.max_steps, Schedule) else None,
        )
        self.generations += 1
        return generation

    def _tell(
        self,
        genomes: FloatArray,
        scores: FloatArray,
        worth: FloatArray,
        measures: Mapping[str, FloatArray],
        first_seed: int,
        limit: Mapping[str, int],
    ) -> None:
        """Tell the algorithm the fitness, and let it run the fittest's first episode once more for its observations."""
        look: Any = getattr(self._fitness, "observe", None)  # a fitness of the user's own need not have it

        @functools.cache
        def observe() -> FloatArray:
            fittest = int(np.where(np.isfinite(scores), scores, -np.inf).argmax())
            observations, steps = look(genomes[fittest], first_seed, self.normaliser, **limit)
            self.environment_steps += steps
            return np.asarray(observations)

        look_again = observe if look is not None and np.isfinite(scores).any() else None
        tell_with_episodes(self.algorithm, scores, returns=worth, observe=look_again, measures=measures)

    def state(self) -> dict[str, Any]:
        """Everything that `restore` needs to continue bit for bit: arrays, numbers, texts, dicts and lists.

        Take it between two generations; it does not change while evolution goes on.
        """
        with guarded_algorithm():
            algorithm = self.algorithm.state()
        return {
            "generations": self.generations,
            "evaluations": self.evaluations,
            "environment_steps": self.environment_steps,
            "algorithm": algorithm,
            "normaliser": self.normaliser and self.normaliser.to_arrays(),
            "selector": None if self._selector is None else self._selector.state(),
            **({} if self._passive_archive is None else {"archive": self._passive_archive.state()}),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from `state`, which is copied; algorithm and fitness must be made as those of the state.

        Raises:
            KeyError, TypeError, ValueError: `state` is not the state of such an evolution.
        """
        with guarded_algorithm():
            self.algorithm.restore(state["algorithm"])
        self.normaliser = normaliser_from(state["normaliser"], self.algorithm.architecture)
        if self._selector is not None:
            self._selector.restore(state["selector"])
        if self._passive_archive is not None:
            self._passive_archive.restore(state["archive"])
        self.generations = int(state["generations"])
        self.evaluations = int(state["evaluations"])
        self.environment_steps = int(state["environment_steps"])
        if min(self.generations, getattr(self.algorithm, "generation", 0)) < 0:
            raise ValueError("a generation's number must be at least 0")

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a file from which `evolve(…, resume=path)` goes on bit for bit; whole or not at all.

        Call it between two generations, for example in the loop's body.
        """
        content = {"seed": self._seed, "architecture": asdict(self.algorithm.architecture), "state": self.state()}
        write_atomically(Path(path), pack_state(FORMAT, content, _LIMITS))

    def load(self, path: str | os.PathLike[str]) -> None:
        """Continue from a file that `save` wrote; algorithm and fitness must be made as those that were saved.

        Raises:
            ConfigError: the file cannot be read, or is of another evolution; no code in it is run.
        """
        with reading(path) as file:
            content = read_state(file, FORMAT, _LIMITS)
        known = {"seed": self._seed, "architecture": asdict(self.algorithm.architecture)}
        for name, value in known.items():
            if content.get(name) != value:
                raise ConfigError(f"{path}: the saved evolution has another {name}: {content.get(name)}, not {value}")
        try:
            self.restore(content["state"])
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise ConfigError(
                f"{path}: does not fit this evolution: {type(error).__name__}: {error}; "
                "make algorithm, fitness and validation as those that were saved"
            ) from error


def _first_normaliser(fitness: Fitness) -> ObservationNormaliser | None:
    if fitness.task is None or not fitness.task.normalise:
        return None
    return ObservationNormaliser.fresh(fitness.architecture.num_inputs)
