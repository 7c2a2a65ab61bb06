"""What evonet can know of an environment beyond what Gymnasium says of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from evonet.environments.known.ground_plan import GroundPlan
from evonet.environments.known.kernel import Kernel
from evonet.environments.known.parameter import Parameter

_LONGEST_NAME = 100  # characters


class Names(NamedTuple):
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


class WrongNames(ValueError):
    """The names given to a network's inputs or outputs cannot be theirs.

    Attributes:
        argument: the argument with the names, "input_names" or "output_names".
    """

    def __init__(self, argument: str, message: str) -> None:
        super().__init__(message)
        self.argument = argument


def checked_names(argument: str, names: Sequence[str] | None, count: int) -> tuple[str, ...] | None:
    """The names of a network's inputs or outputs; None for None.

    Args:
        argument: "input_names" or "output_names".
        names: the names, each of 1 to 100 printable characters.
        count: how many inputs or outputs there are.

    Raises:
        WrongNames: there are more or fewer names, or one is no such text.
    """
    if names is None:
        return None
    if isinstance(names, str) or not all(_is_name(name) for name in names):
        raise WrongNames(argument, f"{argument} must be names of 1 to 100 printable characters, got {names!r}")
    if len(names) != count:
        ends, s = argument.partition("_")[0], "s" * (count != 1)
        rule = f"{argument} must be {count} name{s}, because the network has {count} {ends}{s}"
        raise WrongNames(argument, f"{rule}, got {len(names)}")
    return tuple(names)


def names_in_metadata(environment: Any, key: str, count: int) -> tuple[str, ...] | None:
    """The names in an environment's metadata; None unless they are `count` names, as a wrapper may have changed that.

    Args:
        environment: an instance of the environment.
        key: "observation_names" or "action_names".
        count: how many inputs or outputs the network has.
    """
    metadata = getattr(environment, "metadata", None)
    names = metadata.get(key) if isinstance(metadata, dict) else None
    if not isinstance(names, list | tuple) or len(names) != count or not all(_is_name(name) for name in names):
        return None
    return tuple(names)


def _is_name(name: object) -> bool:
    return isinstance(name, str) and 0 < len(name) <= _LONGEST_NAME and name.isprintable()


class KnownEnvironment(NamedTuple):
    """One environment; each part may be missing.

    Attributes:
        kernel: the environment as functions over columns of numbers, which the fast engines run.
        names: names of the observation's numbers and of the actions, for figures and exports.
        parameters: numbers of the environment that the report varies to see how robust a champion is.
        ground_plan: keyword arguments of the environment → the plan of the ground that its agent moves on.
    """

    kernel: Kernel | None = None
    names: Names | None = None
    parameters: Sequence[Parameter] = ()
    ground_plan: Callable[[Mapping[str, Any]], GroundPlan] | None = None
