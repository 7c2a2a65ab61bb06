"""Writes a generation to the run's journals: metrics, time, faults, newborns, the fittest one's genome, the archive."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from evonet.experiment.run_files.archive_snapshots import has_snapshot, snapshot_entry
from evonet.experiment.run_files.fault_journal import record_faults
from evonet.experiment.run_files.individuals import normaliser_entry
from evonet.experiment.run_files.journal_lines import (
    ARCHIVE_METRICS,
    EPISODES,
    MAX_STEPS,
    MEASURES,
    NEWBORN_IN_A_LINE,
    RACED_EPISODES,
    SAMPLE_METRICS,
    SIZES,
    VALIDATION_FITNESS,
)
from evonet.experiment.run_files.run_directory import RunDirectory
from evonet.generation import Generation
from evonet.operators.structure import neurons_of
from evonet.population import Population
from evonet.statistics import quantiles
from evonet.strategies.algorithm import search_distribution
from evonet.types import RETURN, FloatArray


class GenerationLog:
    """Writes the generations of a run to its journals."""

    def __init__(self) -> None:
        self._last_id = -1  # the highest id so far; individuals with higher ids are newborn
        self._last_fittest = -1  # the id of the individual whose genome was written last

    @property
    def next_id(self) -> int:
        """The first id that no individual of the run has had."""
        return self._last_id + 1

    def add(
        self, generation: Generation, seconds: float, directory: RunDirectory, search: Mapping[str, float]
    ) -> dict[str, Any]:
        """Write a generation that ended `seconds` after the start of the run; returns the generation's metrics.

        Args:
            generation: the generation.
            seconds: since the start of the run.
            directory: the run directory.
            search: the algorithm's `search_metrics`.
        """
        number, population = generation.number, generation.population
        metrics = {**metrics_of(generation), **search}
        directory.append("metrics", metrics)
        directory.append("timing", {"generation": number, "seconds": round(seconds, 6)})
        record_faults(directory, number, generation.results.faults, population, generation.normaliser)
        born = np.flatnonzero(population.ids > self._last_id)
        for start in range(
            0, max(1, len(born)), NEWBORN_IN_A_LINE
        ):  # a generation without newborn individuals has a line, too
            directory.append("lineage", _lineage(population, born[start : start + NEWBORN_IN_A_LINE], number))
        self._last_id = max(self._last_id, int(population.ids.max()))
        self._log_fittest(generation, directory)
        if generation.archive is not None and has_snapshot(number, generation.archive):
            directory.append("archive", snapshot_entry(directory, number, generation.archive))
        return metrics

    def state(self) -> dict[str, Any]:
        """The state that `restore` takes."""
        return {"met": self._last_id, "shown": self._last_fittest}  # the keys of the file format

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from `state`."""
        self._last_id, self._last_fittest = int(state["met"]), int(state["shown"])

    def _log_fittest(self, generation: Generation, directory: RunDirectory) -> None:
        population, fitness = generation.population, generation.fitness
        row = int(fitness.argmax())
        individual = int(population.ids[row])
        if individual == self._last_fittest or not np.isfinite(fitness[row]):
            return
        self._last_fittest = individual
        entry = {
            "generation": generation.number,
            "individual": individual,
            "fitness": fitness[row],
            "genome": directory.store(population.genomes[row]),
            "normaliser": normaliser_entry(directory, generation.normaliser),
        }
        directory.append("genomes", entry)


@np.errstate(over="ignore", invalid="ignore")  # genomes may hold any number
def search_metrics(algorithm: Any, first: tuple[FloatArray, float] | None) -> dict[str, float]:
    """Step size and distance of the mean from the first one, or size and hypervolume of the Pareto front.

    Args:
        algorithm: the algorithm.
        first: `search_distribution` of the algorithm at its start.
    """
    if hasattr(algorithm, "hypervolume"):
        return {"front": int(algorithm.front.sum()), "hypervolume": algorithm.hypervolume}
    now = search_distribution(algorithm)
    if now is None or first is None:
        return {}
    mean, sigma = now
    return {"sigma": sigma, "mean_distance": float(np.sqrt(np.square(mean - first[0]).sum()))}


