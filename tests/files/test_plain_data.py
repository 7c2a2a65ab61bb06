"""Plain data comes back as it was from JSON, tuples and keys included; all else is refused with its place."""

import enum
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonet.files.plain_data import data_from, describe_data

texts = st.text(max_size=4) | st.sampled_from(["$tuple", "$dict", "$", "tuple"])
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts
keys = st.recursive(scalars, lambda parts: st.lists(parts, max_size=2).map(tuple), max_leaves=3)
plain = st.recursive(
    scalars,
    lambda parts: (
        st.lists(parts, max_size=3)
        | st.lists(parts, max_size=3).map(tuple)
        | st.dictionaries(keys, parts, max_size=3)
        | st.dictionaries(texts, parts, max_size=1)
    ),
)


@given(plain)
def test_plain_data_comes_back_as_it_was(value):
    again = data_from(json.loads(json.dumps(describe_data(value, "value"))))
    assert repr(again) == repr(value)  # which tells True from 1 and a tuple from a list


def test_json_without_a_mark_stands_for_itself():
    value = {"a": [1, {"tuple": [2.5, None]}], "b": {"": True}}
    assert describe_data(value, "value") == value
    assert data_from(value) == value


def test_nan_comes_back():
    assert math.isnan(data_from(json.loads(json.dumps(describe_data((math.nan,), "value"))))[0])


class Colour(enum.IntEnum):
    RED = 1


RULE = "must be a number, a text, true, false, None, or a list, tuple or dict of those"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"f": print}, f"value['f'] {RULE}, got <built-in function print> of type builtin_function_or_method"),
        ({"a": [1, (2, np.array([3.0]))]}, f"value['a'][1][1] {RULE}, got array([3.]) of type ndarray"),
        ([b"1"], f"value[0] {RULE}, got b'1' of type bytes"),
        (1j, f"value {RULE}, got 1j of type complex"),
        (Colour.RED, f"value {RULE}, got <Colour.RED: 1> of type Colour"),
        ({Colour.RED: 1}, f"a key of value {RULE}, got <Colour.RED: 1> of type Colour"),
        ({1, 2}, f"value {RULE}, got {{1, 2}} of type set"),
    ],
    ids=["function", "array", "bytes", "complex", "enum", "key", "set"],
)
def test_what_is_no_plain_data_is_refused_with_its_place(value, message):
    with pytest.raises(TypeError) as refused:
        describe_data(value, "value")
    assert str(refused.value) == message


@pytest.mark.parametrize(
    "description",
    [
        {"$tuple": 1},
        {"$tuple": [1], "a": 2},
        {"$tuple": [1], "$dict": []},
        {"$other": []},
        {"$dict": [[1]]},
        {"$dict": ["ab"]},
        {"$dict": [[[1], 2]]},
        {"$dict": [[{"$tuple": [[1]]}, 2]]},
        {"$dict": [[1, 2], [1, 3]]},
        {"$dict": [[1, 2], [True, 3]]},
        [{"a": {"$tuple": {}}}],
    ],
    ids=str,
)
def test_a_description_of_nothing_is_refused(description):
    with pytest.raises(ValueError, match=r"^(\$dict must have |\$dict must be |a tuple or dict must be )"):
        data_from(description)
