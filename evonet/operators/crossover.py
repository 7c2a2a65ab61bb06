"""Crossover: two parents' genomes become a child's.

A crossover maps `(rng, first (m, genome_size), second (m, genome_size), architecture)` to children of the same shape;
child i comes from row i of both. To add one, subclass `Crossover`, write `combine`, and enter it in `CROSSOVERS`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Annotated

import numpy as np
from annotated_types import Ge

from evonet.architecture import Architecture
from evonet.arithmetic import power
from evonet.settings import Count, Operator, PositiveFloat, Probability, frozen
from evonet.types import FloatArray, IntArray

_BYTE_MASKS = np.where(np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1), np.int64(-1), np.int64(0))
"""The eight bits of each byte as masks of 64 bits, all ones or all zeros, `(256, 8)`."""


@frozen
class Crossover(Operator, ABC):
    """Base of all crossovers: decides which pairs are crossed.

    Attributes:
        rate: chance that a pair is crossed; otherwise the child is a copy of its first parent.
    """

    rate: Probability = 0.7

    def __call__(
        self, rng: np.random.Generator, first: FloatArray, second: FloatArray, architecture: Architecture
    ) -> FloatArray:
        """Children `(m, genome_size)` of `first` and `second`, row by row."""
        crossed = rng.random(len(first)) < self.rate
        if crossed.all():
            return self.combine(rng, first, second, architecture)
        children = first.copy()
        children[crossed] = self.combine(rng, first[crossed], second[crossed], architecture)
        return children

    @abstractmethod
    def combine(
        self, rng: np.random.Generator, first: FloatArray, second: FloatArray, architecture: Architecture
    ) -> FloatArray:
        """The children of the pairs that are crossed, in a new array; the child of equal parents is equal to them."""


@frozen
class NoCrossover(Crossover):
    """Every child is a copy of its first parent."""

    rate: Probability = 0.0

    def combine(
        self, rng: np.random.Generator, first: FloatArray, second: FloatArray, architecture: Architecture
    ) -> FloatArray:
        return first.copy()


@frozen
class KPoint(Crossover):
    """The genome is cut at `points` places and the pieces come from either parent in turn (De Jong 1975).

    Which parent gives the first piece is drawn, so that the ends of the genome change hands too.

    Attributes:
        points: number of cuts, all at different places; a genome of g genes has at most g - 1.
    """

    points: Count = 2

    def combine(
        self, rng: np.random.Generator, first: FloatArray, second: FloatArray, architecture: Architecture
    ) -> FloatArray:
        m, size = first.shape
        cuts = _distinct(rng, m, size - 1, min(self.points, size - 1))
        flips = np.zeros((m, size), dtype=np.bool_)
        flips[:, 0] = rng.random(m) < 0.5
        np.put_along_axis(flips, cuts + 1, values=True, axis=1)
        return np.where(np.logical_xor.accumulate(flips, axis=1), second, first)


@frozen
class OnePoint(KPoint):
    """The genome is cut once; one side comes from each parent (Holland 1975)."""

    points: Count = 1

    def check_together(self) -> None:
        if self.points != 1:
            raise ValueError(f"OnePoint.points must be 1, got {self.points!r}; use KPoint for more")


@frozen
class UniformCrossover(Crossover):
    """Each gene comes from either parent, on its own (Syswerda 1989).

    Attributes:
        swap: chance that a gene comes from the second parent.
    """

    swap: Probability = 0.5

    def combine(
        self, rng: np.random.Generator, first: FloatArray, second: FloatArray, architecture: Architecture
    ) -> FloatArray:
        return _mixed(first, second, _masks(rng, first.shape, self.swap))


@frozen
class Arithmetic(Crossover):
    """The child lies on the line between its parents, at a place drawn for each child (Michalewicz 1992)."""

    def combine(
        self, rng: np.random.Generator, first: FloatArray, second: FloatArray, architecture: Architecture
    ) -> FloatArray:
        share = rng.random((len(first), 1))
        return first + share * (second - first)


@frozen
class NeuronCrossover(Crossover):
    """Each neuron comes whole from either parent: incoming weights, bias, outgoing weights (Montana and Davis 1989).

    Attributes:
        swap: chance that a neuron comes from the second parent.
    """

    swap: Probability = 0.5

    def combine(
        self, rng: np.random.Generator, first: FloatArray, second: FloatArray, architecture: Architecture
    ) -> FloatArray:
        neurons = _masks(rng, (len(first), architecture.num_neurons), self.swap)
        return _mixed(first, second, neurons.take(architecture.gene_neurons, axis=1))


@frozen
class Layer(Crossover):
    """Each layer, its weights and biases together, comes whole from either parent.

    Attributes:
        swap: chance that a layer comes from the second parent.
    """

    swap: Probability = 0.5

    def combine(
        self, rng: np.random.Generator, first: FloatArray, second: FloatArray, architecture: Architecture
    ) -> FloatArray:
        gene_layers = np.zeros(architecture.genome_size, np.int64)
        for name in ("hidden_output_weights", "output_bias"):
            if name in architecture.slices:
                gene_layers[architecture.slices[name]] = 1
        layers = _masks(rng, (len(first), 2), self.swap)
        return _mixed(first, second, layers.take(gene_layers, axis=1))


@frozen
class Intermediate(Crossover):
    """Each gene lies on the line through the parents' genes, or a little beyond (Mühlenbein, Schlierkamp-Voosen 1993).

    Attributes:
        stretch: how far beyond either parent, as a share of their distance.
    """

    stretch: Annotated[float, Ge(0)] = 0.25

    def combine(
        self, rng: np.random.Generator, first: FloatArray, second: FloatArray, architecture: Architecture
    ) -> FloatArray:
        share = rng.uniform(-self.stretch, 1 + self.stretch, first.shape)
        return first + share * (second - first)


@frozen
class BLX(Crossover):
    """BLX-alpha: each gene is drawn between the parents' genes and a little beyond (Eshelman and Schaffer 1993).

    Attributes:
        alpha: how far beyond either parent, as a share of their distance.
    """

    alpha: Annotated[float, Ge(0)] = 0.5

    def combine(
        self, rng: np.random.Generator, first: FloatArray, second: FloatArray, architecture: Architecture
    ) -> FloatArray:
        low, reach = np.minimum(first, second), np.abs(second - first)
        return low + rng.uniform(-self.alpha, 1 + self.alpha, first.shape) * reach


@frozen
class Line(Crossover):
    """The child is its first parent, moved along the line through both (Vassiliades and Mouret 2018).

    With a gaussian mutation of all genes it is the iso-line operator of MAP-Elites.

    Attributes:
        rate: chance that a pair is crossed; otherwise the child is a copy of its first parent.
        sigma: standard deviation of the move, as a share of the parents' distance.
    """

    rate: Probability = 1.0
    sigma: PositiveFloat = 0.2

    def combine(
        self, rng: np.random.Generator, first: FloatArray, second: FloatArray, architecture: Architecture
    ) -> FloatArray:
        children = second - first
        children *= self.sigma * rng.standard_normal((len(first), 1))
        children += first
        return children


@frozen
class SBX(Crossover):
    """SBX, simulated binary crossover: spreads genes as one-point crossover spreads bits (Deb and Agrawal 1995).

    Attributes:
        eta: distribution index; the larger, the nearer children are to their parents.
        swap: chance that a gene is crossed; otherwise it is the first parent's.
    """

    eta: Annotated[float, Ge(0)] = 15.0
    swap: Probability = 0.5

    def combine(
        self, rng: np.random.Generator, first: FloatArray, second: FloatArray, architecture: Architecture
    ) -> FloatArray:
        u = rng.random(first.shape)
        spread = power(np.where(u <= 0.5, 2 * u, 0.5 / (1 - u)), 1 / (self.eta + 1))
        side = np.where(rng.random(first.shape) < 0.5, 0.5, -0.5)
        children = (first + second) / 2 + side * spread * (second - first)
        return np.where(rng.random(first.shape) < self.swap, children, first)


CROSSOVERS: dict[str, type[Crossover]] = {
    "none": NoCrossover,
    "one_point": OnePoint,
    "k_point": KPoint,
    "uniform": UniformCrossover,
    "arithmetic": Arithmetic,
    "neuron": NeuronCrossover,
    "layer": Layer,
    "intermediate": Intermediate,
    "blx": BLX,
    "sbx": SBX,
    "line": Line,
}


def _masks(rng: np.random.Generator, shape: tuple[int, ...], chance: float) -> IntArray:
    """Independent masks of 64 bits, all ones with `chance`, else all zeros; at chance 0.5 each costs one bit."""
    if chance != 0.5:
        return -(rng.random(shape) < chance).astype(np.int64)
    flips = math.prod(shape)
    coins = rng.bit_generator.random_raw(-(-flips // 64)).astype("<u8", copy=False).view(np.uint8)
    return _BYTE_MASKS.take(coins, axis=0).reshape(-1)[:flips].reshape(shape)


def _mixed(first: FloatArray, second: FloatArray, masks: IntArray) -> FloatArray:
    """Genes of `second` where the mask's bits are ones, of `first` where they are zeros.

    It works on bits because `np.where` branches at each gene, and a processor cannot predict random branches.
    """
    genes = first.view(np.int64) ^ second.view(np.int64)
    genes &= masks
    genes ^= first.view(np.int64)
    return genes.view(np.float64)


def _distinct(rng: np.random.Generator, rows: int, bound: int, count: int) -> IntArray:
    """`count` different numbers below `bound` in each row, `(rows, count)` (Bentley and Floyd 1987)."""
    chosen = np.empty((rows, count), dtype=np.int64)
    for place, last in enumerate(range(bound - count, bound)):
        number = rng.integers(last + 1, size=rows)
        taken = (chosen[:, :place] == number[:, None]).any(axis=1)
        chosen[:, place] = np.where(taken, last, number)
    return chosen
