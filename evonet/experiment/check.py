"""A config tried out before a long run: the environment held against Gymnasium's rules, one evaluation done twice."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Literal

import numpy as np
from gymnasium.utils.env_checker import check_env

from evonet.evaluation.results import EpisodeResults
from evonet.evaluation.task import Task
from evonet.experiment.build import build_algorithm, build_fitness, notices, target_of
from evonet.experiment.config import Config
from evonet.fitness import Fitness
from evonet.seeding import Purpose, episode_seeds
from evonet.types import FloatArray

_GENOMES = 8


@dataclass(frozen=True)
class Finding:
    """Something that a check found.

    Attributes:
        level: "error" makes results wrong or meaningless, "warning" deserves a look, "note" is for information.
        message: what, and what to do about it.
    """

    level: Literal["error", "warning", "note"]
    message: str


def check_config(config: Config) -> list[Finding]:
    """Try a config out.

    Raises:
        EvonetError: the config or its environment is so wrong that nothing can be tried.
    """
    fitness = build_fitness(config)
    try:
        findings = [Finding("note", f"network {fitness.architecture}, {fitness.architecture.genome_size} genes")]
        if fitness.task is not None:
            findings += [Finding("warning", notice) for notice in notices(fitness)]
            findings += _environment(fitness.task)
            if target_of(config, fitness.task) is None:
                findings.append(Finding("note", "no target: neither stop.target nor the environment gives one"))
        genomes = build_algorithm(config, fitness.architecture).ask()[:_GENOMES]
        findings += _evaluation(fitness, genomes, config)
    finally:
        fitness.close()
    return findings


def _environment(task: Task) -> list[Finding]:
    findings: list[Finding] = []
    environment = task.make_environment()
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            check_env(environment, skip_render_check=True, skip_close_check=True)
    except Exception as error:  # noqa: BLE001 - whatever it raises is the finding
        findings.append(Finding("error", f"Gymnasium's checker: {_first_line(error)}"))
    finally:
        environment.close()
    advice = dict.fromkeys(_first_line(warning.message) for warning in caught)
    findings += [Finding("warning", f"Gymnasium's checker: {line}") for line in advice if "unwrapped" not in line]
    return findings


def _evaluation(fitness: Fitness, genomes: FloatArray, config: Config) -> list[Finding]:
    settings = config.settings
    seeds = episode_seeds(settings.seed, Purpose.TRAINING, 0, fitness.episodes)
    first, second = fitness(genomes, seeds), fitness(genomes, seeds)
    findings = [Finding("note", _described(first))]
    if not np.array_equal(first.returns, second.returns, equal_nan=True):
        findings.append(
            Finding("error", "the environment is not deterministic: the same seeds gave other returns the second time")
        )
    kinds = {(fault.kind, fault.message): fault for fault in first.faults}
    findings += [
        Finding("error", f"an episode failed ({fault.kind}, seed {fault.seed}, step {fault.step}): {fault.message}")
        for fault in kinds.values()
    ]
    returns = first.returns[np.isfinite(first.returns)]
    if returns.size and np.ptp(returns) == 0:
        message = f"all of {len(genomes)} random networks scored {returns[0]:g}: evolution may find no direction"
        findings.append(Finding("warning", message))
    return findings


def _described(results: EpisodeResults) -> str:
    returns = results.returns[np.isfinite(results.returns)]
    if not returns.size:
        return "no episode could be scored"
    spread = f"returns {returns.min():g} to {returns.max():g}"
    cut = int((~results.terminated & np.isfinite(results.returns)).sum())
    return (
        f"{results.returns.size} episodes of random networks: {spread}, lengths {results.lengths.min()} to "
        f"{results.lengths.max()}, {cut} cut at the step limit"
    )


def _first_line(problem: object) -> str:
    text = str(problem).strip() or type(problem).__name__
    return text.splitlines()[0].replace("\x1b[33m", "").replace("\x1b[0m", "").removeprefix("WARN: ")
