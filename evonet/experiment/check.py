"""The check of a config before a long run: Gymnasium's checker, and one evaluation done twice."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from evonet.environments.checker import gymnasium_findings
from evonet.errors import EvonetError, TooManyFaults
from evonet.evaluation.results import EpisodeResults, Fault
from evonet.experiment.build import build_algorithm, build_fitness, target_of, target_warnings, warnings_for
from evonet.experiment.config import Config
from evonet.experiment.tracking import require_trackers
from evonet.fitness import Fitness, is_repeatable
from evonet.seeding import Purpose, episode_seeds
from evonet.task import Task
from evonet.types import FloatArray, IntArray

_GENOMES = 8
_TIMEOUT = 60.0


@dataclass(frozen=True)
class Finding:
    """A finding of the check.

    Attributes:
        level: an "error" makes results wrong or meaningless, a "warning" should be examined, a "note" informs.
        message: the finding, and how to repair it.
    """

    level: Literal["error", "warning", "note"]
    message: str


def check_config(config: Config) -> list[Finding]:
    """Check a config and its environment.

    Raises:
        EvonetError: the fitness or the algorithm of the config cannot be made.
    """
    require_trackers(config.settings.tracking)
    fitness = build_fitness(_with_timeout(config))
    try:
        findings = [Finding("note", f"network {fitness.architecture}, {fitness.architecture.genome_size} genes")]
        genomes = build_algorithm(config, fitness.architecture).ask()[:_GENOMES]
        evaluation, faults = _evaluation(fitness, genomes, config)
        if fitness.task is not None:
            findings += [Finding("warning", warning) for warning in warnings_for(fitness)]
            if any(fault.kind in ("died", "timeout") for fault in faults):
                findings.append(Finding("note", "Gymnasium's checker is left out: it would hang or crash as well"))
            else:
                findings += _environment(fitness.task)
            no_target = target_warnings(config)
            if target_of(config, fitness.task) is None and not no_target:
                no_target = ["no target: neither stop.target nor the environment gives one"]
            findings += [Finding("note", message) for message in no_target]
        findings += evaluation
    finally:
        fitness.close()
    return findings


def _with_timeout(config: Config) -> Config:
    """The config with a time limit for episodes, so that an environment that hangs or crashes becomes a finding."""
    settings = config.settings
    if settings.evaluation.workers == 1 or settings.faults.timeout is not None:
        return config
    faults = settings.faults.model_copy(update={"timeout": _TIMEOUT, "retries": 0})
    return replace(config, settings=settings.model_copy(update={"faults": faults}))


def _environment(task: Task) -> list[Finding]:
    with task.instance() as instance:
        broken, advice = gymnasium_findings(instance.open())
    findings = [] if broken is None else [Finding("error", f"Gymnasium's checker: {broken}")]
    return findings + [Finding("warning", f"Gymnasium's checker: {line}") for line in advice]


def _evaluation(fitness: Fitness, genomes: FloatArray, config: Config) -> tuple[list[Finding], Sequence[Fault]]:
    seeds = episode_seeds(config.settings.seed, Purpose.TRAINING, 0, fitness.episodes)
    try:
        first = fitness(genomes, seeds)
    except TooManyFaults as error:
        return _failures(error.faults), error.faults
    findings = [Finding("note", _described(first))]
    if not is_repeatable(fitness, genomes, seeds, first):
        found = "the environment is not deterministic: the same seeds gave other returns the second time"
        findings.append(Finding("error", found + _remedy(config, genomes, seeds)))
    findings += _failures(first.faults)
    returns = first.returns[np.isfinite(first.returns)]
    if returns.size and np.ptp(returns) == 0:
        message = f"all of {len(genomes)} random networks scored {returns[0]:g}: evolution may find no direction"
        findings.append(Finding("warning", message))
    return findings, first.faults


def _remedy(config: Config, genomes: FloatArray, seeds: IntArray) -> str:
    """The end of the message about an environment that is not deterministic: a hard reset, if that repairs it."""
    settings = config.settings
    if settings.environment is None or settings.environment.hard_reset:
        return ""
    environment = settings.environment.model_copy(update={"hard_reset": True})
    repaired = replace(config, settings=settings.model_copy(update={"environment": environment}))
    try:
        with contextlib.closing(build_fitness(_with_timeout(repaired))) as fitness:
            if not is_repeatable(fitness, genomes, seeds, fitness(genomes, seeds)):
                return ""
    except EvonetError:  # the environment cannot be made anew, so no repair is known
        return ""
    validation = settings.validation.environment
    too = "" if validation is None or validation.hard_reset else " (and validation.environment.hard_reset)"
    return f"; its state survives resets, so set environment.hard_reset to true{too}"


def _failures(faults: Sequence[Fault]) -> list[Finding]:
    """A finding for the first fault with each kind and message."""
    kinds = {(fault.kind, fault.message): fault for fault in reversed(faults)}
    firsts = reversed(kinds.values())
    return [Finding("error", f"an episode failed ({fault.location}): {fault.message}") for fault in firsts]


def _described(results: EpisodeResults) -> str:
    returns = results.returns[np.isfinite(results.returns)]
    if not returns.size:
        return "no episode could be scored"
    spread = f"returns {returns.min():g} to {returns.max():g}"
    truncated = int((~results.terminated & np.isfinite(results.returns)).sum())
    return (
        f"{results.returns.size} episodes of random networks: {spread}, lengths {results.lengths.min()} to "
        f"{results.lengths.max()}, {truncated} truncated"
    )
