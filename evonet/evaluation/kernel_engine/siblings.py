"""Operations that do the same to several rows of one array, found so that one call can do them all.

A call of NumPy on a few hundred numbers takes longer to begin than to compute, and what a simulation does to one
number of its state it often does to the next as well.
"""

from __future__ import annotations

from collections import defaultdict
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
    alone, found, census = set(apart), list[Family](), _Census(operations, rows)
    for place, operation in enumerate(operations):
        if place in alone or not operation.in_place:
            continue
        reach = {0: place}
        for other in census.of_the_same_block(operation):
            distance = None if other <= place or other in alone else census.distance(operation, operations[other])
            if distance is not None:
                reach.setdefault(distance, other)
        first = min(reach)
        family = Family({row - first: member for row, member in reach.items()})
        if len(reach) > 1 and family.span < 2 * len(reach):  # fewer rows for nothing than calls are spared
            alone.update(reach.values())
            census.enter(~place, {operations[member].output: row for row, member in family.members.items()})
            found.append(family)
    return found


class _Census:
    """Where values stand, and who reads what stands in a block."""

    def __init__(self, operations: Sequence[Operation], rows: Mapping[int, Row]) -> None:
        self._rows: dict[int, Row] = {}
        self._block_readers: dict[int, set[int]] = defaultdict(set)
        self._readers: dict[int, list[int]] = defaultdict(list)
        for place, operation in enumerate(operations):
            for value in operation.values:
                self._readers[value].append(place)
        for value, (block, row) in rows.items():
            self.enter(block, {value: row})

    def enter(self, block: int, rows: Mapping[int, int]) -> None:
        """Values stand in rows of a block."""
        for value, row in rows.items():
            self._rows[value] = block, row
            self._block_readers[block].update(self._readers[value])

    def of_the_same_block(self, operation: Operation) -> list[int]:
        """Places of operations that read a block that this one reads, in order."""
        blocks = [self._rows[i][0] for i in operation.values if i in self._rows]
        return sorted(self._block_readers[blocks[0]]) if len(blocks) == len(operation.values) > 0 else []

    def distance(self, first: Operation, other: Operation) -> int | None:
        """Rows from what the first reads to what the other does; None if more than that lies between them."""
        if first.function is not other.function or first.dtype != other.dtype:
            return None
        distances = set()
        for mine, yours in zip(first.inputs, other.inputs, strict=True):
            if isinstance(mine, Constant) and isinstance(yours, Constant):
                if type(mine.value) is not type(yours.value) or (first.function is clip and mine != yours):
                    return None  # numbers of another precision; or bounds that vary, between which NumPy is slow
                continue
            if not (isinstance(mine, int) and isinstance(yours, int) and yours in self._rows):
                return None
            (block, row), (other_block, other_row) = self._rows[mine], self._rows[yours]
            if block != other_block:
                return None
            distances.add(other_row - row)
        return distances.pop() if len(distances) == 1 else None
