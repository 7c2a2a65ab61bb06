"""What travels with each call to a worker elsewhere: the session that it belongs to, and the versions it needs."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from evonet.errors import WorkersUnavailable
from evonet.fingerprint import environment_versions, version_mismatch


@dataclass(frozen=True)
class Session:
    """One client's calls: those of a run, or of a study.

    Attributes:
        id: key under which a worker keeps child processes for the session's next call.
        versions: versions that results must be computed with.
    """

    id: str
    versions: Mapping[str, str]

    @classmethod
    def new(cls) -> Self:
        """A session of this process, with its versions."""
        return cls(uuid.uuid4().hex, environment_versions())


@dataclass(frozen=True)
class Refusal:
    """What a worker returns instead of a result if it cannot make such calls.

    Attributes:
        reason: why the worker cannot make the calls.
    """

    reason: str


def make_call(session: Session, function: Callable[..., Any], arguments: Sequence[Any]) -> Any:
    """Make a call in this process.

    Returns:
        What the function returns; a `Refusal` if this process has other versions than the session needs, or if no
        worker process can start here.
    """
    differ = version_mismatch(session.versions, environment_versions())
    if differ is not None:
        return Refusal(f"versions differ: {differ}")
    try:
        return function(*arguments)
    except WorkersUnavailable as error:
        return Refusal(str(error))
