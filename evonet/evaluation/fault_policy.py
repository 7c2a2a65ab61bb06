"""What becomes of episodes that cannot be scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from evonet.errors import TooManyFaults
from evonet.evaluation.results import Fault
from evonet.settings import Natural, PositiveFloat, Probability, Settings

GENEROUS_TIMEOUT = 600.0
"""Seconds that an episode may take in a worker process where nobody says how many."""


@dataclass(frozen=True)
class FaultPolicy(Settings):
    """What becomes of episodes that cannot be scored.

    Attributes:
        retries: how often an episode is tried again whose worker process died or that took longer than it may, for
            then the machine may be guilty; one that raised is not tried again.
        timeout: seconds that an episode may take. If given, episodes run in worker processes whatever their number,
            for nothing else can be ended. By default 600 there, and no limit in this process.
        max_share: of a generation's individuals that may fail; if more do, the run stops with the first cause.
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

    def judge(self, faults: Sequence[Fault], individuals: int) -> None:
        """Hold the faults of so many individuals against the policy.

        Raises:
            TooManyFaults: there are more than it allows; the message has the first of them.
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
        raise TooManyFaults(f"{rule}; the first, {first.place}: {first.message}", faults)
