"""The network: three layers whose weights and biases are views of one flat genome.

The genome is the only storage. `network.hidden_bias` is a view of a slice of it, so that a change of the genome, for
example by a mutation, changes the network, and a change of a weight changes the genome.

    >>> network = NeuralNetwork(4, 16, 2, seed=1)
    >>> network.neuron("hidden", 3).incoming[:] = 0.0
    >>> network.predict([0.1, 0.2, 0.3, 0.4]).shape
    (2,)
"""

from __future__ import annotations

import importlib
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from evonet.activations import ACTIVATIONS
from evonet.architecture import Architecture
from evonet.arithmetic import WeightedSums
from evonet.settings import chosen
from evonet.types import FloatArray

LayerName = Literal["hidden", "output"]


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
        # Rows are the last axis in memory: operations run along neighbouring numbers even where a layer is small.
        self.hidden: FloatArray = np.zeros((architecture.num_hidden, rows)).T
        self._sums = np.zeros((architecture.num_outputs, rows)).T
        self._outputs = np.zeros((rows, architecture.num_outputs))
        if architecture.num_hidden:
            self._input_sums = WeightedSums(blocks["input_hidden_weights"], self.hidden)
            self._output_sums = WeightedSums(blocks["hidden_output_weights"], self._sums)
        if architecture.recurrent:
            self._recalled = np.zeros((architecture.num_hidden, rows)).T
            self._memory_sums = WeightedSums(blocks["hidden_hidden_weights"], self._recalled)
        if architecture.skip:
            self._skipped = np.zeros((architecture.num_outputs, rows)).T if architecture.num_hidden else self._sums
            self._skip_sums = WeightedSums(blocks["input_output_weights"], self._skipped)

    def forward(self, inputs: FloatArray) -> FloatArray:
        """Outputs `(rows, num_outputs)` for `inputs (rows, num_inputs)`; the array is overwritten by the next call."""
        sums = self._sums
        if self.architecture.num_hidden:
            self._output_sums.add_up(self._hidden_layer(inputs))
        if self.architecture.skip:
            self._skip_sums.add_up(inputs)
            if self._skipped is not sums:
                np.add(sums, self._skipped, sums)
        if self._output_bias is not None:
            np.add(sums, self._output_bias, sums)
        self._activate_output(sums.T)
        np.copyto(self._outputs, sums)
        return self._outputs

    def _hidden_layer(self, inputs: FloatArray) -> FloatArray:
        hidden = self.hidden
        if self.architecture.recurrent:
            self._memory_sums.add_up(hidden)
        self._input_sums.add_up(inputs)
        if self._hidden_bias is not None:
            np.add(hidden, self._hidden_bias, hidden)
        if self.architecture.recurrent:
            np.add(hidden, self._recalled, hidden)
        self._activate_hidden(hidden.T)
        return hidden


class Neuron(NamedTuple):
    """One neuron's weights as writable views of the genome.

    Attributes:
        incoming: weights from the layer before, `(inputs,)` or `(hidden,)`.
        bias: bias, `(1,)`; `(0,)` in a network without biases.
        outgoing: weights to the output layer, `(outputs,)`; `(0,)` for an output neuron.
        recurrent: weights from the hidden layer's last outputs, `(hidden,)`; `(0,)` for other neurons.
        skip: weights of an output neuron from the inputs, `(inputs,)`; `(0,)` without skip connections.
    """

    incoming: FloatArray
    bias: FloatArray
    outgoing: FloatArray
    recurrent: FloatArray
    skip: FloatArray


class _Block:
    """An attribute of a network: a block of its weights or biases, a view of the genome, to which one can assign."""

    def __init__(self, what: str) -> None:
        self.__doc__ = f"{what}, a view of the genome; assignable."

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, network: NeuralNetwork | None, owner: type | None = None) -> Any:
        return self if network is None else self._of(network)

    def __set__(self, network: NeuralNetwork, values: ArrayLike) -> None:
        self._of(network)[...] = values

    def _of(self, network: NeuralNetwork) -> FloatArray:
        architecture = network.architecture
        if self._name in network.blocks:
            return network.blocks[self._name]
        if not architecture.num_hidden and self._name in {"input_hidden_weights", "hidden_output_weights"}:
            inputs, outputs = architecture.num_inputs, architecture.num_outputs
            return np.zeros((inputs, 0) if self._name == "input_hidden_weights" else (0, outputs))
        raise AttributeError(f"a network {architecture} has no {self._name}")


