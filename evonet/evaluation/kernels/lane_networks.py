"""Networks side by side in NumPy, one in each lane; sums run in the same order as in `rollout`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evonet.evaluation.kernels.task import KernelTask
from evonet.types import BoolArray, FloatArray


class LaneNetworks:
    """Networks of episodes that run side by side; the lane is every array's last axis.

    Whatever is added to a neuron's sum is a row of one array, so that one call of NumPy adds it all up. Biases are
    written there once, products in each step.

    Args:
        task: what an episode is.
        genomes: genomes of `task.architecture`, `(lanes, genome_size)`.
    """

    def __init__(self, task: KernelTask, genomes: FloatArray) -> None:
        self._task = task
        self._hidden = np.zeros((task.architecture.num_hidden, len(genomes)), task.network_dtype)
        self._set_weights(np.ascontiguousarray(genomes.T, dtype=task.network_dtype))

    def _set_weights(self, genomes: NDArray[np.floating]) -> None:
        """Set the weights and biases from genomes `(genome_size, lanes)`."""
        architecture, lanes = self._task.architecture, genomes.shape[1]
        inputs, hidden, outputs = architecture.num_inputs, architecture.num_hidden, architecture.num_outputs
        bias, recurrent, skip = architecture.bias, architecture.recurrent, architecture.skip
        self._genomes = genomes
        self._weights = {
            name: genomes[where].reshape(*architecture.shapes[name], lanes)
            for name, where in architecture.slices.items()
        }
        self._to_hidden = np.zeros((inputs + bias + recurrent, hidden, lanes), genomes.dtype)
        # The first row stays 0, because the sums of `rollout` begin at 0.
        self._to_output = np.zeros((1 + hidden + skip + bias, outputs, lanes), genomes.dtype)
        if bias:
            self._to_output[-1] = self._weights["output_bias"]
        if bias and hidden:
            self._to_hidden[inputs] = self._weights["hidden_bias"]

    def keep(self, lanes: BoolArray) -> None:
        """Keep the networks of these `lanes (lanes,)` and forget the others."""
        self._hidden = np.compress(lanes, self._hidden, axis=-1)
        self._set_weights(np.compress(lanes, self._genomes, axis=-1))

    def forward(self, inputs: NDArray[np.floating]) -> NDArray[np.floating]:
        """The networks' outputs, `(outputs, lanes)`, for `inputs (inputs, lanes)`."""
        task, weights = self._task, self._weights
        num_inputs, num_hidden = task.architecture.num_inputs, task.architecture.num_hidden
        if num_hidden:
            np.multiply(inputs[:, None], weights["input_hidden_weights"], self._to_hidden[:num_inputs])
            if task.architecture.recurrent:
                self._to_hidden[-1] = ordered_sum(self._hidden[:, None] * weights["hidden_hidden_weights"])
            self._hidden = task.activate_hidden(ordered_sum(self._to_hidden)).astype(task.network_dtype, copy=False)
            np.multiply(self._hidden[:, None], weights["hidden_output_weights"], self._to_output[1 : num_hidden + 1])
        if task.architecture.skip:
            self._to_output[num_hidden + 1] = ordered_sum(inputs[:, None] * weights["input_output_weights"])
        outputs: NDArray[np.floating] = task.activate_output(ordered_sum(self._to_output)).astype(
            task.network_dtype, copy=False
        )
        return outputs


def ordered_sum(terms: NDArray[np.floating]) -> NDArray[np.floating]:
    """The sum of `terms (k, m, lanes)` in the order of k, `(m, lanes)`."""
    if terms.size > len(terms):
        total: NDArray[np.floating] = np.add.reduce(terms, axis=0)  # adds row after row
    else:  # in an axis of single numbers, NumPy would change the order
        total = np.add.accumulate(terms, axis=0)[-1]
    return total
