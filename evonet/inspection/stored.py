"""Individuals whose genomes a run kept: its champion, the fittest of each generation, the populations of checkpoints.

Of all other individuals `lineage.jsonl` has parents and fitness, but no genome.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np

from evonet.champion import Champion
from evonet.environments.normaliser import ObservationNormaliser
from evonet.errors import CheckpointError, ConfigError
from evonet.experiment.checkpoint import Checkpoint, checkpoints_in
from evonet.experiment.run_directory import CHECKPOINTS
from evonet.individual import Individual
from evonet.inspection.loaded_run import LoadedRun
from evonet.network import Architecture
from evonet.strategies.saved_population import population_of

_SHOWN = 8


class NotStored(ConfigError):
    """A run kept no genome of such an individual."""


def stored_individual(run: LoadedRun, generation: int | None = None, individual: int | None = None) -> Individual:
    """An individual of a run, with its training fitness; the champion is a `Champion`, with its scores.

    Args:
        run: whose individual it is.
        generation: alone, the generation whose fittest is meant; with an id, one in which the individual lived: it has
            the normaliser of that generation if the run kept it, from a checkpoint the one after it.
        individual: its id. Without id and generation, the champion is meant.

    Raises:
        NotStored: the run did not keep it; the message says what it kept.
        ConfigError: a file of the run cannot be read.
    """
    _check_lived(run, generation, individual)
    if individual is not None:
        found = list(_of_id(run, individual, generation))
        found.sort(key=lambda one: one.generation != generation)  # stable: otherwise the order stays
    elif generation is not None:
        found = _fittest(run, generation)
    else:
        return stored_champion(run)
    if not found:
        raise NotStored(_refusal(run, generation, individual))
    return found[0]


def stored_champion(run: LoadedRun) -> Champion:
    """The champion of a run; of a run under way, the champion so far.

    Raises:
        NotStored: there is none, or none yet.
        ConfigError: a file of the run cannot be read.
    """
    if run.champion is None:
        until = "" if run.finished else " yet: the first checkpoint will have it"
        raise NotStored(f"{run.path} has no champion{until}")
    return run.champion


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


def _fittest(run: LoadedRun, generation: int) -> list[Individual]:
    """The fittest of a generation: the last one that was written down until then."""
    if not np.isfinite(run.metrics["best"][generation]):
        return []
    return [one for one in run.fittest if one.generation <= generation][-1:]


def _of_id(run: LoadedRun, individual: int, generation: int | None) -> Iterator[Individual]:
    """All that the run kept of one individual; checkpoints are read only where no other file has it."""
    champion = [] if run.champion is None else [run.champion]
    kept = [one for one in (*champion, *run.fittest) if one.id == individual]
    yield from kept
    if run.acting is not None and (not kept or generation not in {None, *(one.generation for one in kept)}):
        architecture = run.acting.architecture
        for checkpoint in _checkpoints(run):  # the newest first
            yield from run.read(
                CHECKPOINTS,
                lambda checkpoint=checkpoint: _in_checkpoint(checkpoint, architecture, individual),  # type: ignore[misc]
            )


def _in_checkpoint(checkpoint: Checkpoint, architecture: Architecture, individual: int) -> list[Individual]:
    evolution = checkpoint.state["evolution"]
    population, arrays = population_of(evolution["algorithm"], architecture), evolution["normaliser"]
    fitness = np.full(len(population), -np.inf) if population.fitness is None else population.fitness
    return [
        Individual(
            architecture,
            population.genomes[row].copy(),
            id=individual,
            generation=checkpoint.generation,
            training_fitness=float(fitness[row]),
            normaliser=arrays and ObservationNormaliser.from_arrays(arrays, architecture.num_inputs),
        )
        for row in np.flatnonzero(population.ids == individual)
    ]


def _checkpoints(run: LoadedRun) -> Iterator[Checkpoint]:
    for path in checkpoints_in(run.path):
        with contextlib.suppress(CheckpointError):
            yield Checkpoint.load(path)


def _refusal(run: LoadedRun, generation: int | None, individual: int | None) -> str:
    if individual is None:
        return f"{run.path} has no individual of generation {generation} that could be scored"
    kept = sorted(checkpoint.generation for checkpoint in _checkpoints(run))
    named = ", ".join(map(str, kept[-_SHOWN:]))
    more = "" if len(kept) <= _SHOWN else f" and {len(kept) - _SHOWN} before"
    s = "s" * (len(kept) > 1)
    populations = f"the population{s} of generation{s} {named}{more}, " if kept else ""
    return (
        f"individual {individual} is not stored: {run.path} keeps the champion, {populations}"
        f"and the fittest of each generation (--generation G alone)\n"
        "to keep the population of every tenth generation, run it with --set checkpoints.keep_each=10"
    )
