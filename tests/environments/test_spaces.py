"""Observations are read as Gymnasium flattens them, and every action lies in its space."""

import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from evonet.activations import ACTIVATIONS
from evonet.environments.spaces import ActionDecoder, MalformedObservation, ObservationEncoder
from evonet.errors import UnsuitableEnvironment
from evonet.files.text import short_repr

INF = np.inf
IDENTITY, TANH, SIGMOID, RELU = (ACTIVATIONS[name] for name in ("identity", "tanh", "sigmoid", "relu"))


def box(low, high, shape=(), dtype=np.float32):
    """A Box of bounds that are already of its type, for Gymnasium warns where it has to round them."""
    return spaces.Box(np.full(shape, low, dtype), np.full(shape, high, dtype), shape, dtype)


def bounds(low, high, dtype=np.float32):
    low, high = np.array(low, dtype), np.array(high, dtype)
    return spaces.Box(low, high, low.shape, dtype)


PLAIN = {
    "box": box(-1, 1, (3,)),
    "scalar box": box(-2, 5),
    "box of one": box(0, 1, (1,)),
    "matrix": box(-3, 1, (2, 3)),
    "image": box(0, 255, (5, 4, 3), np.uint8),
    "asymmetric box": bounds([-4, 0.25, 100], [-1, 0.5, 1e6]),
    "infinite box": box(-INF, INF, (2,)),
    "half-infinite box": bounds([-INF, 0, -INF, -1], [3, INF, INF, 1]),
    "half-infinite float64": bounds([-INF, 1e300], [-1e300, INF], np.float64),
    "float64": bounds([-1e-300, -1e150], [1e-300, 1e150], np.float64),
    "float16": box(-INF, 2, (2,), np.float16),
    "point": box(0.1, 0.1, (2,)),
    "int8": box(-128, 127, (3,), np.int8),
    "int32": bounds([-7, 0], [-3, 2**31 - 1], np.int32),
    "int64": bounds([-(2**63), 2**53 + 1], [2**63 - 1, 2**53 + 3], np.int64),
    "uint64": box(0, 2**64 - 1, (2,), np.uint64),
    "discrete": spaces.Discrete(4),
    "discrete of one": spaces.Discrete(1),
    "discrete from 5": spaces.Discrete(3, start=5),
    "discrete from -2": spaces.Discrete(3, start=-2),
    "multi-discrete": spaces.MultiDiscrete([3, 1, 4]),
    "multi-discrete with starts": spaces.MultiDiscrete([2, 3], start=[-1, 10]),
    "multi-discrete matrix": spaces.MultiDiscrete([[2, 3], [4, 5]], start=[[0, 1], [-7, 3]]),
    "multi-discrete int32": spaces.MultiDiscrete([2, 2], dtype=np.int32),
    "multi-binary": spaces.MultiBinary(4),
    "multi-binary matrix": spaces.MultiBinary([2, 3]),
}
NESTED = {
    "tuple": spaces.Tuple((PLAIN["discrete from 5"], PLAIN["matrix"], PLAIN["multi-binary"])),
    "dict": spaces.Dict({"z": PLAIN["discrete"], "a": PLAIN["asymmetric box"], "m": PLAIN["multi-discrete"]}),
    "deep": spaces.Dict(
        {
            "second": spaces.Tuple((PLAIN["discrete from -2"], spaces.Dict({"y": PLAIN["int8"], "x": PLAIN["box"]}))),
            "first": spaces.Tuple((spaces.Tuple((PLAIN["multi-discrete matrix"],)), PLAIN["scalar box"])),
            "empty": box(0, 1, (0,)),
        }
    ),
}
SPACES = PLAIN | NESTED
each_space = pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)


@st.composite
def boxes(draw, dtypes):
    shape = tuple(draw(st.lists(st.integers(1, 3), max_size=3)))
    dtype = np.dtype(draw(st.sampled_from(dtypes)))
    if dtype.kind == "f":
        numbers = st.floats(-(2.0**120), 2.0**120, width=dtype.itemsize * 8)
        low = draw(arrays(dtype, shape, elements=numbers | st.just(-INF)))
        high = draw(arrays(dtype, shape, elements=numbers | st.just(INF)))
    else:
        numbers = st.integers(int(np.iinfo(dtype).min), int(np.iinfo(dtype).max))
        low, high = draw(arrays(dtype, shape, elements=numbers)), draw(arrays(dtype, shape, elements=numbers))
    return spaces.Box(np.asarray(np.minimum(low, high)), np.asarray(np.maximum(low, high)), shape, dtype)


