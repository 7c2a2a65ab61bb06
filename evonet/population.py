"""A population: one matrix of genomes, with the fitness, id and parents of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import overload

import numpy as np
from numpy.typing import ArrayLike

from evonet.architecture import Architecture
from evonet.files.text import short_number
from evonet.network import NetworkStack, NeuralNetwork
from evonet.types import BoolArray, FloatArray, IntArray

NO_PARENT = -1


class Population:
    """n networks of one architecture in one C-contiguous float64 matrix, one row each.

    `population[i]` is a `NeuralNetwork` that shares the memory of row i; `population[a:b]` is a population that shares
    the memory of its rows.

    Args:
        architecture: architecture of the networks.
        genomes: genomes `(n, genome_size)`; used, not copied, if it is C-contiguous float64.
        fitness: fitness `(n,)`, higher is fitter, -inf for an individual that cannot be scored; None before the
            evaluation.
        ids: ids `(n,)`, unique in a run; an individual that survives has the same id. Default 0 … n - 1.
        parents: ids of the parents, `(n, 2)`; `NO_PARENT` for a missing parent.
        operators: bit masks `(n,)`: bit j is set if operator j of `operator_names` helped to make the individual.
        operator_names: names of the operators, in the order of the bits.
        step_sizes: step sizes `(n, sizes)` of each self-adaptive operator, by the operator's bit.
        masks: which connections exist, `(n, genome_size)`; None if all do. Genes without a connection are 0.

    Raises:
        ValueError: a shape does not fit.
    """

    def __init__(
        self,
        architecture: Architecture,
        genomes: ArrayLike,
        *,
        fitness: FloatArray | None = None,
        ids: IntArray | None = None,
        parents: IntArray | None = None,
        operators: IntArray | None = None,
        operator_names: Sequence[str] = (),
        step_sizes: Mapping[int, FloatArray] | None = None,
        masks: BoolArray | None = None,
    ) -> None:
        matrix = np.ascontiguousarray(genomes, dtype=np.float64)
        if matrix.ndim != 2 or matrix.shape[1] != architecture.genome_size:
            raise ValueError(
                f"Population.genomes must have shape (n, {architecture.genome_size}) for {architecture}, "
                f"got {matrix.shape}"
            )
        n = len(matrix)
        self.architecture = architecture
        self._genomes: FloatArray = matrix
        self.fitness: FloatArray | None = fitness
        self.ids: IntArray = np.arange(n) if ids is None else ids
        self.parents: IntArray = np.full((n, 2), NO_PARENT) if parents is None else parents
        self.operators: IntArray = np.zeros(n, dtype=np.int64) if operators is None else operators
        self.operator_names = tuple(operator_names)
        self.step_sizes: dict[int, FloatArray] = dict(step_sizes or {})
        self.masks = masks
        self._stack: NetworkStack | None = None
        shapes = {"fitness": (n,), "ids": (n,), "parents": (n, 2), "operators": (n,), "masks": matrix.shape}
        for name, shape in shapes.items():
            array = getattr(self, name)
            if array is not None and np.shape(array) != shape:
                raise ValueError(f"Population.{name} must have shape {shape}, got {np.shape(array)}")

    @classmethod
    def random(cls, architecture: Architecture, size: int, rng: np.random.Generator) -> Population:
        """`size` networks with standard normal weights."""
        return cls(architecture, rng.standard_normal((size, architecture.genome_size)))

    @property
    def genomes(self) -> FloatArray:
        """Genomes `(n, genome_size)`; assignment writes into the same array."""
        return self._genomes

    @genomes.setter
    def genomes(self, values: ArrayLike) -> None:
        self._genomes[...] = values

    def predict(self, observations: ArrayLike) -> FloatArray:
        """Outputs `(n, num_outputs)`: network i applied to row i of `observations (n, num_inputs)`.

        The bits are those of `population[i].predict(observations[i])`. Recurrent networks have memory until `reset`.

        Raises:
            ValueError: the observations have another shape.
        """
        inputs = np.ascontiguousarray(observations, dtype=np.float64)
        expected = (len(self), self.architecture.num_inputs)
        if inputs.shape != expected:
            raise ValueError(f"Population.predict must get shape {expected}, got {inputs.shape}")
        if self._stack is None:
            self._stack = NetworkStack(self.architecture, self.genomes, len(self))
        return self._stack.forward(inputs).copy()

    def reset(self) -> None:
        """Clear the memory of recurrent networks."""
        self._stack = None

    def operators_of(self, index: int) -> tuple[str, ...]:
        """Names of the operators that made individual `index`; none for a member of the first generation."""
        bits = int(self.operators[index])
        return tuple(name for j, name in enumerate(self.operator_names) if bits >> j & 1)

    @property
    def best(self) -> NeuralNetwork:
        """The network with the highest fitness, which shares its row's memory.

        Raises:
            ValueError: the population has not been evaluated.
        """
        if self.fitness is None:
            raise ValueError("Population.best needs an evaluated population, got one without fitness")
        return self[int(np.where(np.isnan(self.fitness), -np.inf, self.fitness).argmax())]

    @overload
    def __getitem__(self, index: int) -> NeuralNetwork: ...
    @overload
    def __getitem__(self, index: slice) -> Population: ...
    def __getitem__(self, index: int | slice) -> NeuralNetwork | Population:
        if not isinstance(index, slice):
            return NeuralNetwork.from_genome(self.architecture, self.genomes[index])
        if index.step not in (None, 1):
            raise ValueError(f"Population slices must have step 1 to share memory, got step {index.step}")
        return Population(
            self.architecture,
            self.genomes[index],
            fitness=None if self.fitness is None else self.fitness[index],
            ids=self.ids[index],
            parents=self.parents[index],
            operators=self.operators[index],
            operator_names=self.operator_names,
            step_sizes={bit: sizes[index] for bit, sizes in self.step_sizes.items()},
            masks=None if self.masks is None else self.masks[index],
        )

    def successor(self, survivors: IntArray, genomes: FloatArray) -> Population:
        """The next generation: the individuals of the rows `survivors`, then children with only their ids set.

        Args:
            survivors: rows of this population.
            genomes: matrix of the next generation, of the same shape; the survivors' genomes are written into it.
        """
        new = Population(
            self.architecture,
            genomes,
            operator_names=self.operator_names,
            step_sizes={bit: np.empty_like(sizes) for bit, sizes in self.step_sizes.items()},
            masks=None if self.masks is None else np.empty_like(self.masks),
        )
        first_child = len(survivors)
        new.ids[first_child:] = self.ids.max() + 1 + np.arange(len(new) - first_child)
        columns = [(getattr(new, name), getattr(self, name)) for name in ("genomes", "ids", "parents", "operators")]
        columns += [(new.step_sizes[bit], sizes) for bit, sizes in self.step_sizes.items()]
        columns += [] if self.masks is None else [(new.masks, self.masks)]
        for column, old in columns:
            column[:first_child] = old[survivors]
        return new

    def __iter__(self) -> Iterator[NeuralNetwork]:
        return (self[i] for i in range(len(self)))

    def __len__(self) -> int:
        return len(self.genomes)

    def __getstate__(self) -> dict[str, object]:
        # The stack holds views of these genomes; a copy makes its own at the first prediction.
        return {**vars(self), "_stack": None}

    def __repr__(self) -> str:
        best = "" if self.fitness is None else f", best fitness {short_number(float(self.fitness.max()))}"
        return f"<Population of {len(self)} networks {self.architecture}{best}>"
