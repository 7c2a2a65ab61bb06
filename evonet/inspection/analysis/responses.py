"""A champion's actions when few of its inputs change, at the price of those inputs and not of all of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from evonet.activations import ACTIVATIONS
from evonet.arithmetic import WeightedSums
from evonet.champion import Champion
from evonet.environments.normaliser import ObservationNormaliser
from evonet.inspection.analysis.trajectory import actions_as_numbers
from evonet.types import FloatArray


class Responses:
    """The actions of a champion for given observations, and for the same observations with some inputs changed.

    The sums of the hidden layer are computed once; a changed input adds its change times its row of weights.

    Args:
        champion: the champion, which has an environment.
        observations: observations before normalisation, `(m, inputs)`.
        memory: memory of a recurrent network, `(m, hidden)` or `(hidden,)`; 0 by default.

    Attributes:
        inputs: what the network reads, `(m, inputs)`: the observations, normalised if the champion normalises.

    Raises:
        EnvironmentUnavailable: the champion has no environment.
    """

    def __init__(self, champion: Champion, observations: FloatArray, memory: FloatArray | None = None) -> None:
        self._decode = champion.policy_for(champion.task).decode
        self._normaliser = champion.normaliser
        self._architecture = shape = champion.architecture
        self._weights = shape.views(champion.genome)
        self.inputs = observations.copy()
        if self._normaliser is not None:
            self._normaliser.normalise(self.inputs)
        self._skipped = np.zeros((len(self.inputs), shape.num_outputs))
        if shape.skip:
            self._skipped = _weighted_sums(self.inputs, self._weights["input_output_weights"])
        self._sums = np.zeros((len(self.inputs), 0))
        if not shape.num_hidden:
            return
        self._sums = _weighted_sums(self.inputs, self._weights["input_hidden_weights"])
        if shape.bias:
            self._sums += self._weights["hidden_bias"]
        if shape.recurrent and memory is not None:
            rows = np.broadcast_to(memory, self._sums.shape)
            self._sums += _weighted_sums(rows, self._weights["hidden_hidden_weights"])

    def actions(self, changes: Mapping[int, FloatArray] | None = None) -> FloatArray:
        """Actions as numbers, `(k, numbers)`.

        Args:
            changes: values of the changed inputs before normalisation, `(k,)`, by index of the input. k is m, or any
                number for a single observation.
        """
        sums, skipped = self._sums, self._skipped
        for index, values in (changes or {}).items():
            change = (self._normalised(index, values) - self.inputs[:, index])[:, None]
            sums = sums + change * self._from_input("input_hidden_weights", index)
            skipped = skipped + change * self._from_input("input_output_weights", index)
        return self._actions(sums, skipped)

    def actions_for_each_value(self, count: int) -> FloatArray:
        """Actions as numbers, `(count, numbers)`, when a single observation's input i, which is 0, is 1, for each i."""
        inputs = np.arange(count)
        ones = np.ones(count) if self._normaliser is None else _part(self._normaliser, inputs, np.ones(count))
        steps = (ones - self.inputs[0, :count])[:, None]
        return self._actions(
            self._sums + steps * self._from_input("input_hidden_weights", slice(count)),
            self._skipped + steps * self._from_input("input_output_weights", slice(count)),
        )

    def _from_input(self, block: str, which: int | slice) -> FloatArray:
        """The weights of some inputs; 0 for connections that the network does not have."""
        return self._weights[block][which] if block in self._weights else np.zeros(1)

    def _normalised(self, index: int, values: FloatArray) -> FloatArray:
        if self._normaliser is None:
            return values
        return _part(self._normaliser, np.array([index]), values[:, None])[:, 0]

    def _actions(self, sums: FloatArray, skipped: FloatArray) -> FloatArray:
        outputs = skipped.copy()
        if self._architecture.num_hidden:
            hidden = sums.copy()
            ACTIVATIONS[self._architecture.hidden_activation].apply(hidden)
            outputs = _weighted_sums(hidden, self._weights["hidden_output_weights"]) + skipped
        if self._architecture.bias:
            outputs += self._weights["output_bias"]
        ACTIVATIONS[self._architecture.output_activation].apply(outputs)
        return actions_as_numbers(self._decode(outputs))


def _weighted_sums(inputs: FloatArray, weights: FloatArray) -> FloatArray:
    sums = np.zeros((len(inputs), weights.shape[1]))
    WeightedSums(weights[None], sums).add_up(inputs)
    return sums


def _part(normaliser: ObservationNormaliser, inputs: np.ndarray, values: FloatArray) -> FloatArray:
    """`values (…, k)` of k inputs, normalised."""
    part = ObservationNormaliser(normaliser.count, normaliser.mean[inputs], normaliser.sum_sq_dev[inputs])
    found = values.copy()
    part.normalise(found)
    return found
