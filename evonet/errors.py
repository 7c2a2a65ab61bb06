"""What evonet raises when the fault is not in the caller's code but in a file, a setting or the machine."""

from __future__ import annotations


class EvonetError(Exception):
    """A failure that a person can repair; the command line prints it without a traceback.

    Attributes:
        exit_status: what the process ends with when the error reaches the command line.
    """

    exit_status = 1


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
