"""What every operator promises: frozen settings, checked by name, and a docstring."""

from __future__ import annotations

import dataclasses
from typing import Any, get_args

import numpy as np
from annotated_types import Gt, Lt
from numpy.typing import ArrayLike

from evonet.architecture import Architecture
from evonet.operators.parents import Parents
from evonet.settings import argument_hints
from evonet.testing.contract import require
from evonet.types import FloatArray

ARCHITECTURES = [
    Architecture(1, 1, 1, bias=False),
    Architecture(3, 5, 2),
    Architecture(2, 3, 1, recurrent=True),
    Architecture(7, 1, 9, bias=False, recurrent=True),
]
"""Networks of all kinds, the least among them."""


def check_settings_are_frozen(operator: Any) -> None:
    """It is a frozen dataclass: another of the same settings is equal, and none can be changed."""
    name = type(operator).__name__
    require(dataclasses.is_dataclass(operator), f"{name} must be a dataclass")
    again = dataclasses.replace(operator)
    require(again == operator, f"two of {name} with the same settings must be equal, got {operator} and {again}")
    require(hash(again) == hash(operator), f"two of {name} with the same settings must have one hash")
    for setting in [field.name for field in dataclasses.fields(operator)] or ["anything"]:
        try:
            setattr(operator, setting, 1)
        except dataclasses.FrozenInstanceError:
            continue
        raise AssertionError(f"{name} must be frozen: @dataclass(frozen=True); {setting} could be set")


def check_says_what_it_does(operator: Any) -> None:
    """Its class has a docstring of its own, not the one that `dataclass` writes."""
    kind = type(operator)
    written = kind.__doc__ and not kind.__doc__.startswith(f"{kind.__name__}(")  # what dataclass writes
    require(bool(written), f"{kind.__name__} must have a docstring that says what it does")


def check_settings_of_the_wrong_type_are_refused(operator: Any) -> None:
    """A text or a list where a number is wanted is refused by the setting's name, and shown."""
    for name in _hints(operator):
        for value in ("0.5", [1]):
            _refused(operator, name, value, (TypeError, ValueError))


def check_settings_out_of_range_are_refused(operator: Any) -> None:
    """Each number has a range, in its annotation, and what lies outside is refused by name."""
    for name, hint in _hints(operator).items():
        number, *bounds = get_args(hint) or (hint,)
        if number in {int, float}:
            wrong = [] if number is int else [float("nan"), float("inf")]
            wrong += [outside for bound in bounds for outside in _outside(bound)]
            require(bool(wrong), f"{type(operator).__name__}.{name} needs a range, such as Annotated[int, Ge(1)]")
            for value in wrong:
                _refused(operator, name, value, (ValueError,))


CHECKS = (
    check_settings_are_frozen,
    check_says_what_it_does,
    check_settings_of_the_wrong_type_are_refused,
    check_settings_out_of_range_are_refused,
)


def _hints(operator: Any) -> dict[str, Any]:
    kind: type = type(operator)
    return argument_hints(kind)


def _outside(bound: Any) -> list[Any]:
    """The nearest number that a bound excludes."""
    if isinstance(bound, Gt):
        return [bound.gt]
    if isinstance(bound, Lt):
        return [bound.lt]
    least, most = getattr(bound, "ge", None), getattr(bound, "le", None)
    return ([] if least is None else [least - 1]) + ([] if most is None else [most + 1])


def _refused(operator: Any, name: str, value: Any, errors: tuple[type[Exception], ...]) -> None:
    setting = f"{type(operator).__name__}.{name}"
    try:
        dataclasses.replace(operator, **{name: value})
    except errors as error:
        message = str(error)
        require(
            message.startswith(f"{setting} must be ") and message.endswith(f", got {value!r}"),
            f"the error must read `{setting} must be …, got {value!r}`, got {message!r}",
        )
    else:
        raise AssertionError(f"{setting} must refuse {value!r}; derive the class from evonet.settings.Settings")


def given(operator: Any, **settings: Any) -> Any:
    """The operator with those of these settings that it has."""
    known = {name: value for name, value in settings.items() if name in _hints(operator)}
    return dataclasses.replace(operator, **known)


def parents_with(
    fitness: ArrayLike, genomes: FloatArray | None = None, architecture: Architecture | None = None
) -> Parents:
    """Parents of a fitness `(n,)`; their genomes are zeros by default, of a network of one input and one output."""
    architecture, scores = architecture or ARCHITECTURES[0], np.asarray(fitness, dtype=np.float64)
    zeros = np.zeros((len(scores), architecture.genome_size))
    return Parents(architecture, zeros if genomes is None else genomes, scores)


def genome_matrices(rng: np.random.Generator, architecture: Architecture, how_many: int) -> list[FloatArray]:
    """Matrices of one shape: genes tiny, huge, zero and usual; sometimes of no rows at all."""
    shape = (int(rng.integers(7)), architecture.genome_size)
    return [any_genomes(rng, shape) for _ in range(how_many)]


def any_genomes(rng: np.random.Generator, shape: tuple[int, int]) -> FloatArray:
    """A matrix of genes tiny, huge, zero and usual."""
    sizes = np.where(rng.random(shape) < 0.5, 1.0, 10.0 ** rng.uniform(-150, 150, shape))
    return np.where(rng.random(shape) < 0.1, 0.0, rng.normal(size=shape).clip(-1, 1) * sizes)


def any_fitness(rng: np.random.Generator, n: int) -> FloatArray:
    """Fitness `(n,)`, usual, huge or tiny, and often tied."""
    scale = rng.choice([1.0, 1e-300, 1e6, 1e308])
    fitness: FloatArray = rng.uniform(-1, 1, n).round(int(rng.integers(4))) * scale
    return fitness
