"""A run's bits depend neither on the processor's vector instructions nor on its number of cores."""

import os
import subprocess
import sys

import numpy as np
import pytest

from evonet import linear_algebra
from evonet.architecture import Architecture
from evonet.fingerprint import changes, fingerprint
from evonet.strategies.algorithm import uses_linear_algebra
from evonet.strategies.islands import Islands
from evonet.strategies.restarts import Restarts
from evonet.strategies.snes import SNES
from tests.processor_settings import AVX2, OLD, threads

ALGORITHMS = (
    "genetic_algorithm, initialisation: orthogonal, mutation: safe",
    "genetic_algorithm, initialisation: xavier, selection: boltzmann, mutation: polynomial, crossover: sbx",
    "genetic_algorithm, selection: exponential_rank, niching: {type: sharing, alpha: 1.5}, mutation: self_adaptive",
    (
        "genetic_algorithm, niching: species, mutation: {type: gaussian, "
        "sigma: {schedule: exponential, start: 0.5, end: 0.1, generations: 3}}"
    ),
    "snes",
    "openai_es",
    "pgpe",
    "ars",
    "cosyne",
    "differential_evolution",
)
RUNS = """
import hashlib, sys, tempfile
from pathlib import Path
from evonet.experiment.config import Config
from evonet.experiment.runner import run

TEXT = '''
name: small
environment: {{id: CartPole-v1, max_steps: 40}}
network: {{hidden: 5, hidden_activation: {hidden}, output_activation: {output}, recurrent: {recurrent}}}
algorithm: {{type: {algorithm}, population_size: 12}}
evaluation: {{engine: gymnasium, workers: 1, episodes: 1, normalise_observations: true}}
validation: {{episodes: 2}}
test: {{episodes: 2}}
stop: {{generations: 3, target: null}}
'''
ACTIVATIONS = ["sigmoid", "tanh", "sin", "gaussian", "relu"]
with tempfile.TemporaryDirectory() as folder:
    for number, algorithm in enumerate(sys.argv[1:]):
        config = Path(folder) / f"{number}.yaml"
        hidden, output = ACTIVATIONS[number % 5], ACTIVATIONS[(number + 2) % 4]
        recurrent = str(number % 2 == 0).lower()
        config.write_text(TEXT.format(algorithm=algorithm, hidden=hidden, output=output, recurrent=recurrent))
        output = Path(folder) / str(number)
        run(Config.load(str(config)), output)
        digest = hashlib.sha256()
        for name in ("metrics.jsonl", "genomes.jsonl", "lineage.jsonl", "champion.npz"):
            digest.update((output / name).read_bytes() if (output / name).exists() else b"")
        print(algorithm, digest.hexdigest())
"""
SEARCH = """
import sys
import numpy as np
from evonet.architecture import Architecture
from evonet.strategies.cma_es import CMAES
from evonet.strategies.xnes import XNES

for strategy, hidden in ((CMAES, 24), (XNES, 8)):
    algorithm = strategy(Architecture(10, hidden, 1), population_size=8, seed=3)
    for _ in range(4):
        algorithm.tell(-(algorithm.ask() ** 2).sum(axis=1))
    print(algorithm.ask().sum(axis=1).tolist())
"""


def printed(program, *arguments, **environment):
    kept = {name: value for name, value in os.environ.items() if name not in threads(1)}
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env={**kept, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.thorough
@pytest.mark.parametrize("processor", [AVX2 | threads(2), OLD], ids=["AVX2, two threads", "no vector instructions"])
def test_small_runs_have_the_same_bits_on_another_processor(processor):
    assert printed(RUNS, *ALGORITHMS, **processor) == printed(RUNS, *ALGORITHMS)


@pytest.mark.thorough
def test_strategies_that_need_an_eigendecomposition_do_not_depend_on_the_number_of_cores():
    pytest.importorskip("cmaes")
    assert printed(SEARCH, **threads(1)) == printed(SEARCH, **threads(2))


def test_linear_algebra_has_one_thread_within_and_as_many_as_before_afterwards():
    threadpoolctl = pytest.importorskip("threadpoolctl")

    def count():
        return {library["num_threads"] for library in threadpoolctl.threadpool_info() if library["user_api"] == "blas"}

    with threadpoolctl.threadpool_limits(2, "blas"):
        before = count()
        with linear_algebra.single_threaded():
            with linear_algebra.single_threaded():
                assert count() == {1}
            assert count() == {1}
        assert count() == before


def test_the_fingerprint_knows_the_linear_algebra_where_it_counts():
    pytest.importorskip("threadpoolctl")
    known = fingerprint(linear_algebra=True)
    assert known["linear algebra"] == linear_algebra.description()
    assert known["linear algebra"].endswith(", one thread")
    assert "linear algebra" not in fingerprint()
    other = known | {"linear algebra": "openblas 0.1 Prescott, one thread"}
    assert changes(other, known) == f"linear algebra openblas 0.1 Prescott, one thread → {known['linear algebra']}"
    assert changes(fingerprint(), known) is None


def test_an_algorithm_says_whether_it_uses_linear_algebra():
    pytest.importorskip("cmaes")
    from evonet.strategies.cma_es import CMAES

    architecture = Architecture(2, 2, 1)
    for make, uses in ((CMAES, True), (SNES, False)):
        assert uses_linear_algebra(make(architecture)) == uses
        assert uses_linear_algebra(Restarts(architecture, make)) == uses
        assert uses_linear_algebra(Islands(architecture, make, 2, migrants=0)) == uses
    assert not uses_linear_algebra(np)