@np.errstate(over="ignore", invalid="ignore")  # genomes may hold any number
def metrics_of(generation: Generation) -> dict[str, Any]:
    """The metrics of a generation; they depend on the config only, not on time or machine."""
    fitness = generation.fitness[np.isfinite(generation.fitness)]
    genomes, champion = generation.population.genomes, generation.champion
    summary: dict[str, Any] = dict.fromkeys(("best", "mean", "median", "lower_quartile", "upper_quartile", "worst"))
    if fitness.size:
        lower, median, upper = quantiles(fitness, [0.25, 0.5, 0.75])
        summary = {
            "best": fitness.max(),
            "mean": fitness.mean(),
            "median": median,
            "lower_quartile": lower,
            "upper_quartile": upper,
            "worst": fitness.min(),
        }
    return {
        "generation": generation.number,
        "evaluations": generation.evaluations,
        "environment_steps": generation.environment_steps,
        "validation_steps": generation.validation_steps,
        **summary,
        "diversity": genomes.std(axis=0).mean(),
        **_sizes(generation),
        "faults": len(generation.results.faults),
        "champion": champion and champion.id,
        "champion_generation": champion and champion.generation,
        "validation_mean": champion and champion.validation and champion.validation.mean,
        **({} if generation.episodes is None else {EPISODES: generation.episodes}),
        **({} if generation.max_steps is None else {MAX_STEPS: generation.max_steps}),
        **({} if generation.raced_episodes is None else {RACED_EPISODES: generation.raced_episodes}),
        **_weighted_and_measured(generation),
        **_archive(generation),
    }


def _archive(generation: Generation) -> dict[str, Any]:
    """QD score, coverage and best of the archive, and its sample on held-out episodes; nothing without one."""
    archive = generation.archive
    if archive is None or archive.best is None:
        return {}
    metrics = dict(zip(ARCHIVE_METRICS, (archive.qd_score(), archive.coverage, archive.best.fitness), strict=True))
    if (sample := generation.archive_sample) is not None:
        found = (sample.fitness, sample.held_out_fitness, sample.same_cell)
        metrics |= zip(SAMPLE_METRICS, found, strict=True)
    return {name: value for name, value in metrics.items() if np.isfinite(value)}


def _weighted_and_measured(generation: Generation) -> dict[str, Any]:
    """The champion's fitness and measures on the held-out episodes, where there are any; null without a champion."""
    validation = None if generation.champion is None else generation.champion.validation
    weighted = {VALIDATION_FITNESS: validation and validation.fitness_mean} if generation.weighted else {}
    measured = {} if validation is None else validation.measured
    pairs = [(name, measured.get(name, (None, None))) for name in generation.measures if name != RETURN]
    return weighted | {begin + name: both[place] for place, begin in enumerate(MEASURES) for name, both in pairs}


def _sizes(generation: Generation) -> dict[str, Any]:
    """Connections and hidden neurons where the structure evolves: medians of the population, and the champion's."""
    masks, architecture, champion = generation.population.masks, generation.population.architecture, generation.champion
    if masks is None:
        return {}
    sizes = [np.median(np.count_nonzero(each, axis=1)) for each in (masks, neurons_of(masks, architecture))]
    if champion is None:
        return dict(zip(SIZES, [*sizes, None, None], strict=True))
    best = champion.genome != 0
    own = [np.count_nonzero(each) for each in (best, neurons_of(best, architecture))]
    return dict(zip(SIZES, [*sizes, *own], strict=True))


def _lineage(population: Population, born: Any, number: int) -> dict[str, Any]:
    assert population.fitness is not None
    return {
        "generation": number,
        "ids": population.ids[born],
        "parents": population.parents[born],
        "operators": population.operators[born],
        "operator_names": population.operator_names,
        "fitness": population.fitness[born],
    }