starts = st.integers(-9, 9)
signed = st.sampled_from([np.int8, np.int16, np.int32, np.int64])
multi_discretes = st.builds(
    lambda parts, dtype: spaces.MultiDiscrete([n for n, _ in parts], dtype, start=[start for _, start in parts]),
    st.lists(st.tuples(st.integers(1, 4), starts), min_size=1, max_size=4),
    signed,
)
multi_binaries = st.lists(st.integers(1, 3), min_size=1, max_size=2).map(spaces.MultiBinary)
discretes = st.builds(spaces.Discrete, st.integers(1, 6), start=starts, dtype=signed)
MODEST = ["float32", "float64", "int8", "uint8", "int32"]  # Gymnasium draws no samples of all 64-bit integers


def nested_spaces(dtypes):
    return st.recursive(
        boxes(dtypes) | discretes | multi_discretes | multi_binaries,
        lambda parts: (
            st.lists(parts, min_size=1, max_size=3).map(spaces.Tuple)
            | st.dictionaries(st.text("abc", min_size=1, max_size=2), parts, min_size=1, max_size=3).map(spaces.Dict)
        ),
        max_leaves=4,
    )


def draw_outputs(data, activation, rows, size):
    """Outputs that a layer of the activation can have: up to ±1e300 where it is unbounded."""
    low, high = max(activation.low, -1e300), min(activation.high, 1e300)
    numbers = st.floats(low, high) | st.sampled_from([low, high, 0.0 if low < 0 < high else low])
    return data.draw(arrays(np.float64, (rows, size), elements=numbers))


# Observations


def assert_encoded(space, observation):
    expected = np.asarray(spaces.flatten(space, observation), dtype=np.float64)
    encoder = ObservationEncoder(space)
    assert encoder.size == spaces.flatdim(space)
    encoder.check(observation)
    assert np.array_equal(encoder.encode(observation), expected)
    table = np.full((3, encoder.size), np.nan)
    encoder.writer(table[1])(observation)
    assert np.array_equal(table[1], expected)
    assert np.isnan(table[[0, 2]]).all()


@each_space
def test_observations_are_read_as_gymnasium_flattens_them(space):
    space.seed(1)
    for _ in range(10):
        assert_encoded(space, space.sample())


@given(nested_spaces(MODEST), st.integers(0, 2**31 - 1))
def test_observations_of_any_nested_space_are_read_as_gymnasium_flattens_them(space, seed):
    space.seed(seed)
    assert_encoded(space, space.sample())


@pytest.mark.parametrize("name", ["CartPole-v1", "Pendulum-v1", "FrozenLake-v1", "Blackjack-v1"])
def test_observations_of_real_environments_are_read_as_gymnasium_flattens_them(name):
    with gym.make(name) as environment:
        observation, _ = environment.reset(seed=1)
        assert_encoded(environment.observation_space, observation)
        observation, *_ = environment.step(environment.action_space.sample())
        assert_encoded(environment.observation_space, observation)


def test_encoding_overwrites_the_observation_before():
    space = spaces.Dict({"d": spaces.Discrete(3), "m": spaces.MultiDiscrete([2, 2])})
    encoder, row = ObservationEncoder(space), np.empty(7)
    write = encoder.writer(row)
    write({"d": 0, "m": [0, 0]})
    write({"d": 2, "m": [1, 0]})
    assert row.tolist() == [0, 0, 1, 0, 1, 1, 0]


def test_an_observation_is_copied():
    observation = np.zeros(3, dtype=np.float64)
    encoded = ObservationEncoder(box(-1, 1, (3,), np.float64)).encode(observation)
    assert not np.shares_memory(encoded, observation)


@pytest.mark.parametrize(("value", "place"), [(4, -1), (8, 3), (-5, -10)])
def test_a_discrete_observation_out_of_range_is_refused(value, place):
    with pytest.raises(MalformedObservation) as refused:
        ObservationEncoder(spaces.Discrete(3, start=5)).encode(value)
    assert str(refused.value) == f"a Discrete observation must be one of 3 values, got number {place}"


