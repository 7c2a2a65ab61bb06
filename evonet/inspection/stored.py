"""Individuals whose genomes are stored: the champion, the fittest of each generation, populations of checkpoints.

For all other individuals, `lineage.jsonl` has parents and fitness, but no genome.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np

from evonet.architecture import Architecture
from evonet.champion import Champion
from evonet.environments.normaliser import ObservationNormaliser
from evonet.errors import CheckpointError, ConfigError
from evonet.experiment.run_files.checkpoint import Checkpoint, checkpoints_in
from evonet.experiment.run_files.run_directory import CHECKPOINTS
from evonet.individual import Individual
from evonet.inspection.loaded_run import LoadedRun
from evonet.strategies.saved_population import population_of

_SHOWN_CHECKPOINTS = 8


class NotStored(ConfigError):
    """The run has not stored the individual's genome."""


def stored_individual(run: LoadedRun, generation: int | None = None, individual: int | None = None) -> Individual:
    """An individual of a run, with its training fitness; the champion is a `Champion`, with its scores.

    Args:
        run: the run.
        generation: without `individual`, select the fittest of this generation. With `individual`, prefer the
            normaliser of this generation; a checkpoint has the normaliser of the next generation.
        individual: id of the individual; if both `individual` and `generation` are None, the champion is returned.

    Raises:
        NotStored: the individual is not stored; the message says which ones are.
        ConfigError: a file of the run cannot be read.
    """
    _require_alive(run, generation, individual)
    if individual is not None:
        found = list(_stored_states(run, individual, generation))
        found.sort(
            key=lambda each: each.generation != generation
        )  # the sort is stable, so the order is otherwise unchanged
    elif generation is not None:
        found = _fittest(run, generation)
    else:
        return stored_champion(run)
    if not found:
        raise NotStored(_not_stored(run, generation, individual))
    return found[0]


def stored_champion(run: LoadedRun) -> Champion:
    """The champion of a run, or the champion so far of an unfinished run.

    Raises:
        NotStored: the run has no champion, or no champion yet.
        ConfigError: a file of the run cannot be read.
    """
    if run.champion is None:
        until = "" if run.finished else " yet: the first checkpoint will have it"
        raise NotStored(f"{run.path} has no champion{until}")
    return run.champion


def _require_alive(run: LoadedRun, generation: int | None, individual: int | None) -> None:
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
    """The fittest of a generation, in a list; the last recorded one, because a repeated fittest is not recorded."""
    if not np.isfinite(run.metrics["best"][generation]):
        return []
    return [each for each in run.fittest if each.generation <= generation][-1:]


def _stored_states(run: LoadedRun, individual: int, generation: int | None) -> Iterator[Individual]:
    """The states of one individual in all files; checkpoints are read only if no other file has the generation."""
    champion = [] if run.champion is None else [run.champion]
    stored = [each for each in (*champion, *run.fittest) if each.id == individual]
    yield from stored
    if run.policy_spec is not None and (not stored or generation not in {None, *(each.generation for each in stored)}):
        architecture = run.policy_spec.architecture
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


def _not_stored(run: LoadedRun, generation: int | None, individual: int | None) -> str:
    if individual is None:
        return f"{run.path} has no individual of generation {generation} that could be scored"
    generations = sorted(checkpoint.generation for checkpoint in _checkpoints(run))
    named = ", ".join(map(str, generations[-_SHOWN_CHECKPOINTS:]))
    hidden = len(generations) - _SHOWN_CHECKPOINTS
    more = f" and {hidden} before" if hidden > 0 else ""
    s = "s" * (len(generations) > 1)
    populations = f"the population{s} of generation{s} {named}{more}, " if generations else ""
    return (
        f"individual {individual} is not stored: {run.path} stores the champion, {populations}"
        f"and the fittest of each generation (--generation G alone)\n"
        "to keep the population of every tenth generation, run it with --set checkpoints.keep_each=10"
    )
