"""The sections of the report in their order, each a function of `ReportData`; None if it does not concern the run."""

from collections.abc import Callable

from evonet.inspection.report.report_data import ReportData
from evonet.inspection.report.section import Section
from evonet.inspection.report.sections.ancestry import ancestry
from evonet.inspection.report.sections.archive import archive
from evonet.inspection.report.sections.behaviour import behaviour
from evonet.inspection.report.sections.front import front
from evonet.inspection.report.sections.learned import learned
from evonet.inspection.report.sections.learning import learning
from evonet.inspection.report.sections.network import network
from evonet.inspection.report.sections.novelty import novelty
from evonet.inspection.report.sections.record import record
from evonet.inspection.report.sections.robustness import robustness
from evonet.inspection.report.sections.verdict import verdict

SECTIONS: tuple[Callable[[ReportData], Section | None], ...] = (
    verdict,
    learning,
    archive,
    front,
    novelty,
    network,
    behaviour,
    learned,
    robustness,
    ancestry,
    record,
)

__all__ = ["SECTIONS"]
