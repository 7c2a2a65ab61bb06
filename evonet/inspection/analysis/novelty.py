"""What a novelty search found: the behaviours in its archive, and the ground on which they lie."""

from __future__ import annotations

from dataclasses import dataclass

from evonet.archives.elites import Elites
from evonet.archives.unstructured import UnstructuredArchive
from evonet.environments.known import GroundPlan, known_environment
from evonet.errors import ConfigError
from evonet.inspection.loaded_run import LoadedRun

NOVELTY_SEARCH = "novelty_search"


@dataclass(frozen=True)
class NoveltyFound:
    """What a novelty search found.

    Attributes:
        archive: the individuals whose behaviour was new when they were scored, in that order.
        threshold: novelty of an individual that would enter next.
        plan: plan of the ground, if the first two measures are the agent's last place on it; None otherwise.
    """

    archive: Elites
    threshold: float
    plan: GroundPlan | None


def novelty_found(run: LoadedRun) -> NoveltyFound | None:
    """What the novelty search of a run found, by its newest checkpoint; None for another algorithm.

    Raises:
        ConfigError: the checkpoint's archive is not valid.
    """
    section = run.settings.get("algorithm")
    checkpoint = run.newest_checkpoint
    if not isinstance(section, dict) or section.get("type") != NOVELTY_SEARCH or checkpoint is None:
        return None

    def read() -> UnstructuredArchive:
        archive = UnstructuredArchive(section["measures"], 1.0)
        archive.restore(checkpoint.state["evolution"]["algorithm"]["archive"])
        return archive

    archive = run.read("checkpoints", read)
    return NoveltyFound(archive.elites, archive.threshold, _ground_plan(run, archive.measure_names))


def _ground_plan(run: LoadedRun, names: tuple[str, ...]) -> GroundPlan | None:
    """The plan of the ground, if the first two measures are places on it."""
    environment, measures = run.settings.get("environment"), run.settings.get("measures")
    if not isinstance(environment, dict) or not isinstance(measures, dict):
        return None
    known, arguments = known_environment(environment.get("id")), environment.get("kwargs") or {}
    if known.ground_plan is None or not isinstance(arguments, dict):
        return None
    try:
        plan = known.ground_plan(arguments)
    except (ConfigError, TypeError, ValueError):  # a map in a file that is gone
        return None
    read = [part for name in names[:2] if isinstance(part := measures.get(name), dict)]
    last = [("info", key, "last") for key in plan.keys]
    return plan if [(part.get("of"), part.get("key"), part.get("take")) for part in read] == last else None
