"""Every test finds the same machine: the same examples, the same signals, files that need not wait for a disk."""

import functools
import gc
import os
import shutil
import signal
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers
from hypothesis.internal.entropy import deterministic_PRNG

from evonet.processes.cores import BLAS_THREADS

MEMORY, ROOM = Path("/dev/shm"), 1 << 30
SIGNALS = {"SIGINT": signal.default_int_handler, "SIGTERM": signal.SIG_DFL, "SIGHUP": signal.SIG_DFL}

# A busy machine draws slowly, and that fails no test.
settings.register_profile(
    "fixed",
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("fresh", settings.get_profile("fixed"), derandomize=False, print_blob=True)
settings.load_profile("fixed")
if hasattr(providers, "_get_local_constants"):  # examples made of the numbers in whichever modules are imported so far
    providers._get_local_constants = lambda: providers._local_constants
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # each of the hundreds that tests start would compile all of evonet
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])  # as if activated
os.fsync = lambda descriptor: None  # what a power cut would take is no matter here; tests of disks have their own
if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))  # a disk is slow to make and remove thousands of files
os.environ["XDG_CONFIG_HOME"] = f"{os.devnull}/none"  # no test but those of permissions remembers what was allowed
os.environ.update(dict.fromkeys(BLAS_THREADS, "1"))  # as in the program; NumPy is not there yet
gc.set_threshold(20_000)


def pytest_configure(config):
    """Fix what the shell decides: `pytest -m slow` draws fresh examples, and no signal is ignored from the start.

    A shell without job control starts `pytest &` with SIGINT ignored, `nohup` with SIGHUP; the programs that tests
    start would inherit that.
    """
    if config.getoption("markexpr") == "slow":
        settings.load_profile("fresh")
    if threading.current_thread() is threading.main_thread():
        for name, handler in SIGNALS.items():
            if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) is signal.SIG_IGN:
                signal.signal(getattr(signal, name), handler)


@pytest.fixture(scope="session", autouse=True)
def _texts_are_read_and_written_once():
    """Thousands of times it is the same config or command line, and YAML takes longer than most tests' runs."""
    from evonet import cli
    from evonet.experiment.config import config, document

    texts = {}
    document.parse = functools.lru_cache(1_000)(document.parse)
    config.to_yaml = lambda data: texts.get(repr(data)) or texts.setdefault(repr(data), document.to_yaml(data))
    cli.make_parser = functools.cache(cli.make_parser)


def pytest_collection_finish():
    """Thousands of tests are there to stay: the collector of cycles need not look at them again and again."""
    with deterministic_PRNG():  # hypothesis registers its generator, and warns if all that holds it is frozen
        pass
    gc.collect()
    gc.freeze()
