"""FAULTS.md, rows 7 to 12: environments that hang or crash, and workers that are killed or cannot start.

A hundred individuals, eight of them trouble, are evaluated once by two workers; each test looks at its own.
"""

import json
import os
import signal
import sys
import threading
import time
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from evonet.cli import main
from evonet.errors import WorkersUnavailable
from evonet.evaluation.fault_policy import FaultPolicy
from evonet.fitness import EpisodeReturn
from evonet.foreign import without_place
from evonet.seeding import Purpose, episode_seeds
from tests.environments_for_tests import MODULE

pytestmark = pytest.mark.thorough
OBEDIENT = f"{MODULE}:evonet-tests/Obedient-v0"
SEEDS = np.array([3])
TIMEOUT = 1.5
SEGFAULT, KILLED, HANG, MEMORY, RAISE, EXIT, EXIT_0, HANG_IN_C, LEAVE = range(1, 10)
ROW = {trouble: 9 * trouble for trouble in (SEGFAULT, KILLED, HANG, MEMORY, RAISE, EXIT_0, HANG_IN_C, LEAVE)}


def orders(n=100):
    """Genomes whose networks cause the named faults; at first none."""
    genomes = np.zeros((n, 4))
    genomes[:, 3] = np.linspace(0.1, 2.0, n)
    return genomes


@pytest.fixture(scope="module")
def expected():
    return EpisodeReturn(OBEDIENT, hidden=1)(orders(), SEEDS)


@pytest.fixture(scope="module")
def survived():
    genomes = orders()
    for trouble, row in ROW.items():
        genomes[row, 3] = -trouble
    fitness = EpisodeReturn(OBEDIENT, hidden=1, workers=2, faults=FaultPolicy(timeout=TIMEOUT))
    fitness(orders(), SEEDS)
    workers = fitness._executor.processes.process_ids
    results = fitness(genomes, SEEDS)
    again = fitness(orders(), SEEDS)
    replaced = fitness._executor.processes.process_ids
    fitness.close()
    faults = {fault.individual: fault for fault in results.faults}
    return SimpleNamespace(results=results, faults=faults, again=again, workers=workers, replaced=replaced)


def assert_fault(survived, trouble, kind, message, attempts, place=None, last_line=None):
    fault = survived.faults[ROW[trouble]]
    assert (fault.kind, fault.episode, fault.seed, fault.attempts) == (kind, 0, 3, attempts)
    assert without_place(fault.message) == message
    assert fault.step == (None if kind in ("died", "timeout") else 1)
    assert np.isnan(survived.results.returns[ROW[trouble], 0])
    if place is None:
        assert fault.traceback == ""
    else:
        first, *_, last = fault.traceback.splitlines()
        assert first == "Traceback (most recent call last):"
        assert f"in {place}" in fault.traceback
        assert last == (last_line or message)


LATE = f"the episode took longer than {TIMEOUT} s"


def test_fault_7_hang_in_python(survived):
    assert_fault(survived, HANG, "timeout", LATE, 2, "_hang")


def test_fault_8_hang_in_c_ignoring_sigterm(survived):
    assert_fault(survived, HANG_IN_C, "timeout", LATE, 2, "_hang_in_c")


def test_fault_9_segfault(survived):
    assert_fault(survived, SEGFAULT, "died", "the worker process was killed by SIGSEGV", 2, "_segfault")


def test_fault_9_killed_by_itself(survived):
    assert_fault(survived, KILLED, "died", "the worker process was killed by SIGKILL", 2)


def test_fault_10_exit_in_the_environment(survived):
    assert_fault(survived, EXIT_0, "died", "the worker process ended with exit code 0", 2)


def test_fault_10_sys_exit_in_the_environment(survived):
    assert_fault(
        survived, LEAVE, "exception", "it left the program (sys.exit): it leaves", 1, "step", "SystemExit: it leaves"
    )


def test_an_environment_that_raises_is_not_tried_again(survived):
    assert_fault(survived, RAISE, "exception", "ValueError: no such thing", 1, "_raise")


