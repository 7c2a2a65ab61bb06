"""Runners of a study's seeds: worker processes of this machine, an executor, or a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, as_completed
from pathlib import Path
from typing import TypeAlias

from evonet.cluster.executor import Cluster, FuturesExecutor, cluster_of
from evonet.experiment.seed_run import Outcome, run_seed
from evonet.processes.cores import cores
from evonet.processes.pool import Call, WorkerPool

SeedRunner: TypeAlias = Callable[[Sequence[int], Path, Sequence[str]], Generator[Outcome]]
"""A function of seeds, the study's path and the allowed imports, which yields the outcome of each run when it ends."""


def seed_runner(workers: int, executor: FuturesExecutor | Cluster | None) -> SeedRunner:
    """The function that runs seeds on the executor or, if that is None, in `workers` processes of this machine."""
    cluster = cluster_of(executor)
    if cluster is not None:
        from evonet.experiment.cluster_study import run_on_cluster  # Dask is optional

        return lambda *arguments: run_on_cluster(cluster, *arguments)
    if executor is not None:
        assert not isinstance(executor, Cluster)
        return lambda *arguments: run_on_executor(executor, *arguments)
    return lambda *arguments: run_in_processes(workers, *arguments)


def run_in_processes(
    workers: int, seeds: Sequence[int], path: Path, allowed_imports: Sequence[str]
) -> Generator[Outcome]:
    """Run seeds in worker processes that share the processors of this machine."""
    with WorkerPool(workers, share=max(1, cores() // workers)) as pool:
        for seed in seeds:
            pool.submit(Call(run_seed, (seed, str(path), tuple(allowed_imports))))
        for _ in seeds:
            call, reply = pool.next_done()
            outcome: Outcome = reply.value
            yield outcome if reply.error is None else Outcome(call.arguments[0], None, str(reply.error))


def run_on_executor(
    executor: FuturesExecutor, seeds: Sequence[int], path: Path, allowed_imports: Sequence[str]
) -> Generator[Outcome]:
    """Run seeds on an executor whose workers can access the study's directory."""
    arguments = (str(path), tuple(allowed_imports))
    pending: dict[Future[Outcome], int] = {executor.submit(run_seed, seed, *arguments): seed for seed in seeds}
    for future in as_completed(pending):
        error = future.exception()
        failed = Outcome(pending[future], None, str(error) or type(error).__name__)
        yield future.result() if error is None else failed