@pytest.mark.parametrize("value", [[2, 10], [-2, 10], [0, 13], [0, 9], np.array([0, 2**64 - 1], np.uint64)])
def test_a_multi_discrete_observation_out_of_range_is_refused(value):
    space = spaces.MultiDiscrete([2, 3], start=[-1, 10])
    with pytest.raises(MalformedObservation) as refused:
        ObservationEncoder(space).encode(value)
    assert str(refused.value) == f"a MultiDiscrete observation must lie in {space}, got {value}"


@pytest.mark.parametrize("observation", [0, 0.0, [0.0], np.zeros((3, 1)), np.zeros(4), np.zeros((1, 3))])
def test_a_box_observation_of_another_shape_is_refused_and_never_stretched(observation):
    encoder = ObservationEncoder(box(-1, 1, (3,)))
    for use in (encoder.check, encoder.encode):
        with pytest.raises(MalformedObservation) as refused:
            use(observation)
        assert str(refused.value) == f"an observation must have shape (3,), got {np.shape(observation) or observation}"


def others(space):
    """Things that are no observation of a space; NumPy would broadcast or cast most of them into it."""
    yield from (None, "12", b"12", object(), {}, (), [None], 1j, np.array("3"))
    sample = space.sample()
    if isinstance(space, spaces.Dict):
        yield from (list(sample.values()), dict.fromkeys(sample))
        key, part = next(iter(space.spaces.items()))
        yield from ({**sample, key: other} for other in others(part))
    elif isinstance(space, spaces.Tuple):
        yield from (sample[:-1], (*sample, sample[0]), dict(enumerate(sample)))
        yield from ((*sample[:-1], other) for other in others(space.spaces[-1]))
    else:
        sample = np.asarray(sample)
        yield from (sample[None], sample[..., None], np.stack([sample, sample]), [sample.tolist()], sample.astype(str))
        yield from (np.zeros(shape, sample.dtype) for shape in ((), (1,)) if shape != space.shape)
        if sample.ndim > 1:
            yield from (sample[0], np.repeat(sample[:, :1], sample.shape[1] + 1, axis=1))
        if sample.dtype.kind != "f":
            yield from (sample + 0.9, sample.astype(np.float32), np.full(space.shape, np.nan))


@given(nested_spaces(MODEST), st.integers(0, 2**31 - 1))
def test_what_is_no_observation_of_a_space_is_refused_whatever_the_space(space, seed):
    space.seed(seed)
    encoder = ObservationEncoder(space)
    for other in others(space):
        with pytest.raises(MalformedObservation, match=r"^an observation(?:'s part .*)? must (?:be|have) "):
            encoder.encode(other)


ROBOT = spaces.Dict({"legs": spaces.Tuple([box(-1, 1, (2,)), spaces.Discrete(3)]), "on": spaces.MultiBinary(2)})


@pytest.mark.parametrize(
    ("space", "observation", "message"),
    [
        (box(-1, 1, (3,)), np.array(["a", "b", "c"]), "an observation must have type float32, got text"),
        (box(-1, 1, (3,)), np.ones(3, complex), "an observation must have type float32, got complex128"),
        (box(-1, 1, (1,)), np.array([None]), "an observation must have type float32, got object"),
        (box(0, 255, (2,), np.uint8), np.array([0.5, 0.25]), "an observation must have type uint8, got float64"),
        (spaces.Discrete(3), 1.0, "an observation must have type int64, got float64"),
        (spaces.Discrete(3), [1], "an observation must have shape (), got (1,)"),
        (
            ROBOT,
            {"legs": ([0.0], 1), "on": [0, 1]},
            "an observation's part 'legs''s part 0 must have shape (2,), got (1,)",
        ),
        (ROBOT, {"legs": ([0.0, 0.5],), "on": [0, 1]}, "an observation's part 'legs' must have 2 parts, got 1"),
        (ROBOT, {"legs": ([0.0, 0.5], 1, 2), "on": [0, 1]}, "an observation's part 'legs' must have 2 parts, got 3"),
        (spaces.Discrete(3), "2", "an observation must have type int64, got text"),
        (spaces.Discrete(3), None, "an observation must have type int64, got object"),
        (spaces.MultiBinary(2), [0.5, 1.0], "an observation must have type int8, got float64"),
        (ROBOT, {"legs": ([0.0, 0.5], 1)}, "an observation must have a part 'on', got ['legs']"),
        (ROBOT, None, "an observation must be a dict, got NoneType"),
        (ROBOT, {"legs": b"12", "on": [0, 1]}, "an observation's part 'legs' must be a tuple, got bytes"),
    ],
    ids=range(15),
)
def test_a_malformed_observation_is_refused_with_what_was_expected_and_what_was_got(space, observation, message):
    with pytest.raises(MalformedObservation) as refused:
        ObservationEncoder(space).check(observation)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("space", "observation"),
    [
        (box(-1, 1, (2,)), np.zeros(2)),
        (box(-1, 1, (2,)), [0, 1]),
        (box(-1, 1, (2,)), [True, False]),
        (box(0, 255, (2,), np.uint8), [3, 4]),
        (spaces.Discrete(3), np.int32(2)),
        (spaces.Discrete(3), np.array(2)),
        (spaces.MultiBinary(2), np.array([True, False])),
        (ROBOT, {"legs": (np.zeros(2), 1), "on": [0, 1]}),
    ],
    ids=range(8),
)
def test_an_observation_whose_numbers_can_be_read_passes_whatever_their_precision(space, observation):
    ObservationEncoder(space).check(observation)


