"""Executors run episodes on engines; which executor, and how many chunks, changes no bit of the result."""

import os
import pickle
import subprocess
import sys
import threading
import zlib
from pathlib import Path
from types import SimpleNamespace

import gymnasium as gym
import numpy as np
import pytest

from evonet.environments.normaliser import ObservationNormaliser
from evonet.environments.specification import EnvironmentSpec
from evonet.environments.wrappers import Wrapper
from evonet.errors import EvonetWarning, WorkersUnavailable
from evonet.evaluation.executors import AutoExecutor, InProcess, WorkerProcesses, make_executor, process_pool
from evonet.evaluation.executors import auto as automatic
from evonet.evaluation.executors.chunk_worker import pickle_engine, unpickle_engine
from evonet.evaluation.fault_policy import FaultPolicy
from evonet.evaluation.results import EpisodeResults
from evonet.fitness import EpisodeReturn
from evonet.measures import Measure
from evonet.processes.cores import cores
from tests.environments_for_tests import MODULE, Walk
from tests.evaluation.executor_contract import check_executor, evaluate

ROOT = Path(__file__).parents[2]
EPISODES = 3
SEEDS = np.array([11, 12, 13])


def task_for(environment="Walk", kwargs=None, **settings):
    fitness = EpisodeReturn(f"{MODULE}:evonet-tests/{environment}-v0", kwargs=kwargs, hidden=3, **settings)
    fitness.close()
    return fitness.task


def bits(results):
    sums = results.observations
    arrays = [results.returns, results.lengths, results.terminated]
    return [a.tobytes() for a in arrays + ([] if sums is None else [sums.sums, sums.squares])]


KNOWN = EpisodeReturn("MountainCar-v0", hidden=3, max_steps=8).task


@pytest.fixture
def no_processes(monkeypatch):
    """A list of what worker processes would have been started for."""
    asked = []

    class Pool:
        def __init__(self, *arguments):
            asked.append(arguments)
            self.processes = SimpleNamespace(start=lambda: None)

    monkeypatch.setattr(process_pool, "ProcessChunkPool", Pool)
    return asked


@pytest.fixture(scope="module")
def ill_task():
    measures = {"x": Measure("observation", index=0, take="last"), "steps": Measure("length")}
    trouble = {"trouble": "raise", "at": 1, "seeds": [12]}
    return task_for(kwargs=trouble, normalise_observations=True, recurrent=True, measures=measures)


@pytest.fixture(scope="module")
def two_workers(ill_task):
    workers = WorkerProcesses(ill_task, "gymnasium", workers=2)
    yield workers
    workers.close()


def test_this_process_keeps_the_contract_of_an_executor():
    task = EpisodeReturn(Walk, normalise_observations=True).task
    check_executor(InProcess(task), task)


class Careless(InProcess):
    """Gives the results of another order of the episodes."""

    def evaluate(self, genomes, individuals, seeds, normaliser):
        (results,) = super().evaluate(genomes, individuals, seeds, normaliser)
        results.returns[:2] = results.returns[1::-1]
        return [results]


def test_an_executor_that_swaps_results_breaks_the_contract():
    task = EpisodeReturn(Walk).task
    with pytest.raises(AssertionError, match="for 1 genomes, returns must be those of this process"):
        check_executor(Careless(task), task)


def test_two_processes_keep_the_contract_of_an_executor(ill_task, two_workers):
    check_executor(two_workers, ill_task)


def test_a_fault_in_another_process_tells_where_it_happened(ill_task, two_workers):
    results = evaluate(two_workers, ill_task, 3)
    assert [(fault.individual, fault.episode) for fault in results.faults] == [(i, 1) for i in range(3)]
    assert all("ValueError: broken at step 1" in fault.traceback for fault in results.faults)


def test_two_processes_report_as_the_engine_that_they_run(two_workers):
    assert two_workers.engine_name == "gymnasium"


@pytest.mark.parametrize("sizes", [(6, 6), (1, 10, 1), (12,), (5, 1, 1, 5)], ids=str)
def test_joined_chunks_are_the_whole_with_faults_in_order_and_numbered_by_individual(sizes, ill_task):
    n = 4
    genomes = np.random.default_rng(0).normal(size=(n, ill_task.architecture.genome_size))
    individuals, seeds = np.repeat(np.arange(n), EPISODES), np.tile(SEEDS, n)
    engine = InProcess(ill_task, "gymnasium")
    normaliser = ObservationNormaliser.fresh(3)
    whole = EpisodeResults.joined(engine.evaluate(genomes, individuals, seeds, normaliser), individuals, EPISODES)
    chunks = []
    for end, size in zip(np.cumsum(sizes), sizes, strict=True):
        chunk = slice(end - size, end)
        (flat,) = engine.evaluate(genomes, individuals[chunk], seeds[chunk], normaliser)
        chunks.append(flat.offset(int(end - size)))
    joined = EpisodeResults.joined(chunks, individuals, EPISODES)
    assert bits(joined) == bits(whole)
    assert joined.returns.shape == joined.lengths.shape == joined.terminated.shape == (n, EPISODES)
    assert [(f.individual, f.episode, f.seed) for f in joined.faults] == [(i, 1, 12) for i in range(n)]


