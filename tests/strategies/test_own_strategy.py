"""A strategy of one's own: one file, and one line that enters it."""

import sys

import pytest

from evonet.architecture import Architecture
from evonet.champion import Champion
from evonet.experiment.algorithms import ALGORITHMS
from evonet.experiment.config import Config
from evonet.experiment.config.catalogue import catalogue
from evonet.experiment.runner import run
from evonet.testing import check_strategy

FILE = '''
"""A hill climber."""

from typing import Annotated

import numpy as np
from annotated_types import Ge

from evonet.seeding import Purpose, generator
from evonet.settings import PositiveFloat, check
from evonet.strategies.strategy import Strategy


class HillClimber(Strategy):
    """Whoever is best so far, and steps around it, longer after a success."""

    saved_attributes = ("best", "best_fitness", "sigma")

    def __init__(self, architecture, population_size: Annotated[int, Ge(2)] = 8, sigma: PositiveFloat = 0.5, *, seed=0):
        check(type(self), {"population_size": population_size, "sigma": sigma})
        super().__init__(architecture, seed=seed)
        self.population_size, self.sigma = population_size, sigma
        self.best = generator(seed, Purpose.INITIALISATION).standard_normal(architecture.genome_size)
        self.best_fitness = -np.inf

    def propose(self, rng):
        return self.best + self.sigma * rng.standard_normal((self.population_size, len(self.best)))

    def learn(self, rng, genomes, fitness):
        better = fitness.max() > self.best_fitness
        self.sigma *= 1.2 if better else 0.9
        if better:
            self.best, self.best_fitness = genomes[fitness.argmax()].copy(), float(fitness.max())
'''


@pytest.fixture
def entered(tmp_path, monkeypatch):
    (tmp_path / "hill_climber_for_tests.py").write_text(FILE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(ALGORITHMS, "hill_climber", "hill_climber_for_tests:HillClimber")
    yield tmp_path
    sys.modules.pop("hill_climber_for_tests", None)


def test_a_strategy_of_one_file_and_one_line_is_usable_from_yaml_and_listed(entered):
    config = entered / "c.yaml"
    config.write_text(
        "environment: {id: CartPole-v1, max_steps: 50}\nnetwork: {hidden: 2}\n"
        "algorithm: {type: hill_climber, population_size: 6, sigma: 0.8}\nevaluation: {workers: 1}\n"
        "validation: {episodes: 3}\ntest: {episodes: 3}\nstop: {generations: 4, target: null}\n",
        encoding="utf-8",
    )
    summary = run(Config.load(str(config)), entered / "run")
    assert (summary["generations"], summary["evaluations"]) == (4, 24)
    assert Champion.load(entered / "run" / "champion.npz").test.episodes == 3
    assert (
        catalogue()["algorithm"]["hill_climber"]
        == "Whoever is best so far, and steps around it, longer after a success."
    )


def test_it_is_held_to_the_contract_of_strategies(entered):
    owner = ALGORITHMS["hill_climber"]
    check_strategy(lambda architecture, seed: owner(architecture, seed=seed))
    assert owner(Architecture(2, 2, 1)).population_size == 8
