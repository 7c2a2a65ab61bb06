"""Small functions over a fixed number of columns, written out.

A compiler needs to see each column of a tuple by name. How many there are depends on the task, so these few functions
are made from their source.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from evonet.environments.kernels.arithmetic import bounded, double, single, where
from evonet.environments.kernels.kernel import Column

BoxNumber = tuple[float, float, float, float]
"""Reach, centre, lowest and highest of one number of a Box."""


def load(size: int) -> Callable[..., Any]:
    """`load(columns, lane)`: the numbers of a lane, as a tuple of `size`."""
    return _function(f"def load(columns, lane):\n    return {_tuple('columns[{k}, lane]', size)}")


def store(size: int) -> Callable[..., Any]:
    """`store(columns, lane, numbers)`: write `size` numbers into a lane."""
    lines = "".join(f"\n    columns[{k}, lane] = numbers[{k}]" for k in range(size))
    return _function(f"def store(columns, lane, numbers):{lines}")


def argmax(choices: int, start: int, *, relative: bool = False) -> Callable[..., Any]:
    """`decode(outputs)`: `start` and the position of the greatest output, the first of equals, as one column.

    If they are `relative`, the first output is 0 and not among `outputs`.
    """
    names = ["0.0"] * relative + [f"outputs[{k}]" for k in range(choices - relative)]
    lines = "".join(
        f"\n    better = {name} > best"
        f"\n    best, action = where(better, {name}, best), where(better, {float(start + k)}, action)"
        for k, name in enumerate(names[1:], 1)
    )
    return _function(
        f"def decode(outputs):\n    best, action = {names[0]}, {float(start)}{lines}\n    return (action,)"
    )


def box(numbers: Sequence[BoxNumber], squash: Callable[..., Any], *, narrow: bool) -> Callable[..., Any]:
    """`decode(outputs)`: each output squashed to ±1 and stretched onto its bounds; `narrow` rounds to float32."""
    calls = "".join(
        f"finish(stretched(squash(double(outputs[{k}])), {', '.join(map(repr, bounds))})), "
        for k, bounds in enumerate(numbers)
    )
    return _function(f"def decode(outputs):\n    return ({calls})", squash=squash, finish=single if narrow else double)


def stretched(value: Column, reach: float, centre: float, low: float, high: float) -> Column:
    """From ±1 to the bounds of a Box, and cut there."""
    return bounded(value * reach + centre, low, high)


def add_neurons(count: int, outputs: int, respond: Callable[..., Any]) -> Callable[..., Any]:
    """`add(…, neuron, lane)`: what `count` hidden neurons, from `neuron` on, add to the `outputs` of a lane.

    Several at once read the inputs and write the outputs only once.
    """
    hidden = "".join(
        f"\n    hidden_{i} = respond(genomes, inputs, memory, echo, bias, hidden_size, neuron + {i}, lane)"
        for i in range(count)
    )
    sums = "".join(
        f"\n    outputs[{k}, lane] = outputs[{k}, lane]"
        + "".join(f" + hidden_{i} * genomes[outgoing + (neuron + {i}) * {outputs} + {k}, lane]" for i in range(count))
        for k in range(outputs)
    )
    arguments = "genomes, inputs, memory, echo, outputs, bias, outgoing, hidden_size, neuron, lane"
    return _function(f"def add({arguments}):{hidden}{sums}", respond=respond)


def _tuple(element: str, size: int) -> str:
    return "(" + "".join(element.format(k=k) + ", " for k in range(size)) + ")"


def _function(source: str, **names: Any) -> Callable[..., Any]:
    namespace: dict[str, Any] = {"where": where, "double": double, "stretched": stretched, **names}
    exec(source, namespace)  # noqa: S102 - the source is written above; only numbers go in
    function: Callable[..., Any] = namespace[source[4 : source.index("(")]]
    return function
