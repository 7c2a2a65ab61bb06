"""Individuals whose genomes a run kept: its champion, the fittest of each generation, whoever is in a checkpoint.

Of all others `lineage.jsonl` tells parents and fitness, but no genome.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from evonet.champion import Champion
from evonet.environments.normaliser import ObservationNormaliser
from evonet.errors import CheckpointError, ConfigError
from evonet.experiment.checkpoint import Checkpoint, checkpoints_in
from evonet.experiment.run_directory import CHECKPOINTS
from evonet.inspection.loaded_run import Acting, LoadedRun

_SHOWN = 8


class NotStored(ConfigError):
    """A run kept no genome of such an individual."""


def stored_individual(run: LoadedRun, generation: int | None = None, individual: int | None = None) -> Champion:
    """An individual of a run, ready to act, with its training fitness; the champion with its scores.

    Args:
        run: which kept it.
        generation: whose fittest is meant; beside an id, in which it lived: its normaliser was as it stood then, if
            the run kept that.
        individual: its id. Without id and generation, the champion is meant.

    Raises:
        NotStored: the run kept none such; the message says which it kept.
        ConfigError: a file of the run cannot be read.
    """
    _check_lived(run, generation, individual)
    if individual is not None:
        found = list(_of_id(run, individual, generation))
        found.sort(key=lambda one: one.generation != generation)  # stable: else as they come
    elif generation is not None:
        found = _fittest(run, generation)
    else:
        found = [] if run.champion is None else [run.champion]
    if not found:
        raise NotStored(_refusal(run, generation, individual))
    return found[0]


def _check_lived(run: LoadedRun, generation: int | None, individual: int | None) -> None:
    last = len(run.metrics.get("generation", ())) - 1
    if generation is not None and not 0 <= generation <= last:
        raise NotStored(f"{run.path} has generations 0 to {last}, there is no generation {generation}")
    if individual is None:
        return
    row = run.lineage.row(individual)
    if row is None:
        ids = run.lineage.individuals
        known = f"has individuals {ids[0]} to {ids[-1]}" if len(ids) else "has no individuals yet"
        raise NotStored(f"{run.path} {known}, there is no individual {individual}")
    born = run.lineage.generations[row]
    if generation is not None and born > generation:
        raise NotStored(f"individual {individual} of {run.path} was born in generation {born}, after {generation}")


def _fittest(run: LoadedRun, generation: int) -> list[Champion]:
    """Of a generation: a line is written when it is somebody new, so that the last until then tells of it."""
    if run.acting is None or not np.isfinite(run.metrics["best"][generation]):
        return []
    return [one for one in _shown(run, run.acting) if one.generation <= generation][-1:]


def _of_id(run: LoadedRun, individual: int, generation: int | None) -> Iterator[Champion]:
    """All that the run kept of one individual; checkpoints are read only where nothing else tells of it."""
    kept = [run.champion] if run.champion is not None else []
    kept += [] if run.acting is None else _shown(run, run.acting)
    kept = [one for one in kept if one.individual == individual]
    yield from kept
    if run.acting is not None and (not kept or generation not in {None, *(one.generation for one in kept)}):
        yield from _in_checkpoints(run, run.acting, individual)


def _shown(run: LoadedRun, acting: Acting) -> list[Champion]:
    """Those in `genomes.jsonl`."""
    return [
        Champion(
            acting.architecture, one.genome, acting.task, one.normaliser, one.individual, one.generation, one.fitness
        )
        for one in run.fittest
    ]


def _in_checkpoints(run: LoadedRun, acting: Acting, individual: int) -> Iterator[Champion]:
    """Those in the populations that checkpoints hold, the newest first."""
    for checkpoint in _checkpoints(run):
        yield from run.read(CHECKPOINTS, lambda kept=checkpoint: _in_checkpoint(kept, acting, individual))  # type: ignore[misc]


def _in_checkpoint(checkpoint: Checkpoint, acting: Acting, individual: int) -> list[Champion]:
    evolution = checkpoint.state["evolution"]
    population, first_id = _population(evolution["algorithm"])
    normaliser = evolution["normaliser"]
    return [
        Champion(
            acting.architecture,
            population["genomes"][row].copy(),
            acting.task,
            normaliser and ObservationNormaliser(**normaliser),
            individual,
            checkpoint.generation,
            float(population["fitness"][row]),
        )
        for row in np.flatnonzero(population["ids"] + first_id == individual)
    ]


def _checkpoints(run: LoadedRun) -> Iterator[Checkpoint]:
    for path in checkpoints_in(run.path):
        with contextlib.suppress(CheckpointError):
            yield Checkpoint.load(path)


def _population(algorithm: Mapping[str, Any]) -> tuple[Mapping[str, Any], int]:
    """Its genomes, ids and fitness, and what is to be added to the ids, for one algorithm may run inside another."""
    first_id = 0
    while "genomes" not in algorithm:
        first_id += int(algorithm["first_id"])
        algorithm = algorithm["algorithm"]
    return algorithm, first_id


def _refusal(run: LoadedRun, generation: int | None, individual: int | None) -> str:
    if generation is None and individual is None:
        return f"{run.path} has no champion{'' if run.finished else ' yet: it is there from the first checkpoint on'}"
    if individual is None:
        return f"{run.path} has nobody of generation {generation} who could be scored"
    kept = sorted(checkpoint.generation for checkpoint in _checkpoints(run))
    named = ", ".join(map(str, kept[-_SHOWN:]))
    more = "" if len(kept) <= _SHOWN else f" and {len(kept) - _SHOWN} before"
    everybody = f"everybody of generation{'s' * (len(kept) > 1)} {named}{more}, " if kept else ""
    return (
        f"individual {individual} is not stored: {run.path} keeps the champion, {everybody}"
        f"and the fittest of each generation (--generation G alone)\n"
        "to keep everybody of every tenth generation, run it with --set checkpoints.keep_each=10"
    )
