"""MAP-Elites, CMA-ME and CMA-MAE: the contract, resumption, starts, settings, and what they find."""

import functools

import numpy as np
import pytest

from evonet import Architecture
from evonet.archives import GridArchive, UnstructuredArchive
from evonet.experiment.algorithms import ALGORITHMS
from evonet.operators import Gaussian, Line, Linear, SelfAdaptive
from evonet.strategies import CMAMAE, CMAME, MAPElites
from evonet.testing import parametrize_checks
from tests.archived import ARCHIVED, RANGES, grid
from tests.stopped_runs import exact_files, go_on, run_stopped, run_whole

ARCHITECTURE = Architecture(3, 2, 1)
SIZE = ARCHITECTURE.genome_size
SMALL = {
    "map_elites": {"population_size": 12},
    "cma_me": {"emitters": 2, "samples": 6},
    "cma_mae": {"emitters": 2, "samples": 6},
}


CLIMBING = {
    "map_elites": {"mutation": Gaussian(sigma=0.05, rate=1.0)},
    "cma_me": {"samples": 12, "ranking": "improvement", "restart": "converged", "spread": 0.1},
    "cma_mae": {"samples": 12, "spread": 0.1},
}


def made(name, architecture=ARCHITECTURE, seed=0, cells=(6, 6), **settings):
    return ALGORITHMS[name](architecture, grid(name, cells), seed=seed, **(SMALL[name] | settings))


def told(algorithm, generations):
    for _ in range(generations):
        genomes = algorithm.ask()
        algorithm.tell(-np.square(genomes - 0.7).sum(axis=1), measures=genomes[:, :2])
    return algorithm


@parametrize_checks(
    "strategy", {name: functools.partial(made, name, cells=(2, 2), **CLIMBING[name]) for name in sorted(ARCHIVED)}
)
def test_an_algorithm_with_an_archive_keeps_the_contract(check):
    check()


@pytest.mark.parametrize("name", sorted(ARCHIVED))
def test_it_starts_at_what_it_is_given(name):
    genome = np.linspace(-2.0, 2.0, SIZE)
    genomes = made(name, initial=genome).ask()
    spread = np.abs(made(name).ask()).max()
    assert np.abs(genomes - genome).max(axis=1).min() <= spread


@pytest.mark.parametrize("name", sorted(ARCHIVED))
@pytest.mark.parametrize("ranking", ["improvement", "random_direction", "two_stage_random_direction"])
def test_the_archive_fills_by_every_ranking(name, ranking):
    settings = {} if name == "map_elites" else {"ranking": ranking, "parents": "entered"}
    few, many = (told(made(name, **settings), generations).archive for generations in (2, 40))
    assert few.coverage < many.coverage
    assert few.best.fitness <= many.best.fitness


def test_cma_me_learns_the_covariance_of_a_valley():
    """On a narrow valley along a diagonal, an emitter that knows no covariance is far from the top."""
    architecture = Architecture(9, 0, 1, skip=True)
    scale = 10.0 ** np.linspace(0, 2, architecture.genome_size)
    algorithm = CMAME(
        architecture,
        GridArchive({"x": (-9, 9)}, [1]),
        emitters=1,
        samples=20,
        ranking="improvement",
        restart="converged",
    )
    for _ in range(400):
        genomes = algorithm.ask()
        algorithm.tell(-(scale * np.square(np.cumsum(genomes, axis=1))).sum(axis=1), measures=genomes[:, :1])
    assert algorithm.archive.best.fitness > -1e-6


def test_an_emitter_without_improvement_restarts_at_an_elite():
    algorithm = made("cma_me", ranking="improvement")
    before = told(algorithm, 3).restarts
    genomes = algorithm.ask()
    algorithm.tell(np.full(len(genomes), -1e6), measures=genomes[:, :2])
    assert algorithm.restarts == before + 2
    means = algorithm._emitters.mean
    assert all((algorithm.archive.elites.genomes == mean).all(axis=1).any() for mean in means)
    assert (algorithm._emitters.sigma == 0.5).all()


def test_cma_mae_keeps_the_best_of_each_cell_beside_the_thresholds():
    algorithm = told(made("cma_mae"), 30)
    best, annealed = algorithm.archive.elites, algorithm.annealed.elites
    at = dict(zip(best.cells, best.fitness, strict=True))
    ahead = np.array([at[cell] - fitness for cell, fitness in zip(annealed.cells, annealed.fitness, strict=True)])
    assert (ahead >= 0).all()
    assert (ahead > 0).any()


