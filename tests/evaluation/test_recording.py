"""Functions over columns as lists of NumPy calls: what a replay computes, and in how many calls."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evonet.environments.kernels import arithmetic
from evonet.evaluation.kernel_engine.activations import ACTIVATIONS, PRECISIONS
from evonet.evaluation.kernel_engine.binding import bind, bind_in_place, bind_renewing
from evonet.evaluation.kernel_engine.operations import Constant, Operation
from evonet.evaluation.kernel_engine.recording import Recording
from evonet.evaluation.kernel_engine.siblings import families

DOUBLE = np.dtype(np.float64)


def renewed(function, state, inputs=(), *, steps=1):
    """The state after some replays, the number of calls of each, and the state as the function makes it."""
    recording = Recording(function, tuple(DOUBLE for _ in inputs), tuple(DOUBLE for _ in state))
    given = [np.array(column, np.float64) for column in inputs]
    expected, got = np.array(state, np.float64), np.array(state, np.float64)
    calls = bind_renewing(recording, given, got, recording.result, [])
    for _ in range(steps):
        for call in calls:
            call()
        expected = np.array(np.broadcast_arrays(*function(tuple(given), tuple(expected))))
    return got, len(calls), expected


def test_a_replay_computes_what_the_function_computes_on_new_numbers():
    def function(columns, y):
        x, z = columns
        spare = np.where(x > y, x - 1.0, z)
        return np.minimum(spare * spare, 2.0) / (1.0 + np.sqrt(y)), arithmetic.single(spare), x, 3.0

    rng = np.random.default_rng(0)
    x, z, y = rng.random((3, 50))
    recording = Recording(function, (DOUBLE, DOUBLE), DOUBLE)
    results = np.zeros((4, 50))
    calls = bind(recording, [x, z, y], list(zip(recording.result, results, strict=True)))
    for _ in range(3):
        x[:], z[:], y[:] = rng.standard_normal((3, 50))
        np.abs(y, out=y)
        for call in calls:
            call()
        for got, expected in zip(results, function((x, z), y), strict=True):
            assert np.array_equal(got, np.broadcast_to(expected, got.shape))


def test_a_function_of_one_column_may_be_carried_out_where_that_stands():
    functions = [(f, precision) for precision, kinds in ACTIVATIONS.items() for f in kinds.values()]
    functions.append((lambda x: np.where(x < 0.0, x, 2.0 * x), "double"))
    for function, precision in functions:
        real = PRECISIONS[precision]
        column = np.random.default_rng(0).standard_normal((3, 40)).astype(real)
        expected = function(column.copy()).astype(real)
        for target in (column.copy(), column):
            layer = column if target is column else column.copy()
            for call in bind_in_place(Recording(function, np.dtype(real)), layer, target):
                call()
            assert np.array_equal(target, expected)


def test_a_state_is_renewed_even_if_columns_are_read_after_their_successors_are_made():
    def function(_, columns):
        x, y = columns
        return x + y, np.where(x > 0, np.square(y), 1.0)  # x is read once more

    got, _, expected = renewed(function, [[-1.0, 2.0], [3.0, 4.0]], steps=4)
    np.testing.assert_array_equal(got, expected)


def test_an_euler_step_takes_two_calls_beside_the_rates():
    def function(inputs, columns):
        x, x_dot = columns
        return x + 0.5 * x_dot, x_dot + inputs[0] * 0.25

    got, calls, expected = renewed(function, [[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0]], steps=3)
    np.testing.assert_array_equal(got, expected)
    assert calls == 2 + 2  # x_dot and the input are copied to where the rates are multiplied


@pytest.mark.parametrize(
    "function",
    [
        pytest.param(lambda _, s: (s[0] + 0.5 * (s[1] + 0.5 * s[0]), s[1] + 0.5 * s[0]), id="new velocity"),
        pytest.param(lambda _, s: ((x := s[0] + 0.5 * s[1]), s[1] + 0.5 * np.sin(x)), id="a rate of the new place"),
        pytest.param(lambda _, s: (s[0] + 0.5 * s[1], s[1] + 0.5 * s[1]), id="one rate for two"),
        pytest.param(lambda _, s: ((p := 0.5 * s[1]) + s[0], p * p + s[1]), id="a product that is read elsewhere"),
        pytest.param(lambda _, s: (s[0] + 0.5 * s[1], s[1] + s[0] * s[0]), id="no constant"),
        pytest.param(lambda _, s: (s[0] + 0.5 * s[1], s[1] - 0.5 * s[0]), id="a difference"),
        pytest.param(lambda _, s: (s[1], s[0] + 0.5 * s[1]), id="a swap"),
        pytest.param(lambda _, s: (s[0] + 0.5 * s[1], 0.25 * s[0] + 0.5 * s[1]), id="two products"),
        pytest.param(lambda _, s: (s[0] + 0.1 * s[1].astype("f"), s[1] + 0.1 * s[0].astype("f")), id="single rates"),
        pytest.param(lambda _, s: (s[0] + 0.5 * s[1], s[1] + s[1]), id="twice itself"),
        pytest.param(lambda _, s: (s[0] + 0.5 * s[1], np.sqrt(s[0] + s[1] + 9.0)), id="read afterwards"),
        pytest.param(lambda _, s: (s[0] + 0.5 * s[1], 2.0), id="a constant"),
    ],
)
def test_what_only_resembles_an_euler_step_is_computed_as_it_stands(function):
    def moved(inputs, columns):
        return tuple(np.positive(c) if any(c is old for old in columns) else c for c in function(inputs, columns))

    got, _, expected = renewed(moved, [[1.0, 2.0, -0.5], [3.0, 4.0, 0.25]], steps=4)
    np.testing.assert_array_equal(got, expected)


def test_what_is_done_to_several_rows_is_done_in_one_call():
    def function(_, columns):
        squares = [column * column for column in columns]
        cut = [np.minimum(np.maximum(square + number, 0.5), 3.0) for number, square in enumerate(squares)]
        return tuple(np.sqrt(number) for number in cut[::-1])

    state = np.random.default_rng(0).random((4, 30))
    got, calls, expected = renewed(function, state, steps=3)
    np.testing.assert_array_equal(got, expected)
    assert calls == 3 + 4  # all squares, all sums, all bounds; then each root, whose row is another's


def test_an_euler_step_waits_for_none_who_read_the_old_state():
    def function(columns):
        x, x_dot = columns
        new = x + 0.5 * x_dot, x_dot + 0.5 * x
        return new, np.sqrt(x * x + 1.0), np.sin(new[0])

    recording = Recording(function, (DOUBLE, DOUBLE))
    state, targets = np.array([[1.0, 2.0], [3.0, 4.0]]), np.zeros((2, 2))
    expected, *results = function(tuple(state.copy()))
    new, *values = recording.result
    for call in bind_renewing(recording, [], state, new, list(zip(values, targets, strict=True))):
        call()
    np.testing.assert_array_equal(state, expected)
    np.testing.assert_array_equal(targets, results)


def _one_of_a_family_is_over_sooner(_, columns):
    first, second = (column * column for column in columns)
    first = first + 1.0
    sizes = [np.abs(column) for column in columns]
    return first + sizes[0], second - sizes[1]


def _one_of_a_family_is_read_before_its_turn(_, columns):
    first, second = (column * column * column for column in columns)
    small = np.abs(first)
    between = second + 1.0
    return small - between, np.abs(second) - 1.0


@pytest.mark.parametrize("function", [_one_of_a_family_is_over_sooner, _one_of_a_family_is_read_before_its_turn])
def test_what_is_still_to_be_read_is_not_overwritten(function):
    got, _, expected = renewed(function, [[0.5, -1.0], [-2.0, 0.25]], steps=3)
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize(
    ("inputs", "apart", "members"),
    [
        pytest.param([(0, 2), (1, 3)], (), [{0: 0, 1: 1}], id="the next rows of both blocks"),
        pytest.param([(1, 3), (0, 2)], (), [{1: 0, 0: 1}], id="the rows before"),
        pytest.param([(0, 2), (3, 1)], (), [], id="the blocks change places"),
        pytest.param([(0, 2), (1, 2)], (), [], id="one operand is the same"),
        pytest.param([(0, Constant(1.0)), (1, Constant(2.0))], (), [{0: 0, 1: 1}], id="constants"),
        pytest.param([(0, Constant(1.0)), (1, Constant(np.float32(2.0)))], (), [], id="constants of two precisions"),
        pytest.param([(0, 2), (1, 3)], (1,), [], id="one is to remain alone"),
    ],
)
def test_families_read_the_same_blocks_at_one_distance(inputs, apart, members):
    rows = {0: (0, 0), 1: (0, 1), 2: (1, 0), 3: (1, 1)}
    operations = [Operation(np.subtract, operands, 4 + place, DOUBLE) for place, operands in enumerate(inputs)]
    assert [family.members for family in families(operations, rows, apart)] == members


def same_bits(one, other):
    """Equal to the sign of each zero; any two that are no numbers are alike."""
    numbers = ~(np.isnan(one) & np.isnan(other))
    return np.array_equal(one, other, equal_nan=True) and np.array_equal(
        np.signbit(one[numbers]), np.signbit(other[numbers])
    )


def assert_replayed(step, state, inputs=(), steps=3):
    """A kernel's step, `step(inputs, state)` → new state, reward, terminated, gets the same bits in a replay."""

    def advance(given, columns):
        new, reward, terminated = step(given, columns)
        return tuple(np.positive(c) if any(c is old for old in columns) else c for c in new), reward, terminated

    expected, got = np.array(state, np.float64), np.array(state, np.float64)
    inputs = [np.array(column) for column in inputs]
    reward, terminated = np.zeros(got.shape[1]), np.zeros(got.shape[1], np.bool_)
    with np.errstate(all="ignore"):
        recording = Recording(advance, tuple(column.dtype for column in inputs), tuple(DOUBLE for _ in state))
        new, *results = recording.result
        targets = list(zip(results, (reward, terminated), strict=True))
        calls = bind_renewing(recording, inputs, got, new, targets)
        for _ in range(steps):
            for call in calls:
                call()
            new, *results = step(tuple(inputs), tuple(expected.copy()))
            for row, column in zip(expected, new, strict=True):
                row[...] = column
            assert same_bits(got, expected)
            for target, result in zip((reward, terminated), results, strict=True):
                assert same_bits(target, np.broadcast_to(result, target.shape).astype(target.dtype))


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(
            lambda i, s: ((s[0] + 0.1 * i[0], s[1] * 0.9 + s[0] * 0.1), s[0], False), id="the old state's reward"
        ),
        pytest.param(lambda i, s: ((s[0] + 0.5 * s[1], s[1] + 0.5 * s[0]), s[1], s[0] > 0), id="and of an Euler step"),
        pytest.param(
            lambda i, s: ((s[0] + 0.5 * s[1].astype(np.int64), s[1] + 0.5 * i[0]), 1.0, False), id="whole numbers' rate"
        ),
        pytest.param(
            lambda i, s: ((s[0] + 0.5 * (s[1] > 0), s[1] + 0.5 * np.where(s[1] > 0, s[0], i[0])), 1.0, False),
            id="a rate of yes or no",
        ),
        pytest.param(
            lambda i, s: ((s[0] * 0.5, (s[0] > 1.0) | (s[1] > 0.5)), np.where(s[1] > 0.5, s[0], 0.0), False),
            id="a state of yes or no",
        ),
        pytest.param(
            lambda i, s: ((np.copysign(s[0], 0.0) + 0.0 * s[1], np.copysign(s[1], -0.0) + 1.0), 1.0, False),
            id="two zeros",
        ),
        pytest.param(
            lambda i, s: ((s[0] * np.where(0.3 > 0.5, 2.0, 3.0), s[1] + np.array(0.1234567890123)), 1.0, False),
            id="a parameter chosen by where",
        ),
        pytest.param(
            lambda i, s: ((s[0] * np.array(0.1234567890123), s[0] * np.array(0.1234567890999)), 1.0, False),
            id="numbers that print alike",
        ),
        pytest.param(
            lambda i, s: ((np.where(s[0], 1.0, 2.0), np.where(True, s[0], i[0])), np.where(0.0, s[0], 5.0), s[0]),
            id="conditions of numbers",
        ),
        pytest.param(
            lambda i, s: (
                (np.minimum(np.maximum(i[0], np.float64(0.1)), 1 / 3), np.minimum(np.maximum(i[0], -0.5), 0.2)),
                np.where(np.where(s[0] > 0, 1.0, 0.0) == s[1], 1.0, 2.0),
                False,
            ),
            id="bounds that widen, an action remembered",
        ),
    ],
)
def test_kernels_of_all_kinds_get_the_bits_of_plain_arrays(step):
    numbers = np.float32([[0.3, -0.7, 0.1]])
    assert_replayed(step, [[3.7, -1.2, 0.4], [-3.7, 0.8, 1.6]], numbers)


