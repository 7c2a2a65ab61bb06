"""A Dask cluster carries episodes and whole runs: the same bits, the same faults, and nothing left behind."""

import contextlib
import json
import pickle
import signal
import socket
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import numpy as np
import psutil
import pytest

from evonet.cli import main
from evonet.cluster import session
from evonet.cluster.connection import connected
from evonet.errors import ClusterUnavailable, EvonetError, WorkersUnavailable
from evonet.evaluation.executors import RemoteWorkers
from evonet.evaluation.fault_policy import FaultPolicy
from evonet.experiment.cluster_study import RemoteRun
from evonet.experiment.seed_run import Outcome
from evonet.fitness import EpisodeReturn
from evonet.foreign import without_place
from evonet.measures import Measure
from tests.clusters import DaskProcesses
from tests.environments_for_tests import MODULE
from tests.evaluation.executor_contract import check_executor
from tests.evaluation.test_executors import task_for
from tests.stopped_runs import exact_files

pytestmark = pytest.mark.thorough
OBEDIENT = f"{MODULE}:evonet-tests/Obedient-v0"
SEGFAULT, HANG, RAISE, EXIT = 1, 3, 5, 6
SMALL = (
    "name: small\nseed: 3\nenvironment: {id: CartPole-v1, max_steps: 60}\nnetwork: {hidden: 3}\n"
    "algorithm: {population_size: 8, elites: 2}\nvalidation: {episodes: 4}\ntest: {episodes: 5}\n"
    "stop: {generations: 3, target: null}\n"
)


@pytest.fixture(scope="module")
def processes():
    with DaskProcesses(2) as started:
        yield started


@pytest.fixture(scope="module")
def cluster(processes):
    with processes.connected() as ready:
        yield ready


@pytest.fixture(scope="module")
def ill_task():
    measures = {"x": Measure("observation", index=0, take="last"), "steps": Measure("length")}
    trouble = {"trouble": "raise", "at": 1, "seeds": [12]}
    return task_for(kwargs=trouble, normalise_observations=True, recurrent=True, measures=measures)


@pytest.fixture(scope="module")
def obedient(cluster):
    fitness = EpisodeReturn(OBEDIENT, hidden=1, executor=cluster.client, faults=FaultPolicy(timeout=1.5, retries=0))
    yield fitness
    fitness.close()


def orders(n, **troubles):
    """Genomes whose networks act as they are told: all well but for the troubles at some rows."""
    genomes = np.zeros((n, 4))
    genomes[:, 3] = np.linspace(0.1, 2.0, n)
    for row, trouble in troubles.items():
        genomes[int(row.removeprefix("row")), 3] = -trouble
    return genomes


def here(genomes, seeds):
    return EpisodeReturn(OBEDIENT, hidden=1)(genomes, seeds)


SEED = np.array([3])


def test_two_dask_workers_keep_the_contract_of_an_executor(cluster, ill_task):
    workers = RemoteWorkers(ill_task, "gymnasium", cluster, 1)
    check_executor(workers, ill_task)
    workers.close()


def test_an_environment_that_hangs_or_crashes_takes_no_dask_worker_with_it(processes, obedient):
    genomes = orders(20, row3=SEGFAULT, row7=HANG, row11=RAISE, row15=EXIT)
    results = obedient(genomes, SEED)
    assert {fault.individual: (fault.kind, without_place(fault.message)) for fault in results.faults} == {
        3: ("died", "the worker process was killed by SIGSEGV"),
        7: ("timeout", "the episode took longer than 1.5 s"),
        11: ("exception", "ValueError: no such thing"),
        15: ("died", "the worker process ended with exit code 3"),
    }
    good = np.setdiff1d(np.arange(20), [3, 7, 11, 15])
    assert results.returns[good].tobytes() == here(orders(20), SEED).returns[good].tobytes()
    assert [worker.poll() for worker in processes.workers] == [None, None]


def test_environments_are_made_once_in_each_dask_worker_and_kept(processes, obedient):
    first = obedient(orders(8), SEED)
    kept = processes.children()
    assert 1 <= len(kept) <= 2
    for _ in range(2):
        assert obedient(orders(8), SEED).returns.tobytes() == first.returns.tobytes()
    assert kept <= processes.children()
    assert len(processes.children()) <= 2


