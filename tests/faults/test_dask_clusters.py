"""FAULTS.md, rows 31 and 32: Dask workers that are killed; a scheduler that is gone, absent, or has no workers."""

import logging
import os
import shutil
import signal
import subprocess
import threading
import time
from types import SimpleNamespace

import dask
import numpy as np
import pytest

from evonet.cli import main
from evonet.cluster.connection import _quiet, connected
from evonet.errors import ClusterUnavailable
from evonet.evaluation.fault_policy import FaultPolicy
from evonet.fitness import EpisodeReturn
from evonet.seeding import Purpose, episode_seeds
from tests import sleepy
from tests.clusters import DaskProcesses
from tests.environments_for_tests import MODULE
from tests.faults.processes import Started, generations_in, wait_until
from tests.stopped_runs import SMALL, exact_files

pytestmark = pytest.mark.thorough
OBEDIENT = f"{MODULE}:evonet-tests/Obedient-v0"
PAUSED = {"pause": 0.02}
SEED = np.array([3])
PATIENCE = "1"
SLEEPY_SEED = int(episode_seeds(3, Purpose.TRAINING, 3, 3)[1])  # in generation 3
RUN = f"environment: {{id: '{sleepy.SLEEPY}', kwargs: {{sleepy: [{SLEEPY_SEED}]}}}}\n{SMALL}"
ALLOWED = ("--allow-import", sleepy.MODULE)


def orders(n):
    genomes = np.zeros((n, 4))
    genomes[:, 3] = np.linspace(0.1, 2.0, n)
    return genomes


@pytest.fixture(scope="module")
def expected():
    return EpisodeReturn(OBEDIENT, hidden=1)(orders(24), SEED)


def later(*acts):
    """Do one thing after the other, beside the test."""

    def act():
        for pause, function in acts:
            time.sleep(pause)
            function()

    thread = threading.Thread(target=act)
    thread.start()
    return thread


def test_fault_31_dask_workers_killed_in_the_middle_of_a_generation(expected):
    with DaskProcesses(2) as processes, processes.connected() as cluster:
        fitness = EpisodeReturn(OBEDIENT, hidden=1, kwargs=PAUSED, executor=cluster, faults=FaultPolicy(retries=0))
        first, second = (worker.pid for worker in processes.workers)
        fitness(orders(4), SEED)
        killer = later((0.3, lambda: os.kill(first, signal.SIGKILL)))
        results = fitness(orders(24), SEED)
        killer.join()
        assert results.faults == []
        assert results.returns.tobytes() == expected.returns.tobytes()
        killer = later((0.3, lambda: os.kill(second, signal.SIGKILL)), (0.1, processes.add_worker))
        again = fitness(orders(24), SEED)  # with it went the genomes, and all results that were there
        killer.join()
        assert again.faults == []
        assert again.returns.tobytes() == expected.returns.tobytes()
        assert [worker.poll() for worker in processes.workers] == [-9, -9, None]
        fitness.close()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    (folder / "c.yaml").write_text(RUN, encoding="utf-8")
    arguments = ["run", str(folder / "c.yaml"), "--output", str(folder / "run"), "--quiet", "--workers", "1", *ALLOWED]
    assert main(arguments) == 0
    return exact_files(folder / "run")


@pytest.mark.parametrize(
    ("victims", "lacking"),
    [("scheduler", "does not answer"), ("workers", "has no workers")],
    ids=["scheduler", "workers"],
)
def test_fault_32_a_cluster_that_is_lost_stops_a_run_which_goes_on_anywhere(victims, lacking, tmp_path, whole):
    (tmp_path / "c.yaml").write_text(RUN, encoding="utf-8")
    path = tmp_path / "run"
    arguments = ["run", tmp_path / "c.yaml", "--output", path, *ALLOWED, "--dask-timeout", PATIENCE]
    asleep = tmp_path / "asleep"
    with DaskProcesses(2, environment={sleepy.ASLEEP: str(asleep)}) as processes:
        address = processes.address
        with Started(*arguments, "--dask", address) as started:
            wait_until(lambda: asleep.exists() and generations_in(path) == 3)
            for victim in [processes.scheduler] if victims == "scheduler" else processes.workers:
                victim.kill()
            status, out, err = started.ended()
            wait_until(lambda: not started.processes())
    assert (status, out) == (75, "")
    assert err.splitlines()[-2:] == [
        f"evonet: the Dask scheduler at {address} {lacking} (waited {PATIENCE} s)",
        f"resume with: evonet resume {path} {' '.join(ALLOWED)}",
    ]
    assert (path / "checkpoints" / "generation-00000002.npz").exists()
    assert main(["resume", str(path), "--quiet", "--workers", "1", *ALLOWED]) == 0
    assert exact_files(path) == whole