def test_a_state_of_one_number_may_be_its_own_reward():
    assert_replayed(lambda _, s: ((s[0] * 0.5 + 1.0,), s[0], s[0] > 1.5), [[0.5, 1.0, 3.0]])


CONSTANTS = (0.5, -0.25, 2.0, 0.0, -0.0, 1, 3, True, np.float32(0.1), np.float64(0.3), np.int64(2), np.nan, np.inf)
UNARY = (np.abs, np.negative, np.square, np.sqrt, np.floor, np.sign)
BINARY = (np.add, np.subtract, np.multiply, np.divide, np.minimum, np.maximum, np.copysign)
COMPARISONS = (np.less, np.greater, np.equal, np.not_equal)


@given(st.integers(0, 2**32))
@settings(max_examples=200)
def test_whatever_a_kernel_does_a_replay_does(seed):
    """Kernels at random, rich in what has short cuts: Euler steps, the same for several rows, bounds, choices."""

    def step(inputs, state):
        rng = np.random.default_rng(seed)
        values = [*state, *inputs]

        def pick(options):
            return options[rng.integers(len(options))]

        def some(kinds="fib"):
            return pick([value for value in values if value.dtype.kind in kinds] or [state[0] > 0.0])

        def either(kinds="f"):
            return some(kinds) if rng.random() < 0.5 else pick(CONSTANTS)

        for _ in range(rng.integers(1, 30)):
            kind, real = rng.integers(9), some("f")
            if kind == 0:
                values.append(pick(BINARY)(real, either()))
            elif kind == 1:
                values.append(pick(UNARY)(real))
            elif kind == 2:
                values.append(np.minimum(np.maximum(real, pick((-1.0, np.float64(0.1)))), pick((1 / 3, 1))))
            elif kind == 3:
                values.append(pick(COMPARISONS)(some("fi"), either()))
            elif kind == 4:
                values.append(np.where(some("b"), either("fib"), some()))
            elif kind == 5:
                values.append(pick((real.astype(np.float32), np.where(np.abs(real) < 1e6, real, 1.5).astype(np.int64))))
            elif kind == 6:
                values.append(pick((some("b") & some("b"), ~some("b"), some("b") * 2.0, arithmetic.single(real * 1.0))))
            else:
                function, first = pick(BINARY), rng.integers(4)
                values += [function(v, pick(CONSTANTS)) for v in values[first : first + 4] if v.dtype.kind == "f"]
        nearly_euler = rng.random() < 0.6
        new = [column + pick((0.5, 0.1, np.float32(0.1), 2)) * some() if nearly_euler else some() for column in state]
        return tuple(new), either("fib"), either("b")

    rng = np.random.default_rng(seed + 1)
    width = rng.integers(2, 10)
    inputs = rng.standard_normal((2, width)).astype(np.float32 if rng.random() < 0.5 else np.float64)
    assert_replayed(step, rng.standard_normal((rng.integers(1, 6), width)), inputs)


def test_rows_between_are_computed_for_nothing_only_where_that_spares_calls():
    def function(_, columns):
        x, y, z = columns
        return np.sqrt(x + 1.0), y, np.sqrt(z + 2.0)

    def moved(inputs, columns):
        x, y, z = function(inputs, columns)
        return x, np.positive(y), z

    state = np.random.default_rng(0).random((3, 30))
    got, calls, expected = renewed(moved, state, steps=3)
    np.testing.assert_array_equal(got, expected)
    assert calls == 1 + 3
    rows = {number: (0, number) for number in range(5)}
    far = [Operation(np.negative, (number,), 5 + number, DOUBLE) for number in (0, 4)]
    assert families(far, rows, ()) == []


def test_a_choice_by_if_is_refused_with_the_repair():
    with pytest.raises(TypeError, match=r"must choose between columns by where\(condition, x, y\)"):
        Recording(lambda x: x if x > 0 else -x, np.dtype(np.float64))


def test_functions_that_mix_columns_are_refused():
    with pytest.raises(TypeError, match=r"element by element, numpy\.sum does not"):
        Recording(np.sum, np.dtype(np.float64))