def test_workers_calculate_in_one_thread():
    script = (
        "from evonet.evaluation.executors import WorkerProcesses\n"
        "from tests.evaluation.test_executors import evaluate, task_for\n"
        "if __name__ == '__main__':\n"
        "    task = task_for('Threads', {'ends': 2})\n"
        "    workers = WorkerProcesses(task, 'gymnasium', 1)\n"
        "    print(evaluate(workers, task, 1).returns.max())\n"
        "    workers.close()\n"
    )
    environment = {k: v for k, v in os.environ.items() if "THREADS" not in k}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "2.0\n"


class Workers:
    """Stands in for worker processes, with a pace of its own."""

    engine_name = "gymnasium"

    def __init__(self, task, engine, workers, clock, seconds):
        self.workers, self.evaluations, self.closed = workers, 0, False
        self.processes = SimpleNamespace(ready=False, start=lambda: None)
        self._inner, self._clock, self._seconds = InProcess(task, engine), clock, seconds

    def evaluate(self, *arguments):
        assert self.processes.ready
        self.evaluations += 1
        self._clock.now += self._seconds
        return self._inner.evaluate(*arguments)

    def close(self):
        self.closed = True


@pytest.fixture
def auto(monkeypatch):
    """An automatic executor whose evaluations here take 0.9 s, and a list of the workers that it starts."""

    def auto(seconds, cores=3, engine="gymnasium"):
        clock = SimpleNamespace(now=0.0, monotonic=lambda: clock.now)
        started = []

        def start(task, engine, workers, faults):
            started.append(Workers(task, engine, workers, clock, seconds))
            return started[-1]

        monkeypatch.setattr(automatic, "worker_processes", start)
        monkeypatch.setattr(automatic, "time", clock)
        made = AutoExecutor(KNOWN, engine)
        made._cores = cores
        alone = made._in_process.evaluate

        def slowly(*arguments):
            clock.now += 0.9
            return alone(*arguments)

        made._in_process.evaluate = slowly
        return made, started

    return auto


def test_auto_starts_processes_when_evaluation_takes_long_and_keeps_them_if_they_pay(auto):
    made, started = auto(seconds=0.3)
    task = KNOWN
    results = [bits(evaluate(made, task, 2)) for _ in range(2)]
    assert started == []
    results += [bits(evaluate(made, task, 2)) for _ in range(2)]  # 2.7 s are above the two seconds
    assert [len(started), started[0].workers, started[0].evaluations] == [1, 3, 0]
    started[0].processes.ready = True
    results += [bits(evaluate(made, task, 2)) for _ in range(3)]
    assert [len(started), started[0].evaluations, started[0].closed] == [1, 3, False]
    assert all(result == results[0] for result in results)
    made.close()
    assert started[0].closed


def test_auto_ends_processes_that_do_not_pay_and_tries_no_others(auto):
    made, started = auto(seconds=0.85)
    task = KNOWN
    for _ in range(4):
        evaluate(made, task, 2)
    started[0].processes.ready = True
    for _ in range(6):
        evaluate(made, task, 2)
    assert [len(started), started[0].evaluations, started[0].closed] == [1, 1, True]
    made.close()


def test_auto_stays_here_on_a_single_core(auto):
    made, started = auto(seconds=0.1, cores=1)
    task = KNOWN
    for _ in range(6):
        evaluate(made, task, 2)
    assert started == []
    made.close()


class Unstartable:
    def start(self):
        pass

    @property
    def ready(self):
        raise WorkersUnavailable("worker processes cannot start (tried 3 times): no more processes")


def test_auto_does_without_processes_that_cannot_start_and_says_so(auto):
    made, started = auto(seconds=0.3)
    for _ in range(3):
        evaluate(made, KNOWN, 2)
    started[0].processes = Unstartable()
    with pytest.warns(EvonetWarning) as warned:
        assert evaluate(made, KNOWN, 2).faults == []
    assert [str(warning.message) for warning in warned] == [
        "worker processes cannot start (tried 3 times): no more processes; episodes run in this process"
    ]
    assert evaluate(made, KNOWN, 2).faults == []
    assert [len(started), started[0].evaluations, started[0].closed] == [1, 0, True]


