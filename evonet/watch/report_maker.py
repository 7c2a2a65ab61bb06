"""The report of a run that is over, made once, in a worker process: it runs the champion's environment."""

from __future__ import annotations

import threading
from collections.abc import Collection
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from evonet.errors import EvonetError
from evonet.extras import install_hint
from evonet.processes.worker import Worker

_PATIENCE = 900.0  # seconds for the whole report, after which the environment counts as hanging


class ReportMaker:
    """The report of one run.

    Args:
        path: the run directory.
        allow_imports: modules that may be imported when the champion acts in its environment.

    Attributes:
        html: the report; None until it is made.
        status: "none" before `begin`, then "making", at last "ready" or the reason why there is no report.
    """

    def __init__(self, path: Path, allow_imports: Collection[str]) -> None:
        self._arguments = (path, tuple(allow_imports))
        self._worker: Worker | None = None
        self._starting = threading.Lock()
        self.html: bytes | None = None
        self.status = "none"

    def begin(self) -> None:
        """Make the report in the background, unless that has begun."""
        with self._starting:
            if self.status != "none":
                return
            if find_spec("matplotlib") is None or find_spec("jinja2") is None:
                self.status = f"A report needs more packages: {install_hint('report')}"
                return
            self.status = "making"
        threading.Thread(target=self._make, daemon=True).start()

    def close(self) -> None:
        """End the worker process."""
        if self._worker is not None:
            self._worker.interrupt()

    def _make(self) -> None:
        try:
            self._worker = Worker()
            try:
                self.html = self._worker.call(_report, self._arguments, _PATIENCE)
            finally:
                self._worker.kill()
            self.status = "ready"
        except (EvonetError, OSError) as error:
            self.status = f"The report cannot be made: {error}"


def _report(path: Path, allow_imports: Collection[str]) -> Any:
    """The report's HTML; runs in the worker."""
    from evonet.inspection.loaded_run import load_run
    from evonet.inspection.report import report

    html, _ = report(load_run(path, allow_imports).located())
    return html.encode(errors="replace")
