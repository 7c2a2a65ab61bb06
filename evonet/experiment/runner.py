"""The run: the loop's generations watched, written down, and the champion tested at the end."""

from __future__ import annotations

import contextlib
import platform
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

import evonet
from evonet.champion import Champion
from evonet.evolution import Generation, evolve
from evonet.experiment.build import (
    build_algorithm,
    build_fitness,
    build_stop_rule,
    build_validation,
    notices,
    target_of,
)
from evonet.experiment.config import Config
from evonet.experiment.run_directory import CONFIG, RunDirectory, default_path
from evonet.experiment.tracking import make_trackers
from evonet.fitness import Fitness
from evonet.population import Population
from evonet.scores import Score, quantiles
from evonet.seeding import Purpose, episode_seeds

Watcher = Callable[[Generation, float], None]


def run(
    config: Config,
    output: Path | None = None,
    watch: Watcher = lambda *_: None,
    say: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Run a config to its end.

    Args:
        config: what to run.
        output: the run directory; by default a new one below `runs`.
        watch: told of each generation, and of the seconds since the start.
        say: told what a person should know before the run.

    Returns:
        The run's summary, as it stands in `run.json`.

    Raises:
        EvonetError: the config cannot be run, or its files cannot be written.
    """
    settings = config.settings
    fitness = build_fitness(config)
    for notice in notices(fitness):
        say(notice)
    try:
        algorithm = build_algorithm(config, fitness.architecture)
        target = target_of(config, fitness.task)
        rule = build_stop_rule(config, target)
        validation = build_validation(config)
        with contextlib.ExitStack() as stack:
            directory = stack.enter_context(RunDirectory(output or default_path(settings.name, settings.seed)))
            directory.write_text(CONFIG, config.to_yaml())
            trackers = [
                stack.enter_context(contextlib.closing(tracker))
                for tracker in make_trackers(settings.tracking, directory.path)
            ]
            started = time.monotonic()
            met = -1
            for generation in evolve(algorithm, fitness, seed=settings.seed, validation=validation):
                seconds = time.monotonic() - started
                metrics = _metrics(generation)
                met = _write_generation(directory, generation, metrics, seconds, met)
                for tracker in trackers:
                    tracker.write(metrics)
                watch(generation, seconds)
                reason = rule.reason(generation, seconds)
                if reason is not None:
                    break
            champion = generation.champion and _test(generation.champion, fitness, config)
            if champion is not None:
                directory.write_champion(champion)
            summary = {
                "name": settings.name,
                "run_directory": str(directory.path),
                "environment": settings.environment and settings.environment.id,
                "seed": settings.seed,
                "engine": getattr(fitness, "engine", "function"),
                "generations": generation.number + 1,
                "evaluations": generation.evaluations,
                "environment_steps": generation.environment_steps,
                "validation_steps": generation.validation_steps,
                "seconds": round(time.monotonic() - started, 3),
                "stopped_by": reason,
                **verdict(champion, target),
                "versions": _versions(),
            }
            directory.write_summary(summary)
            return summary
    finally:
        fitness.close()


def verdict(champion: Champion | None, target: float | None) -> dict[str, Any]:
    """Whether the task is solved, and the champion's three kinds of score, each under its own name."""
    if champion is None:
        return {"solved": False, "target": target, "champion": None}
    validation, test = champion.validation, champion.test
    return {
        "solved": target is not None and test is not None and test.mean >= target,
        "target": target,
        "champion": {
            "individual": champion.individual,
            "generation": champion.generation,
            "training_fitness": champion.training_fitness,
            "validation_mean": validation and validation.mean,
            "validation_episodes": validation and validation.episodes,
            "test_mean": test and test.mean,
            "test_interval": test and list(test.interval),
            "test_episodes": test and test.episodes,
            "genome_size": champion.architecture.genome_size,
        },
    }


def _test(champion: Champion, fitness: Fitness, config: Config) -> Champion:
    """The champion with its score on fresh episodes: in the real environment, or by the function that scored it."""
    settings = config.settings
    episodes = settings.test.episodes
    if champion.task is not None:
        return champion.tested(champion.evaluate(episodes, settings.seed))
    results = fitness(champion.genome[None, :], episode_seeds(settings.seed, Purpose.TEST, 0, episodes))
    return champion.tested(Score(results.returns[0]))


def _write_generation(
    directory: RunDirectory, generation: Generation, metrics: dict[str, Any], seconds: float, met: int
) -> int:
    """Add a generation to the journals; returns the highest id so far, those above `met` being newborn."""
    directory.append("metrics", metrics)
    directory.append("timing", {"generation": generation.number, "seconds": round(seconds, 6)})
    for fault in generation.results.faults:
        directory.append("faults", {"generation": generation.number, **asdict(fault)})
    population = generation.population
    born = np.flatnonzero(population.ids > met)
    directory.append("lineage", _lineage(population, born, generation.number))
    return int(population.ids.max())


def _metrics(generation: Generation) -> dict[str, Any]:
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
        "faults": len(generation.results.faults),
        "champion": champion and champion.individual,
        "champion_generation": champion and champion.generation,
        "validation_mean": champion and champion.validation and champion.validation.mean,
    }


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


def _versions() -> dict[str, str]:
    return {
        "evonet": evonet.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "gymnasium": gymnasium.__version__,
    }
