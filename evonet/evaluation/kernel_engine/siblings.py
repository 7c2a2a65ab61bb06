"""Operations that do the same to several rows of one array, found so that one call can do them all.

A call of NumPy on a few hundred numbers takes longer to begin than to compute, and what a simulation does to one
number of its state it often does to the next as well.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from evonet.evaluation.kernel_engine.operations import Constant, Operation, clip

Row = tuple[int, int]
"""The number of a block of rows, and a row in it."""


@dataclass(frozen=True)
class Family:
    """Operations that differ only in the rows that they read, and in constants.

    Attributes:
        members: row that each reads and makes, from the first → place of the operation; there may be gaps.
    """

    members: Mapping[int, int]

    @property
    def place(self) -> int:
        """Where all are done."""
        return min(self.members.values())

    @property
    def span(self) -> int:
        """Rows from the first to the last."""
        return max(self.members) + 1


def families(operations: Sequence[Operation], rows: Mapping[int, Row], apart: Collection[int]) -> list[Family]:
    """The families among the operations, in order of their places.

    What a member reads stands in the block that the first of them reads, so all may be done there.

    Args:
        operations: of a recording.
        rows: where values stand, as far as they are rows of a block.
        apart: places of operations that remain alone.
    """
    rows, alone, found = dict(rows), set(apart), list[Family]()
    for place, operation in enumerate(operations):
        if place in alone or not operation.in_place:
            continue
        reach = {0: place}
        for later in range(place + 1, len(operations)):
            distance = None if later in alone else _distance(operation, operations[later], rows)
            if distance is not None:
                reach.setdefault(distance, later)
        first = min(reach)
        family = Family({row - first: member for row, member in reach.items()})
        if family.span >= 2 * len(reach) or len(reach) == 1:  # more rows for nothing than calls are spared
            continue
        alone.update(reach.values())
        rows.update({operations[member].output: (~place, row) for row, member in family.members.items()})
        found.append(family)
    return found


def _distance(first: Operation, other: Operation, rows: Mapping[int, Row]) -> int | None:
    """Rows from what the first reads to what the other does; None if more than that lies between them."""
    if first.function is not other.function or first.dtype != other.dtype:
        return None
    distances = set()
    for mine, yours in zip(first.inputs, other.inputs, strict=True):
        if isinstance(mine, Constant) and isinstance(yours, Constant):
            if first.function is clip and mine != yours:  # slow between bounds that vary
                return None
            continue
        if not (isinstance(mine, int) and isinstance(yours, int) and mine in rows and yours in rows):
            return None
        (block, row), (other_block, other_row) = rows[mine], rows[yours]
        if block != other_block:
            return None
        distances.add(other_row - row)
    return distances.pop() if len(distances) == 1 else None
