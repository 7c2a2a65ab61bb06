"""What a strategy promises, the genetic algorithm too: `ask`, `tell`, `state`, `restore`."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from evonet.architecture import Architecture
from evonet.testing.contract import require, run_checks
from evonet.types import FloatArray

MakeStrategy: TypeAlias = Callable[..., Any]
"""Called with an architecture and `seed=`: a class, or `functools.partial` of one with settings."""

_ARCHITECTURE = Architecture(3, 2, 1, "tanh", "identity")
_GOAL, _BUDGET, _LIMIT = -0.12, 15_000, 20_000


def check_strategy(make: MakeStrategy) -> None:
    """Hold a strategy to its contract.

    It asks for finite genomes, and for the same ones until `tell`; the same seed gives the same bits; from its state,
    through a file, it goes on bit for bit; it copes with fitness that teaches nothing or could not be had; an id is
    that of one genome only; and it learns: it climbs a smooth hill of eleven genes.

    An algorithm with an archive is told the first genes as the measures that the archive names.

    Args:
        make: called with an architecture and `seed=`: a class, or `functools.partial` of one with settings.

    Raises:
        AssertionError: a promise is broken; the message says which.
    """
    run_checks(CHECKS, make)


def check_asks_for_genomes(make: MakeStrategy) -> None:
    """`ask` returns finite genomes `(n, genome_size)`, those of `population`, which has fitness after `tell`."""
    strategy = make(_ARCHITECTURE, seed=5)
    genomes = strategy.ask()
    size = _ARCHITECTURE.genome_size
    fits = genomes.dtype == np.float64 and genomes.ndim == 2 and genomes.shape[1] == size
    require(fits, f"ask must return float64 (n, {size}), got {genomes.dtype} {genomes.shape}")
    require(np.isfinite(genomes).all(), "ask must return finite genes")
    require(np.array_equal(strategy.population.genomes, genomes), "population.genomes must be what ask returned")
    require(strategy.population.fitness is None, "population.fitness must be None until tell")
    fitness = _sphere(genomes)
    _tell(strategy, fitness)
    require(np.array_equal(strategy.population.fitness, fitness), "population.fitness must be what tell was given")


def check_asks_for_the_same_until_tell(make: MakeStrategy) -> None:
    """`ask` returns the same genomes, however often it is called."""
    strategy = make(_ARCHITECTURE, seed=5)
    _evolved(strategy, 2)
    first = strategy.ask().copy()
    require(np.array_equal(strategy.ask(), first), "ask must return the same genomes until tell is called")


def check_the_seed_decides(make: MakeStrategy) -> None:
    """The same seed gives the same bits, another seed others."""
    first, again = (_evolved(make(_ARCHITECTURE, seed=5), 6) for _ in range(2))
    require(_same(first, again), "the same seed must give the same genomes")
    other = _evolved(make(_ARCHITECTURE, seed=6), 2)
    require(not _same(first[:2], other), "another seed must give other genomes")


def check_goes_on_from_a_state(make: MakeStrategy) -> None:
    """A restored strategy goes on bit for bit, from what a file can hold, taken after `tell` or after `ask`."""
    for asked in (False, True):
        whole = make(_ARCHITECTURE, seed=5)
        _evolved(whole, 5)
        if asked:
            whole.ask()
        when = "after ask" if asked else "after tell"
        resumed = make(_ARCHITECTURE, seed=5)
        resumed.restore(through_a_file(whole.state()))
        same_ids = np.array_equal(resumed.population.ids, whole.population.ids)
        require(same_ids, f"restore must bring back the ids of the population {when}")
        same_genomes = _same(_evolved(resumed, 5), _evolved(whole, 5))
        require(same_genomes, f"restored from a state {when}, it must ask for the genomes that it would have asked for")
        require(np.array_equal(resumed.population.ids, whole.population.ids), "and give them the same ids")


def check_a_state_stands_still(make: MakeStrategy) -> None:
    """Later generations do not change a state that was restored."""
    strategy = make(_ARCHITECTURE, seed=5)
    _evolved(strategy, 3)
    state = through_a_file(strategy.state())
    resumed, again = make(_ARCHITECTURE, seed=5), make(_ARCHITECTURE, seed=5)
    resumed.restore(state)
    expected = _evolved(resumed, 3)
    again.restore(state)
    require(
        _same(_evolved(again, 3), expected),
        "restore must copy what it is given: a state was changed by what came after",
    )


def check_copes_with_fitness_that_teaches_little(make: MakeStrategy) -> None:
    """All alike, none scored, some not scored, huge numbers and NaN: genomes stay finite, and nothing overflows."""
    lessons: dict[str, Callable[[FloatArray], FloatArray]] = {
        "equal fitness": lambda genomes: np.zeros(len(genomes)),
        "none scored": lambda genomes: np.full(len(genomes), -np.inf),
        "some not scored": lambda genomes: np.where(_every_third(genomes), -np.inf, _sphere(genomes)),
        "huge fitness and NaN": lambda genomes: np.where(_every_third(genomes), np.nan, 1e300 * _sphere(genomes)),
    }
    for lesson, fitness in lessons.items():
        with np.errstate(all="raise", under="ignore"):
            for genomes in _evolved(make(_ARCHITECTURE, seed=5), 6, fitness):
                require(np.isfinite(genomes).all(), f"ask must return finite genes, after {lesson} too")


def check_what_could_not_be_scored_is_least(make: MakeStrategy) -> None:
    """NaN becomes -inf in the population's fitness."""
    strategy = make(_ARCHITECTURE, seed=5)
    fitness = _sphere(strategy.ask())
    fitness[1] = np.nan
    _tell(strategy, fitness)
    remembered = strategy.population.fitness[1]
    require(remembered == -np.inf, f"tell must remember NaN as -inf, got {remembered}")