def test_a_genome_goes_to_the_cluster_once_and_with_the_chunk_it_acts_in(cluster, obedient, monkeypatch):
    graphs = []
    send = cluster.client.map

    def listened(function, arguments, **settings):
        graphs.append(arguments)
        return send(function, arguments, **settings)

    monkeypatch.setattr(cluster.client, "map", listened)
    genomes = orders(40)
    assert obedient(genomes, SEED).faults == []
    (graph,) = graphs
    assert len(graph) >= 2
    calls = [pickle.loads(pickled) for pickled in graph]
    chunks = sorted((chunk for _, _, (_, _, chunk) in calls), key=lambda chunk: chunk.first)
    assert np.concatenate([chunk.genomes for chunk in chunks]).tobytes() == genomes.tobytes()


class Alarm(BaseException):
    pass


def test_an_evaluation_can_be_left_at_once_the_workers_serve_on_and_when_it_is_closed_none_stays(processes, cluster):
    def ring(number, frame):
        raise Alarm

    before, known = processes.children(), set(cluster.client.futures)
    expected = here(orders(4), SEED).returns.tobytes()
    fitness = EpisodeReturn(OBEDIENT, hidden=1, executor=cluster, faults=FaultPolicy(timeout=600.0))
    assert fitness(orders(4), SEED).returns.tobytes() == expected
    handler = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, 1.0)  # when the workers have surely begun, however loaded the machine
        started = time.monotonic()
        with pytest.raises(Alarm):
            fitness(orders(2, row0=HANG), SEED)
        assert time.monotonic() - started < 60
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, handler)
    assert fitness(orders(4), SEED).returns.tobytes() == expected
    assert processes.children() - before
    fitness.close()
    deadline = time.monotonic() + 30
    while processes.children() - before and time.monotonic() < deadline:
        time.sleep(0.02)
    assert processes.children() <= before
    assert set(cluster.client.futures) == known


def test_results_that_cannot_be_fetched_are_tried_for_a_bounded_number_of_times(cluster, monkeypatch):
    asked = []

    async def lost(futures, **_):
        asked.append(len(futures))
        raise OSError("the connection was reset")

    fitness = EpisodeReturn(OBEDIENT, hidden=1, executor=cluster)
    monkeypatch.setattr(cluster.client, "gather", lost)
    with pytest.raises(ClusterUnavailable) as unavailable:
        fitness(orders(1), SEED)
    monkeypatch.undo()
    assert asked == [1] * 7
    assert str(unavailable.value) == (
        f"the Dask workers at {cluster.address} cannot deliver their results: the connection was reset"
    )
    assert unavailable.value.exit_status == 75
    assert fitness(orders(4), SEED).returns.tobytes() == here(orders(4), SEED).returns.tobytes()
    fitness.close()


def test_workers_of_other_versions_are_refused_with_what_differs(cluster, monkeypatch):
    ours = {**session.environment_versions(), "numpy": "1.0", "gymnasium": "0.1", "python": "2.7.1"}
    monkeypatch.setattr(session, "environment_versions", lambda: ours)
    with pytest.raises(WorkersUnavailable) as refused:
        EpisodeReturn(OBEDIENT, hidden=1, executor=cluster)
    theirs = {name: version for name, version in cluster.client.run_on_scheduler(_versions).items() if name in ours}
    head, line = str(refused.value).splitlines()
    assert head == (
        f"workers of the Dask scheduler at {cluster.address} have different versions, "
        "so that results would not be the same:"
    )
    assert line.endswith(
        f": python 2.7.1 here, {theirs['python']} there, numpy 1.0 here, {theirs['numpy']} there, "
        f"gymnasium 0.1 here, {theirs['gymnasium']} there"
    )
    assert line.count("tcp://127.0.0.1:") == 2
    assert refused.value.exit_status == 1


def _versions():
    from evonet.fingerprint import versions

    return versions()


def test_a_worker_of_other_versions_that_joins_later_is_refused_too(obedient, monkeypatch):
    versions = obedient._executor.pool._tasks.session.versions
    monkeypatch.setitem(versions, "numpy", "1.0")
    differ = r"cannot make the calls of this run: versions differ: numpy 1\.0 here, .* there$"
    with pytest.raises(WorkersUnavailable, match=differ):
        obedient(orders(4), SEED)