def asleep_on_dask(tmp_path, **settings):
    """A run on a cluster of its own that has come to generation 3, the training of which would take half a minute."""
    (tmp_path / "c.yaml").write_text(RUN, encoding="utf-8")
    path = tmp_path / "run"
    arguments = ["run", tmp_path / "c.yaml", "--output", path, *ALLOWED, "--dask", "local"]
    started = Started(*arguments, environment={sleepy.ASLEEP: str(tmp_path / "asleep")}, **settings)
    wait_until(lambda: generations_in(path) == 3 or started.process.poll() is not None, 120)
    time.sleep(0.3)
    return started, path


def test_fault_16_sigterm_to_all_processes_of_a_run_with_a_cluster_of_its_own(tmp_path, whole):
    started, path = asleep_on_dask(tmp_path)
    with started:
        os.killpg(started.process.pid, signal.SIGTERM)
        status, out, err = started.ended(60)
        wait_until(lambda: not started.processes(), 30)
    assert (status, out) == (143, "")
    assert "evonet: interrupted by SIGTERM" in err.splitlines()
    assert err.splitlines()[-2:] == [
        f"resume with: evonet resume {path} {' '.join(ALLOWED)}",
        f"or end it here and test its champion: evonet finish {path} {' '.join(ALLOWED)}",
    ]
    assert main(["resume", str(path), "--quiet", "--workers", "1", *ALLOWED]) == 0
    assert exact_files(path) == whole


def test_fault_15_a_second_ctrl_c_does_not_wait_for_a_cluster_of_one_s_own_to_close(tmp_path):
    program = (
        "import sys, time\n"
        "from evonet.cluster import connection\n"
        "def close(client):\n"
        "    print('closing', file=sys.stderr, flush=True)\n"
        "    time.sleep(60)\n"
        "connection._close = close\n"
        "from evonet.cli import main\n"
        "sys.exit(main())"
    )
    started, path = asleep_on_dask(tmp_path, program=program)
    with started:
        os.kill(started.process.pid, signal.SIGINT)
        while "closing" not in started.process.stderr.readline():
            pass
        os.kill(started.process.pid, signal.SIGINT)
        status, _, err = started.ended(20)
        wait_until(lambda: not started.processes(), 30)
    assert status == 130
    assert (
        f"evonet: stopped at once\nresume with: evonet resume {path} {' '.join(ALLOWED)}\n" in err
    )  # and what Dask leaves behind


def config_for(folder):
    (folder / "c.yaml").write_text("environment: {id: CartPole-v1}\nstop: {generations: 2}\n", encoding="utf-8")
    return str(folder / "c.yaml")


def test_fault_32_no_scheduler_answers(tmp_path, capsys):
    run = ["run", config_for(tmp_path), "--output", str(tmp_path / "run"), "--dask-timeout", "0.5"]
    started = time.monotonic()
    assert main([*run, "--dask", "tcp://127.0.0.1:9"]) == 75
    assert main([*run, "--dask", str(tmp_path / "none.json")]) == 75
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("evonet: no Dask scheduler answers at tcp://127.0.0.1:9 (waited 0.5 s): ")
    assert second == f"evonet: no Dask scheduler has written {tmp_path / 'none.json'} (waited 0.5 s)"
    assert not (tmp_path / "run").exists()
    assert time.monotonic() - started < 60