def check_an_id_is_that_of_one_genome(make: MakeStrategy) -> None:
    """No id is given twice, in one population or over generations."""
    strategy, seen = make(_ARCHITECTURE, seed=5), dict[int, bytes]()
    for _ in range(8):
        genomes, ids = strategy.ask(), strategy.population.ids
        require(len(np.unique(ids)) == len(genomes), "population.ids must be those of one individual each")
        for number, genome in zip(ids, genomes, strict=True):
            known = seen.setdefault(int(number), genome.tobytes())
            require(known == genome.tobytes(), f"the id {number} must not be given to another genome")
        _tell(strategy, _sphere(genomes))


def check_refuses_fitness_of_another_shape(make: MakeStrategy) -> None:
    """The error names the expected shape."""
    strategy = make(_ARCHITECTURE, seed=5)
    n = len(strategy.ask())
    try:
        _tell(strategy, np.zeros(n + 1))
    except ValueError as error:
        wanted = f"tell must get fitness of shape ({n},), got ({n + 1},)"
        require(str(error).endswith(wanted), f"the error must end with {wanted!r}, got {str(error)!r}")
    else:
        raise AssertionError(f"tell must refuse fitness ({n + 1},) for {n} genomes")


def check_climbs_a_hill(make: MakeStrategy) -> None:
    """Eleven genes within 0.35 of the top, taken together; guessing would take some millions of evaluations."""
    evaluations = float(np.median([steps_to_the_top(make, seed) for seed in range(3)]))
    require(evaluations < _BUDGET, f"it must climb a smooth hill within {_BUDGET} evaluations, took {evaluations:.0f}")


def check_only_the_order_of_fitness_counts(make: MakeStrategy) -> None:
    """A rising function of fitness changes nothing; strategies that weigh fitness itself need not hold to this.

    With distances that halve or double, for a sum of the same numbers in another order may differ by a bit.
    """
    plain = _evolved(make(_ARCHITECTURE, seed=5), 5)
    bent = _evolved(make(_ARCHITECTURE, seed=5), 5, lambda genomes: np.exp(_sphere(genomes) / 8))
    require(_same(plain, bent), "only the order of fitness must count")


GUESSING_CHECKS = (
    check_asks_for_genomes,
    check_asks_for_the_same_until_tell,
    check_the_seed_decides,
    check_goes_on_from_a_state,
    check_a_state_stands_still,
    check_copes_with_fitness_that_teaches_little,
    check_what_could_not_be_scored_is_least,
    check_an_id_is_that_of_one_genome,
    check_refuses_fitness_of_another_shape,
)
"""What holds even for one that learns nothing."""

CHECKS = (*GUESSING_CHECKS, check_climbs_a_hill)


def through_a_file(state: Any) -> Any:
    """The state as a file would hold it: numbers and texts as JSON, arrays as NumPy has them."""
    if isinstance(state, dict):
        return {key: through_a_file(value) for key, value in state.items()}
    if isinstance(state, np.ndarray):
        buffer = io.BytesIO()
        np.save(buffer, state, allow_pickle=False)
        buffer.seek(0)
        return np.load(buffer, allow_pickle=False)
    return json.loads(json.dumps(state))


def steps_to_the_top(make: MakeStrategy, seed: int) -> int:
    """Evaluations until a genome stands near the top of the hill, 20,000 if none ever does."""
    strategy, evaluations = make(_ARCHITECTURE, seed=seed), 0
    while evaluations < _LIMIT:
        genomes = strategy.ask()
        fitness = _sphere(genomes)
        evaluations += len(genomes)
        if fitness.max() > _GOAL:
            break
        _tell(strategy, fitness)
    return evaluations


def _tell(strategy: Any, fitness: FloatArray) -> None:
    """Tell the fitness; an algorithm with an archive is told the first genes as the measures that the archive names."""
    archive = getattr(strategy, "archive", None)
    if archive is None:
        strategy.tell(fitness)
    else:
        strategy.tell(fitness, measures=dict(zip(archive.measure_names, strategy.population.genomes.T, strict=False)))


def _sphere(genomes: FloatArray) -> FloatArray:
    fitness: FloatArray = -((genomes - 0.7) ** 2).sum(axis=1)
    return fitness


def _every_third(genomes: FloatArray) -> Any:
    return np.arange(len(genomes)) % 3 == 0


def _evolved(
    strategy: Any, generations: int, fitness: Callable[[FloatArray], FloatArray] = _sphere
) -> list[FloatArray]:
    """The genomes of each generation."""
    asked = []
    for _ in range(generations):
        genomes = strategy.ask()
        asked.append(genomes.copy())
        _tell(strategy, fitness(genomes))
    return asked


def _same(first: list[FloatArray], second: list[FloatArray]) -> bool:
    return len(first) == len(second) and all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