def test_rows_of_different_lengths_are_malformed():
    with pytest.raises(MalformedObservation, match="an observation must have shape \\(2, 2\\), got setting an array"):
        ObservationEncoder(box(-1, 1, (2, 2))).check([[0.0], [0.0, 1.0]])


# Actions


@each_space
@pytest.mark.parametrize(
    ("activation", "squash"),
    [(IDENTITY, "tanh"), (IDENTITY, "clip"), (RELU, "tanh"), (TANH, "tanh"), (SIGMOID, "tanh")],
    ids=["identity-tanh", "identity-clip", "relu", "tanh", "sigmoid"],
)
@settings(max_examples=5)
@given(data=st.data())
def test_every_action_lies_in_its_space(space, activation, squash, data):
    decoder = ActionDecoder(space, activation, squash)
    rows = data.draw(st.integers(1, 4))
    outputs = draw_outputs(data, activation, rows, decoder.size)
    before = outputs.copy()
    actions = decoder.decode(outputs)
    assert len(actions) == rows
    for action in actions:
        assert space.contains(action), action
    assert np.array_equal(outputs, before)


@given(
    nested_spaces([*MODEST, "int64", "uint64"]),
    st.sampled_from([IDENTITY, TANH, SIGMOID, RELU]),
    st.sampled_from(["tanh", "clip"]),
    st.data(),
)
def test_every_action_of_any_nested_space_lies_in_it(space, activation, squash, data):
    decoder = ActionDecoder(space, activation, squash)
    for action in decoder.decode(draw_outputs(data, activation, 2, decoder.size)):
        assert space.contains(action), action


@each_space
@given(seed=st.integers(0, 2**32))
@settings(max_examples=5)
def test_an_action_depends_on_its_own_row_alone_and_is_the_caller_s(space, seed):
    decoder = ActionDecoder(space, IDENTITY)
    outputs = np.random.default_rng(seed).normal(size=(5, decoder.size))
    together = decoder.decode(outputs)
    text = [repr(action) for action in together]
    assert [repr(decoder.decode(outputs[i : i + 1])[0]) for i in range(5)] == text
    outputs[:] = 0.0
    assert [repr(action) for action in together] == text


@pytest.mark.parametrize("start", [0, 1, -3])
def test_a_discrete_action_is_the_place_of_the_greatest_output(start):
    space = spaces.Discrete(3, start=start)
    outputs = np.array([[0.1, 0.3, 0.2], [5, 1, 2], [-3, -2, -1.0]])
    assert ActionDecoder(space, IDENTITY).decode(outputs).tolist() == [start + 1, start, start + 2]


@pytest.mark.parametrize("start", [0, -3])
def test_discrete_actions_are_python_integers_where_they_are_asked_for(start):
    outputs = np.array([[0.1, 0.3, 0.2], [5, 1, 2], [-3, -2, -1.0]])
    actions = ActionDecoder(spaces.Discrete(3, start=start), IDENTITY, python_integers=True).decode(outputs)
    assert [(type(action), action - start) for action in actions] == [(int, 1), (int, 0), (int, 2)]


