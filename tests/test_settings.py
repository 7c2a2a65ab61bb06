"""Settings are validated against their annotations, with errors that name the setting, the rule and the value."""

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import pytest
from annotated_types import Ge, Gt, Le, Lt
from hypothesis import given
from hypothesis import strategies as st

from evonet.operators.selection import Tournament
from evonet.settings import (
    Count,
    Natural,
    PositiveFloat,
    Probability,
    Settings,
    argument_defaults,
    argument_hints,
    check,
    chosen,
    did_you_mean,
)


@dataclass(frozen=True)
class Kite(Settings):
    """Something with a setting of every kind."""

    tails: Count = 1
    spares: Natural = 0
    luck: Probability = 0.5
    span: PositiveFloat = 1.0
    height: float = 0.0
    pull: Annotated[float, Gt(-1), Lt(1)] = 0.0
    load: Annotated[int, Ge(-3), Le(3)] = 0
    name: str = "kite"
    flying: bool = True
    colour: Literal["red", "green"] = "red"
    rope: Count | None = None
    extras: Mapping[str, Any] = field(default_factory=dict)


def refusal(**values: Any) -> str:
    with pytest.raises((TypeError, ValueError)) as refused:
        Kite(**values)
    return f"{type(refused.value).__name__}: {refused.value}"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"tails": 0}, "ValueError: Kite.tails must be at least 1, got 0"),
        ({"spares": -1}, "ValueError: Kite.spares must be at least 0, got -1"),
        ({"luck": 1.5}, "ValueError: Kite.luck must be at most 1, got 1.5"),
        ({"luck": -0.1}, "ValueError: Kite.luck must be at least 0, got -0.1"),
        ({"span": 0.0}, "ValueError: Kite.span must be greater than 0, got 0.0"),
        ({"pull": 1.0}, "ValueError: Kite.pull must be less than 1, got 1.0"),
        ({"pull": -1}, "ValueError: Kite.pull must be greater than -1, got -1"),
        ({"load": 4}, "ValueError: Kite.load must be at most 3, got 4"),
        ({"height": float("nan")}, "ValueError: Kite.height must be finite, got nan"),
        ({"span": float("inf")}, "ValueError: Kite.span must be finite, got inf"),
        ({"colour": "blue"}, "ValueError: Kite.colour must be one of 'green', 'red', got 'blue'"),
        ({"rope": 0}, "ValueError: Kite.rope must be at least 1, got 0"),
        ({"tails": "2"}, "TypeError: Kite.tails must be a whole number, got '2'"),
        ({"tails": 2.0}, "TypeError: Kite.tails must be a whole number, got 2.0"),
        ({"tails": np.float64(2.0)}, "TypeError: Kite.tails must be a whole number, got 2.0"),
        ({"tails": True}, "TypeError: Kite.tails must be a whole number, got True"),
        ({"tails": None}, "TypeError: Kite.tails must be a whole number, got None"),
        ({"tails": np.array([1, 2])}, "TypeError: Kite.tails must be a whole number, got array([1, 2])"),
        ({"tails": np.array([1])}, "TypeError: Kite.tails must be a whole number, got array([1])"),
        ({"rope": "long"}, "TypeError: Kite.rope must be a whole number, got 'long'"),
        ({"luck": "often"}, "TypeError: Kite.luck must be a number, got 'often'"),
        ({"luck": True}, "TypeError: Kite.luck must be a number, got True"),
        ({"luck": 1j}, "TypeError: Kite.luck must be a number, got 1j"),
        ({"flying": 1}, "TypeError: Kite.flying must be true or false, got 1"),
        ({"flying": "off"}, "TypeError: Kite.flying must be true or false, got 'off'"),
        ({"name": 3}, "TypeError: Kite.name must be text, got 3"),
    ],
)
def test_a_wrong_value_is_refused_by_name_rule_and_value(values, message):
    assert refusal(**values) == message


@pytest.mark.parametrize(
    "values",
    [
        {"tails": 1},
        {"luck": 0},
        {"luck": 1},
        {"pull": -0.999},
        {"load": -3},
        {"rope": None},
        {"rope": 3},
        {"extras": {"anything": object()}},
    ],
)
def test_a_right_value_is_kept_as_it_is(values):
    kite = Kite(**values)
    assert all(getattr(kite, name) == value for name, value in values.items())


