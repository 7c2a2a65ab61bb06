"""Safe mutation: steps scaled by what each weight does to the network's outputs (Lehman et al. 2018, SM-G-SUM)."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np

from evonet import arithmetic
from evonet.activations import ACTIVATIONS, LEAK
from evonet.architecture import Architecture
from evonet.arithmetic import matrix_product
from evonet.operators.parents import Parents
from evonet.settings import Operator, PositiveFloat, frozen
from evonet.types import FloatArray

_MIN_SENSITIVITY = 0.01  # as in the paper; it bounds the steps of a weight that has no effect

SLOPES: dict[str, Callable[[FloatArray], FloatArray]] = {
    "sigmoid": lambda x: 0.25 * (1 - arithmetic.tanh(x / 2) ** 2),
    "tanh": lambda x: 1 - arithmetic.tanh(x) ** 2,
    "relu": lambda x: (x > 0.0).astype(np.float64),
    "leaky_relu": lambda x: np.where(x < 0.0, LEAK, 1.0),
    "identity": np.ones_like,
    "sin": arithmetic.cos,
    "gaussian": lambda x: -2 * x * arithmetic.exp(-x * x),
    "step": np.zeros_like,
}
"""Derivative of each activation."""


@frozen
class SafeMutation(Operator):
    """Normal steps divided by the sensitivity of the outputs to each gene (SM-G-SUM of Lehman et al. 2018).

    The sensitivity is the length of the outputs' gradient, summed over observations of the fittest parent. So no gene's
    step changes the behaviour much more than another's. Where no observations are known, the sensitivity is taken as 1.

    Attributes:
        sigma: standard deviation of a step where the sensitivity is 1.
    """

    sigma: PositiveFloat = 0.1
    observes: ClassVar[bool] = True

    def __call__(self, rng: np.random.Generator, genomes: FloatArray, parents: Parents) -> FloatArray:
        steps = self.sigma * rng.standard_normal(genomes.shape)
        if parents.observations is None or not len(parents.observations):
            return genomes + steps
        sensitivities = sensitivity(parents.architecture, genomes, parents.observations)
        return genomes + steps / np.maximum(sensitivities, _MIN_SENSITIVITY)


def require_slopes(architecture: Architecture) -> None:
    """Check that the derivatives of a network's activations are known.

    Raises:
        ValueError: one of them is not in `SLOPES`.
    """
    for name in (architecture.hidden_activation, architecture.output_activation):
        if name not in SLOPES:
            raise ValueError(
                f"SafeMutation needs the derivative of each activation, and that of {name!r} is unknown; enter it in "
                "evonet.operators.safe_mutation.SLOPES, or take another mutation"
            )


def sensitivity(architecture: Architecture, genomes: FloatArray, observations: FloatArray) -> FloatArray:
    """Sensitivity of the outputs to each gene, `(m, genome_size)`.

    The sensitivity of output o to gene w is the sum over observations of dy_o / dw; the sensitivity of all outputs is
    the root of the sum of squares (equation 4). Recurrent inputs count as inputs: gradients do not run back through
    time.

    Args:
        architecture: architecture of the networks.
        genomes: `(m, genome_size)`.
        observations: network inputs of one episode, `(k, num_inputs)`, in time order.
    """
    blocks = architecture.views(genomes)
    m = len(genomes)
    sums = np.zeros((m, len(observations), architecture.num_outputs))
    if architecture.num_hidden:
        hidden_sums, hidden, memory = _hidden_layer(architecture, blocks, observations)
        sums += matrix_product(hidden, blocks["hidden_output_weights"])
    if architecture.skip:
        sums += matrix_product(observations, blocks["input_output_weights"])
    if architecture.bias:
        sums += blocks["output_bias"][:, None, :]
    output_slopes = SLOPES[architecture.output_activation](sums)  # (m, k, outputs)

    squares = np.zeros((m, architecture.genome_size))
    parts = architecture.views(squares)
    # A weight into output o changes only that output.
    if architecture.skip:
        parts["input_output_weights"][...] = matrix_product(observations.T, output_slopes) ** 2
    if architecture.bias:
        parts["output_bias"][...] = output_slopes.sum(axis=1) ** 2
    if not architecture.num_hidden:
        return np.sqrt(squares)
    parts["hidden_output_weights"][...] = matrix_product(hidden.transpose(0, 2, 1), output_slopes) ** 2
    hidden_slopes = SLOPES[architecture.hidden_activation](hidden_sums)  # (m, k, hidden)
    readout = blocks["hidden_output_weights"]
    for o in range(architecture.num_outputs):
        through = output_slopes[:, :, o, None] * hidden_slopes * readout[:, None, :, o]  # dy_o / d(sum of neuron h)
        parts["input_hidden_weights"][...] += matrix_product(observations.T, through) ** 2
        if architecture.bias:
            parts["hidden_bias"][...] += through.sum(axis=1) ** 2
        if architecture.recurrent:
            parts["hidden_hidden_weights"][...] += matrix_product(memory.transpose(0, 2, 1), through) ** 2
    return np.sqrt(squares)


def _hidden_layer(
    architecture: Architecture, blocks: dict[str, FloatArray], observations: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The hidden layer's weighted sums, its outputs and its previous outputs, all `(m, k, num_hidden)`."""
    activate = ACTIVATIONS[architecture.hidden_activation].apply
    sums = matrix_product(observations, blocks["input_hidden_weights"])
    if architecture.bias:
        sums += blocks["hidden_bias"][:, None, :]
    hidden, memory = sums.copy(), np.zeros_like(sums)
    if not architecture.recurrent:
        activate(hidden)
        return sums, hidden, memory
    last = np.zeros((len(sums), 1, architecture.num_hidden))
    for step in range(len(observations)):
        memory[:, step] = last[:, 0]
        sums[:, step] += matrix_product(last, blocks["hidden_hidden_weights"])[:, 0]
        last = np.ascontiguousarray(sums[:, step : step + 1])
        activate(last)
        hidden[:, step] = last[:, 0]
    return sums, hidden, memory
