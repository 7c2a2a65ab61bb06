"""What a worker is given once: the task, and the name of the engine that runs its episodes."""

from __future__ import annotations

import pickle
import zlib

from evonet.errors import WorkersUnavailable
from evonet.evaluation.engine import Engine, EngineName
from evonet.evaluation.engines import make_engine
from evonet.task import Task


def pickled(task: Task, engine: EngineName) -> bytes:
    """The payload as bytes.

    Raises:
        WorkersUnavailable: the environment cannot be pickled.
    """
    try:
        return zlib.compress(pickle.dumps((task, engine)))  # the bounds of a space of pictures are a megabyte of zeros
    except Exception as error:
        raise WorkersUnavailable(
            f"the environment cannot be sent to worker processes: {error}; let a function or class that a module "
            "names make it, or take workers=1 without a timeout, so that episodes run in this process"
        ) from error


def unpickled(payload: bytes) -> Engine:
    """The engine, with a single thread."""
    task, name = pickle.loads(zlib.decompress(payload))  # noqa: S301 - it comes from the parent
    return make_engine(name, task, threads=1)