@pytest.mark.parametrize(
    ("task", "engine", "workers", "timeout", "kind"),
    [
        ("known", "gymnasium", 1, None, InProcess),
        ("known", "gymnasium", "auto", None, AutoExecutor),
        ("known", "gymnasium", 2, None, WorkerProcesses),
        ("known", "gymnasium", 1, 3.0, WorkerProcesses),
        ("known", "gymnasium", "auto", 3.0, WorkerProcesses),
        ("known", "numpy", 1, 3.0, InProcess),  # a kernel always comes to an end
        ("known", "auto", "auto", 3.0, AutoExecutor),
        ("own", "auto", 1, None, InProcess),
        ("own", "auto", 1, 3.0, WorkerProcesses),
        ("own", "auto", "auto", None, WorkerProcesses),
    ],
)
def test_the_number_of_workers_and_the_time_limit_choose_the_executor(
    task, engine, workers, timeout, kind, no_processes
):
    made = make_executor(KNOWN if task == "known" else task_for(), engine, workers, FaultPolicy(timeout=timeout))
    assert type(made) is kind
    assert [workers for _, workers in no_processes] == (
        [cores() if workers == "auto" else workers] * (kind is WorkerProcesses)
    )
    assert made.isolated == (kind is WorkerProcesses)


@pytest.mark.parametrize(
    ("task", "engine", "apart"),
    [
        (KNOWN, "gymnasium", False),
        (KNOWN, "auto", False),
        (f"{MODULE}:evonet-tests/Walk-v0", "auto", True),
        (f"{MODULE}:evonet-tests/Walk-v0", "gymnasium", True),
        ("evonet-tests/Walk-v0", "auto", True),
        (Walk, "auto", True),
        (EnvironmentSpec("MountainCar-v0", wrappers=[Wrapper(f"{MODULE}:Doubled")]), "auto", True),
        (EnvironmentSpec("MountainCar-v0", wrappers=[Wrapper("TimeAwareObservation")]), "auto", False),
    ],
    ids=range(8),
)
def test_auto_runs_an_environment_of_ones_own_apart_from_the_start(task, engine, apart, no_processes):
    made = make_executor(task if task is KNOWN else EpisodeReturn(task).task, engine, "auto")
    assert made.isolated == apart
    assert len(no_processes) == apart


@pytest.mark.parametrize("workers", [2, "auto"])
def test_an_environment_that_cannot_be_sent_is_refused_where_it_was_to_be_isolated(workers):
    lock = threading.Lock()

    def make():
        return Walk("") if lock else None

    with pytest.raises(WorkersUnavailable) as refused:
        EpisodeReturn(make, workers=workers, hidden=3, engine="gymnasium")
    assert str(refused.value).startswith("the environment cannot be sent to worker processes: ")
    assert str(refused.value).endswith(
        "; let a function or class that a module names make it, "
        "or take workers=1 without a timeout, so that episodes run in this process"
    )


def test_a_class_of_a_notebook_and_a_lambda_are_sent_with_their_code():
    main = sys.modules["__main__"]
    source = "import tests.environments_for_tests as t\nclass Mine(t.Walk):\n    pass\n"
    exec(source, vars(main))
    try:
        sent = [pickle_engine(EpisodeReturn(make).task, "gymnasium") for make in (main.Mine, lambda: Walk(""))]
    finally:
        del main.Mine, main.t
    for content in sent:
        task, engine, *_ = pickle.loads(zlib.decompress(content))
        assert engine == "gymnasium"
        assert isinstance(task.make_environment(), Walk)


@pytest.mark.parametrize("entry_point", ["class", "__main__:Mine"])
def test_what_a_notebook_s_cell_registered_is_registered_where_its_episodes_run(entry_point):
    main = sys.modules["__main__"]
    exec("import tests.environments_for_tests as t\nclass Mine(t.Walk):\n    pass\n", vars(main))
    gym.register("MineOfACell-v0", entry_point=main.Mine if entry_point == "class" else entry_point)
    try:
        sent = pickle_engine(EpisodeReturn("MineOfACell-v0").task, "gymnasium")
        del main.Mine, gym.registry["MineOfACell-v0"]
        task, _ = unpickle_engine(sent)  # as a worker does
        assert isinstance(task.make_environment(), Walk)
    finally:
        gym.registry.pop("MineOfACell-v0", None)
        del main.t


def test_what_a_worker_can_import_is_sent_by_name(monkeypatch):
    monkeypatch.setitem(sys.modules, "cloudpickle", None)
    assert pickle_engine(EpisodeReturn(Walk).task, "gymnasium")
    assert pickle_engine(EpisodeReturn("CartPole-v1").task, "gymnasium")
