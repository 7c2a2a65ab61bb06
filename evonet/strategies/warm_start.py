"""A warm start: evolution that begins at networks which were found before, and not at random weights."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from evonet.architecture import Architecture
from evonet.files.archive import ArchiveLimits, read_archive
from evonet.files.bounded import reading
from evonet.operators.mutation import Mutation
from evonet.operators.parents import Parents
from evonet.population import Population
from evonet.types import FloatArray

_LIMITS = ArchiveLimits(file=1 << 30, header=8 << 20)
_RUN_FILE = "champion.npz"


class HasGenome(Protocol):
    """A champion, an individual or a network."""

    @property
    def genome(self) -> FloatArray:
        """All weights and biases, `(genome_size,)`."""
        ...

    @property
    def architecture(self) -> Architecture:
        """Architecture of the network."""
        ...


Start: TypeAlias = ArrayLike | HasGenome | Population | os.PathLike[str]
"""Genomes to start from: an array `(genome_size,)` or `(k, genome_size)`, a champion, a network, a population, or the
path of a champion's file or of the directory of a finished run."""


def starting_genomes(owner: str, start: Start, architecture: Architecture, most: int) -> FloatArray:
    """Genomes `(k, genome_size)` in a new array, with k from 1 to `most`; of a larger population the fittest.

    The environment may be another one. A normaliser is not read: pass a champion's to `evolve`.

    Args:
        owner: the setting, for errors.
        start: the genomes, or what has them.
        architecture: architecture that the networks must have.
        most: greatest number of genomes.

    Raises:
        ConfigError: a file cannot be read.
        ValueError: the genomes are of another architecture, too many, or not finite.
    """
    found: Any = start
    if isinstance(start, str | os.PathLike):
        found, other = _in_file(owner, Path(start))
        _check_architecture(owner, other, architecture)
    elif isinstance(getattr(start, "architecture", None), Architecture):
        _check_architecture(owner, asdict(found.architecture), architecture)
        found = _fittest(found, most) if isinstance(found, Population) else found.genome
    genomes = np.atleast_2d(np.array(found, dtype=np.float64))
    size = architecture.genome_size
    if genomes.ndim != 2 or genomes.shape[1] != size:
        raise ValueError(f"{owner} must have shape ({size},) or (k, {size}) for {architecture}, got {np.shape(found)}")
    if not 1 <= len(genomes) <= most:
        rule = "be one genome" if most == 1 else f"have at most {most} genomes"
        raise ValueError(f"{owner} must {rule}, got {len(genomes)}")
    if not np.isfinite(genomes).all():
        raise ValueError(f"{owner} must be finite, and has NaN or infinity")
    return genomes


def around(founders: FloatArray, steps: FloatArray) -> FloatArray:
    """Genomes of which the first are the `founders (k, genome_size)`, the others copies of them in turn with a step.

    Args:
        founders: genomes to start from.
        steps: a step for each genome, `(n, genome_size)`; those of the founders are not used.
    """
    genomes: FloatArray = founders[np.arange(len(steps)) % len(founders)] + steps
    genomes[: len(founders)] = founders
    return genomes


def descendants(
    rng: np.random.Generator,
    founders: FloatArray,
    count: int,
    architecture: Architecture,
    mutations: Sequence[Mutation],
    *,
    sparse: bool,
) -> FloatArray:
    """Genomes `(count, genome_size)` of which the first are the founders, the others mutants of them in turn.

    Args:
        rng: random generator.
        founders: genomes to start from, `(k, genome_size)`.
        count: number of genomes.
        architecture: architecture of the networks.
        mutations: applied in order.
        sparse: whether a gene of 0 is a connection that does not exist, and stays 0.
    """
    parents = Parents(architecture, founders, np.zeros(len(founders)))
    copies = mutants = founders[np.arange(count - len(founders)) % len(founders)]
    for mutation in mutations:
        mutants = mutation(rng, mutants, parents)
    return np.concatenate([founders, np.where(copies != 0.0, mutants, 0.0) if sparse else mutants])


def _fittest(population: Population, most: int) -> FloatArray:
    if population.fitness is None:
        return population.genomes
    return population.genomes[np.argsort(-population.fitness, kind="stable")[:most]]


def _in_file(owner: str, path: Path) -> tuple[FloatArray, dict[str, Any]]:
    """The genome and the architecture in a champion's file, or in that of a finished run."""
    path = path / _RUN_FILE if path.is_dir() else path
    with reading(path) as file:
        header, arrays = read_archive(file, _LIMITS)
    shape = header.get("architecture")
    if "genome" not in arrays or not isinstance(shape, dict):
        raise ValueError(f"{owner} must be the file of a champion, got {path}")
    return arrays["genome"], shape


def _check_architecture(owner: str, found: dict[str, Any], architecture: Architecture) -> None:
    """Refuse networks of another architecture, named by the first setting in which they differ."""
    for field in fields(architecture):
        wanted, got = getattr(architecture, field.name), found.get(field.name, field.default)
        if got != wanted:
            raise ValueError(f"{owner} must be of networks {architecture}, whose {field.name} is {wanted}, got {got}")
