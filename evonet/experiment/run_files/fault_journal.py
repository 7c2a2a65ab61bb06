"""The journal of a run's faults: each line has the genome, normaliser and seed that a replay of the episode needs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import IO, Any, get_args

import numpy as np

from evonet.architecture import Architecture
from evonet.environments.normaliser import ObservationNormaliser
from evonet.errors import TooManyFaults
from evonet.evaluation.results import Fault, FaultKind
from evonet.evolution import Evolution
from evonet.experiment.config.permissions import flags_for
from evonet.experiment.run_files.run_directory import RunDirectory, journal_name
from evonet.files.fields import Fields
from evonet.files.numbers import array_at
from evonet.files.text import short_repr
from evonet.individual import Individual
from evonet.population import Population
from evonet.shell import command

LONGEST_MESSAGE = 10_000
LONGEST_TRACEBACK = 100_000
"""The greatest number of characters in the journal: the first ones of a message, the last ones of a traceback."""


def record_faults(
    directory: RunDirectory,
    generation: int,
    faults: Sequence[Fault],
    population: Population,
    normaliser: ObservationNormaliser | None,
) -> None:
    """Write faults to the run's journal; `Fault.individual` is a row of `population`.

    Raises:
        RunDirectoryError: the journal cannot be written.
    """
    if not faults:
        return
    normaliser_place = normaliser_entry(directory, normaliser)
    for fault in faults:
        directory.append(
            "faults",
            {
                "generation": generation,
                **asdict(fault),
                "individual": int(population.ids[fault.individual]),
                "message": fault.message[:LONGEST_MESSAGE],
                "traceback": fault.traceback[-LONGEST_TRACEBACK:],
                "genome": directory.store(population.genomes[fault.individual]),
                "normaliser": normaliser_place,
            },
        )


@contextlib.contextmanager
def faults_recorded(directory: RunDirectory, evolution: Evolution, allowed_imports: Sequence[str]) -> Iterator[None]:
    """A context in which faults that stop the run are written to the run's journal.

    Args:
        directory: the run directory.
        evolution: the evolution, which has the genomes of the faults and the normaliser.
        allowed_imports: modules that the commands in the error allow to be imported.

    Raises:
        TooManyFaults: the original error, with the commands that replay a fault and resume the run.
    """
    try:
        yield
    except TooManyFaults as error:
        if error.generation is None:
            raise
        with directory.files.reading(journal_name("faults")) as file:
            before = sum(1 for _ in file)
        faults = sorted(error.faults, key=lambda fault: (fault.individual, fault.episode))
        record_faults(directory, error.generation, faults, evolution.algorithm.population, evolution.normaliser)
        allow = flags_for(directory.location, allowed_imports)
        again = "resume" if error.generation else "start again"
        raise TooManyFaults(
            f"generation {error.generation}: {error}\n"
            f"replay it with: {command('evonet', 'replay', directory.path, '--fault', str(before), *allow)}\n"
            f"{again} after a repair with: {command('evonet', 'resume', directory.path, *allow)}"
        ) from error


def fault_from(fields: Fields) -> Fault:
    """The fault in a line of the journal; its `individual` is an id, not a row.

    Raises:
        ValueError: the line is not a valid fault.
    """
    fields.allow_only("generation", "genome", "normaliser", *Fault.__dataclass_fields__)
    fields.integer("generation")
    kind: Any = fields.word("kind")
    if kind not in get_args(FaultKind):
        raise ValueError(f"fault.kind must be one of {', '.join(get_args(FaultKind))}, got {short_repr(kind)}")
    return Fault(
        individual=fields.integer("individual"),
        episode=fields.integer("episode"),
        seed=fields.integer("seed"),
        kind=kind,
        step=fields.optional("step", fields.integer),
        message=fields.text("message", LONGEST_MESSAGE),
        traceback=fields.text("traceback", LONGEST_TRACEBACK),
        attempts=fields.integer("attempts"),
    )


def individual_from(fields: Fields, architecture: Architecture, arrays: IO[bytes]) -> Individual:
    """The individual in a line of the journals of genomes or of faults.

    Args:
        fields: the fields of the line.
        architecture: the network architecture of the run.
        arrays: the run's file of arrays.

    Raises:
        ValueError: the line has no genome or normaliser that fits the architecture.
    """
    normaliser = fields.optional("normaliser", fields.fields)
    return Individual(
        architecture,
        array_at(arrays, fields.fields("genome"), architecture.genome_size),
        id=fields.integer("individual"),
        generation=fields.integer("generation"),
        training_fitness=fields.finite("fitness") if fields.has("fitness") else -np.inf,
        normaliser=None if normaliser is None else _normaliser_from(normaliser, architecture, arrays),
    )


def normaliser_entry(directory: RunDirectory, normaliser: ObservationNormaliser | None) -> dict[str, Any] | None:
    """A normaliser as plain data with places of arrays, which are appended to the run's file of arrays."""
    if normaliser is None:
        return None
    parts = normaliser.to_arrays()
    return {name: directory.store(part) if isinstance(part, np.ndarray) else part for name, part in parts.items()}


def _normaliser_from(fields: Fields, architecture: Architecture, arrays: IO[bytes]) -> ObservationNormaliser:
    inputs = architecture.num_inputs
    parts = {name: array_at(arrays, fields.fields(name), inputs) for name in ("mean", "squares")}
    return ObservationNormaliser.from_arrays({"count": fields.integer("count"), **parts}, inputs)
