"""The journal of a run's faults: each line has the genome, normaliser and seed that a replay of the episode needs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any, get_args

from evonet.environments.normaliser import ObservationNormaliser
from evonet.errors import TooManyFaults
from evonet.evaluation.results import Fault, FaultKind
from evonet.evolution import Evolution
from evonet.experiment.config.permissions import flags_for
from evonet.experiment.run_files.individuals import normaliser_entry
from evonet.experiment.run_files.run_directory import RunDirectory, journal_name
from evonet.files.fields import Fields
from evonet.files.text import short_repr
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
