"""Mutations that change which connections networks have.

A structural mutation maps `(rng, genomes (m, genome_size), masks (m, genome_size), architecture)` to genomes and masks
in new arrays. To add one, subclass `StructuralMutation`, write `change`, and enter it in `STRUCTURAL_MUTATIONS`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from evonet.activations import ACTIVATIONS
from evonet.architecture import Architecture
from evonet.operators.safe_mutation import SLOPES
from evonet.operators.structure import inputs_of, masked, neurons_of, pruned, remove_neurons, without_inputs
from evonet.settings import Operator, PositiveFloat, Probability, frozen
from evonet.types import BoolArray, FloatArray, IntArray


@frozen
class StructuralMutation(Operator, ABC):
    """Base of the mutations that change the structure of some networks.

    Attributes:
        rate: chance of each network to change.
    """

    rate: Probability = 0.05

    def __call__(
        self, rng: np.random.Generator, genomes: FloatArray, masks: BoolArray, architecture: Architecture
    ) -> tuple[FloatArray, BoolArray]:
        """The mutants of `genomes (m, genome_size)` and their masks."""
        rows = np.flatnonzero(rng.random(len(genomes)) < self.rate)
        genomes, masks = genomes.copy(), masks.copy()
        if rows.size:
            genomes[rows], masks[rows] = self.change(rng, genomes[rows], masks[rows], architecture)
        return genomes, masks

    @abstractmethod
    def change(
        self, rng: np.random.Generator, genomes: FloatArray, masks: BoolArray, architecture: Architecture
    ) -> tuple[FloatArray, BoolArray]:
        """The networks after one change of each; `genomes` and `masks`, both `(m, genome_size)`, may be overwritten."""


@frozen
class AddConnection(StructuralMutation):
    """Adds a connection between neurons that exist, with a normal weight (Stanley and Miikkulainen 2002).

    Attributes:
        scale: standard deviation of the weight.
    """

    rate: Probability = 0.3
    scale: PositiveFloat = 1.0

    def change(
        self, rng: np.random.Generator, genomes: FloatArray, masks: BoolArray, architecture: Architecture
    ) -> tuple[FloatArray, BoolArray]:
        possible = np.ones_like(masks)
        remove_neurons(possible, ~neurons_of(masks, architecture), architecture)
        rows, genes = _random_true_of_each_row(rng, possible & ~masks)
        masks[rows, genes] = True
        genomes[rows, genes] = self.scale * rng.standard_normal(len(rows))
        return genomes, masks


@frozen
class RemoveConnection(StructuralMutation):
    """Removes a connection, and the hidden neurons that it leaves without use."""

    rate: Probability = 0.1

    def change(
        self, rng: np.random.Generator, genomes: FloatArray, masks: BoolArray, architecture: Architecture
    ) -> tuple[FloatArray, BoolArray]:
        rows, genes = _random_true_of_each_row(rng, masks)
        masks[rows, genes] = False
        masks = pruned(masks, architecture)
        return masked(genomes, masks), masks


@frozen
class AddNeuron(StructuralMutation):
    """Splits a connection from an input to an output by a hidden neuron (Stanley and Miikkulainen 2002).

    For small inputs the new path computes what the old connection did: its first weight is 1, its second is the old
    weight over the slope of the activation at 0, and the output's bias makes up for the activation's value at 0. The
    place of the neuron follows from the connection, so that equal splits match in crossover. Networks without skip
    connections, or without a free hidden neuron, stay as they are.
    """

    rate: Probability = 0.1

    def change(
        self, rng: np.random.Generator, genomes: FloatArray, masks: BoolArray, architecture: Architecture
    ) -> tuple[FloatArray, BoolArray]:
        if not architecture.skip or not architecture.num_hidden:
            return genomes, masks
        free: BoolArray = ~neurons_of(masks, architecture)
        direct = architecture.views(masks)["input_output_weights"] & np.any(free, axis=1)[:, None, None]
        rows, connections = _random_true_of_each_row(rng, direct.reshape(len(masks), -1))
        inputs, outputs = np.divmod(connections, architecture.num_outputs)
        neurons = _next_free(free[rows], connections % architecture.num_hidden)
        genes, exists = architecture.views(genomes), architecture.views(masks)
        slope, middle = _at_zero(architecture.hidden_activation)
        weights = genes["input_output_weights"][rows, inputs, outputs] / slope
        for name, place, values in (
            ("input_hidden_weights", (rows, inputs, neurons), 1.0),
            ("hidden_output_weights", (rows, neurons, outputs), weights),
        ):
            genes[name][place], exists[name][place] = values, True
        if architecture.bias and middle:
            genes["output_bias"][rows, outputs] -= middle * weights
            exists["output_bias"][rows, outputs] = True
        genes["input_output_weights"][rows, inputs, outputs] = 0.0
        exists["input_output_weights"][rows, inputs, outputs] = False
        return genomes, masks


@frozen
class RemoveNeuron(StructuralMutation):
    """Removes a hidden neuron with all its connections."""

    rate: Probability = 0.03

    def change(
        self, rng: np.random.Generator, genomes: FloatArray, masks: BoolArray, architecture: Architecture
    ) -> tuple[FloatArray, BoolArray]:
        present = neurons_of(masks, architecture)
        rows, neurons = _random_true_of_each_row(rng, present)
        removed = np.zeros_like(present)
        removed[rows, neurons] = True
        remove_neurons(masks, removed, architecture)
        masks = pruned(masks, architecture)
        return masked(genomes, masks), masks


@frozen
class RemoveInput(StructuralMutation):
    """Removes all connections of an input, and the hidden neurons that it leaves without use.

    One change tries whether an input matters; connection by connection, each change takes a part of its influence only.
    """

    rate: Probability = 0.03

    def change(
        self, rng: np.random.Generator, genomes: FloatArray, masks: BoolArray, architecture: Architecture
    ) -> tuple[FloatArray, BoolArray]:
        rows, inputs = _random_true_of_each_row(rng, inputs_of(masks, architecture))
        masks = without_inputs(masks, rows, inputs, architecture)
        return masked(genomes, masks), masks


STRUCTURAL_MUTATIONS: dict[str, type[StructuralMutation]] = {
    "add_connection": AddConnection,
    "remove_connection": RemoveConnection,
    "add_neuron": AddNeuron,
    "remove_neuron": RemoveNeuron,
    "remove_input": RemoveInput,
}

DEFAULT_MUTATIONS = (AddConnection, RemoveConnection, AddNeuron, RemoveNeuron)
"""The structural mutations of a genetic algorithm that names none: those of NEAT, and what takes away what they add."""


def _random_true_of_each_row(rng: np.random.Generator, possible: BoolArray) -> tuple[IntArray, IntArray]:
    """A random True of each row of `possible (m, k)`: the rows that have one, and its column."""
    counts = possible.sum(axis=1)
    chosen = np.floor(rng.random(len(possible)) * counts)
    rows = np.flatnonzero(counts)
    if not rows.size:
        return rows, rows
    columns = (possible[rows].cumsum(axis=1) > chosen[rows, None]).argmax(axis=1)
    return rows, columns


def _next_free(free: BoolArray, first: IntArray) -> IntArray:
    """The first free neuron of each row of `free (m, num_hidden)` from `first (m,)` on, wrapping around."""
    size = free.shape[1]
    order = (first[:, None] + np.arange(size)) % size
    found: IntArray = (first + np.take_along_axis(free, order, axis=1).argmax(axis=1)) % size
    return found


def _at_zero(activation: str) -> tuple[float, float]:
    """Slope and value of an activation at 0; the slope is taken as 1 where it is 0."""
    value = np.zeros(1)
    ACTIVATIONS[activation].apply(value)
    slope = float(SLOPES[activation](np.zeros(1))[0]) if activation in SLOPES else 1.0
    return slope or 1.0, float(value[0])
