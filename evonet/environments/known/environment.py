"""What evonet can know of an environment beyond what Gymnasium says of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evonet.environments.known.kernel import Kernel
from evonet.environments.known.parameter import Parameter


@dataclass(frozen=True)
class Names:
    """Names of a network's inputs and outputs.

    Attributes:
        inputs: names of the observation's numbers, in order.
        outputs: names of the actions, or of the numbers of a continuous action, in order.
    """

    inputs: Sequence[str]
    outputs: Sequence[str]

    @classmethod
    def numbered(cls, inputs: int, outputs: int) -> Names:
        """Names for a network of which only the numbers of inputs and outputs are known."""
        return cls([f"input {i}" for i in range(inputs)], [f"output {i}" for i in range(outputs)])


@dataclass(frozen=True)
class KnownEnvironment:
    """One environment; each part may be missing.

    Attributes:
        kernel: the environment as functions over columns of numbers, which the fast engines run.
        names: names of the observation's numbers and of the actions, for figures and exports.
        parameters: numbers of the environment that the report varies to see how robust a champion is.
    """

    kernel: Kernel | None = None
    names: Names | None = None
    parameters: Sequence[Parameter] = ()
