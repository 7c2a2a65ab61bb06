"""Strategies from YAML."""

import json

import numpy as np
import pytest

from evonet.architecture import Architecture
from evonet.cli import main
from evonet.experiment.algorithms import ALGORITHMS
from evonet.extras import install_hint
from evonet.settings import PositiveFloat
from evonet.strategies.strategy import Strategy
from tests.archived import ARCHIVED

pytest.importorskip("cmaes")
BASE = (
    "environment: {id: CartPole-v1}\nnetwork: {hidden: 2}\nvalidation: {episodes: 2}\ntest: {episodes: 2}\n"
    "stop: {generations: 3, target: null}\n"
)


def run(tmp_path, algorithm, capsys):
    (tmp_path / "config.yaml").write_text(BASE + f"algorithm: {algorithm}\n")
    status = main(["run", str(tmp_path / "config.yaml"), "--quiet", "--json", "--output", str(tmp_path / "run")])
    captured = capsys.readouterr()
    return status, json.loads(captured.out) if status == 0 else captured.err


AROUND = {"restarts", "relay", "growing", "islands", "novelty_search"}


@pytest.mark.parametrize("name", sorted(set(ALGORITHMS) - AROUND - ARCHIVED))
def test_every_algorithm_runs_by_its_name(name, tmp_path, capsys):
    status, summary = run(tmp_path, name, capsys)
    assert status == 0
    assert summary["generations"] == 3


def test_an_algorithm_within_an_algorithm(tmp_path, capsys):
    algorithm = "{type: restarts, policy: bipop, algorithm: {type: cma_es, population_size: 6, evaluate_mean: false}}"
    status, summary = run(tmp_path, algorithm, capsys)
    assert status == 0
    assert summary["evaluations"] == 18
    assert "population_size: 6" in (tmp_path / "run" / "config.yaml").read_text()


def test_a_setting_within_is_held_to_its_rule_with_its_place(tmp_path, capsys):
    status, error = run(tmp_path, "{type: restarts, algorithm: {type: pgpe, population_size: 5}}", capsys)
    assert status == 2
    assert error == (
        f"evonet: {tmp_path}/config.yaml:6:53: algorithm.algorithm.population_size must be a multiple of 2, got 5\n"
    )


def test_an_unknown_strategy_is_answered_with_all_names(tmp_path, capsys):
    status, error = run(tmp_path, "cma", capsys)
    assert status == 2
    assert "algorithm.type must be a known name, got 'cma'; " in error
    assert "ars, cma_es, cma_mae, cma_me, cosyne, differential_evolution" in error


def test_a_name_that_resembles_none_is_answered_with_how_one_s_own_part_is_named(tmp_path, capsys):
    assert run(tmp_path, "hill_climber", capsys)[1].endswith("; one of your own is module:Class\n")


def test_without_its_package_a_strategy_says_what_to_install(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "cmaes", None)
    status, error = run(tmp_path, "cma_es", capsys)
    assert status == 2
    assert install_hint("strategies") in error


class Shrinking(Strategy):
    """Guesses ever nearer to zero."""

    def __init__(self, architecture, shrink: PositiveFloat = 0.9, *, seed: int = 0):
        super().__init__(architecture, seed=seed)
        self.shrink = shrink

    def propose(self, rng):
        return self.shrink**self.generation * rng.standard_normal((5, self.architecture.genome_size))

    def learn(self, rng, genomes, fitness):
        pass


def test_a_strategy_is_added_by_one_class_and_one_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(ALGORITHMS, "shrinking", Shrinking)
    status, summary = run(tmp_path, "{type: shrinking, shrink: 0.5}", capsys)
    assert status == 0
    assert summary["evaluations"] == 15
    genomes = Shrinking(__import__("evonet").Architecture(2, 1, 1), 0.5).ask()
    assert np.isfinite(genomes).all()


def test_cma_es_has_a_stricter_rule_than_the_constructor_that_it_inherits(tmp_path, capsys):
    status, error = run(tmp_path, "{type: cma_es, population_size: 3}", capsys)
    assert status == 2
    assert "algorithm.population_size must be at least 4, got 3" in error
    with pytest.raises(ValueError, match=r"^CMAES.population_size must be at least 4, got 3$"):
        ALGORITHMS["cma_es"](Architecture(2, 2, 1), population_size=3)
