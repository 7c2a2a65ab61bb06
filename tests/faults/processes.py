"""Runs in processes of their own, which tests watch, signal and kill with all descendants."""

import contextlib
import os
import subprocess
import sys
import time
import uuid
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = "import sys; from evonet.cli import main; sys.exit(main())"
_MARK = "EVONET_TESTS_MARK"


class Started:
    """`evonet` with these arguments; a context manager that ends it."""

    def __init__(self, *arguments, program=PROGRAM, **settings):
        self.mark = uuid.uuid4().hex
        environment = {**os.environ, "PYTHONPATH": str(ROOT), _MARK: self.mark, **settings.pop("environment", {})}
        command = [sys.executable, "-c", program, *map(str, arguments)]
        self.process = subprocess.Popen(
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            **settings,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, 9)
        self.process.communicate()

    def processes(self):
        """Ids of it and all its descendants that still live."""
        return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and self._owns(entry)]

    def _owns(self, entry):
        try:
            state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            return state != "Z" and f"{_MARK}={self.mark}".encode() in (entry / "environ").read_bytes()
        except OSError:
            return False

    def ended(self, seconds=120):
        """Its exit status, stdout and stderr, once it has ended."""
        out, err = self.process.communicate(timeout=seconds)
        assert "Traceback" not in err, err
        return self.process.returncode, out, err


def wait_until(condition, seconds=60):
    """Wait for a condition, which the test needs."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.005)


def generations_in(path):
    """The number of generations in a run's metrics so far."""
    file = path / "metrics.jsonl"
    return file.read_bytes().count(b"\n") if file.exists() else 0
