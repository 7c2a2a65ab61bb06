"""The architecture: the sizes of a network's layers, and the place of each of its weights in the genome."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from evonet.activations import ActivationName
from evonet.settings import Count, Natural, Settings
from evonet.types import IntArray

Gene = TypeVar("Gene", bound=np.generic)


@dataclass(frozen=True)
class Architecture(Settings):
    """The layout of a genome: sizes of the three layers, their activations, and the place of each weight.

    Attributes:
        num_inputs: numbers that the network reads.
        num_hidden: hidden neurons; 0 only with `skip`: such a network is linear up to its output activation.
        num_outputs: numbers that the network returns.
        hidden_activation: name of the hidden layer's activation, a key of `evonet.activations.ACTIVATIONS`.
        output_activation: name of the output layer's activation.
        bias: whether hidden and output neurons have a bias.
        recurrent: whether the hidden layer also reads its own last output (Elman 1990).
        skip: whether output neurons also read the inputs, past the hidden layer.

    Raises:
        TypeError, ValueError: a size is not a whole number or too small, an activation is unknown, or a network without
            hidden neurons would have no connections, or be recurrent.
    """

    num_inputs: Count
    num_hidden: Natural
    num_outputs: Count
    hidden_activation: ActivationName = "sigmoid"
    output_activation: ActivationName = "sigmoid"
    bias: bool = True
    recurrent: bool = False
    skip: bool = False

    def check_together(self) -> None:
        if self.num_hidden == 0 and not self.skip:
            raise ValueError(
                "Architecture.num_hidden must be at least 1 without skip connections, got 0; "
                "set skip=True for a linear network"
            )
        if self.num_hidden == 0 and self.recurrent:
            raise ValueError("Architecture.num_hidden must be at least 1 in a recurrent network, got 0")

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each block of weights, in the genome's order; a network has no empty blocks."""
        shapes: dict[str, tuple[int, ...]] = {}
        if self.num_hidden:
            shapes["input_hidden_weights"] = (self.num_inputs, self.num_hidden)
            if self.bias:
                shapes["hidden_bias"] = (self.num_hidden,)
            if self.recurrent:
                shapes["hidden_hidden_weights"] = (self.num_hidden, self.num_hidden)
            shapes["hidden_output_weights"] = (self.num_hidden, self.num_outputs)
        if self.skip:
            shapes["input_output_weights"] = (self.num_inputs, self.num_outputs)
        if self.bias:
            shapes["output_bias"] = (self.num_outputs,)
        return shapes

    @cached_property
    def slices(self) -> dict[str, slice]:
        """Slice of each block of weights in the genome."""
        slices: dict[str, slice] = {}
        start = 0
        for name, shape in self.shapes.items():
            slices[name] = slice(start, start + math.prod(shape))
            start += math.prod(shape)
        return slices

    @cached_property
    def genome_size(self) -> int:
        """Number of weights and biases."""
        return sum(math.prod(shape) for shape in self.shapes.values())

    @cached_property
    def num_neurons(self) -> int:
        """Hidden and output neurons together."""
        return self.num_hidden + self.num_outputs

    @cached_property
    def gene_neurons(self) -> IntArray:
        """Index of the neuron that each gene belongs to, `(genome_size,)`; the array is read-only.

        The incoming weights, bias and outgoing weights of a hidden neuron belong to it, so that it can be moved to
        another network as a whole. The bias of output neuron k and its weights from the inputs belong to that neuron,
        whose index is `num_hidden + k`.
        """
        hidden = np.arange(self.num_hidden)
        outputs = self.num_hidden + np.arange(self.num_outputs)
        owners = {
            "input_hidden_weights": hidden,
            "hidden_bias": hidden,
            "hidden_hidden_weights": hidden,
            "hidden_output_weights": hidden[:, None],
            "input_output_weights": outputs,
            "output_bias": outputs,
        }
        neurons = np.concatenate([np.broadcast_to(owners[name], shape).ravel() for name, shape in self.shapes.items()])
        neurons.flags.writeable = False
        return neurons

    def views(self, genomes: NDArray[Gene]) -> dict[str, NDArray[Gene]]:
        """The blocks of `genomes (…, genome_size)`, or of masks, as views of shape `(…, *block)`; nothing is copied."""
        lead = genomes.shape[:-1]
        return {
            name: genomes[..., where].reshape(lead + self.shapes[name], copy=False)
            for name, where in self.slices.items()
        }

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain data; `skip` is left out if it is false, as in files of versions that did not know it."""
        fields = asdict(self)
        return fields if self.skip else {name: value for name, value in fields.items() if name != "skip"}

    def __str__(self) -> str:
        marks = [f"{self.hidden_activation}/{self.output_activation}"]
        marks += ["recurrent"] if self.recurrent else []
        marks += ["skip"] if self.skip else []
        marks += [] if self.bias else ["no bias"]
        return f"{self.num_inputs}-{self.num_hidden}-{self.num_outputs} ({', '.join(marks)})"
