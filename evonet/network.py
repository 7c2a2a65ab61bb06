"""The network: three layers whose weights and biases are views of one flat genome.

The genome is the only storage. `network.hidden_bias` is a view of a slice of it, so that a change of the genome, for
example by a mutation, changes the network, and a change of a weight changes the genome.

    >>> network = NeuralNetwork(4, 16, 2, seed=1)
    >>> network.neuron("hidden", 3).incoming[:] = 0.0
    >>> network.predict([0.1, 0.2, 0.3, 0.4]).shape
    (2,)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from evonet.activations import ACTIVATIONS, ActivationName
from evonet.arithmetic import WeightedSums
from evonet.settings import Count, Settings, chosen
from evonet.types import FloatArray, IntArray

LayerName = Literal["hidden", "output"]


@dataclass(frozen=True)
class Architecture(Settings):
    """The layout of a genome: sizes of the three layers, their activations, and the place of each weight.

    Attributes:
        num_inputs: numbers that the network reads.
        num_hidden: hidden neurons.
        num_outputs: numbers that the network returns.
        hidden_activation: name of the hidden layer's activation, a key of `evonet.activations.ACTIVATIONS`.
        output_activation: name of the output layer's activation.
        bias: whether hidden and output neurons have a bias.
        recurrent: whether the hidden layer also reads its own last output (Elman 1990).
    """

    num_inputs: Count
    num_hidden: Count
    num_outputs: Count
    hidden_activation: ActivationName = "sigmoid"
    output_activation: ActivationName = "sigmoid"
    bias: bool = True
    recurrent: bool = False

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each block of weights, in the genome's order."""
        shapes: dict[str, tuple[int, ...]] = {"input_hidden_weights": (self.num_inputs, self.num_hidden)}
        if self.bias:
            shapes["hidden_bias"] = (self.num_hidden,)
        if self.recurrent:
            shapes["hidden_hidden_weights"] = (self.num_hidden, self.num_hidden)
        shapes["hidden_output_weights"] = (self.num_hidden, self.num_outputs)
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
        another network as a whole. Only its bias belongs to output neuron k, whose index is `num_hidden + k`.
        """
        hidden = np.arange(self.num_hidden)
        owners = {
            "input_hidden_weights": np.tile(hidden, self.num_inputs),
            "hidden_bias": hidden,
            "hidden_hidden_weights": np.tile(hidden, self.num_hidden),
            "hidden_output_weights": np.repeat(hidden, self.num_outputs),
            "output_bias": self.num_hidden + np.arange(self.num_outputs),
        }
        neurons = np.concatenate([owners[name] for name in self.shapes])
        neurons.flags.writeable = False
        return neurons

    def views(self, genomes: FloatArray) -> dict[str, FloatArray]:
        """The blocks of `genomes (…, genome_size)` as views of shape `(…, *block)`; nothing is copied."""
        lead = genomes.shape[:-1]
        return {
            name: genomes[..., where].reshape(lead + self.shapes[name], copy=False)
            for name, where in self.slices.items()
        }

    def __str__(self) -> str:
        marks = [f"{self.hidden_activation}/{self.output_activation}"]
        marks += ["recurrent"] if self.recurrent else []
        marks += [] if self.bias else ["no bias"]
        return f"{self.num_inputs}-{self.num_hidden}-{self.num_outputs} ({', '.join(marks)})"


class NetworkStack:
    """A batch of networks of one architecture: genome i is applied to row i of the inputs.

    A row's outputs do not depend on the other rows or on their number.

    Args:
        architecture: architecture of the networks.
        genomes: genomes `(n, genome_size)`, float64; referenced, read at each call, and never written.
        rows: number of rows of the inputs: n, or any number if n is 1.

    Attributes:
        hidden: the hidden layer's last outputs, `(rows, num_hidden)`, which are the memory of recurrent networks; they
            may be overwritten.
    """

    def __init__(self, architecture: Architecture, genomes: FloatArray, rows: int) -> None:
        self.architecture = architecture
        blocks = architecture.views(genomes)
        self._hidden_bias = blocks.get("hidden_bias")
        self._output_bias = blocks.get("output_bias")
        self._activate_hidden = ACTIVATIONS[architecture.hidden_activation].apply
        self._activate_output = ACTIVATIONS[architecture.output_activation].apply
        self.hidden: FloatArray = np.zeros((rows, architecture.num_hidden))
        self._outputs = np.zeros((rows, architecture.num_outputs))
        self._input_sums = WeightedSums(blocks["input_hidden_weights"], self.hidden)
        self._output_sums = WeightedSums(blocks["hidden_output_weights"], self._outputs)
        if architecture.recurrent:
            self._recalled = np.zeros_like(self.hidden)
            self._memory_sums = WeightedSums(blocks["hidden_hidden_weights"], self._recalled)

    def forward(self, inputs: FloatArray) -> FloatArray:
        """Outputs `(rows, num_outputs)` for `inputs (rows, num_inputs)`; the array is overwritten by the next call."""
        hidden, outputs = self.hidden, self._outputs
        if self.architecture.recurrent:
            self._memory_sums.add_up(hidden)
        self._input_sums.add_up(inputs)
        if self._hidden_bias is not None:
            np.add(hidden, self._hidden_bias, out=hidden)
        if self.architecture.recurrent:
            np.add(hidden, self._recalled, out=hidden)
        self._activate_hidden(hidden)
        self._output_sums.add_up(hidden)
        if self._output_bias is not None:
            np.add(outputs, self._output_bias, out=outputs)
        self._activate_output(outputs)
        return outputs


class Neuron(NamedTuple):
    """One neuron's weights as writable views of the genome.

    Attributes:
        incoming: weights from the layer before, `(inputs,)` or `(hidden,)`.
        bias: bias, `(1,)`; `(0,)` in a network without biases.
        outgoing: weights to the output layer, `(outputs,)`; `(0,)` for an output neuron.
        recurrent: weights from the hidden layer's last outputs, `(hidden,)`; `(0,)` for other neurons.
    """

    incoming: FloatArray
    bias: FloatArray
    outgoing: FloatArray
    recurrent: FloatArray


class NeuralNetwork:
    """A three-layer, fully connected network whose weights are views of one flat genome.

    Args:
        num_inputs: numbers that the network reads.
        num_hidden: hidden neurons.
        num_outputs: numbers that the network returns.
        hidden_activation: a key of `ACTIVATIONS`; sigmoid is the choice of the article that evonet is based on.
        output_activation: a key of `ACTIVATIONS`.
        bias: whether neurons have a bias.
        recurrent: whether the hidden layer also reads its own last output (Elman 1990).
        seed: seed of the standard normal draw of all weights; None draws different weights each time.

    Raises:
        TypeError, ValueError: a size is not a whole number of at least 1, or an activation is unknown.
    """

    __slots__ = ("_blocks", "_genome", "_stack", "architecture")

    def __init__(
        self,
        num_inputs: int,
        num_hidden: int,
        num_outputs: int,
        *,
        hidden_activation: str = Architecture.hidden_activation,
        output_activation: str = Architecture.output_activation,
        bias: bool = Architecture.bias,
        recurrent: bool = Architecture.recurrent,
        seed: int | None = None,
    ) -> None:
        architecture = Architecture(
            num_inputs, num_hidden, num_outputs, hidden_activation, output_activation, bias, recurrent
        )
        self._attach(architecture, np.random.default_rng(seed).standard_normal(architecture.genome_size))

    @classmethod
    def from_genome(cls, architecture: Architecture, genome: ArrayLike) -> NeuralNetwork:
        """A network on `genome (genome_size,)`.

        A C-contiguous float64 array is *used*, not copied: network and caller share its memory.

        Raises:
            ValueError: the genome has another shape than `(architecture.genome_size,)`.
        """
        array = np.ascontiguousarray(genome, dtype=np.float64)
        if np.shape(genome) != (architecture.genome_size,):
            raise ValueError(
                f"NeuralNetwork.genome must have shape ({architecture.genome_size},) for {architecture}, "
                f"got {np.shape(genome)}"
            )
        network = cls.__new__(cls)
        network._attach(architecture, array)
        return network

    def _attach(self, architecture: Architecture, genome: FloatArray) -> None:
        self.architecture = architecture
        self._genome = genome
        self._blocks = architecture.views(genome)
        self._stack: NetworkStack | None = None

    def predict(self, x: ArrayLike) -> FloatArray:
        """Outputs `(num_outputs,)` for one observation `(num_inputs,)`, or `(m, num_outputs)` for `(m, num_inputs)`.

        A row's outputs are bitwise the same in any batch. A recurrent network has memory from call to call, separately
        for each row of a batch, until `reset`.

        Raises:
            ValueError: the input has another shape, or a recurrent network with memory of m rows gets another number.
        """
        inputs = np.ascontiguousarray(x, dtype=np.float64)
        size = self.architecture.num_inputs
        if inputs.ndim not in (1, 2) or inputs.shape[-1] != size:
            raise ValueError(f"NeuralNetwork.predict must get shape ({size},) or (m, {size}), got {np.shape(x)}")
        rows = 1 if inputs.ndim == 1 else len(inputs)
        if self._stack is None or len(self._stack.hidden) != rows:
            if self._stack is not None and self.architecture.recurrent:
                raise ValueError(
                    f"NeuralNetwork.predict must get {len(self._stack.hidden)} rows, as in the call before, "
                    f"got {rows}; call reset() to clear the recurrent network's memory"
                )
            self._stack = NetworkStack(self.architecture, self._genome[None, :], rows)
        outputs = self._stack.forward(inputs.reshape(rows, size)).copy()
        return outputs[0] if inputs.ndim == 1 else outputs

    __call__ = predict

    def reset(self) -> None:
        """Clear the memory of a recurrent network."""
        self._stack = None

    def neuron(self, layer: LayerName, index: int) -> Neuron:
        """The weights of neuron `index` of the hidden or the output layer, as writable views.

        Raises:
            ValueError: the layer is neither "hidden" nor "output".
            IndexError: the layer has no neuron `index`.
        """
        sizes = {"hidden": self.architecture.num_hidden, "output": self.architecture.num_outputs}
        size = chosen("NeuralNetwork.neuron.layer", layer, sizes)
        if not -size <= index < size:
            raise IndexError(f"NeuralNetwork.neuron.index must be below {size} in the {layer} layer, got {index}")
        index %= size
        nothing = self._genome[:0]
        bias = self._blocks.get(f"{layer}_bias")
        own_bias = nothing if bias is None else bias[index : index + 1]
        if layer == "output":
            return Neuron(self._blocks["hidden_output_weights"][:, index], own_bias, nothing, nothing)
        recurrent = self._blocks.get("hidden_hidden_weights")
        return Neuron(
            self._blocks["input_hidden_weights"][:, index],
            own_bias,
            self._blocks["hidden_output_weights"][index],
            nothing if recurrent is None else recurrent[:, index],
        )

    def _block(self, name: str) -> FloatArray:
        if name not in self._blocks:
            raise AttributeError(f"a network {self.architecture} has no {name}")
        return self._blocks[name]

    @property
    def genome(self) -> FloatArray:
        """All weights and biases, `(genome_size,)`; assignment writes into the same array."""
        return self._genome

    @genome.setter
    def genome(self, values: ArrayLike) -> None:
        self._genome[...] = values

    @property
    def input_hidden_weights(self) -> FloatArray:
        """Weights from inputs to hidden neurons, `(num_inputs, num_hidden)`, a view of the genome; assignable."""
        return self._block("input_hidden_weights")

    @input_hidden_weights.setter
    def input_hidden_weights(self, values: ArrayLike) -> None:
        self._block("input_hidden_weights")[...] = values

    @property
    def hidden_bias(self) -> FloatArray:
        """Biases of hidden neurons, `(num_hidden,)`, a view of the genome; assignable."""
        return self._block("hidden_bias")

    @hidden_bias.setter
    def hidden_bias(self, values: ArrayLike) -> None:
        self._block("hidden_bias")[...] = values

    @property
    def hidden_hidden_weights(self) -> FloatArray:
        """Recurrent weights, `(num_hidden, num_hidden)`, row i from neuron i, a view of the genome; assignable."""
        return self._block("hidden_hidden_weights")

    @hidden_hidden_weights.setter
    def hidden_hidden_weights(self, values: ArrayLike) -> None:
        self._block("hidden_hidden_weights")[...] = values

    @property
    def hidden_output_weights(self) -> FloatArray:
        """Weights from hidden to output neurons, `(num_hidden, num_outputs)`, a view of the genome; assignable."""
        return self._block("hidden_output_weights")

    @hidden_output_weights.setter
    def hidden_output_weights(self, values: ArrayLike) -> None:
        self._block("hidden_output_weights")[...] = values

    @property
    def output_bias(self) -> FloatArray:
        """Biases of output neurons, `(num_outputs,)`, a view of the genome; assignable."""
        return self._block("output_bias")

    @output_bias.setter
    def output_bias(self, values: ArrayLike) -> None:
        self._block("output_bias")[...] = values

    def __copy__(self) -> NeuralNetwork:
        return NeuralNetwork.from_genome(self.architecture, self._genome)

    def __reduce__(self) -> tuple[Any, ...]:
        # The copy has a genome of its own, and views of it; pickled views would be separate arrays.
        return NeuralNetwork.from_genome, (self.architecture, self._genome.copy())

    def __repr__(self) -> str:
        return f"<NeuralNetwork {self.architecture}, {self.architecture.genome_size} genes>"

    def __str__(self) -> str:
        """A table: one line for each neuron, with its bias, incoming and outgoing weights."""
        architecture = self.architecture
        lines = [f"NeuralNetwork {architecture}: {architecture.genome_size} genes"]
        sizes: dict[LayerName, int] = {"hidden": architecture.num_hidden, "output": architecture.num_outputs}
        for layer, size in sizes.items():
            neurons = [self.neuron(layer, index) for index in range(size)]
            lines += [f"  {layer} {index:<3}{_describe_neuron(neuron)}" for index, neuron in enumerate(neurons)]
        return "\n".join(lines)


def _describe_neuron(neuron: Neuron) -> str:
    parts = {"bias": neuron.bias, "in": neuron.incoming, "memory": neuron.recurrent, "out": neuron.outgoing}
    return "".join(f"  {name} {_abbreviate(values)}" for name, values in parts.items() if values.size)


def _abbreviate(values: FloatArray, shown: int = 8) -> str:
    text = " ".join(f"{value:+8.3f}" for value in values[:shown])
    return text if len(values) <= shown else f"{text} … ({len(values)})"