@pytest.mark.parametrize(
    ("ours", "theirs", "told"),
    [
        ({"python": "3.11.7", "numpy": "2"}, {"python": "3.11.9", "numpy": "2"}, None),
        ({"python": "3.11.7"}, {"python": "3.12.7"}, "python 3.11.7 here, 3.12.7 there"),
        ({"numpy": "2", "mujoco": "3"}, {"numpy": "2"}, None),
        ({"mujoco": "3.1"}, {"mujoco": "3.2"}, "mujoco 3.1 here, 3.2 there"),
        (
            {"evonet": "1", "evonet's source": "a"},
            {"evonet": "1", "evonet's source": "b"},
            "evonet's source a here, b there",
        ),
        ({"evonet": "1", "evonet's source": "a"}, {"evonet": "2", "evonet's source": "b"}, "evonet 1 here, 2 there"),
    ],
)
def test_versions_differ_where_results_might(ours, theirs, told):
    from evonet.fingerprint import version_mismatch

    assert version_mismatch(ours, theirs) == told


def write_config(folder, text=SMALL):
    (folder / "c.yaml").write_text(text, encoding="utf-8")
    return str(folder / "c.yaml")


@pytest.mark.parametrize("engine", ["gymnasium", "auto"])
def test_a_run_on_a_cluster_writes_what_a_run_here_writes(engine, processes, tmp_path):
    arguments = ["run", write_config(tmp_path), "--quiet", "--set", f"evaluation.engine={engine}", "--output"]
    assert main([*arguments, str(tmp_path / "here")]) == 0
    assert main([*arguments, str(tmp_path / "there"), "--dask", processes.address]) == 0
    assert exact_files(tmp_path / "there") == exact_files(tmp_path / "here")
    assert (tmp_path / "there" / "config.yaml").read_bytes() == (tmp_path / "here" / "config.yaml").read_bytes()


def test_a_run_that_was_finished_here_goes_further_on_a_cluster(processes, tmp_path):
    config = write_config(tmp_path)
    assert main(["run", config, "--quiet", "--set", "stop.generations=5", "--output", str(tmp_path / "whole")]) == 0
    assert main(["run", config, "--quiet", "--output", str(tmp_path / "parts")]) == 0
    resumed = ["resume", str(tmp_path / "parts"), "--quiet", "--set", "stop.generations=5"]
    assert main([*resumed, "--dask", str(processes.file)]) == 0
    assert exact_files(tmp_path / "parts") == exact_files(tmp_path / "whole")


def test_a_study_on_a_cluster_is_the_study_without_one(processes, tmp_path, capsys):
    from tests.experiment.test_study import files, results_of

    arguments = ["study", write_config(tmp_path), "--seeds", "3", "--json", "--output"]
    summaries = []
    for name, more in (("here", ["--workers", "1"]), ("there", ["--dask", processes.address])):
        assert main([*arguments, str(tmp_path / name), *more]) == 0
        summaries.append(json.loads(capsys.readouterr().out))
    assert results_of(summaries[0]) == results_of(summaries[1])
    assert summaries[1]["this_command"]["at_once"] == 2
    assert files(tmp_path / "there") == files(tmp_path / "here")
    assert len(files(tmp_path / "there")) == 1 + 3 * 6
    seen = [json.loads((tmp_path / "there" / f"seed-{n}" / "run.json").read_text())["run_directory"] for n in range(3)]
    assert seen == [str(tmp_path / "there" / f"seed-{n}") for n in range(3)]
    assert main(["resume", str(tmp_path / "there" / "seed-1"), "--set", "stop.generations=4", "--quiet"]) == 0


def test_a_run_of_a_study_that_crashes_fails_by_itself(processes, tmp_path, capsys):
    text = (
        f"fitness: {{type: '{MODULE}:deadly'}}\nnetwork: {{inputs: 2, outputs: 1}}\nstop: {{generations: 2}}\n"
        "algorithm: {population_size: 4, elites: 1}\nvalidation: {episodes: 1}\ntest: {episodes: 1}\n"
    )
    arguments = ["study", write_config(tmp_path, text), "--seeds", "2", "--json", "--allow-import", MODULE]
    assert main([*arguments, "--output", str(tmp_path / "s"), "--dask", processes.address]) == 1
    failures = json.loads(capsys.readouterr().out)["failures"]
    assert [(each["seed"], each["error"]) for each in failures] == [
        (seed, "the worker process was killed by SIGKILL") for seed in (0, 1)
    ]
    assert [worker.poll() for worker in processes.workers] == [None, None]
    assert sorted(path.name for path in (tmp_path / "s").iterdir()) == [".lock", "config.yaml", "study.json"]