def test_memory_exhausted_is_an_exception(survived):
    fault = survived.faults[ROW[MEMORY]]
    assert (fault.kind, fault.attempts, fault.step) == ("exception", 1, 1)
    assert "MemoryError" in fault.message


def test_all_good_evaluations_among_a_hundred_are_kept_and_the_others_named(survived, expected):
    good = np.setdiff1d(np.arange(100), list(ROW.values()))
    assert len(good) == 92
    assert survived.results.returns[good].tobytes() == expected.returns[good].tobytes()
    assert survived.results.lengths[good].tobytes() == expected.lengths[good].tobytes()
    assert [fault.individual for fault in survived.results.faults] == sorted(ROW.values())


def test_workers_are_replaced_and_evaluation_continues(survived, expected):
    assert survived.again.returns.tobytes() == expected.returns.tobytes()
    assert len(survived.replaced) == 2
    assert not set(survived.workers) & set(survived.replaced)


def test_fault_10_without_retries_too_only_the_failing_one_pays(expected):
    genomes = orders()
    genomes[43, 3] = -EXIT_0  # in the middle of a chunk
    policy = FaultPolicy(timeout=TIMEOUT * 20, retries=0)
    fitness = EpisodeReturn(OBEDIENT, hidden=1, workers=1, faults=policy)
    results = fitness(genomes, SEEDS)
    fitness.close()
    assert [(fault.individual, fault.attempts) for fault in results.faults] == [(43, 1)]
    good = np.arange(100) != 43
    assert results.returns[good].tobytes() == expected.returns[good].tobytes()


