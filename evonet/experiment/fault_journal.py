"""Faults in a run's journal: each with all that it takes to repeat the episode."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from evonet.environments.normaliser import ObservationNormaliser
from evonet.errors import TooManyFaults
from evonet.evaluation.results import Fault
from evonet.evolution import Evolution
from evonet.experiment.run_directory import RunDirectory, journal_name
from evonet.individual import Individual
from evonet.network import Architecture
from evonet.population import Population
from evonet.strategies.algorithm import Algorithm
from evonet.types import FloatArray


def fault_entries(
    generation: int, faults: Sequence[Fault], population: Population, normaliser: ObservationNormaliser | None
) -> list[dict[str, Any]]:
    """A journal's entries for faults of `population`, whose rows they name, normalised by `normaliser`."""
    return [
        {
            "generation": generation,
            **asdict(fault),
            "individual": int(population.ids[fault.individual]),
            "genome": array_text(population.genomes[fault.individual]),
            "normaliser": normaliser_entry(normaliser),
        }
        for fault in faults
    ]


@contextlib.contextmanager
def faults_recorded(directory: RunDirectory, algorithm: Algorithm, evolution: Evolution) -> Iterator[None]:
    """A context in which faults that stop the run are written to its journal first.

    Raises:
        TooManyFaults: the error, with what to do next.
    """
    try:
        yield
    except TooManyFaults as error:
        if error.generation is None:
            raise
        with directory.files.reading(journal_name("faults")) as file:
            before = sum(1 for _ in file)
        faults = sorted(error.faults, key=lambda fault: (fault.individual, fault.episode))
        for entry in fault_entries(error.generation, faults, algorithm.population, evolution.normaliser):
            directory.append("faults", entry)
        raise TooManyFaults(
            f"generation {error.generation}: {error}\n"
            f"see it happen: evonet replay {directory.path} --fault {before}\n"
            f"go on after a repair: evonet resume {directory.path}"
        ) from error


def individual_from(entry: Mapping[str, Any], architecture: Architecture) -> Individual:
    """The individual in an entry of the journals of genomes or of faults.

    Raises:
        KeyError, TypeError, ValueError: the entry has none of such networks.
    """
    return Individual(
        architecture,
        array_from(entry["genome"], architecture.genome_size),
        id=int(entry["individual"]),
        generation=int(entry["generation"]),
        training_fitness=float(entry.get("fitness", -np.inf)),
        normaliser=_normaliser_from(entry["normaliser"], architecture.num_inputs),
    )


def normaliser_entry(normaliser: ObservationNormaliser | None) -> dict[str, Any] | None:
    """A normaliser as plain data, to the last bit."""
    if normaliser is None:
        return None
    parts = normaliser.to_arrays()
    return {**parts, **{name: array_text(part) for name, part in parts.items() if isinstance(part, np.ndarray)}}


def _normaliser_from(entry: Mapping[str, Any] | None, inputs: int) -> ObservationNormaliser | None:
    if entry is None:
        return None
    parts = {name: array_from(part, inputs) if isinstance(part, str) else part for name, part in entry.items()}
    return ObservationNormaliser.from_arrays(parts, inputs)


def array_text(array: FloatArray) -> str:
    """Numbers to the last bit, NaN included: base64 of little-endian float64."""
    return base64.b64encode(array.astype("<f8").tobytes()).decode("ascii")


def array_from(text: str, size: int) -> FloatArray:
    """The numbers that `array_text` wrote, `(size,)`.

    Raises:
        ValueError: `text` holds another number of them, or is no base64.
    """
    numbers = np.frombuffer(base64.b64decode(text, validate=True), "<f8").astype(np.float64)
    if numbers.shape != (size,):
        raise ValueError(f"{size} numbers are expected, got {numbers.size}")
    return numbers
