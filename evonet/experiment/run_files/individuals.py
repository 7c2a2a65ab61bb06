"""Individuals in the journals of genomes and faults, whose genes and normalisers are in the file of arrays."""

from __future__ import annotations

from typing import IO, Any

import numpy as np

from evonet.architecture import Architecture
from evonet.environments.normaliser import ObservationNormaliser
from evonet.experiment.run_files.run_directory import RunDirectory
from evonet.files.fields import Fields
from evonet.files.numbers import array_at
from evonet.individual import Individual


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