def test_children_of_map_elites_are_near_elites_by_the_operators_it_is_given():
    algorithm = told(made("map_elites", crossover="none", mutation={"type": "gaussian", "rate": 0.2}), 5)
    elites = algorithm.archive.elites.genomes
    changed = np.array([(child != elites).sum(axis=1).min() for child in algorithm.ask()])
    assert 0 < changed.mean() < 0.5 * SIZE
    mixed = told(made("map_elites", crossover=Line(sigma=0.3), mutation=Gaussian(sigma=1e-9, rate=1.0)), 5)
    first = mixed.ask()[0]
    elites = mixed.archive.elites.genomes
    away = first - elites
    directions = elites[None] - elites[:, None]
    along = np.einsum("ik,ijk->ij", away, directions)
    lengths = np.square(directions).sum(axis=2) * np.square(away).sum(axis=1)[:, None]
    assert (along**2 >= 0.9999 * lengths).any(), "the child lies on a line through two elites"


def test_children_of_map_elites_name_the_elites_they_come_from():
    algorithm = told(made("map_elites"), 3)
    elites = set(algorithm.archive.elites.ids.tolist())
    algorithm.ask()
    assert set(algorithm.population.parents.ravel().tolist()) <= elites
    assert algorithm.population.operators_of(0) == ("line crossover", "gaussian mutation")
    alone = told(made("map_elites", crossover="none"), 1)
    assert alone.population.operators_of(0) == ()
    alone.ask()
    assert (alone.population.parents[:, 1] == -1).all()
    assert alone.population.operators_of(0) == ("gaussian mutation",)


@pytest.mark.parametrize("operator", [SelfAdaptive(), Gaussian(sigma=Linear(0.5, 0.1, 10))])
def test_an_operator_that_needs_a_population_is_refused(operator):
    with pytest.raises(ValueError, match=r"^MAPElites must have operators that work on genomes alone, got "):
        MAPElites(ARCHITECTURE, grid("map_elites"), mutation=operator)


def test_what_is_no_archive_or_lacks_thresholds_is_refused():
    with pytest.raises(TypeError, match=r"^CMAME.archive must be an archive such as GridArchive, got 3$"):
        CMAME(ARCHITECTURE, 3)
    for archive in (GridArchive(RANGES, [3, 3]), UnstructuredArchive(["x"], 1.0)):
        with pytest.raises(ValueError, match=r"^CMAMAE.archive must be an archive with thresholds, such as a grid"):
            CMAMAE(ARCHITECTURE, archive)
    with pytest.raises(ValueError, match=r"^MAPElites.tell must get the measures x, y beside the fitness, got none$"):
        made("map_elites").tell(np.zeros(12))


CONFIG = """
environment: {id: CartPole-v1}
network: {hidden: 2}
measures:
  lean: {of: observation, index: 2, take: mean}
validation: {episodes: 2}
test: {episodes: 2}
stop: {generations: 4, target: null}
"""
ARCHIVE = "archive: {type: grid, ranges: {lean: [-0.2, 0.2], return: [0, 500]}, cells: [8, 8]%s}"
ALGORITHM = {
    "map_elites": f"algorithm: {{type: map_elites, population_size: 12, {ARCHIVE % ''}}}",
    "cma_me": f"algorithm: {{type: cma_me, emitters: 2, samples: 6, {ARCHIVE % ''}}}",
    "cma_mae": "algorithm: {type: cma_mae, emitters: 2, samples: 6, "
    f"{ARCHIVE % ', learning_rate: 0.1, threshold_min: 0'}}}",
    "passive": f"algorithm: {{population_size: 8, elites: 2}}\n{ARCHIVE % ''}",
}


@pytest.mark.parametrize("name", ALGORITHM)
def test_a_run_with_an_archive_goes_on_to_the_last_bit(name, tmp_path):
    text = CONFIG + ALGORITHM[name]
    whole = exact_files(run_whole(tmp_path, text))
    for after in (0, 2):
        stopped = run_stopped(tmp_path, text, after=after, name=f"stopped-{after}")
        go_on(stopped)
        assert exact_files(stopped) == whole
