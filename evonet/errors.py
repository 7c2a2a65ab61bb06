"""What evonet raises when the fault is not in the caller's code but in a file, a setting or the machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class EvonetError(Exception):
    """A failure that a person can repair; the command line prints it without a traceback.

    Attributes:
        exit_status: what the process ends with when the error reaches the command line.
    """

    exit_status = 1


class EvonetWarning(UserWarning):
    """Something that a person should know and that does not change a result; the command line prints the message."""


class ConfigError(EvonetError):
    """A config, a command-line value or a file that evonet was given is wrong."""

    exit_status = 2


class EnvironmentUnavailable(EvonetError):
    """An environment that exists cannot be made: a package is missing, or its own code raised."""


class UnsuitableEnvironment(ConfigError):
    """An environment that nobody registered, that may not be imported, or whose spaces no network can serve."""


class RunDirectoryError(EvonetError):
    """The run directory cannot be written."""

    exit_status = 74


class RunInUse(EvonetError):
    """Another process is writing the run directory."""


class CheckpointError(EvonetError):
    """A checkpoint, or all of a run's, cannot be used."""


class WorkersUnavailable(EvonetError):
    """Worker processes cannot start, or cannot be given the environment."""


class ClusterUnavailable(WorkersUnavailable):
    """A Dask cluster has no scheduler that answers or no workers, or an executor is broken: a run can go on later."""

    exit_status = 75


class TooManyFaults(EvonetError):
    """More of a generation failed than `faults.max_share` allows, or anything at all where `faults.on_fault` is "stop".

    Attributes:
        faults: those known when evaluation was given up, by row of the population.
        generation: whose training they ended, None if it was something else.
    """

    def __init__(self, message: str, faults: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.faults = faults
        self.generation: int | None = None