class NeuralNetwork:
    """A three-layer network whose weights are views of one flat genome.

    Args:
        num_inputs: numbers that the network reads.
        num_hidden: hidden neurons; 0 only with `skip`.
        num_outputs: numbers that the network returns.
        hidden_activation: a key of `ACTIVATIONS`; sigmoid is the choice of the article that evonet is based on.
        output_activation: a key of `ACTIVATIONS`.
        bias: whether neurons have a bias.
        recurrent: whether the hidden layer also reads its own last output (Elman 1990).
        skip: whether output neurons also read the inputs.
        seed: seed of the standard normal draw of all weights; None draws different weights each time.

    Attributes:
        architecture: sizes, activations, and the place of each weight in the genome.
        blocks: the blocks of weights and biases by name, views of the genome.

    Raises:
        TypeError, ValueError: the arguments are none of an `Architecture`.
    """

    __slots__ = ("_genome", "_stack", "architecture", "blocks")

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
        skip: bool = Architecture.skip,
        seed: int | None = None,
    ) -> None:
        architecture = Architecture(
            num_inputs, num_hidden, num_outputs, hidden_activation, output_activation, bias, recurrent, skip
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
        self.blocks = architecture.views(genome)
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
        bias = self.blocks.get(f"{layer}_bias")
        own_bias = nothing if bias is None else bias[index : index + 1]
        if layer == "output":
            hidden, inputs = self.blocks.get("hidden_output_weights"), self.blocks.get("input_output_weights")
            return Neuron(
                nothing if hidden is None else hidden[:, index],
                own_bias,
                nothing,
                nothing,
                nothing if inputs is None else inputs[:, index],
            )
        recurrent = self.blocks.get("hidden_hidden_weights")
        return Neuron(
            self.blocks["input_hidden_weights"][:, index],
            own_bias,
            self.blocks["hidden_output_weights"][index],
            nothing if recurrent is None else recurrent[:, index],
            nothing,
        )

    def plot(self, ax: Any = None) -> Any:
        """Draw neurons and connections on Matplotlib axes `ax`, by default new ones; see `evonet.plot.network`."""
        return importlib.import_module("evonet.plot").network(self, ax=ax)

    @property
    def genome(self) -> FloatArray:
        """All weights and biases, `(genome_size,)`; assignment writes into the same array."""
        return self._genome

    @genome.setter
    def genome(self, values: ArrayLike) -> None:
        self._genome[...] = values

    input_hidden_weights = _Block("Weights from inputs to hidden neurons, `(num_inputs, num_hidden)`")
    hidden_bias = _Block("Biases of hidden neurons, `(num_hidden,)`")
    hidden_hidden_weights = _Block("Recurrent weights, `(num_hidden, num_hidden)`, row i from neuron i")
    hidden_output_weights = _Block("Weights from hidden to output neurons, `(num_hidden, num_outputs)`")
    input_output_weights = _Block("Weights of skip connections, `(num_inputs, num_outputs)`")
    output_bias = _Block("Biases of output neurons, `(num_outputs,)`")

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
    parts = {"bias": neuron.bias, "in": neuron.incoming, "skip": neuron.skip}
    parts |= {"memory": neuron.recurrent, "out": neuron.outgoing}
    return "".join(f"  {name} {_abbreviate(values)}" for name, values in parts.items() if values.size)


def _abbreviate(values: FloatArray, shown: int = 8) -> str:
    text = " ".join(f"{value:+8.3f}" for value in values[:shown])
    return text if len(values) <= shown else f"{text} … ({len(values)})"
