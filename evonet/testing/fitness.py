"""What a fitness promises: to be a pure function of genomes and seeds."""

from __future__ import annotations

import numpy as np

from evonet.fitness import Fitness, is_repeatable
from evonet.seeding import Purpose, episode_seeds
from evonet.testing.contract import require, run_checks, same_bits, unchanged
from evonet.types import FloatArray, IntArray

_GENOMES = 5


def check_fitness(fitness: Fitness) -> None:
    """Hold a fitness to its contract; a function of one's own as `FunctionFitness(function, architecture)`.

    The same genomes and seeds give the same bits, whatever was evaluated before; a genome's score does not depend on
    its neighbours; what could not be scored is named as a fault and ranks last; nothing given is written.

    Raises:
        AssertionError: a promise is broken; the message says which.
    """
    run_checks(CHECKS, fitness)


def check_results_have_their_shape(fitness: Fitness) -> None:
    """A row for each genome; a fault for each return that is none, and a finite return everywhere else."""
    genomes, seeds = _arguments(fitness)
    with unchanged(type(fitness).__name__, genomes=genomes, episode_seeds=seeds):
        results = fitness(genomes, seeds)
    shape = results.returns.shape
    fits = shape in {(_GENOMES, len(seeds)), (_GENOMES, 1)}
    require(fits, f"returns must have the shape {(_GENOMES, len(seeds))}, or one column, got {shape}")
    for name in ("lengths", "terminated"):
        require(getattr(results, name).shape == shape, f"{name} must have the shape of the returns, {shape}")
    missing = {(int(i), int(e)) for i, e in np.argwhere(~np.isfinite(results.returns))}
    named = {(fault.individual, fault.episode) for fault in results.faults}
    require(
        missing == named,
        f"what is no finite return must be a fault: {sorted(missing)} are none, {sorted(named)} faults",
    )


def check_is_a_pure_function(fitness: Fitness) -> None:
    """The same arguments give the same bits, also when others were evaluated in between."""
    genomes, seeds = _arguments(fitness)
    first = fitness(genomes, seeds)
    require(is_repeatable(fitness, genomes, seeds, first), "the same genomes and seeds must give the same returns")


def check_a_genome_is_scored_for_itself(fitness: Fitness) -> None:
    """Alone, or among others in another order, it scores the same bits."""
    genomes, seeds = _arguments(fitness)
    returns = fitness(genomes, seeds).returns
    turned = fitness(genomes[::-1].copy(), seeds).returns[::-1]
    require(same_bits(returns, np.ascontiguousarray(turned)), "the order of the genomes must not change a return")
    alone = np.concatenate([fitness(genomes[i : i + 1], seeds).returns for i in range(_GENOMES)])
    require(same_bits(returns, alone), "a genome must score alone what it scores among others")


def check_a_failed_episode_ranks_last(fitness: Fitness) -> None:
    """`aggregate` gives -inf where a return is NaN, a finite number elsewhere, and no row touches another."""
    returns = np.random.default_rng(0).normal(size=(4, fitness.episodes))
    whole = fitness.aggregate(returns)
    require(
        whole.shape == (4,) and bool(np.isfinite(whole).all()), f"aggregate must return 4 finite numbers, got {whole}"
    )
    returns[2, -1] = np.nan
    broken = fitness.aggregate(returns)
    require(broken[2] == -np.inf, f"aggregate must give -inf where a return is NaN, got {broken[2]}")
    require(
        same_bits(np.delete(broken, 2), np.delete(whole, 2)), "a failed episode must not change its neighbours' fitness"
    )


CHECKS = (
    check_results_have_their_shape,
    check_is_a_pure_function,
    check_a_genome_is_scored_for_itself,
    check_a_failed_episode_ranks_last,
)


def _arguments(fitness: Fitness) -> tuple[FloatArray, IntArray]:
    genomes = np.random.default_rng(1).normal(size=(_GENOMES, fitness.architecture.genome_size))
    return genomes, episode_seeds(0, Purpose.TRAINING, 0, fitness.episodes)
