"""Structure: which connections a network has.

Every connection has its place in the genome, so the structure of a population is a matrix of masks `(n, genome_size)`,
True where a connection exists; biases count as connections. Genes without a connection are 0. Connections match if they
have the same place, which is what innovation numbers are for in NEAT (Stanley and Miikkulainen 2002).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray

from evonet.architecture import Architecture, Gene
from evonet.operators.fitness_scaling import lead
from evonet.settings import Probability, Settings, frozen
from evonet.types import BoolArray, FloatArray, IntArray

CONNECTIONS = "connections"
"""The name of the number of a network's connections, as an objective."""


@frozen
class Structure(Settings):
    """The structure of the first networks, the price of connections, and the protection of new structures.

    Attributes:
        start: connections of the first networks: "minimal" has those from inputs to outputs and the outputs' biases,
            "empty" none, "full" all that there may be.
        density: chance of each of these connections to exist.
        price: how much each connection lowers the fitness by which parents and survivors are chosen.
        youth: how many times its lead over the least fit counts when parents are chosen, for a network that a
            structural mutation made; above 1, a new structure has time to find its weights.
    """

    start: Literal["minimal", "empty", "full"] = "minimal"
    density: Probability = 1.0
    price: Annotated[float, Ge(0)] = 0.0
    youth: Annotated[float, Ge(1), Le(1000)] = 1.0

    def first(self, rng: np.random.Generator, count: int, architecture: Architecture) -> BoolArray:
        """Masks of the first generation, `(count, genome_size)`.

        Raises:
            ValueError: the start needs skip connections, from inputs to outputs, and the networks have none.
        """
        if self.start != "full" and not architecture.skip:
            raise ValueError(f"Structure.start must be 'full' in networks without skip connections, got {self.start!r}")
        masks = np.full((count, architecture.genome_size), self.start == "full")
        if self.start == "minimal":
            blocks = architecture.views(masks)
            for name in {"input_output_weights", "output_bias"} & set(blocks):
                blocks[name][:] = True
        if self.density < 1:
            masks &= rng.random(masks.shape) < self.density
        return pruned(masks, architecture)

    def priced(self, fitness: FloatArray, masks: BoolArray) -> FloatArray:
        """The fitness `(n,)` without the price of the connections, `masks (n, genome_size)`."""
        priced: FloatArray = fitness - self.price * np.count_nonzero(masks, axis=1)
        return priced

    def protected(self, fitness: FloatArray, young: BoolArray) -> FloatArray:
        """The fitness `(n,)` by which parents are chosen, where a structural mutation made the `young (n,)`."""
        return lead(fitness) * np.where(young, self.youth, 1.0) if self.youth > 1 else fitness


def masked(genomes: FloatArray, masks: BoolArray | None) -> FloatArray:
    """The genomes `(m, genome_size)` with 0 where there is no connection; as they are if all connections exist."""
    return genomes if masks is None else np.where(masks, genomes, 0.0)


def smaller(architecture: Architecture, hidden: int) -> Architecture:
    """The architecture with only `hidden` hidden neurons; without any, a network has no memory.

    Raises:
        ValueError: the architecture has fewer, or its networks need a hidden neuron.
    """
    if hidden > architecture.num_hidden:
        raise ValueError(f"a smaller network must have at most {architecture.num_hidden} hidden neurons, got {hidden}")
    return replace(architecture, num_hidden=hidden, recurrent=architecture.recurrent and hidden > 0)


def enlarged(genomes: NDArray[Gene], small: Architecture, architecture: Architecture) -> NDArray[Gene]:
    """Genomes or masks `(…, small.genome_size)` of smaller networks as those of `architecture`, in a new array.

    The hidden neurons are the first ones; genes of the others are 0.
    """
    whole = np.zeros((*genomes.shape[:-1], architecture.genome_size), genomes.dtype)
    blocks = architecture.views(whole)
    for name, block in small.views(genomes).items():
        place: tuple[Any, ...] = (..., *map(slice, small.shapes[name]))
        blocks[name][place] = block
    return whole


def thresholded(genomes: FloatArray, threshold: float) -> FloatArray:
    """The genomes `(m, genome_size)` with weak genes at 0, and the others nearer to 0 (soft thresholding).

    Args:
        genomes: `(m, genome_size)`.
        threshold: by how much genes come nearer to 0, as a share of the root mean square of their genome.
    """
    if not threshold:
        return genomes
    by = threshold * np.sqrt(np.square(genomes).mean(axis=1, keepdims=True))
    nearer: FloatArray = np.where(np.abs(genomes) > by, genomes - by * np.sign(genomes), 0.0)
    return nearer


def neurons_of(masks: BoolArray, architecture: Architecture) -> BoolArray:
    """Which hidden neurons have a connection, `(…, num_hidden)`, for `masks (…, genome_size)`."""
    incoming, outgoing = _entered_and_left(masks, architecture)
    return incoming | outgoing


