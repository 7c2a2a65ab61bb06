"""The champion's results as plain data, for the summary of a run and the description of a champion."""

from __future__ import annotations

from typing import Any

from evonet.champion import Champion


def champion_results(champion: Champion | None, target: float | None) -> dict[str, Any]:
    """Whether the task is solved, and the champion's training, validation and test scores."""
    if champion is None:
        return {"solved": False, "target": target, "champion": None}
    validation, test = champion.validation, champion.test
    return {
        "solved": target is not None and test is not None and test.mean >= target,
        "target": target,
        "champion": {
            "individual": champion.id,
            "generation": champion.generation,
            "training_fitness": None if champion.edited else champion.training_fitness,
            "validation_mean": validation and validation.mean,
            "validation_episodes": validation and validation.episodes,
            "test_mean": test and test.mean,
            "test_interval": test and list(test.interval),
            "test_episodes": test and test.episodes,
            "genome_size": champion.architecture.genome_size,
            **_weighted_and_measured(champion),
        },
    }


def _weighted_and_measured(champion: Champion) -> dict[str, Any]:
    """The weighted fitness of validation and test, and mean and standard deviation of each measure; {} without any."""
    scores = {"validation": champion.validation, "test": champion.test}
    fitness = {name: score.fitness_mean for name, score in scores.items() if score and score.fitness is not None}
    measured = {name: score.measured for name, score in scores.items() if score and score.measures}
    return ({"fitness": fitness} if fitness else {}) | ({"measures": measured} if measured else {})
