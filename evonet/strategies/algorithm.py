"""The protocol of an algorithm, as the evolution loop, islands and restarts use it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias

import numpy as np

from evonet.architecture import Architecture
from evonet.errors import AlgorithmFailed
from evonet.foreign import guarded_algorithm
from evonet.operators.parents import Observe
from evonet.population import Population
from evonet.settings import Count, check_value
from evonet.types import FloatArray

_STEP_SIZES = ("std", "sigma", "noise")

AlgorithmFactory: TypeAlias = Callable[..., Any]
"""Makes an algorithm, called with `architecture`, `seed` and perhaps `population_size`."""


class Algorithm(Protocol):
    """A genetic algorithm or strategy: `ask` for genomes, `tell` their fitness.

    Attributes:
        architecture: architecture of the networks.
        population: the individuals last asked for, with their fitness once it is known.

    For a race it also has `mu`, see `mu_of`.
    """

    architecture: Architecture
    population: Population

    def ask(self) -> FloatArray:
        """Genomes to score, `(n, genome_size)`; n may differ from one generation to the next."""
        ...

    def tell(self, fitness: FloatArray) -> None:
        """Learn from the fitness of these genomes, `(n,)`.

        A `tell` may also take the keywords `returns`, what each episode is worth `(n, episodes)`, NaN for a failed one,
        `observe`, a function that returns network inputs of the fittest individual, `(k, num_inputs)`, or None, and
        `measures`, the mean over the episodes of each measure by name, `(n,)`, NaN for a failed individual: "return"
        and the measures of the fitness. When `observe` is first called it runs an episode; call it before `tell`
        returns.
        """
        ...

    def state(self) -> dict[str, Any]:
        """Everything that `restore` needs to continue bit for bit: arrays, numbers, texts, dicts and lists.

        It is taken between `tell` and `ask`, and stays as it is whatever the algorithm does next: an array that is
        written in place later must be copied. `evonet.strategies.saved_population` reads the population in it, as
        `genomes`, `ids` and `fitness`.
        """
        ...

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from `state`, which is copied."""
        ...


def mu_of(algorithm: object) -> int:
    """The attribute `mu` of an algorithm: how many of the fittest a race must find for it.

    For the others an estimate of their fitness must do.

    Raises:
        ValueError: the algorithm has no `mu`, or it is no whole number of at least 1.
    """
    mu = getattr(algorithm, "mu", None)
    if mu is None:
        raise ValueError(
            "a race needs an algorithm that goes by its fittest (cma_es, separable_cma_es, xnes, snes, random_search, "
            "a genetic algorithm without niching, structure and epsilon_lexicase, or restarts, growing and relay of "
            "these), "
            f"got {type(algorithm).__name__}"
        )
    name = f"{type(algorithm).__name__}.mu"
    try:
        check_value(name, Count, mu)
    except TypeError as error:
        raise ValueError(str(error)) from None
    return int(mu)


def ask(algorithm: Algorithm) -> FloatArray:
    """Call the algorithm's `ask`.

    Raises:
        AlgorithmFailed: the algorithm, or an operator of it, is not evonet's and raised an error; or `ask` returned
            something else than genomes.
    """
    with guarded_algorithm():
        genomes = algorithm.ask()
    size = algorithm.architecture.genome_size
    if np.ndim(genomes) != 2 or np.shape(genomes)[1] != size:
        name = type(algorithm).__name__
        raise AlgorithmFailed(f"{name}.ask must return genomes of shape (n, {size}), got {np.shape(genomes)}")
    return genomes


def tell_with_episodes(
    algorithm: Any,
    fitness: FloatArray,
    *,
    returns: FloatArray | None,
    observe: Observe | None,
    measures: Mapping[str, FloatArray] | None,
) -> None:
    """Call the algorithm's `tell` with the fitness, and with those of the keyword arguments that it accepts.

    Raises:
        AlgorithmFailed: the algorithm, or an operator of it, is not evonet's and raised an error.
    """
    episodes = {"returns": returns, "observe": observe, "measures": measures}
    taken = inspect.signature(algorithm.tell).parameters
    with guarded_algorithm():
        algorithm.tell(fitness, **{name: value for name, value in episodes.items() if name in taken})


def uses_linear_algebra(algorithm: object) -> bool:
    """Whether an algorithm says that its bits depend on NumPy's linear algebra library."""
    return bool(getattr(algorithm, "uses_linear_algebra", False))


def search_distribution(algorithm: Any) -> tuple[FloatArray, float] | None:
    """The mean `(genome_size,)` and the step size of an algorithm that samples around a mean; None for any other.

    Of a step size for each gene it is the root mean square.
    """
    running = getattr(algorithm, "running", algorithm)  # that of restarts
    mean = getattr(algorithm, "mean", getattr(running, "mean", None))
    sigma = next((getattr(running, name) for name in _STEP_SIZES if hasattr(running, name)), None)
    if not isinstance(mean, np.ndarray) or sigma is None:
        return None
    return mean, float(np.sqrt(np.square(sigma).mean()))


def evaluates_mean(algorithm: Any) -> bool:
    """Whether an algorithm samples around a mean and scores that too, as the last individual of a generation."""
    running = getattr(algorithm, "running", algorithm)  # that of restarts
    return bool(getattr(algorithm, "evaluate_mean", getattr(running, "evaluate_mean", False)))


def check_factory(owner: str, algorithm: object, *, setting: str = "algorithm") -> None:
    """Check that `algorithm` can be called; `owner` is the class whose `setting` it is.

    Raises:
        TypeError: `algorithm` cannot be called.
    """
    if not callable(algorithm):
        raise TypeError(f"{owner}.{setting} must make an algorithm when called, got {algorithm!r}")