def test_fault_11_worker_killed_from_outside():
    here, there = (EpisodeReturn(OBEDIENT, hidden=1, workers=w, kwargs={"pause": 0.004}) for w in (1, 2))
    wanted = here(orders(60), SEEDS)
    there(orders(2), SEEDS)
    victims = there._executor.processes.process_ids

    def kill():
        for victim in victims:
            time.sleep(0.1)
            os.kill(victim, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    results = there(orders(60), SEEDS)
    killer.join()
    assert not set(victims) & set(there._executor.processes.process_ids)
    there.close()
    assert results.faults == []
    assert results.returns.tobytes() == wanted.returns.tobytes()


@pytest.mark.skipif(sys.platform != "linux", reason="no other kernel has such a score")
def test_where_memory_runs_out_the_kernel_ends_a_worker_rather_than_the_run():
    own = int(Path("/proc/self/oom_score_adj").read_text(encoding="ascii"))
    if own > 500:
        pytest.skip("this process is as expendable as a worker")
    environment = {"environment": f"{MODULE}:evonet-tests/Expendable-v0", "kwargs": {"ends": 1}, "hidden": 1}
    returns = []
    for workers in (1, 2):
        fitness = EpisodeReturn(**environment, workers=workers)
        returns.append(fitness(np.zeros((1, fitness.architecture.genome_size)), SEEDS).returns.item())
        fitness.close()
    assert returns == [own, 500]


@pytest.mark.parametrize(
    ("leaves", "reason"),
    [
        (False, f"'{MODULE}:evonet-tests/Shy-v0' cannot be made: OSError: no licence for a second process"),
        (True, "the worker process ended with exit code 7"),
    ],
    ids=["raises", "leaves"],
)
def test_fault_12_workers_cannot_start(leaves, reason, monkeypatch):
    started = []
    start = SpawnProcess.start
    monkeypatch.setattr(SpawnProcess, "start", lambda process: (started.append(process), start(process)))
    fitness = EpisodeReturn(
        f"{MODULE}:evonet-tests/Shy-v0", kwargs={"leaves": leaves}, workers=1, faults=FaultPolicy(timeout=9.0)
    )
    genomes = np.zeros((4, fitness.architecture.genome_size))
    with pytest.raises(WorkersUnavailable) as refused:
        fitness(genomes, SEEDS)
    assert without_place(str(refused.value)) == f"worker processes cannot start (tried 3 times): {reason}"
    assert refused.value.exit_status == 1
    assert len(started) == 3
    fitness.close()


def test_fault_12_with_auto_too_an_environment_of_one_s_own_never_runs_in_this_process(tmp_path, capsys):
    path = tmp_path / "c.yaml"
    path.write_text(f"environment: {{id: '{MODULE}:evonet-tests/Shy-v0'}}\n", encoding="utf-8")
    assert main(["run", str(path), "--allow-import", MODULE, "--output", str(tmp_path / "run")]) == 1
    assert "worker processes cannot start (tried 3 times): " in (message := capsys.readouterr().err)
    assert "no licence for a second process" in message


def config_for(folder, trouble, rest=""):
    path = Path(folder) / "c.yaml"
    path.write_text(
        f"environment: {{id: '{OBEDIENT}', kwargs: {{only: {trouble}}}}}\nnetwork: {{hidden: 2}}\n"
        f"algorithm: {{population_size: 8, elites: 2}}\nevaluation: {{episodes: 1}}\n{rest}",
        encoding="utf-8",
    )
    return str(path)


def test_more_workers_than_processors_are_a_warning(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("evonet.processes.cores._limit", 1)
    (tmp_path / "c.yaml").write_text(
        "environment: {id: CartPole-v1, max_steps: 9}\nalgorithm: {population_size: 4, elites: 1}\n"
        "evaluation: {engine: numpy}\nvalidation: {episodes: 1}\ntest: {episodes: 1}\nstop: {generations: 1}\n",
        encoding="utf-8",
    )
    warning = "2, but this process may use 1 processor: additional workers take memory and save no time\n"
    arguments = [str(tmp_path / "c.yaml"), "--workers", "2", "--output"]
    assert main(["run", *arguments, str(tmp_path / "run")]) == 0
    assert f"evaluation.workers is {warning}" in capsys.readouterr().err
    assert main(["study", *arguments, str(tmp_path / "study"), "--seeds", "1"]) == 0
    assert f"--workers is {warning}" in capsys.readouterr().err


def test_check_survives_and_reports_an_environment_that_crashes(tmp_path, capsys):
    assert main(["check", config_for(tmp_path, SEGFAULT), "--allow-import", MODULE]) == 1
    message = capsys.readouterr().out
    assert "): the worker process was killed by SIGSEGV\n" in message
    assert "note: Gymnasium's checker is left out until episodes can be scored\n" in message


def test_fault_10_a_run_goes_on_and_its_champion_is_tested_apart_too(tmp_path, capsys):
    rest = (
        "faults: {max_share: 1, retries: 0}\nvalidation: {episodes: 3}\ntest: {episodes: 3}\nstop: {generations: 2}\n"
    )
    arguments = ["run", config_for(tmp_path, EXIT, rest), "--allow-import", MODULE]
    assert main([*arguments, "--output", str(tmp_path / "run"), "--json", "--seed", "2"]) == 0
    summary = json.loads(capsys.readouterr().out)
    lines = (tmp_path / "run" / "faults.jsonl").read_text(encoding="utf-8").splitlines()
    faults = [json.loads(line) for line in lines]
    assert summary["generations"] == 2
    assert summary["champion"]["test_mean"] is not None
    assert {(fault["kind"], fault["message"], fault["attempts"]) for fault in faults} == {
        ("died", "the worker process ended with exit code 3", 1)
    }


def test_faults_that_stop_a_run_early_are_numbered_as_all_others(tmp_path, capsys):
    rest = "faults: {max_share: 0.1, retries: 0}\n"
    settings = ["--set", "evaluation.episodes=2", "--set", "algorithm.population_size=12"]
    arguments = ["run", config_for(tmp_path, EXIT, rest), "--allow-import", MODULE, *settings]
    assert main([*arguments, "--output", str(tmp_path / "run"), "--seed", "2"]) == 1
    assert "more than faults.max_share 0.1 allows; the first, died, seed " in capsys.readouterr().err
    faults = [json.loads(line) for line in (tmp_path / "run/faults.jsonl").read_text(encoding="utf-8").splitlines()]
    seeds = episode_seeds(2, Purpose.TRAINING, 0, 2)
    assert any(fault["individual"] > 1 for fault in faults)
    assert all(fault["seed"] == int(seeds[fault["episode"]]) for fault in faults)
