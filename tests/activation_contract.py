"""What an activation promises."""

from __future__ import annotations

from typing import Any

import numpy as np

from evonet.activations import Activation
from evonet.testing.contract import require, run_checks, same_bits
from evonet.types import FloatArray

_NEAR = 0.01  # how near to a bound of its image a function must come


def check_activation(activation: Activation) -> None:
    """Hold an activation, such as `ACTIVATIONS["tanh"]`, to its contract.

    It works in place, on each number by itself, whatever the array's shape; finite numbers stay finite, the hugest too,
    and without a warning; NaN stays NaN, so that a network that is broken does not look sound; its image is what `low`
    and `high` say; and a line says what it is.

    Raises:
        AssertionError: a promise is broken; the message says which.
    """
    run_checks(CHECKS, activation)


def check_works_in_place_on_each_number(activation: Activation) -> None:
    """Same bits for the same number, alone or among others."""
    numbers = np.random.default_rng(0).normal(size=24) * 3
    image = numbers.copy()
    apply: Any = activation.apply
    returned = apply(image)
    require(returned is None, f"{_name(activation)}.apply must work in place and return nothing, got {type(returned)}")
    for shape in ((2, 12), (2, 3, 4), (24, 1)):
        shaped = numbers.reshape(shape).copy()
        activation.apply(shaped)
        require(same_bits(shaped.ravel(), image), f"{_name(activation)}.apply must give the same bits in every shape")
    alone = np.concatenate([_image(activation, numbers[i : i + 1]) for i in range(len(numbers))])
    require(same_bits(alone, image), f"{_name(activation)}.apply must look at each number by itself")


def check_finite_numbers_stay_finite(activation: Activation) -> None:
    """The hugest and the least, and nothing warns."""
    numbers = np.array([0.0, -0.0, 5e-324, 1.0, 40.0, 800.0, 1e155, 1e308, np.finfo(float).max])
    try:
        with np.errstate(over="raise", invalid="raise", divide="raise"):
            image = _image(activation, np.concatenate([numbers, -numbers]))
    except FloatingPointError as error:
        raise AssertionError(f"{_name(activation)}.apply must not overflow: {error}") from None
    require(bool(np.isfinite(image).all()), f"{_name(activation)}.apply must keep finite numbers finite, got {image}")


def check_nan_stays_nan(activation: Activation) -> None:
    """Else the output of a broken network would look like any other."""
    image = _image(activation, np.array([np.nan, 1.0, np.nan]))
    require(bool(np.isnan(image[[0, 2]]).all()), f"{_name(activation)}.apply must keep NaN, got {image[[0, 2]]}")
    require(bool(np.isfinite(image[1])), f"{_name(activation)}.apply must not spread NaN to other numbers")


def check_its_image_is_what_it_says(activation: Activation) -> None:
    """Never beyond `low` and `high`, and near to each, or without end where that is infinite."""
    name, low, high = _name(activation), activation.low, activation.high
    require(low < high, f"{name}.low must be below high, got {low} and {high}")
    usual = np.linspace(-30, 30, 6001)
    image = _image(activation, np.concatenate([usual, 1e6 * usual]))
    least, most = float(image.min()), float(image.max())
    require(low <= least and most <= high, f"{name} must stay within [{low}, {high}], got [{least}, {most}]")
    tight = (least < low + _NEAR if np.isfinite(low) else least < -1e3) and (
        most > high - _NEAR if np.isfinite(high) else most > 1e3
    )
    require(tight, f"{name}.low and high must be the bounds of its image, got {low} and {high} for [{least}, {most}]")


def check_is_described(activation: Activation) -> None:
    """In a line."""
    summary = activation.summary
    require(
        bool(summary.strip()) and "\n" not in summary, f"{_name(activation)}.summary must be a line, got {summary!r}"
    )


CHECKS = (
    check_works_in_place_on_each_number,
    check_finite_numbers_stay_finite,
    check_nan_stays_nan,
    check_its_image_is_what_it_says,
    check_is_described,
)


def _image(activation: Activation, numbers: FloatArray) -> FloatArray:
    image: FloatArray = numbers.copy()
    activation.apply(image)
    return image


def _name(activation: Activation) -> str:
    return f"Activation {getattr(activation.apply, '__name__', 'apply').strip('_')}"