WHOLE_TYPES = [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64]
each_whole_type = pytest.mark.parametrize("dtype", WHOLE_TYPES, ids=lambda dtype: dtype.__name__)


@each_whole_type
@pytest.mark.parametrize("end", ["least", "greatest"])
def test_whole_numbers_at_both_ends_of_their_type_are_read_and_chosen_without_overflow(dtype, end):
    bounds = np.iinfo(dtype)
    start = int(bounds.min) if end == "least" else int(bounds.max) - 4
    one, many = spaces.Discrete(5, start=start, dtype=dtype), spaces.MultiDiscrete([5, 5], dtype, start=[start, start])
    row = np.eye(5)[3]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ObservationEncoder(one).encode(dtype(start + 3)).tolist() == row.tolist()
        assert ObservationEncoder(many).encode(np.array([start, start + 3], dtype)).tolist() == [1, 0, 0, 0, 0, *row]
        (action,) = ActionDecoder(one, TANH).decode(row[None])
        (actions,) = ActionDecoder(many, TANH).decode(np.concatenate([row, row])[None])
    assert (type(action), int(action)) == (dtype, start + 3)
    assert (actions.dtype, actions.tolist()) == (dtype, [start + 3, start + 3])


def test_a_uint8_of_255_values_from_1_is_read_without_overflow():
    space = spaces.MultiDiscrete([255, 2], np.uint8, start=[1, 0])
    encoded = ObservationEncoder(space).encode(np.array([255, 1], np.uint8))
    assert np.flatnonzero(encoded).tolist() == [254, 256]


def assert_of_the_type_of(sample, action):
    """An action and its parts have the types and shapes of what the space's `sample` gives."""
    if isinstance(sample, dict | tuple):
        assert type(action) is type(sample)
        parts = (sample.items(), action.items()) if isinstance(sample, dict) else (enumerate(sample), enumerate(action))
        for (key, inner), (name, part) in zip(*parts, strict=True):
            assert key == name
            assert_of_the_type_of(inner, part)
    else:
        assert (action.dtype, action.shape) == (sample.dtype, sample.shape)


@given(nested_spaces(MODEST), st.integers(0, 2**31 - 1))
def test_an_action_of_any_space_has_the_types_of_its_samples(space, seed):
    space.seed(seed)
    decoder = ActionDecoder(space, IDENTITY)
    outputs = np.random.default_rng(seed).normal(size=(2, decoder.size))
    for action in decoder.decode(outputs):
        assert_of_the_type_of(space.sample(), action)


def test_a_tie_goes_to_the_first():
    ties = np.array([[0, 0, 0], [1, 2, 2], [2, 1, 2.0]])
    assert ActionDecoder(spaces.Discrete(3), TANH).decode(ties).tolist() == [0, 1, 0]
    actions = ActionDecoder(spaces.MultiDiscrete([3, 2]), TANH).decode(np.hstack([ties, ties[:, :2]]))
    assert actions.tolist() == [[0, 0], [1, 1], [0, 0]]


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.integers(0, 2**32), starts)
def test_a_multi_discrete_action_is_a_discrete_one_for_each_part(sizes, seed, start):
    outputs = np.random.default_rng(seed).normal(size=(4, sum(sizes)))
    space = spaces.MultiDiscrete(sizes, start=[start] * len(sizes))
    ends = [sum(sizes[: part + 1]) for part in range(len(sizes))]
    pieces = [[row[end - n : end].tolist() for n, end in zip(sizes, ends, strict=True)] for row in outputs]
    expected = [[piece.index(max(piece)) + start for piece in row] for row in pieces]
    decoder = ActionDecoder(space, IDENTITY)
    assert decoder.size == sum(sizes)
    assert np.array_equal(decoder.decode(outputs), expected)


def test_multi_binary_actions_are_1_above_the_middle_of_the_outputs_range():
    space = spaces.MultiBinary(3)
    for activation, outputs in (
        (SIGMOID, [0.49, 0.5, 0.51]),
        (TANH, [-0.1, 0.0, 0.1]),
        (IDENTITY, [-1e300, 0.0, 1e300]),
        (RELU, [0.0, 0.0, 1e-9]),
    ):
        decoder = ActionDecoder(space, activation)
        assert decoder.size == 3
        assert decoder.decode(np.array([outputs])).tolist() == [[0, 0, 1]]


