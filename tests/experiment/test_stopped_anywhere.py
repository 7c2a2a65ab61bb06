"""A hundred stops by Ctrl-C at random moments, for each algorithm of many answers, change no byte of the end."""

import random
import signal
import time

import pytest

from evonet.experiment.runner import resume, run
from tests.stopped_runs import EAGER, config_for, exact_files

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a timer of processor time")

STOPS = 100
MOST_RUNS = 100
GRID = "{type: grid, ranges: {lean: [-0.1, 0.1], return: [0, 30]}, cells: [6, 5]%s}"
BASE = """
environment: {id: CartPole-v1, max_steps: 30}
network: {hidden: 0, skip: true, bias: false}
measures: {lean: {of: observation, index: 2, take: mean}}
evaluation: {engine: gymnasium, workers: 1, episodes: 1}
validation: {episodes: 2, archive_episodes: 2}
test: {episodes: 2}
stop: {generations: 20, target: null}
"""
ALGORITHMS = {
    "map_elites": f"algorithm: {{type: map_elites, population_size: 8, archive: {GRID % ''}}}",
    "cma_me": f"algorithm: {{type: cma_me, emitters: 2, samples: 4, archive: {GRID % ''}}}",
    "cma_mae": "algorithm: {type: cma_mae, emitters: 2, samples: 4, archive: "
    + GRID % ", learning_rate: 0.1, threshold_min: 0"
    + "}",
    "novelty_search": "algorithm: {type: novelty_search, measures: [lean], neighbours: 3, "
    "algorithm: {type: genetic_algorithm, population_size: 8}}",
    "nsga2": "algorithm: {type: nsga2, population_size: 8}\nobjectives: {return: maximise, lean: minimise}",
}


def is_interrupted(go, seconds):
    """Whether Ctrl-C after so many `seconds` of processor time stopped `go()`; else it came to its end before."""
    before = signal.signal(signal.SIGVTALRM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
        go()
    except KeyboardInterrupt:
        return True
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    return False


def all_results(path):
    archive = path / "archive.npz"
    return exact_files(path) | ({"archive.npz": archive.read_bytes()} if archive.exists() else {})


@pytest.mark.slow
@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_run_that_was_stopped_at_random_moments_ends_in_the_same_bytes(name, tmp_path):
    config = config_for(tmp_path, BASE + ALGORITHMS[name], *EAGER)
    run(config, tmp_path / "warm")  # imports are no part of the time
    started = time.process_time()
    run(config, tmp_path / "whole")
    seconds, expected = time.process_time() - started, all_results(tmp_path / "whole")
    assert {"metrics.jsonl", "champion.npz"} < set(expected)
    moments, stops, generations = random.Random(f"{name} 7"), 0, set()
    for number in range(MOST_RUNS):
        path = tmp_path / str(number)
        while not (path / "run.json").exists():
            begun = (path / "config.yaml").exists()
            stops += is_interrupted(
                lambda path=path, begun=begun: resume(path) if begun else run(config, path), moments.uniform(0, seconds)
            )
            if (path / "metrics.jsonl").exists():
                generations.add((path / "metrics.jsonl").read_bytes().count(b"\n"))
        assert all_results(path) == expected, f"after {stops} stops"
        if stops >= STOPS:
            break
    print(f"{name}: {stops} stops of {number + 1} runs, after {len(generations)} numbers of generations")
    assert stops >= STOPS
    assert len(generations) >= 15, "the moments are spread over the run"
