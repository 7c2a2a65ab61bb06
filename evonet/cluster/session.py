"""The data that is sent with each call to a remote worker: the call's session, and the versions that it requires."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from evonet.errors import WorkersUnavailable
from evonet.fingerprint import environment_versions, version_mismatch


@dataclass(frozen=True)
class Session:
    """The calls of one client, that is of a run or a study.

    Attributes:
        id: key under which a worker caches child processes for the session's next call.
        versions: versions of software that a worker must have.
    """

    id: str
    versions: Mapping[str, str]

    @classmethod
    def new(cls) -> Self:
        """A new session with the versions of this process."""
        return cls(uuid.uuid4().hex, environment_versions())


@dataclass(frozen=True)
class Refusal:
    """The return value of a worker that cannot make the calls of a session.

    Attributes:
        reason: why the worker cannot make the calls.
    """

    reason: str


def make_call(session: Session, function: Callable[..., Any], arguments: Sequence[Any]) -> Any:
    """Make a call in the current process, on a worker.

    Returns:
        The function's return value; a `Refusal` if the session requires other versions than this process has, or if no
        child process can start.
    """
    differ = version_mismatch(session.versions, environment_versions())
    if differ is not None:
        return Refusal(f"versions differ: {differ}")
    try:
        return function(*arguments)
    except WorkersUnavailable as error:
        return Refusal(str(error))
