"""Encoders of observations into network inputs, and decoders of network outputs into actions.

Encoder and decoder are plain functions that are made once for a space, so that a step branches on no type. Observations
are flattened like `gymnasium.spaces.flatten`: Discrete parts are one-hot, and parts of a Tuple or Dict follow each
other in the space's order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from gymnasium import spaces
from numpy.typing import ArrayLike, NDArray

from evonet import arithmetic
from evonet.activations import Activation
from evonet.errors import UnsuitableEnvironment
from evonet.files.text import short_repr
from evonet.types import BoolArray, FloatArray, IntArray

Space: TypeAlias = spaces.Space[Any]
Squash = Literal["tanh", "clip"]
_Check: TypeAlias = Callable[[Any], None]
_Write: TypeAlias = Callable[[Any, FloatArray], None]
Actions: TypeAlias = Sequence[Any] | NDArray[Any]
_Read: TypeAlias = Callable[[FloatArray], Actions]

_WHOLE = "observation space"
_LONGEST_SPACE = 200  # characters of a space in a message
_OBSERVATION_HELP = "use Box, Discrete, MultiDiscrete, MultiBinary, or a Tuple or Dict of those; a wrapper can convert"
_ACTION_HELP = "use Discrete, Box, MultiDiscrete, MultiBinary, or a Tuple or Dict of those; a wrapper can convert"


class MalformedObservation(ValueError):
    """An observation has another shape or type than its space, or a discrete part that is out of range."""


class ObservationEncoder:
    """Encoder of a space's observations as rows of numbers.

    Attributes:
        size: numbers in an encoded observation.
        check: function of an observation that raises `MalformedObservation` if its shape or the kind of its type is not
            the space's. float64 for float32 is accepted, and so are further keys than those of a Dict.

    Raises:
        UnsuitableEnvironment: the space cannot be encoded; the message names the part and says what to do.
    """

    def __init__(self, space: Space) -> None:
        self.space = space
        self.size, self._write = _encoder(space, _WHOLE)
        self.check = _checker(space, "an observation")
        if self.size == 0:
            raise UnsuitableEnvironment(f"the observation space {space} holds no numbers, so a network has no input")

    def encode(self, observation: Any) -> FloatArray:
        """The observation as a new array `(size,)`.

        Raises:
            MalformedObservation: it is no observation of the space.
        """
        row = np.empty(self.size)
        self.writer(row)(observation)
        return row

    def writer(self, row: FloatArray) -> Callable[[Any], None]:
        """A function that checks an observation and encodes it into this `row (size,)`.

        It is called in each step, so the usual observation of a Box with one axis costs it no further call.
        """
        check, write = self.check, self._write
        if not isinstance(self.space, spaces.Box) or len(self.space.shape) != 1:

            def write_checked(observation: Any) -> None:
                check(observation)
                write(observation, row)

            return write_checked
        array, shape, expected = np.ndarray, self.space.shape, np.dtype(self.space.dtype)

        def write_vector(observation: Any) -> None:
            if type(observation) is not array or observation.dtype is not expected or observation.shape != shape:
                check(observation)
            row[...] = observation

        return write_vector


class ActionDecoder:
    """Decoder of network outputs into actions of a space.

    Discrete: the index of the greatest output, a NumPy integer of the space's type as its `sample` returns, or a
    Python integer.
    MultiDiscrete: the index of the greatest output of each part. MultiBinary: whether outputs are above the middle of
    their range. Box: outputs scaled from the range of the activation to the bounds; outputs of an activation with an
    infinite range are first squashed into [-1, 1]. If a bound is infinite, the output is not scaled, only clipped to
    the other bound.

    Args:
        space: the action space.
        activation: activation of the output layer.
        squash: function that squashes unbounded outputs into [-1, 1], "tanh" or "clip".
        python_integers: whether the actions of a Discrete space are Python integers. With NumPy's, LunarLander
            computes its engines' force in NumPy, one number at a time, and a step takes a tenth longer.

    Attributes:
        size: outputs that the network must have.

    Raises:
        UnsuitableEnvironment: the space cannot be decoded; the message names the part and says what to do.
    """

    def __init__(
        self, space: Space, activation: Activation, squash: Squash = "tanh", *, python_integers: bool = False
    ) -> None:
        self.space = space
        self.size, self.decode = _decoder(space, "action space", activation, squash)
        if python_integers and isinstance(space, spaces.Discrete):
            start = int(space.start)
            self.decode = lambda outputs: (outputs.argmax(axis=1) + start).tolist()
        if self.size == 0:
            raise UnsuitableEnvironment(f"the action space {space} holds no numbers, so a network has no output")

    decode: _Read
    """Function of outputs `(m, size)` that returns a sequence of m actions."""


def _checker(space: Space, name: str) -> _Check:
    if isinstance(space, spaces.Tuple | spaces.Dict):
        return _parts_checker(space, name)
    shape, expected = space.shape, np.dtype(space.dtype)
    kinds = "biuf" if expected.kind == "f" else "biu"
    array, from_numpy = np.ndarray, (np.ndarray, np.generic)

    def check(observation: Any) -> None:
        # The two usual observations come first: the check of each step must cost next to nothing.
        if type(observation) is array and observation.dtype is expected and observation.shape == shape:
            return
        if type(observation) is int and shape == ():
            return
        if isinstance(observation, from_numpy):
            numbers: Any = observation
        else:
            try:
                numbers = np.asarray(observation)
            except ValueError as error:  # rows of different lengths
                raise MalformedObservation(f"{name} must have shape {shape}, got {error}") from None
        if numbers.shape != shape:
            got = numbers.shape or short_repr(observation)
            raise MalformedObservation(f"{name} must have shape {shape}, got {got}")
        if numbers.dtype.kind not in kinds:
            got = "text" if numbers.dtype.kind in "US" else numbers.dtype
            raise MalformedObservation(f"{name} must have type {expected}, got {got}")

    return check


def _parts_checker(space: spaces.Tuple[Any] | spaces.Dict, name: str) -> _Check:
    checks = [(key, _checker(part, f"{name}'s part {key!r}")) for key, part in _items(space)]
    # Gymnasium takes lists and arrays as tuples, too. The concrete types come first because they are tested faster.
    kind, kinds = ("dict", (dict, Mapping)) if isinstance(space, spaces.Dict) else ("tuple", (tuple, list, np.ndarray))

    def check(observation: Any) -> None:
        if not isinstance(observation, kinds) or getattr(observation, "shape", None) == ():
            raise MalformedObservation(f"{name} must be a {kind}, got {type(observation).__name__}")
        if kind == "tuple" and len(observation) != len(checks):
            raise MalformedObservation(f"{name} must have {len(checks)} parts, got {len(observation)}")
        for key, check_part in checks:
            try:
                part = observation[key]
            except KeyError:
                raise MalformedObservation(f"{name} must have a part {key!r}, got {list(observation)}") from None
            check_part(part)

    return check


def _encoder(space: Space, name: str) -> tuple[int, _Write]:
    if isinstance(space, spaces.Box):
        return int(np.prod(space.shape)), _box_writer(space.shape)
    if isinstance(space, spaces.Discrete):
        start = int(space.start)

        def write_discrete(observation: Any, row: FloatArray) -> None:
            row[:] = 0.0
            row[_index(int(observation) - start, row.size)] = 1.0

        return int(space.n), write_discrete
    if isinstance(space, spaces.MultiDiscrete):
        return _one_hot_writer(space)
    if isinstance(space, spaces.MultiBinary):
        return int(np.prod(space.shape)), _box_writer(space.shape)
    if isinstance(space, spaces.Tuple | spaces.Dict):
        return _parts_writer(space, name)
    what = f"the {name} {short_repr(space, _LONGEST_SPACE)}"
    raise UnsuitableEnvironment(f"{what} cannot be encoded as a network's inputs; {_OBSERVATION_HELP}")


def _box_writer(shape: tuple[int, ...]) -> _Write:
    if len(shape) == 1:

        def write_vector(observation: Any, row: FloatArray) -> None:
            row[...] = observation

        return write_vector

    def write_array(observation: Any, row: FloatArray) -> None:
        row.reshape(shape)[...] = observation

    return write_array


def _one_hot_writer(space: spaces.MultiDiscrete) -> tuple[int, _Write]:
    sizes, start = _in_int64(space.nvec.ravel()), _in_int64(space.start.ravel())
    offsets = np.cumsum(sizes) - sizes

    def write(observation: Any, row: FloatArray) -> None:
        places = _in_int64(np.ravel(observation)) - start
        if (places < 0).any() or (places >= sizes).any():
            raise MalformedObservation(f"a MultiDiscrete observation must lie in {space}, got {observation}")
        row[:] = 0.0
        row[places + offsets] = 1.0

    return int(sizes.sum()), write


def _in_int64(numbers: ArrayLike) -> IntArray:
    """Whole numbers as int64: sums and differences of small types would overflow.

    Numbers of uint64 wrap around, and so do their sums and differences, which are right if they fit.
    """
    return np.asarray(numbers).astype(np.int64)


def _index(place: int, size: int) -> int:
    if not 0 <= place < size:
        raise MalformedObservation(f"a Discrete observation must be one of {size} values, got number {place}")
    return place


def _parts_writer(space: spaces.Tuple[Any] | spaces.Dict, name: str) -> tuple[int, _Write]:
    writers: list[tuple[Any, slice, _Write]] = []
    end = 0
    for key, part in _items(space):
        try:
            size, write = _encoder(part, f"{name}'s part {key!r}")
        except UnsuitableEnvironment as error:
            raise UnsuitableEnvironment(f"{error}{_without(space, key, name)}") from error
        writers.append((key, slice(end, end + size), write))
        end += size

    def write_parts(observation: Any, row: FloatArray) -> None:
        for key, where, write in writers:
            write(observation[key], row[where])

    return end, write_parts


def _without(space: spaces.Tuple[Any] | spaces.Dict, key: Any, name: str) -> str:
    """The end of an error about a part of a Dict: the wrapper that leaves the part out, if others are left."""
    whole = isinstance(space, spaces.Dict) and name == _WHOLE  # the wrapper reads no Dict within another
    others = [other for other, _ in _items(space) if other != key] if whole else []
    return f", or leave it out: FilterObservation with filter_keys {others}" if others else ""


def _items(space: spaces.Tuple[Any] | spaces.Dict) -> Iterable[tuple[Any, Space]]:
    return space.spaces.items() if isinstance(space, spaces.Dict) else enumerate(space.spaces)


def _decoder(space: Space, name: str, activation: Activation, squash: Squash) -> tuple[int, _Read]:
    if isinstance(space, spaces.Discrete):
        return int(space.n), _choice_reader(space)
    if isinstance(space, spaces.Box):
        return _box_reader(space, activation, squash)
    if isinstance(space, spaces.MultiDiscrete):
        return _choices_reader(space)
    if isinstance(space, spaces.MultiBinary):
        shape, middle = space.shape, activation.middle
        return int(np.prod(shape)), lambda outputs: (outputs > middle).astype(space.dtype).reshape(len(outputs), *shape)
    if isinstance(space, spaces.Tuple | spaces.Dict):
        return _parts_reader(space, name, activation, squash)
    what = f"the {name} {short_repr(space, _LONGEST_SPACE)}"
    raise UnsuitableEnvironment(f"{what} cannot be decoded from a network's outputs; {_ACTION_HELP}")


@dataclass(frozen=True, eq=False)
class Stretch:
    """The map from outputs in [-1, 1] to the bounds of a Box: `clip(output * reach + centre, low, high)`.

    Attributes:
        low: least action, `(size,)`.
        high: greatest action, `(size,)`.
        centre: action for an output of 0, `(size,)`.
        reach: distance from `centre` to the bounds, `(size,)`.
        finite: whether both bounds are finite, `(size,)`; other outputs are neither squashed nor scaled.
    """

    low: FloatArray
    high: FloatArray
    centre: FloatArray
    reach: FloatArray
    finite: BoolArray

    @classmethod
    def onto(cls, space: spaces.Box) -> Stretch:
        """The stretch onto the bounds of `space`."""
        low, high = _inner_bounds(space)
        finite = np.isfinite(space.low.ravel()) & np.isfinite(space.high.ravel())
        centre = np.where(finite, low, 0.0) / 2 + np.where(finite, high, 0.0) / 2
        reach = np.where(finite, high, 2.0) / 2 - np.where(finite, low, 0.0) / 2
        return cls(low, high, centre, reach, finite)


def _box_reader(space: spaces.Box, activation: Activation, squash: Squash) -> tuple[int, _Read]:
    stretch = Stretch.onto(space)
    low, high, centre, reach, finite = stretch.low, stretch.high, stretch.centre, stretch.reach, stretch.finite
    whole = np.issubdtype(space.dtype, np.integer)
    size = low.size

    def read(outputs: FloatArray) -> Actions:
        if activation.bounded:
            values = (outputs - activation.middle) * (2.0 / (activation.high - activation.low))
        else:
            values = arithmetic.tanh(outputs) if squash == "tanh" else np.clip(outputs, -1.0, 1.0)
        if not finite.all():
            values = np.where(finite, values, outputs)
        values = np.clip(values * reach + centre, low, high)
        if whole:
            values = np.rint(values)
        actions: NDArray[Any] = values.astype(space.dtype).reshape(len(values), *space.shape)
        # Indexing a vector gives a scalar, and Gymnasium expects an array even for a space without axes.
        return actions if space.shape else [actions[i, ...] for i in range(len(values))]

    return size, read


def _inner_bounds(space: spaces.Box) -> tuple[FloatArray, FloatArray]:
    """The least and the greatest float64 that, cast to the space's type, are finite and within its bounds."""
    bounds = []
    for bound, inwards in ((space.low.ravel(), np.inf), (space.high.ravel(), -np.inf)):
        nearest = bound.astype(np.float64)
        # The float64 nearest to a large 64-bit integer may be outside the bound.
        outside = (nearest < bound.astype(object)) if inwards > 0 else (nearest > bound.astype(object))
        nearest = np.where(outside.astype(np.bool_), np.nextafter(nearest, inwards), nearest)
        if np.issubdtype(space.dtype, np.floating):
            largest = float(np.finfo(str(space.dtype)).max)
            nearest = np.clip(nearest, -largest, largest)
        bounds.append(nearest)
    return bounds[0], bounds[1]


