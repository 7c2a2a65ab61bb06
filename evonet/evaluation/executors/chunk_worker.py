"""What a worker process does with chunks of episodes: it keeps one engine, with its environments, from call to call."""

from __future__ import annotations

import atexit
import importlib
import os
import pickle
import sys
import time
import warnings
import zlib
from dataclasses import replace
from typing import Any

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec

from evonet.environments import silent_copies
from evonet.environments.specification import EnvironmentSpec
from evonet.errors import EvonetWarning, WorkersUnavailable
from evonet.evaluation.engine import Engine, EngineName
from evonet.evaluation.engines import make_engine
from evonet.evaluation.executors.chunks import Chunk, ChunkResult
from evonet.evaluation.gymnasium_engine import GymnasiumEngine
from evonet.foreign import ANY_ERROR, INTERRUPTS, described, guarded, no_arguments
from evonet.task import Task

_MAIN = b"__main__"  # the module of a notebook or a script, which a worker cannot import, or should not

_engines: list[Engine] = []  # the engine of this process, once it is made


def pickle_engine(task: Task, engine: EngineName) -> bytes:
    """A task, the name of an engine and whether copies of its environment are silent, for `open_engine`.

    Raises:
        WorkersUnavailable: the environment cannot be pickled.
    """
    try:
        pickled = _pickled((task, engine, silent_copies.state(), _own_registration(task)))
        return zlib.compress(pickled)  # the bounds of a space of pictures are a megabyte of zeros
    except INTERRUPTS:
        raise
    except ANY_ERROR as error:
        raise WorkersUnavailable(
            f"the environment cannot be sent to worker processes: {described(error)}; let a function or class that a "
            "module names make it, or take workers=1 without a timeout, so that episodes run in this process"
        ) from error


def _own_registration(task: Task) -> EnvSpec | None:
    """The registration of the environment by a class or function, which only this process has, as a notebook does."""
    environment = task.environment
    found = gym.registry.get(environment.id) if isinstance(environment, EnvironmentSpec) else None
    if found is not None and isinstance(found.entry_point, str) and found.entry_point.startswith("__main__:"):
        name = found.entry_point.partition(":")[2]
        found = replace(found, entry_point=getattr(sys.modules["__main__"], name, None))
    return found if found is not None and callable(found.entry_point) else None


def _pickled(value: object) -> bytes:
    """`value` pickled, with the code of its classes and functions if a worker cannot import them by name."""
    try:
        content = pickle.dumps(value)
    except INTERRUPTS:
        raise
    except ANY_ERROR:  # a lambda, or a function within a function
        content = _MAIN
    if _MAIN not in content:
        return content
    cloudpickle: Any = importlib.import_module("cloudpickle")  # only here, because it takes a while to import
    whole: bytes = cloudpickle.dumps(value)
    return whole


def unpickle_engine(pickled: bytes) -> tuple[Task, EngineName]:
    """What `pickle_engine` pickled; copies of the environment are as silent as there.

    Raises:
        WorkersUnavailable: a module cannot be imported.
    """
    with guarded("the environment cannot be made in a worker process", WorkersUnavailable), no_arguments():
        content = pickle.loads(zlib.decompress(pickled))  # noqa: S301 - it comes from the parent; imports modules
    task, engine, state, own_registration = content
    if own_registration is not None:
        gym.registry.setdefault(own_registration.id, own_registration)
    silent_copies.take_over(state)
    return task, engine


def open_engine(pickled: bytes) -> None:
    """Make this process's engine, with one thread, and its first environment."""
    task, name = unpickle_engine(pickled)
    os.environ.setdefault("SDL_AUDIODRIVER", "dummy")  # pygame warns where there is no sound card
    engine = make_engine(name, task, threads=1)
    atexit.register(_close_silently, engine)
    _engines.append(engine)
    make_environments(1)


def _close_silently(engine: Engine) -> None:
    """Close the engine; errors of its environments are reported by the parent, not by each worker."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EvonetWarning)
        engine.close()


def make_environments(episodes: int) -> None:
    """Make the environments that a chunk of episodes needs, before the time of its first episode begins."""
    for engine in _engines:
        if isinstance(engine, GymnasiumEngine):  # the only one that makes environments when it needs them
            engine.prepare(episodes)


def close_environments() -> None:
    """Close the environments of this process's engine, which makes them again when it needs them."""
    for engine in _engines:
        engine.close()


def run_chunk(chunk: Chunk) -> ChunkResult:
    """Run a chunk on this process's engine."""
    (engine,) = _engines
    started = time.monotonic()
    results = engine.run(chunk.genomes, chunk.individuals, chunk.seeds, chunk.normaliser, chunk.max_steps)
    return ChunkResult(results, time.monotonic() - started, engine.name)