def test_a_numpy_number_becomes_python_s_own():
    kite = Kite(tails=np.uint8(200), luck=np.float32(0.5))
    assert (type(kite.tails), type(kite.luck)) == (int, float)
    assert (kite.tails, kite.luck) == (200, 0.5)


@pytest.mark.parametrize("flying", [np.bool_(0), np.array(False)], ids=["scalar", "array without axes"])
def test_a_numpy_boolean_becomes_python_s_own_and_is_no_number(flying):
    kite = Kite(flying=flying)
    assert kite.flying is False
    assert refusal(tails=flying) == "TypeError: Kite.tails must be a whole number, got False"


def test_numpy_s_numbers_in_lists_tuples_and_dicts_become_python_s_own():
    extras = {"a": [np.int8(1), (np.float32(0.5), np.bool_(1))], np.str_("b"): {np.int64(3): np.str_("c")}}
    assert repr(Kite(extras=extras).extras) == repr({"a": [1, (0.5, True)], "b": {3: "c"}})
    assert Kite(extras={"a": np.zeros(1)}).extras["a"].shape == (1,)


def test_the_arguments_of_a_function_are_checked_by_its_annotations():
    def fly(height: PositiveFloat, times: Count = 1) -> None: ...

    check(fly, {"height": 2, "times": 3})
    with pytest.raises(ValueError, match=r"fly\.times must be at least 1, got 0$"):
        check(fly, {"height": 2, "times": 0})


@given(st.floats() | st.integers() | st.text(max_size=3) | st.booleans() | st.none())
def test_a_probability_is_a_number_from_0_to_1_and_nothing_else(value):
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if number and 0 <= value <= 1:
        assert Kite(luck=value).luck == value
    else:
        assert re.match(r"(Type|Value)Error: Kite\.luck must be ", refusal(luck=value))


def test_settings_are_frozen_equal_by_value_and_can_be_keys():
    kite = Kite(tails=2, extras=())
    with pytest.raises(dataclasses.FrozenInstanceError):
        kite.tails = 3
    assert kite == Kite(tails=2, extras=())
    assert hash(kite) == hash(Kite(tails=2, extras=()))


def test_replacing_a_field_checks_it_again():
    with pytest.raises(ValueError, match=r"Kite\.tails must be at least 1, got 0"):
        dataclasses.replace(Kite(), tails=0)


def test_check_leaves_out_what_was_not_given():
    check(Kite, {"tails": 3})
    with pytest.raises(ValueError, match=r"Kite\.tails"):
        check(Kite, {"tails": -3})


def test_hints_and_defaults_are_those_of_the_constructor():
    class Plain:
        def __init__(self, size: Count, rate: Probability = 0.25) -> None: ...

    assert argument_hints(Plain) == {"size": Count, "rate": Probability}
    assert argument_defaults(Plain) == {"rate": 0.25}


def test_an_unknown_name_is_answered_with_the_nearest_and_all_sorted():
    registry = {"tournament": 1, "random": 2, "roulette": 3}
    assert chosen("owner.argument", "random", registry) == 2
    with pytest.raises(ValueError) as refused:
        chosen("owner.argument", "tournement", registry)
    assert str(refused.value) == (
        "owner.argument must be a known name, got 'tournement'; "
        "did you mean 'tournament'? Known: random, roulette, tournament"
    )


def test_a_name_that_resembles_none_gets_no_suggestion():
    assert did_you_mean("zzz", ["b", "a"]) == "known: a, b"


def test_settings_may_be_inherited_by_a_class_of_another_module():
    @dataclass(frozen=True)
    class Elsewhere(Tournament):  # whose annotation `Count` this module does not know
        """A setting of the user's own class."""

    assert argument_hints(Elsewhere) == argument_hints(Tournament)
    with pytest.raises(ValueError, match=r"^Elsewhere.size must be at least 1, got 0$"):
        Elsewhere(size=0)


def test_an_argument_whose_default_follows_from_others_has_the_annotation_of_its_values():
    class Herd:
        derived_defaults: ClassVar = {"dogs": lambda settings: settings["sheep"] // 10}

        def __init__(self, sheep: Count, dogs: Count | None = None, name: str | None = None) -> None: ...

    assert argument_hints(Herd) == {"sheep": Count, "dogs": Count, "name": str | None}
    with pytest.raises(ValueError, match=r"^Herd\.dogs must be at least 1, got 0$"):
        check(Herd, {"dogs": 0})
