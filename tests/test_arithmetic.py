"""Elementary functions are accurate and made of operations that every processor carries out with the same bits."""

import ast
import inspect
import math
from decimal import Context, Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonet import arithmetic

EXACT = Context(prec=60)
PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803482534211706798")
RNG = np.random.default_rng(0)
USUAL = np.concatenate([np.linspace(-20, 20, 2001), RNG.normal(size=2000), 10.0 ** RNG.uniform(-300, 1, 500)])


def exact_sine(x: Decimal) -> Decimal:
    half_turns = EXACT.to_integral_value(EXACT.divide(x, PI))
    rest = EXACT.subtract(x, EXACT.multiply(half_turns, PI))
    total = term = rest
    for n in range(1, 40):
        term = EXACT.divide(EXACT.multiply(EXACT.multiply(-term, rest), rest), 2 * n * (2 * n + 1))
        total = EXACT.add(total, term)
    return -total if half_turns % 2 else total


def exact_tanh(x: Decimal) -> Decimal:
    if abs(x) < Decimal("1e-10"):
        return EXACT.multiply(x, 1 - EXACT.divide(EXACT.multiply(x, x), 3))
    power = EXACT.exp(2 * x)
    return EXACT.divide(power - 1, power + 1)


REFERENCES = {
    "tanh": (exact_tanh, np.concatenate([USUAL, np.linspace(17.9, 18.5, 2001)])),
    "sigmoid": (lambda x: EXACT.divide(1, 1 + EXACT.exp(-x)), np.concatenate([USUAL, np.linspace(-600, 40, 2001)])),
    "exp": (EXACT.exp, np.concatenate([USUAL, np.linspace(-708, 708, 2001)])),
    "log": (EXACT.ln, np.concatenate([np.abs(USUAL) + 1e-305, 1 + RNG.normal(size=500) * 1e-6, np.arange(1.0, 999.0)])),
    "log1p": (
        lambda x: EXACT.ln(EXACT.add(1, x)),
        np.concatenate([RNG.uniform(-0.5, 1, 2000), -(10.0 ** RNG.uniform(-30, -1, 500))]),
    ),
    "sin": (exact_sine, np.concatenate([USUAL, RNG.normal(size=1000) * 1e6, np.arange(1.0, 500.0) * math.pi / 2])),
}


@pytest.mark.parametrize("name", REFERENCES)
def test_a_function_is_within_four_units_in_the_last_place(name):
    reference, places = REFERENCES[name]
    for x, value in zip(places.tolist(), getattr(arithmetic, name)(places).tolist(), strict=True):
        exact = reference(Decimal(x))
        unit = Decimal(math.ulp(float(exact)))
        assert abs(Decimal(value) - exact) <= 4 * unit, x


def test_the_cosine_is_accurate_near_1_and_near_0():
    x = np.concatenate([USUAL, RNG.normal(size=1000) * 1e6])
    assert np.allclose(arithmetic.cos(x), [math.cos(value) for value in x.tolist()], rtol=0, atol=1e-15)


@pytest.mark.parametrize("exponent", [0.0, 0.25, 1 / 21, 1.0, 2.0, 7.5])
def test_a_power_is_that_of_plain_python(exponent):
    bases = np.concatenate([RNG.random(500), RNG.random(500) * 100, [0.0, 1.0]])
    expected = [base**exponent for base in bases.tolist()]
    assert np.allclose(arithmetic.power(bases, exponent), expected, rtol=1e-14, atol=0)


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "sin", "cos", "exp", "log", "log1p"])
def test_nan_stays_nan_and_nothing_warns(name):
    with np.errstate(all="raise", under="ignore"):
        image = getattr(arithmetic, name)(np.array([math.nan, 0.5]))
    assert np.isnan(image).tolist() == [True, False]


def test_functions_saturate_without_a_warning():
    far = np.array([-math.inf, -1e308, -1e3, 1e3, 1e308, math.inf])
    with np.errstate(all="raise", under="ignore"):
        assert arithmetic.tanh(far).tolist() == [-1.0] * 3 + [1.0] * 3
        assert arithmetic.sigmoid(far)[3:].tolist() == [1.0] * 3
        assert (arithmetic.sigmoid(far)[:3] < 1e-200).all()
        assert arithmetic.exp(far)[:3].tolist() == [0.0] * 3
        assert np.isfinite(arithmetic.exp(far)).all()
        assert (np.abs(arithmetic.sin(far)) <= 1.0).all()
    assert arithmetic.log(np.zeros(1)).tolist() == [-math.inf]
    assert np.signbit(arithmetic.tanh(np.array([0.0, -0.0]))).tolist() == [False, True]


@given(st.floats(-40, 40), st.floats(0, 1e-3))
def test_tanh_and_sigmoid_never_leave_their_range_and_hardly_ever_fall(x, step):
    low, high = np.array([x]), np.array([x + step])
    for function, least in ((arithmetic.tanh, -1.0), (arithmetic.sigmoid, 0.0)):
        assert least <= function(low)[0] <= 1.0
        assert function(high)[0] >= function(low)[0] - 4 * math.ulp(1.0)
    assert arithmetic.tanh(-low)[0] == -arithmetic.tanh(low)[0]


def test_tanh_never_exceeds_1_where_it_comes_near_to_it():
    x = np.linspace(16.0, 18.75, 1_000_001)
    assert np.abs(arithmetic.tanh(np.concatenate([x, -x]))).max() == 1.0


@given(st.integers(1, 70), st.integers(1, 5), st.integers(0, 2**32))
def test_a_sum_by_halves_is_the_sum(count, size, seed):
    terms = np.random.default_rng(seed).normal(size=(count, size))
    expected = [math.fsum(column) for column in terms.T]
    assert np.allclose(arithmetic.add_up(terms.copy()), expected, rtol=0, atol=1e-13)


@given(st.integers(1, 40), st.integers(1, 6), st.integers(1, 6), st.integers(0, 2**32))
def test_products_are_those_of_linear_algebra(inner, rows, columns, seed):
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=(3, rows, inner)), rng.normal(size=(3, inner, columns))
    assert np.allclose(arithmetic.matrix_product(first, second), first @ second, rtol=0, atol=1e-12)
    assert np.allclose(arithmetic.weighted_sum(first[0, 0], second[0]), first[0, 0] @ second[0], rtol=0, atol=1e-12)
    assert math.isclose(arithmetic.length(first[0, 0]), np.linalg.norm(first[0, 0]), rel_tol=1e-14)


def test_a_weighted_sum_of_many_columns_is_made_in_blocks(monkeypatch):
    rng = np.random.default_rng(0)
    weights, rows = rng.normal(size=9), rng.normal(size=(9, 50))
    whole = arithmetic.weighted_sum(weights, rows)
    monkeypatch.setattr(arithmetic, "_MAX_PRODUCTS", 30)
    assert arithmetic.weighted_sum(weights, rows).tobytes() == whole.tobytes()


def test_only_operations_whose_bits_ieee_754_fixes_are_used():
    exact = {"minimum", "maximum", "multiply", "add", "where", "copyto", "array", "empty", "empty_like", "ones"}
    exact |= {"frexp", "sqrt", "equal", "not_equal", "divide", "int64", "float64", "inf"}
    used = {
        node.attr
        for node in ast.walk(ast.parse(inspect.getsource(arithmetic)))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "np"
    }
    assert used <= exact