def _choice_reader(space: spaces.Discrete) -> _Read:
    start, dtype = _in_int64(space.start), space.dtype
    if start == 0 and dtype == np.int64:
        return lambda outputs: outputs.argmax(axis=1)
    return lambda outputs: (outputs.argmax(axis=1) + start).astype(dtype)


def _choices_reader(space: spaces.MultiDiscrete) -> tuple[int, _Read]:
    sizes, start, shape = _in_int64(space.nvec.ravel()), _in_int64(space.start), space.shape
    ends = np.cumsum(sizes)
    pieces = [slice(end - size, end) for size, end in zip(sizes, ends, strict=True)]

    def read(outputs: FloatArray) -> Actions:
        choices = np.stack([outputs[:, piece].argmax(axis=1) for piece in pieces], axis=1)
        actions: Actions = (choices.reshape(-1, *shape) + start).astype(space.dtype)
        return actions

    return int(sizes.sum()), read


def _parts_reader(
    space: spaces.Tuple[Any] | spaces.Dict, name: str, activation: Activation, squash: Squash
) -> tuple[int, _Read]:
    readers: list[tuple[Any, slice, _Read]] = []
    end = 0
    for key, part in _items(space):
        size, read = _decoder(part, f"{name}'s part {key!r}", activation, squash)
        readers.append((key, slice(end, end + size), read))
        end += size

    def read_parts(outputs: FloatArray) -> Actions:
        columns = [read(outputs[:, where]) for _, where, read in readers]
        rows = zip(*columns, strict=True)
        if isinstance(space, spaces.Dict):
            keys = [key for key, _, _ in readers]
            return [dict(zip(keys, row, strict=True)) for row in rows]
        return list(rows)

    return end, read_parts