def test_multi_binary_keeps_its_shape():
    decoder = ActionDecoder(spaces.MultiBinary([2, 3]), TANH)
    assert decoder.decode(np.array([[1, -1, 1, -1, -1, 1.0]])).tolist() == [[[1, 0, 1], [0, 0, 1]]]


ASYMMETRIC = bounds([-4, 0.25, 100], [-1, 0.5, 1e6])


def decoded(space, outputs, activation, squash="tanh"):
    return np.asarray(ActionDecoder(space, activation, squash).decode(np.array([outputs], dtype=np.float64))[0])


@pytest.mark.parametrize("name", [name for name, activation in ACTIVATIONS.items() if activation.bounded])
def test_a_bounded_output_s_range_is_stretched_onto_the_box(name):
    activation = ACTIVATIONS[name]
    middle = (ASYMMETRIC.low.astype(np.float64) + ASYMMETRIC.high) / 2
    assert np.allclose(decoded(ASYMMETRIC, [activation.low] * 3, activation), ASYMMETRIC.low, rtol=1e-6)
    assert np.allclose(decoded(ASYMMETRIC, [activation.high] * 3, activation), ASYMMETRIC.high, rtol=1e-6)
    assert np.allclose(decoded(ASYMMETRIC, [activation.middle] * 3, activation), middle, rtol=1e-6)
    quarter = (ASYMMETRIC.low.astype(np.float64) + middle) / 2
    output = (activation.low + activation.middle) / 2
    assert np.allclose(decoded(ASYMMETRIC, [output] * 3, activation), quarter, rtol=1e-6)


@given(arrays(np.float64, 3, elements=st.floats(-4, 4)))
def test_an_unbounded_output_is_squashed_first(outputs):
    low, high = ASYMMETRIC.low.astype(np.float64), ASYMMETRIC.high.astype(np.float64)
    for squash, function in (("tanh", np.tanh), ("clip", lambda x: np.clip(x, -1, 1))):
        expected = low + (function(outputs) + 1) / 2 * (high - low)
        assert np.allclose(decoded(ASYMMETRIC, outputs, IDENTITY, squash), expected, rtol=1e-6)


@pytest.mark.parametrize("activation", [IDENTITY, TANH], ids=["identity", "tanh"])
def test_an_output_is_clipped_to_finite_bounds_only(activation):
    space = bounds([-INF, -INF, 0.5, -0.25], [INF, -0.5, INF, INF], np.float64)
    for output in (-1.0, -0.5, 0.0, 0.75, 1.0):
        expected = [output, min(output, -0.5), max(output, 0.5), max(output, -0.25)]
        assert decoded(space, [output] * 4, activation).tolist() == expected


def test_a_box_from_the_least_to_the_greatest_number_is_no_overflow():
    largest = np.finfo(np.float64).max
    space = bounds([-largest, 0], [largest, largest], np.float64)
    assert decoded(space, [-1.0, 1.0], TANH).tolist() == [-largest, largest]
    assert decoded(space, [-1e300, 0.0], IDENTITY).tolist() == [-largest, largest / 2]


def test_a_scalar_box_gets_an_array_without_axes():
    action = ActionDecoder(box(-2, 5), TANH).decode(np.array([[1.0], [-1.0]]))[0]
    assert isinstance(action, np.ndarray)
    assert action.shape == ()
    assert action == 5


def test_an_infinite_float32_box_gets_the_greatest_finite_number():
    largest = float(np.finfo(np.float32).max)
    assert decoded(box(-INF, INF, (2,)), [-1e300, 1e300], IDENTITY).tolist() == [-largest, largest]


def test_a_whole_number_s_box_is_rounded_to_the_nearest_and_reaches_both_ends():
    space = bounds([0, -3], [4, -1], np.int64)
    actions = [decoded(space, [x, x], TANH) for x in np.linspace(-1, 1, 201)]
    assert {int(action[0]) for action in actions} == {0, 1, 2, 3, 4}
    assert {int(action[1]) for action in actions} == {-3, -2, -1}
    assert decoded(space, [0.24, 0.49], TANH).tolist() == [2, -2]
    assert decoded(space, [0.26, 0.51], TANH).tolist() == [3, -1]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, np.uint8, np.int32])
