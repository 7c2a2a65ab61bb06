"""Connections to a Dask cluster: by address, by scheduler file, or to a local cluster that is started for a command."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import logging
import re
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evonet.cluster.executor import PATIENCE, Cluster
from evonet.errors import ClusterUnavailable, ConfigError, EvonetError
from evonet.extras import install_hint
from evonet.processes.cores import cores

LOCAL = "local"
_ADDRESS = re.compile(r"(tcp|tls|ws|wss|ucx)://[^/\s]+:\d+")
_POLL_SECONDS = 0.1
_CLOSE_SECONDS = 5.0


@contextlib.contextmanager
def connected(where: str, patience: float = PATIENCE) -> Iterator[Cluster]:
    """A connection to a Dask cluster, as a context manager.

    Dask's own settings determine encryption and keys (`distributed.comm.tls`, `tls://` addresses).

    Args:
        where: the scheduler's address, the path of a scheduler file (`*.json`), or "local", which starts a worker for
            each core on this machine; all of them listen on the loopback interface only.
        patience: seconds to wait for the scheduler, and for the first worker.

    Raises:
        ConfigError: `where` has another form, or is a `tls://` address and Dask's settings have no keys.
        ClusterUnavailable: no scheduler answers.
        EvonetError: Dask is not installed.
    """
    if importlib.util.find_spec("distributed") is None:
        raise EvonetError(f"a Dask cluster needs distributed, which is not installed: {install_hint('dask')}")
    with contextlib.ExitStack() as stack:
        stack.enter_context(_quiet())
        if where == LOCAL:
            client = stack.enter_context(_local())
            where = client.scheduler.address
        else:
            client = _client(where, patience)
            stack.callback(_close, client)
        yield Cluster(client, where, patience)


def _client(where: str, patience: float) -> Any:
    address: dict[str, Any] = {"address": where}
    if where.endswith(".json"):
        _await_file(Path(where), patience)
        address = {"scheduler_file": where}
    elif not _ADDRESS.fullmatch(where):
        raise ConfigError(
            f"--dask must be tcp://HOST:PORT, tls://HOST:PORT, a scheduler FILE.json or 'local', got {where!r}"
        )
    elif where.startswith("tls:"):
        _check_keys(where)
    try:
        return _dask().Client(**address, timeout=patience, set_as_default=False)
    except (OSError, TimeoutError, ImportError) as error:
        reason = str(error).partition("\n")[0]
        raise ClusterUnavailable(f"no Dask scheduler answers at {where} (waited {patience:g} s): {reason}") from error


def _check_keys(where: str) -> None:
    """Check that Dask's settings have keys, because without them Dask would try to connect for ever."""
    rule = f"--dask {where} needs Dask's settings `distributed.comm.tls`"
    try:
        keys = _dask().Security().get_connection_args("client")["ssl_context"]
    except (OSError, ValueError) as error:
        raise ConfigError(f"{rule}, and those there cannot be used: {error}") from error
    if keys is None:
        raise ConfigError(f"{rule} with `ca-file` and the client's `key` and `cert`, and there are none")


def _await_file(file: Path, patience: float) -> None:
    """Wait until the scheduler has written its file, at most `patience` seconds; Dask itself would wait for ever."""
    deadline = time.monotonic() + patience
    while not file.exists():
        if time.monotonic() > deadline:
            raise ClusterUnavailable(f"no Dask scheduler has written {file} (waited {patience:g} s)")
        time.sleep(_POLL_SECONDS)


@contextlib.contextmanager
def _local() -> Iterator[Any]:
    cluster = _dask().LocalCluster(
        n_workers=cores(),
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address=None,
        scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},  # the default is port 8787, which may be in use
        silence_logs=logging.CRITICAL,
        memory_limit=0,
    )
    try:
        client = _dask().Client(cluster, set_as_default=False)
        try:
            yield client
        finally:
            _close(client)
    finally:
        with contextlib.suppress(Exception):  # a cluster that cannot be closed ends with this process
            cluster.close(_CLOSE_SECONDS)


def _close(client: Any) -> None:
    with contextlib.suppress(Exception):  # a client whose scheduler is lost may raise anything
        client.close(_CLOSE_SECONDS)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence Dask's loggers, because evonet itself reports lost connections and workers."""
    dask = _dask()  # the import sets the loggers' levels, so it comes first
    names = [name for name in logging.root.manager.loggerDict if f"{name}.".startswith(f"{dask.__name__}.")]
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", dask.versions.VersionMismatchWarning)
            yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)


def _dask() -> Any:
    return importlib.import_module("distributed")
