"""A recording on arrays that are made once: each call of a replay knows where it reads and where it writes.

Values whose turn is over leave their arrays to those that come, so that few arrays are wanted and all stay close to
the processor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evonet.evaluation.kernel_engine.blocks import Block, FreeBlocks
from evonet.evaluation.kernel_engine.euler import EulerStep
from evonet.evaluation.kernel_engine.operations import Array, Call, Constant, Operation, writing
from evonet.evaluation.kernel_engine.recording import Recording, Value
from evonet.evaluation.kernel_engine.siblings import Row, families

Targets = Sequence[tuple[Any, Array]]
"""What is to stand where: results of a recording, or constants, and the arrays for them."""


def bind(recording: Recording, inputs: Sequence[Array], targets: Targets) -> list[Call]:
    """The calls that replay a recording, to be made in order.

    Args:
        recording: of a function.
        inputs: an array for each column that the function reads, in order; never written.
        targets: where its results are to stand.
    """
    replay = _Replay(recording, dict(enumerate(inputs)), _fitting(targets))
    return replay.calls() + _moving(targets, replay.arrays)


def bind_in_place(recording: Recording, column: Array, target: Array) -> list[Call]:
    """The calls that replay a function of one column to one column, the first of which is of no use afterwards.

    Args:
        recording: of the function.
        column: what it reads; the calls write there what they like.
        target: where the result is to stand; it may be `column` itself.
    """
    targets = [(recording.result, target)]
    replay = _Replay(recording, {0: column}, _fitting(targets))
    replay.may_overwrite(0)
    return replay.calls() + _moving(targets, replay.arrays)


def bind_renewing(
    recording: Recording, inputs: Sequence[Array], state: Array, renewed: Sequence[Any], targets: Targets
) -> list[Call]:
    """The calls that replay a recording and renew a state.

    Args:
        recording: of a function.
        inputs: an array for each column that the function reads, in order, before the state's; never written.
        state: the last columns that it reads, `(k, …)`.
        renewed: columns of the result that come to stand in the state's rows; none is one of the old.
        targets: where other results are to stand.
    """
    block, first = Block(state), len(inputs)
    arrays = dict(enumerate([*inputs, *block.rows]))
    renewal = {i: v.number for i, v in enumerate(renewed, first) if isinstance(v, Value)}
    step = EulerStep.found(recording.operations, renewal, recording.last_uses({}), state)
    reserved = step.seats if step else _rows_free_in_time(recording, renewal, arrays)
    replay = _Replay(recording, arrays, {**_fitting(targets), **reserved}, step)
    replay.know_rows(block, {first + row: row for row in range(len(state))})
    if step:
        replay.know_rows(block, {new: old - first for old, new in renewal.items()})
    # The targets first: one of them may want a number of the old state.
    return replay.calls() + _moving([*targets, *zip(renewed, block.rows, strict=True)], replay.arrays)


def _fitting(targets: Targets) -> dict[int, Array]:
    """Targets that have the type of what is to stand there."""
    return {v.number: array for v, array in targets if isinstance(v, Value) and v.dtype == array.dtype}


def _moving(targets: Targets, arrays: Mapping[int, Array]) -> list[Call]:
    """Calls that write results into their targets; one that stands there already needs none."""
    sources = [(arrays[v.number] if isinstance(v, Value) else v, target) for v, target in targets]
    return [writing(target, source) for source, target in sources if source is not target]


class _Replay:
    """The calls of all operations of a recording.

    Args:
        recording: of a function.
        arrays: by the number of a value, those that it reads; those that it makes are added.
        reserved: where certain values are to stand.
        step: does some of the operations.
    """

    def __init__(
        self,
        recording: Recording,
        arrays: dict[int, Array],
        reserved: Mapping[int, Array],
        step: EulerStep | None = None,
    ) -> None:
        self.arrays = arrays
        self._recording, self._reserved, self._step = recording, reserved, step
        self._free = FreeBlocks(arrays[0].shape)
        self._blocks: list[Block] = []
        self._rows: dict[int, Row] = {}

    def may_overwrite(self, value: int) -> None:
        """Nobody else reads this value in its array."""
        self._free.lend(Block(self.arrays[value][None], [self.arrays[value]]), [value])

    def know_rows(self, block: Block, values: Mapping[int, int]) -> None:
        """Values stand, or will, in rows of a block."""
        self._rows.update({value: (len(self._blocks), row) for value, row in values.items()})
        self._blocks.append(block)
        self.arrays.update({value: block.rows[row] for value, row in values.items()})

    def calls(self) -> list[Call]:
        """To be made in order."""
        operations, step = self._recording.operations, self._step
        by_step = step.places if step else frozenset[int]()
        apart = by_step | {place for place, made in enumerate(operations) if made.output in self._reserved}
        found = {family.place: family for family in families(operations, self._rows, apart)}
        turns = {member: family.place for family in found.values() for member in family.members.values()}
        last_use = self._recording.last_uses(turns)
        calls: list[Call] = []
        for place in range(len(operations)):
            if step is not None and place == step.last:
                calls += step.calls(self.arrays)
            elif place not in by_step and turns.get(place, place) == place:
                relatives = found[place].members if place in found else {0: place}
                members = {row: operations[member] for row, member in relatives.items()}
                read = {i for member in members.values() for i in member.values}
                calls += self._operation(members, [i for i in read if last_use[i] == place])
        return calls

    def _operation(self, members: Mapping[int, Operation], over: Sequence[int]) -> list[Call]:
        """The calls of an operation, or of all of its family.

        Args:
            members: row → operation; alone it has row 0.
            over: values that are read no more afterwards.
        """
        operation, span = members[0], max(members) + 1
        if operation.in_place:
            self._free.give_back(over)
        seat = self._reserved.get(operation.output)
        if seat is not None and (operation.in_place or all(self.arrays[i] is not seat for i in operation.values)):
            out = self.arrays[operation.output] = seat
        else:
            block = self._free.take(span, operation.dtype, [member.output for member in members.values()])
            out = block.between(0, span)
            if span == 1:
                self.arrays[operation.output] = out
            else:
                self.know_rows(block, {member.output: row for row, member in members.items()})
        if not operation.in_place:
            self._free.give_back(over)
        return operation.calls(self._operands(members, span, out.shape), out)

    def _operands(self, members: Mapping[int, Operation], span: int, shape: tuple[int, ...]) -> list[Array]:
        """What operations read, those of all rows at once; of `shape`, or with no dimensions."""
        first = members[0]
        arrays = [self._rows_from(i, span) for i in first.inputs if isinstance(i, int)]
        left, operands = iter(arrays), list[Array]()
        for slot, operand in enumerate(first.inputs):
            if isinstance(operand, Constant):
                constants = [members.get(row, first).inputs[slot] for row in range(span)]
                numbers = [constant.value for constant in constants if isinstance(constant, Constant)]
                operands.append(first.constant(numbers, arrays, shape))
            else:
                operands.append(next(left))
        return operands

    def _rows_from(self, value: int, span: int) -> Array:
        if span == 1:
            return self.arrays[value]
        block, row = self._rows[value]
        return self._blocks[block].between(row, row + span)


def _fits(operation: Operation, row: Array) -> bool:
    """Whether an operation may write its result over what it reads in a row."""
    return operation.in_place and operation.dtype == row.dtype


def _rows_free_in_time(
    recording: Recording, renewal: Mapping[int, int], arrays: Mapping[int, Array]
) -> dict[int, Array]:
    """New values of a state → the row of the old, where that is read no more when the new is made."""
    last_use = recording.last_uses({})
    made = {operation.output: (place, operation) for place, operation in enumerate(recording.operations)}
    return {
        new: arrays[old]
        for old, new in renewal.items()
        if new in made and _fits(made[new][1], arrays[old]) and last_use.get(old, 0) <= made[new][0]
    }
