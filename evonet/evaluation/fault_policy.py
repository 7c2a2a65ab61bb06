"""How episodes that cannot be scored are treated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from evonet.errors import TooManyFaults
from evonet.evaluation.results import Fault
from evonet.settings import Natural, PositiveFloat, Probability, Settings

GENEROUS_TIMEOUT = 600.0
"""Default limit of an episode in a worker process, in seconds."""


@dataclass(frozen=True)
class FaultPolicy(Settings):
    """How episodes that cannot be scored are treated.

    Attributes:
        retries: how often an episode is run again if its worker process died or it exceeded its time limit, for the
            machine may be the cause; an episode that raised is not run again.
        timeout: time limit of an episode, in seconds. If given, episodes run in worker processes even if there is one
            worker, for only a process can be ended. By default 600 there, and no limit in this process.
        max_share: share of a generation's individuals that may fail; if more do, the run stops with the first fault.
        on_fault: "penalise" ranks an individual that failed last, "stop" ends the run at the first fault.
    """

    retries: Natural = 1
    timeout: PositiveFloat | None = None
    max_share: Probability = 0.5
    on_fault: Literal["penalise", "stop"] = "penalise"

    @property
    def seconds(self) -> float:
        """The time limit of an episode in a worker process."""
        return GENEROUS_TIMEOUT if self.timeout is None else self.timeout

    def enforce(self, faults: Sequence[Fault], individuals: int) -> None:
        """Check the faults of an evaluation of `individuals` against the policy.

        Raises:
            TooManyFaults: more individuals failed than the policy allows; the message has the first fault.
        """
        if not faults:
            return
        failed = len({fault.individual for fault in faults})
        first = min(faults, key=lambda fault: (fault.individual, fault.episode))
        if self.on_fault == "stop":
            rule = f"{failed} of {individuals} individuals failed, and faults.on_fault is 'stop'"
        elif failed > self.max_share * individuals:
            rule = f"{failed} of {individuals} individuals failed, more than faults.max_share {self.max_share:g} allows"
        else:
            return
        raise TooManyFaults(f"{rule}; the first, {first.location}: {first.message}", faults)
