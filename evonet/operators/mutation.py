"""Mutation: small random changes of genomes.

A mutation maps `(rng, genomes (m, genome_size), parents)` to mutants of the same shape. Several may follow each other.
A mutation with the methods of `SelfAdapting` has step sizes that each individual carries. To add a mutation, write a
class and enter it in `MUTATIONS`.
"""

from __future__ import annotations

import functools
import math
from typing import Annotated, Literal, Protocol, runtime_checkable

import numpy as np
from annotated_types import Ge

from evonet.architecture import Architecture
from evonet.arithmetic import exp, log1p, power
from evonet.operators.noise_table import normal_rows
from evonet.operators.parents import Parents
from evonet.operators.safe_mutation import SafeMutation
from evonet.settings import Operator, PositiveFloat, Probability, frozen
from evonet.types import BoolArray, FloatArray, IntArray

_LARGEST_STEP = 1e100
_SPARSE = 0.5  # below this rate the gaps between mutated genes are drawn, above it one number for each gene


class Mutation(Protocol):
    """Changes genomes at random."""

    def __call__(self, rng: np.random.Generator, genomes: FloatArray, parents: Parents) -> FloatArray:
        """Mutants of `genomes (m, genome_size)`, children of some of the `parents`, in a new array."""
        ...


@runtime_checkable
class SelfAdapting(Protocol):
    """A mutation whose step sizes each individual carries and passes on to its children."""

    def initial_step_sizes(self, count: int, architecture: Architecture) -> FloatArray:
        """Step sizes of the first generation, `(count, sizes)`."""
        ...

    def mutate(
        self, rng: np.random.Generator, genomes: FloatArray, parents: Parents, step_sizes: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """The mutants and their own step sizes.

        Args:
            rng: the source of random numbers.
            genomes: `(m, genome_size)`.
            parents: some of them are the parents of these genomes.
            step_sizes: the step sizes that the genomes inherit, `(m, sizes)`.

        Returns:
            Arrays of the shapes of `genomes` and `step_sizes`.
        """
        ...


@frozen
class Gaussian(Operator):
    """Adds a normal step to some genes (Rechenberg 1973).

    Where all genes change, a genome's steps are a slice of a table of a million normal numbers, from a random place.

    Attributes:
        sigma: standard deviation of a step.
        rate: chance of each gene to change.
    """

    sigma: PositiveFloat = 0.1
    rate: Probability = 0.1

    def __call__(self, rng: np.random.Generator, genomes: FloatArray, parents: Parents) -> FloatArray:
        if self.rate == 1.0:
            steps = normal_rows(rng, *genomes.shape)
            steps *= self.sigma
            steps += genomes
            return steps
        mutants = genomes.copy()
        genes = _chosen(rng, mutants.size, self.rate)
        mutants.reshape(-1)[genes] += self.sigma * rng.standard_normal(genes.size)
        return mutants


@frozen
class UniformReset(Operator):
    """Draws some genes anew, from a uniform distribution over [low, high).

    Attributes:
        low: least new value.
        high: greatest new value.
        rate: chance of each gene to change.
    """

    low: float = -1.0
    high: float = 1.0
    rate: Probability = 0.05

    def check_together(self) -> None:
        check_order("UniformReset", self.low, self.high)

    def __call__(self, rng: np.random.Generator, genomes: FloatArray, parents: Parents) -> FloatArray:
        mutants = genomes.copy()
        genes = _chosen(rng, mutants.size, self.rate)
        mutants.reshape(-1)[genes] = rng.uniform(self.low, self.high, genes.size)
        return mutants


@frozen
class NeuronMutation(Operator):
    """Adds a normal step to all weights of some neurons (Montana and Davis 1989, "mutate nodes").

    Attributes:
        sigma: standard deviation of a step.
        rate: chance of each neuron to change; a hidden one with its incoming and outgoing weights and its bias.
    """

    sigma: PositiveFloat = 0.1
    rate: Probability = 0.1

    def __call__(self, rng: np.random.Generator, genomes: FloatArray, parents: Parents) -> FloatArray:
        mutants = genomes.copy()
        neurons = rng.random((len(genomes), parents.architecture.num_neurons)) < self.rate
        genes = neurons[:, parents.architecture.gene_neurons]
        mutants[genes] += self.sigma * rng.standard_normal(np.count_nonzero(genes))
        return mutants


@frozen
class Cauchy(Operator):
    """Adds a Cauchy step to some genes: mostly small, now and then very large (Yao, Liu and Lin 1999).

    Attributes:
        scale: scale of the Cauchy distribution; half of all steps are shorter.
        rate: chance of each gene to change.
    """

    scale: PositiveFloat = 0.1
    rate: Probability = 0.1

    def __call__(self, rng: np.random.Generator, genomes: FloatArray, parents: Parents) -> FloatArray:
        mutants = genomes.copy()
        genes = _chosen(rng, mutants.size, self.rate)
        mutants.reshape(-1)[genes] += self.scale * rng.standard_cauchy(genes.size)
        return mutants


@frozen
class Polynomial(Operator):
    """Adds a polynomial step to some genes: mostly short, and never beyond the bounds (Deb and Deb 2014).

    Attributes:
        eta: distribution index; the larger, the shorter the steps.
        low: smallest value of a gene; a gene outside the bounds is first moved onto the nearer one.
        high: greatest value of a gene.
        rate: chance of each gene to change.
        share_of: what a step is a share of: the gene's distance to the bound on the step's side, so that a gene reaches
            no bound (Deb and Deb 2014); or the range from bound to bound, as in the programs of NSGA-II (Deb et al.
            2002).
    """

    eta: Annotated[float, Ge(0)] = 20.0
    low: float = -5.0
    high: float = 5.0
    rate: Probability = 0.1
    share_of: Literal["distance", "range"] = "distance"

    def check_together(self) -> None:
        check_order("Polynomial", self.low, self.high)

    def __call__(self, rng: np.random.Generator, genomes: FloatArray, parents: Parents) -> FloatArray:
        mutants = genomes.copy()
        genes = _chosen(rng, mutants.size, self.rate)
        values = np.clip(mutants.reshape(-1)[genes], self.low, self.high)
        u = rng.random(genes.size)
        below, above = values - self.low, self.high - values
        if self.share_of == "range":
            extent = self.high - self.low
            down, up = extent * self._drop(u, below / extent), -extent * self._drop(1 - u, above / extent)
        else:
            down, up = below * self._drop(u), -above * self._drop(1 - u)  # equations 1 to 3
        mutants.reshape(-1)[genes] = np.clip(values + np.where(u <= 0.5, down, up), self.low, self.high)
        return mutants

    def _drop(self, u: FloatArray, most: FloatArray | float = 1.0) -> FloatArray:
        """A downward step, from `-most` to 0: the quantile `2 u` of the polynomial distribution that is cut at `-most`.

        Args:
            u: `(m,)`, from 0 to 0.5; greater numbers count as 0.5.
            most: `(m,)`, from 0 to 1.
        """
        u = np.minimum(u, 0.5)
        tail = 0.0 if isinstance(most, float) else power(1 - most, self.eta + 1)
        return power(2 * u + (1 - 2 * u) * tail, 1 / (self.eta + 1)) - 1


@frozen
class SelfAdaptive(Operator):
    """Adds normal steps whose sizes evolve: each individual has its own, changed by log-normal factors (Schwefel 1977).

    Attributes:
        sigma: step size at the start.
        scope: "individual" for one size for all genes, "gene" for one each.
        least: smallest step size.
    """

    sigma: PositiveFloat = 0.3
    scope: Literal["individual", "gene"] = "individual"
    least: PositiveFloat = 1e-4

    def initial_step_sizes(self, count: int, architecture: Architecture) -> FloatArray:
        """Step sizes of the first generation, `(count, 1)` or `(count, genome_size)`."""
        return np.full((count, 1 if self.scope == "individual" else architecture.genome_size), float(self.sigma))

    def mutate(
        self, rng: np.random.Generator, genomes: FloatArray, parents: Parents, step_sizes: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """The mutants and their own step sizes, from the `step_sizes` that they inherit."""
        m, size = genomes.shape
        if self.scope == "individual":
            factors = exp(rng.standard_normal((m, 1)) / math.sqrt(size))
        else:  # Bäck and Schwefel 1993: one factor for all genes, and one for each
            shared = rng.standard_normal((m, 1)) / math.sqrt(2 * size)
            factors = exp(shared + rng.standard_normal((m, size)) / math.sqrt(2 * math.sqrt(size)))
        sizes = np.clip(step_sizes * factors, self.least, _LARGEST_STEP)
        return genomes + sizes * rng.standard_normal(genomes.shape), sizes

    def __call__(self, rng: np.random.Generator, genomes: FloatArray, parents: Parents) -> FloatArray:
        return self.mutate(rng, genomes, parents, self.initial_step_sizes(len(genomes), parents.architecture))[0]


@frozen
class CoSyNEPermutation(Operator):
    """Shuffles some genes among the children bred together, each within its own column (Gomez et al. 2008).

    Attributes:
        rate: chance of each gene to be among those that are shuffled.
    """

    rate: Probability = 0.1

    def __call__(self, rng: np.random.Generator, genomes: FloatArray, parents: Parents) -> FloatArray:
        return shuffled(rng, genomes, rng.random(genomes.shape) < self.rate)


MUTATIONS: dict[str, type[Mutation]] = {
    "gaussian": Gaussian,
    "uniform_reset": UniformReset,
    "neuron": NeuronMutation,
    "cauchy": Cauchy,
    "polynomial": Polynomial,
    "self_adaptive": SelfAdaptive,
    "cosyne_permutation": CoSyNEPermutation,
    "safe": SafeMutation,
}


def inherited_step_sizes(step_sizes: FloatArray, mates: IntArray, crossed: BoolArray) -> FloatArray:
    """The step sizes that children inherit: the first parent's, or the parents' geometric mean if `crossed (m,)`.

    Bäck and Schwefel (1993) recombine step sizes by a mean; the mean is geometric here, because mutation multiplies
    step sizes.

    Args:
        step_sizes: step sizes of the parents' generation, `(n, sizes)`.
        mates: rows of the parents, `(m, 2)`.
        crossed: which children have genes of both parents, `(m,)`.
    """
    first, second = step_sizes[mates[:, 0]], step_sizes[mates[:, 1]]
    return np.where(crossed[:, None], np.sqrt(first) * np.sqrt(second), first)


def shuffled(rng: np.random.Generator, genomes: FloatArray, marked: BoolArray) -> FloatArray:
    """The genomes `(n, genes)` with the `marked` values of each column shuffled; the other values stay in place."""
    n, genes = genomes.shape
    sources = np.argsort(np.where(marked, rng.random((n, genes)), 2.0), axis=0, kind="stable")  # marked first, mixed
    places = np.argsort(~marked, axis=0, kind="stable")  # marked first, in their own order
    among = np.arange(n)[:, None] < marked.sum(axis=0)
    columns = np.broadcast_to(np.arange(genes), (n, genes))
    mixed = genomes.copy()
    mixed[places[among], columns[among]] = genomes[sources[among], columns[among]]
    return mixed


def check_order(owner: str, low: float, high: float) -> None:
    """Check that the lower end of a range is below its upper end.

    Raises:
        ValueError: `low` is not below `high`.
    """
    if low >= high:
        raise ValueError(f"{owner}.low must be below high ({high!r}), got {low!r}")


def _chosen(rng: np.random.Generator, size: int, rate: float) -> IntArray:
    """Indices below `size`, each chosen on its own with chance `rate`; ascending."""
    if rate == 1.0:
        return np.arange(size)
    if rate >= _SPARSE:
        return np.flatnonzero(rng.random(size) < rate)
    if rate == 0.0:
        return np.empty(0, dtype=np.int64)
    scale = _mean_gap(rate)
    pieces = []
    reached = -1
    while reached < size:
        expected = (size - reached) * rate
        # The gaps are geometric; exponential numbers rounded down have the same distribution at half the cost.
        passed = rng.standard_exponential(int(expected + 4 * expected**0.5) + 8)
        passed *= scale
        # A tiny rate passes over more genes than an integer can count; beyond the end they are all alike.
        places = np.minimum(passed, size, out=passed).astype(np.int64)
        places += 1
        places[0] += reached
        np.cumsum(places, out=places)
        pieces.append(places)
        reached = int(places[-1])
    places = np.concatenate(pieces)
    return places[: np.searchsorted(places, size)]


@functools.lru_cache(maxsize=64)
def _mean_gap(rate: float) -> float:
    """The mean of the exponential numbers that, rounded down, are the gaps between genes chosen with chance `rate`."""
    return -1.0 / float(log1p(-rate))