def leading_to_output(mask: BoolArray, architecture: Architecture) -> BoolArray:
    """Which hidden neurons lead to an output, directly or not, `(num_hidden,)`, for a mask `(genome_size,)`."""
    if not architecture.num_hidden:
        return np.zeros(0, np.bool_)
    blocks = architecture.views(mask)
    leading: BoolArray = np.any(blocks["hidden_output_weights"], axis=1)
    if architecture.recurrent:
        for _ in range(architecture.num_hidden):
            leading |= np.any(blocks["hidden_hidden_weights"][:, leading], axis=1)
    return leading


def inputs_left_out(mask: BoolArray, architecture: Architecture) -> IntArray:
    """The inputs from which no path leads to an output, in order, for a mask `(genome_size,)`."""
    blocks = architecture.views(mask)
    used = np.zeros(architecture.num_inputs, np.bool_)
    if architecture.num_hidden:
        used |= blocks["input_hidden_weights"][:, leading_to_output(mask, architecture)].any(axis=1)
    if architecture.skip:
        used |= blocks["input_output_weights"].any(axis=1)
    return np.flatnonzero(~used)


def pruned(masks: BoolArray, architecture: Architecture) -> BoolArray:
    """The masks `(m, genome_size)` without unconnected hidden neurons, in a new array.

    A hidden neuron is kept if a weight enters it and another leads from it to an output or to another hidden neuron.
    """
    masks = masks.copy()
    for _ in range(architecture.num_hidden):  # the removal of one neuron can disconnect another
        incoming, outgoing = _entered_and_left(masks, architecture)
        useless = ~(incoming & outgoing)
        before = np.count_nonzero(masks)
        remove_neurons(masks, useless, architecture)
        if np.count_nonzero(masks) == before:
            break
    return masks


def without_each_input(mask: BoolArray, architecture: Architecture) -> BoolArray:
    """Masks `(k, genome_size)`, each without a different one of the k inputs of a mask `(genome_size,)`.

    Inputs without a connection do not count. Hidden neurons that a removal leaves without use are removed, too.
    """
    inputs = np.flatnonzero(inputs_of(mask, architecture))
    return without_inputs(np.tile(mask, (len(inputs), 1)), np.arange(len(inputs)), inputs, architecture)


def inputs_of(masks: BoolArray, architecture: Architecture) -> BoolArray:
    """Which inputs have a connection, `(…, num_inputs)`, for `masks (…, genome_size)`."""
    used: BoolArray = np.any([block.any(axis=-1) for block in _leaving_inputs(masks, architecture)], axis=0)
    return used


def without_inputs(masks: BoolArray, rows: IntArray, inputs: IntArray, architecture: Architecture) -> BoolArray:
    """The masks `(m, genome_size)` without input `inputs[i]` in row `rows[i]`, `pruned`; overwrites `masks`."""
    for block in _leaving_inputs(masks, architecture):
        block[rows, inputs] = False
    return pruned(masks, architecture)


def _leaving_inputs(masks: BoolArray, architecture: Architecture) -> list[BoolArray]:
    """The blocks of connections that leave the inputs, each `(…, num_inputs, k)`, as views onto the masks."""
    blocks = architecture.views(masks)
    return [blocks[name] for name in ("input_hidden_weights", "input_output_weights") if name in blocks]


def _entered_and_left(masks: BoolArray, architecture: Architecture) -> tuple[BoolArray, BoolArray]:
    """Which hidden neurons a weight enters, and which lead to an output or to another hidden neuron.

    Both are `(…, num_hidden)`, for masks `(…, genome_size)`. A weight from a neuron to itself does not count.
    """
    if not architecture.num_hidden:
        none: BoolArray = np.zeros((*masks.shape[:-1], 0), np.bool_)
        return none, none
    blocks = architecture.views(masks)
    incoming: BoolArray = np.any(blocks["input_hidden_weights"], axis=-2)
    outgoing: BoolArray = np.any(blocks["hidden_output_weights"], axis=-1)
    if architecture.recurrent:
        between = blocks["hidden_hidden_weights"] & ~np.eye(architecture.num_hidden, dtype=np.bool_)
        incoming, outgoing = incoming | between.any(axis=-2), outgoing | between.any(axis=-1)
    return incoming, outgoing


def remove_neurons(masks: BoolArray, neurons: BoolArray, architecture: Architecture) -> None:
    """Remove all connections of some hidden neurons `(m, num_hidden)` from the `masks (m, genome_size)`, in place."""
    blocks = architecture.views(masks)
    for name in {"input_hidden_weights", "hidden_bias", "hidden_hidden_weights"} & set(blocks):
        entering = blocks[name]
        entering &= ~neurons if entering.ndim == 2 else ~neurons[:, None, :]
    for name in {"hidden_hidden_weights", "hidden_output_weights"} & set(blocks):
        leaving = blocks[name]
        leaving &= ~neurons[:, :, None]
