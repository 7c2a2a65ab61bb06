"""Hypothesis draws the same examples on every machine and leaves no folder behind; nothing waits that need not."""

import gc
import os
import shutil
from pathlib import Path

from hypothesis import settings

from evonet.machine import BLAS_THREADS

MEMORY, ROOM = Path("/dev/shm"), 1 << 30

settings.register_profile("evonet", derandomize=True, deadline=None, database=None, max_examples=60)
settings.load_profile("evonet")
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # each of the hundreds that tests start would compile all of evonet
os.fsync = lambda descriptor: None  # what a power cut would take is no matter here; tests of disks have their own
if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))  # a disk is slow to make and remove thousands of files
os.environ.update(dict.fromkeys(BLAS_THREADS, "1"))  # as in the program; NumPy is not there yet
gc.set_threshold(20_000)


def pytest_collection_finish():
    """Thousands of tests are there to stay: the collector of cycles need not look at them again and again."""
    gc.collect()
    gc.freeze()
