"""What an archive promises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from evonet.archives.archive import IMPROVED, NEW, REJECTED
from evonet.testing.contract import require, run_checks, same_bits, unchanged
from evonet.testing.strategy import through_a_file
from evonet.types import FloatArray

MakeArchive: TypeAlias = Callable[[], Any]
"""Called without arguments: returns an empty archive over two measures that lie in [0, 1]."""

_GENES = 3


def check_archive(make: MakeArchive) -> None:
    """Hold an archive to its contract.

    It copies what it takes, and writes nothing that it is given; it refuses what could not be scored and measures that
    it does not know; what it holds has been offered; its best never becomes worse; it goes on from its state.

    Args:
        make: returns an empty archive over two measures that lie in [0, 1].

    Raises:
        AssertionError: a promise is broken; the message says which.
    """
    run_checks(CHECKS, make)


def check_an_empty_archive_says_so(make: MakeArchive) -> None:
    """Length 0, no best, nothing at any place, a QD score of 0."""
    archive = make()
    none = (len(archive), len(archive.elites), archive.best, archive.at(0.5, 0.5), archive.qd_score())
    require(none == (0, 0, None, None, 0.0), f"an empty archive must have nothing, got {none}")
    require(len(make().add(np.empty((0, _GENES)), [], np.empty((0, 2))).status) == 0, "it must take no solutions")


def check_elites_are_what_was_offered(make: MakeArchive) -> None:
    """Each elite is a solution that was offered, with its own fitness, measures and id; nothing given is written."""
    archive, rng = make(), np.random.default_rng(0)
    offered: dict[int, tuple[bytes, float, bytes]] = {}
    for batch in range(4):
        genomes, fitness, measures = _solutions(rng, 40)
        ids = 40 * batch + np.arange(40)
        with unchanged(type(archive).__name__, genomes=genomes, fitness=fitness, measures=measures):
            insertion = archive.add(genomes, fitness, measures, ids)
        for row, number in enumerate(ids.tolist()):
            offered[number] = (genomes[row].tobytes(), float(fitness[row]), measures[row].tobytes())
        genomes[...] = np.nan
        require(set(insertion.status.tolist()) <= {REJECTED, IMPROVED, NEW}, "status must be 0, 1 or 2")
    elites = archive.elites
    require(len(elites) == len(archive) > 0, "elites must be as many as the archive's length")
    held = zip(elites.ids.tolist(), elites.genomes, elites.fitness.tolist(), elites.measures, strict=True)
    for number, genome, fit, measured in held:
        same = offered[number] == (genome.tobytes(), fit, measured.tobytes())
        require(same, f"the elite {number} must be as it was offered")
    require(len(np.unique(elites.cells)) == len(elites), "elites must have different cells")


def check_the_first_solutions_enter(make: MakeArchive) -> None:
    """A solution that is offered to an empty archive enters it, and is found at its measures and as the best."""
    archive = make()
    insertion = archive.add(np.ones((1, _GENES)), [2.5], [[0.25, 0.75]], [7])
    require(insertion.status.tolist() == [NEW], f"the first solution must enter, got status {insertion.status}")
    for elite in (archive.at(0.25, 0.75), archive.best, archive.elites[0]):
        require(elite.id == 7 and elite.fitness == 2.5, f"the first solution must be found, got {elite}")


def check_what_could_not_be_scored_is_rejected(make: MakeArchive) -> None:
    """NaN and infinity, as fitness or as a measure, change nothing."""
    archive = make()
    fitness = np.array([np.nan, -np.inf, np.inf, 1.0, 1.0])
    measures = np.array([[0.5, 0.5], [0.5, 0.5], [0.5, 0.5], [np.nan, 0.5], [0.5, np.inf]])
    with np.errstate(all="raise"):
        insertion = archive.add(np.zeros((5, _GENES)), fitness, measures)
    require(not insertion.status.any(), f"what has no score must be rejected, got status {insertion.status}")
    require((insertion.value == -np.inf).all(), f"and have the value -inf, got {insertion.value}")
    require(len(archive) == 0, "and must not be in the archive")


def check_the_best_never_becomes_worse(make: MakeArchive) -> None:
    """The best, the number of elites and the QD score never fall, in archives that keep the fittest."""
    archive, rng, before = make(), np.random.default_rng(1), (-np.inf, 0, -np.inf)
    for _ in range(20):
        archive.add(*_solutions(rng, 25))
        after = (archive.best.fitness, len(archive), archive.qd_score(offset=-10.0))
        require(all(now >= then for now, then in zip(after, before, strict=True)), f"it fell from {before} to {after}")
        before = after


def check_measures_may_come_by_name(make: MakeArchive) -> None:
    """`measures` by name, with others beside them, is the same as a matrix; a missing one is refused by name."""
    by_name, by_column = make(), make()
    genomes, fitness, measures = _solutions(np.random.default_rng(2), 30)
    first, second = by_name.measure_names
    named = {second: measures[:, 1], "another": fitness, first: measures[:, 0]}
    same = by_name.add(genomes, fitness, named), by_column.add(genomes, fitness, measures)
    require(same_bits(same[0].value, same[1].value), "measures by name must be the same as by column")
    try:
        by_name.add(genomes, fitness, {first: measures[:, 0]})
    except ValueError as error:
        require(repr(second) in str(error), f"the error must name the missing measure {second!r}, got {error}")
    else:
        raise AssertionError(f"add must refuse measures without {second!r}")


def check_goes_on_from_a_state(make: MakeArchive) -> None:
    """An archive restored from a state goes on with the same bits, and a state can be written; a copy starts empty."""
    for batches in (0, 3):
        whole, rng = make(), np.random.default_rng(3)
        for _ in range(batches):
            whole.add(*_solutions(rng, 30))
        state, resumed = whole.state(), make()
        written = through_a_file(state)
        resumed.restore(state)
        genomes, fitness, measures = _solutions(rng, 30)
        same = [archive.add(genomes, fitness, measures) for archive in (whole, resumed)]
        require(same_bits(same[0].value, same[1].value), "a restored archive must value what comes as the first did")
        for name in ("genomes", "fitness", "measures", "ids", "cells"):
            arrays = [getattr(archive.elites, name) for archive in (whole, resumed)]
            require(same_bits(*arrays), f"a restored archive must go on with the same {name}")
        still = all(same_bits(state[name], written[name]) for name in state)
        require(still, "a state must stay as it is when an archive that was restored from it goes on")
        copied = whole.empty_copy()
        require((len(copied), len(whole)) == (0, len(resumed)), "an empty copy must be empty, and leave the original")


CHECKS = (
    check_an_empty_archive_says_so,
    check_elites_are_what_was_offered,
    check_the_first_solutions_enter,
    check_what_could_not_be_scored_is_rejected,
    check_the_best_never_becomes_worse,
    check_measures_may_come_by_name,
    check_goes_on_from_a_state,
)


def _solutions(rng: np.random.Generator, n: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Genomes, fitness with ties and measures of n solutions."""
    return rng.standard_normal((n, _GENES)), rng.integers(-3, 4, n).astype(np.float64), rng.random((n, 2))