def test_an_action_has_the_type_and_shape_of_its_box_in_the_genome_s_order(dtype):
    action = decoded(box(0, 5, (2, 3), dtype), np.linspace(0, 1, 6), SIGMOID)
    assert action.dtype == dtype
    assert np.allclose(action, [[0, 1, 2], [3, 4, 5]], rtol=1e-3)


@pytest.mark.parametrize("name", NESTED)
def test_the_parts_of_an_action_take_their_outputs_in_the_space_s_order(name):
    space = NESTED[name]
    items = list(space.spaces.items() if isinstance(space, spaces.Dict) else enumerate(space.spaces))
    decoder = ActionDecoder(space, IDENTITY)
    outputs = np.random.default_rng(1).normal(size=(3, decoder.size))
    actions, end = decoder.decode(outputs), 0
    for key, part in items:
        size = spaces.flatdim(part)
        if size:
            expected = ActionDecoder(part, IDENTITY).decode(outputs[:, end : end + size])
            assert [repr(action[key]) for action in actions] == [repr(action) for action in expected]
        end += size
    assert end == decoder.size


def test_a_network_s_output_never_changes_a_frozen_lake_or_a_pendulum_s_type():
    with gym.make("Pendulum-v1") as pendulum, gym.make("FrozenLake-v1") as lake:
        for environment in (pendulum, lake):
            environment.reset(seed=0)
            decoder = ActionDecoder(environment.action_space, TANH)
            action = decoder.decode(np.full((1, decoder.size), 0.3))[0]
            assert environment.action_space.contains(action)
            environment.step(action)


# What a network cannot serve

OBSERVATION_HELP = "use Box, Discrete, MultiDiscrete, MultiBinary, or a Tuple or Dict of those; a wrapper can convert"
ACTION_HELP = "use Discrete, Box, MultiDiscrete, MultiBinary, or a Tuple or Dict of those; a wrapper can convert"
UNSUPPORTED = {
    "text": spaces.Text(3),
    "sequence": spaces.Sequence(spaces.Discrete(2)),
    "graph": spaces.Graph(spaces.Discrete(2), None),
    "one of": spaces.OneOf((spaces.Discrete(2), box(0, 1, (2,)))),
}
each_unsupported = pytest.mark.parametrize("space", UNSUPPORTED.values(), ids=UNSUPPORTED)


@each_unsupported
def test_an_unsupported_observation_space_is_named_with_what_to_do(space):
    with pytest.raises(UnsuitableEnvironment) as refused:
        ObservationEncoder(space)
    assert (
        str(refused.value)
        == f"the observation space {space} cannot be encoded as a network's inputs; {OBSERVATION_HELP}"
    )


@each_unsupported
def test_an_unsupported_action_space_is_named_with_what_to_do(space):
    with pytest.raises(UnsuitableEnvironment) as refused:
        ActionDecoder(space, TANH)
    assert str(refused.value) == f"the action space {space} cannot be decoded from a network's outputs; {ACTION_HELP}"


@each_unsupported
def test_an_unsupported_part_is_named(space):
    whole = spaces.Dict({"fine": spaces.Discrete(2), "note": space})
    with pytest.raises(UnsuitableEnvironment) as refused:
        ObservationEncoder(whole)
    assert str(refused.value) == (
        f"the observation space's part 'note' {short_repr(space, 200)} cannot be encoded as a network's inputs; "
        f"{OBSERVATION_HELP}, or leave it out: FilterObservation with filter_keys ['fine']"
    )
    with pytest.raises(UnsuitableEnvironment) as refused:
        ActionDecoder(spaces.Tuple((spaces.Discrete(2), space)), TANH)
    assert str(refused.value) == (
        f"the action space's part 1 {short_repr(space, 200)} cannot be decoded from a network's outputs; {ACTION_HELP}"
    )


@pytest.mark.parametrize("space", [box(0, 1, (0,)), box(0, 1, (2, 0)), spaces.MultiDiscrete([]), spaces.Tuple(())])
def test_a_space_without_numbers_is_refused(space):
    with pytest.raises(UnsuitableEnvironment) as refused:
        ObservationEncoder(space)
    assert str(refused.value) == f"the observation space {space} holds no numbers, so a network has no input"
    with pytest.raises(UnsuitableEnvironment) as refused:
        ActionDecoder(space, TANH)
    assert str(refused.value) == f"the action space {space} holds no numbers, so a network has no output"
