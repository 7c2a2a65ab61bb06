"""The errors for wrong files and settings, and for failures of environments, workers and disks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class EvonetError(Exception):
    """A failure that the user can repair; the command line prints the message without a traceback.

    Attributes:
        exit_status: the exit status of the command line after this error.
    """

    exit_status = 1


class OutOfTime(BaseException):
    """The time of a run is up; no `Exception`, which the code of an environment may catch."""


class EvonetWarning(UserWarning):
    """A warning about something that changes no result; the command line prints the message."""


class ConfigError(EvonetError):
    """A config, a command-line value or an input file is wrong."""

    exit_status = 2


class EnvironmentUnavailable(EvonetError):
    """An environment cannot be made: a package is missing, or the environment's own code raised an error.

    Attributes:
        setting: the setting of the environment that is wrong, such as `("wrappers", 1)` for the second wrapper.
    """

    setting: tuple[str | int, ...] = ("id",)


class UnsuitableEnvironment(ConfigError):
    """An environment is not registered, may not be imported, or has spaces that no network supports.

    Attributes:
        setting: the setting of the environment that is wrong, as for `EnvironmentUnavailable`.
    """

    setting: tuple[str | int, ...] = ("id",)


class CannotRender(EvonetError):
    """Rendering failed: there is no display, no renderer, or no package that writes the file."""


class FitnessFunctionFailed(EvonetError):
    """A fitness function raised an error, left the program, or did not return a number for each genome."""


class AlgorithmFailed(EvonetError):
    """An operator or algorithm of the user's raised an error, left the program, or returned something else."""


class RunDirectoryError(EvonetError):
    """The run directory cannot be written."""

    exit_status = 74


class RunInUse(EvonetError):
    """Another process is writing the run directory."""


class CheckpointError(EvonetError):
    """A checkpoint, or every checkpoint of a run, cannot be used."""


class WorkersUnavailable(EvonetError):
    """Worker processes cannot start, or cannot make the environment."""


class ClusterUnavailable(WorkersUnavailable):
    """A Dask scheduler does not answer or has no workers, or an executor is broken; the run can be resumed later."""

    exit_status = 75


class TooManyFaults(EvonetError):
    """More episodes failed than `faults.max_share` allows, or one episode failed where `faults.on_fault` is "stop".

    Attributes:
        faults: the faults until the evaluation ended; `Fault.individual` is a row of the population.
        generation: the generation in whose training the episodes failed; None outside training.
    """

    def __init__(self, message: str, faults: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.faults = faults
        self.generation: int | None = None