def test_fault_32_a_scheduler_without_workers(tmp_path, capsys):
    with DaskProcesses(0) as processes:
        arguments = ["--output", str(tmp_path / "run"), "--dask", processes.address, "--dask-timeout", "0.5"]
        assert main(["run", config_for(tmp_path), *arguments]) == 75
        message = f"evonet: the Dask scheduler at {processes.address} has no workers (waited"
        assert capsys.readouterr().err.startswith(message)
        assert not (tmp_path / "run").exists()
        assert main(["study", config_for(tmp_path), "--seeds", "2", *arguments]) == 75
        first, last = capsys.readouterr().err.splitlines()
        assert first.startswith(message)
        assert last == f"0 of 2 runs are done in {tmp_path / 'run'}; to continue, run the same command again"


def test_a_client_that_cannot_be_closed_hides_no_error(monkeypatch):
    def close(_):
        raise RuntimeError("Cannot change state of expiring Timeout")  # Dask's, now and then, if a scheduler is lost

    monkeypatch.setattr("evonet.cluster.connection._client", lambda *_: SimpleNamespace(close=close))
    with pytest.raises(ClusterUnavailable, match="lost"), connected("tcp://127.0.0.1:9", 1.0):
        raise ClusterUnavailable("lost")


def test_messages_of_dask_about_a_loss_are_hidden_and_its_loggers_restored():
    loggers = [logging.getLogger(name) for name in ("distributed", "distributed.client", "distributed.comm.tcp")]
    before = [logger.level for logger in loggers]
    with _quiet():
        assert not any(logger.isEnabledFor(logging.CRITICAL) for logger in loggers)
    assert [logger.level for logger in loggers] == before


def test_an_encrypted_scheduler_without_keys_is_refused_at_once(tmp_path, capsys):
    run = ["run", config_for(tmp_path), "--output", str(tmp_path / "run"), "--dask", "tls://127.0.0.1:9"]
    assert main(run) == 2
    needs = "evonet: --dask tls://127.0.0.1:9 needs Dask's settings `distributed.comm.tls`"
    assert capsys.readouterr().err == (
        f"{needs} with `ca-file` and the client's `key` and `cert`, and there are none\n"
    )
    none = str(tmp_path / "none.pem")
    with dask.config.set({"distributed.comm.tls.ca-file": none, "distributed.comm.tls.client.cert": none}):
        assert main(run) == 2
    assert capsys.readouterr().err.startswith(f"{needs}, and those there cannot be used: ")
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="nothing here makes keys")
def test_an_encrypted_cluster_gives_the_same_bits(tmp_path, expected):
    key, cert = str(tmp_path / "key.pem"), str(tmp_path / "cert.pem")
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-subj"]
    subprocess.run([*made, "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    settings = {"distributed.comm.tls.ca-file": cert}
    for role in ("scheduler", "worker", "client"):
        settings |= {f"distributed.comm.tls.{role}.key": key, f"distributed.comm.tls.{role}.cert": cert}
    settings |= {"distributed.comm.require-encryption": True, "distributed.comm.default-scheme": "tls"}
    names = {f"DASK_{name.upper().replace('.', '__').replace('-', '_')}": str(v) for name, v in settings.items()}
    with DaskProcesses(2, names) as processes, dask.config.set(settings):
        assert processes.address.startswith("tls://")
        with processes.connected() as cluster:
            fitness = EpisodeReturn(OBEDIENT, hidden=1, executor=cluster)
            assert np.array_equal(fitness(orders(24), SEED).returns, expected.returns)
            fitness.close()


def test_a_client_that_was_closed_is_a_cluster_that_is_gone():
    with DaskProcesses(1) as processes:
        with processes.connected() as cluster:
            fitness = EpisodeReturn(OBEDIENT, hidden=1, executor=cluster)
        with pytest.raises(ClusterUnavailable, match="does not answer"):
            fitness(orders(2), SEED)
        fitness.close()