def test_a_run_that_failed_elsewhere_leaves_no_files(tmp_path):
    outcome = Outcome(3, None, "the worker process was killed by SIGKILL")
    assert RemoteRun(outcome, {}).save_to(tmp_path / "seed-3") == outcome
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module", params=["threads", "processes"])
def executor(request):
    if request.param == "threads":
        with ThreadPoolExecutor(2) as started:
            yield started
    else:
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as started:
            yield started


def test_any_executor_keeps_the_contract_of_an_executor(executor, ill_task):
    workers = RemoteWorkers(ill_task, "gymnasium", executor, 7)
    assert workers.pool.workers == 2
    check_executor(workers, ill_task)
    workers.close()


def test_in_any_executor_a_crash_costs_an_episode_and_no_worker(executor):
    fitness = EpisodeReturn(OBEDIENT, hidden=1, executor=executor, faults=FaultPolicy(retries=0))
    results = fitness(orders(6, row2=SEGFAULT), SEED)
    assert [(fault.individual, fault.kind) for fault in results.faults] == [(2, "died")]
    assert fitness(orders(6), SEED).returns.tobytes() == here(orders(6), SEED).returns.tobytes()
    fitness.close()


def test_an_executor_that_was_shut_down_is_told_and_the_run_can_go_on_later():
    executor = ThreadPoolExecutor(1)
    fitness = EpisodeReturn(OBEDIENT, hidden=1, executor=executor)
    executor.shutdown()
    with pytest.raises(ClusterUnavailable) as broken:
        fitness(orders(2), SEED)
    assert str(broken.value) == ("the executor cannot go on: RuntimeError: cannot schedule new futures after shutdown")
    assert broken.value.exit_status == 75


def test_what_is_no_executor_is_refused():
    with pytest.raises(TypeError, match=r"^executor must be a Dask Client or have a method `submit`, got 'tcp://x:1'$"):
        EpisodeReturn(OBEDIENT, executor="tcp://x:1")


def listening():
    """Addresses at which this process and its children listen."""
    processes = (psutil.Process(), *psutil.Process().children(recursive=True))
    return {c.laddr for process in processes for c in process.net_connections() if c.status == psutil.CONN_LISTEN}


def test_a_cluster_of_one_s_own_listens_on_the_loopback_interface_only_on_ports_that_nobody_has():
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # somebody has it already
            stack.enter_context(socket.create_server(("127.0.0.1", 8787)))  # where Dask has its dashboard
        before = listening()
        stack.enter_context(connected("local"))
        assert {address.ip for address in listening() - before} == {"127.0.0.1"}


@pytest.mark.parametrize("where", ["host", "host:8786", "http://host:1", "tcp://host", "Local"])
def test_an_address_that_is_none_is_refused(where, tmp_path, capsys):
    assert main(["run", write_config(tmp_path), "--dask", where]) == 2
    assert capsys.readouterr().err == (
        f"evonet: --dask must be tcp://HOST:PORT, tls://HOST:PORT, a scheduler FILE.json or 'local', got {where!r}\n"
    )


def test_workers_of_a_study_are_the_cluster_s(tmp_path, capsys):
    assert main(["study", write_config(tmp_path), "--seeds", "2", "--workers", "3", "--dask", "local"]) == 2
    assert "--workers must be left out with --dask" in capsys.readouterr().err


def test_a_function_of_one_s_own_is_not_sent_anywhere(processes, tmp_path, capsys):
    text = f"fitness: {{type: '{MODULE}:closeness'}}\nnetwork: {{inputs: 2, outputs: 1}}\n"
    arguments = ["run", write_config(tmp_path, text), "--allow-import", MODULE, "--dask", processes.address]
    assert main(arguments) == 2
    assert "fitness.type must be episode_return where an executor runs the episodes" in capsys.readouterr().err


def test_without_dask_installed_the_extra_is_named(monkeypatch):
    from evonet.cluster import connection

    monkeypatch.setattr(connection.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EvonetError, match=r"pip install .*\[dask\]"), connection.connected("local"):
        pass
