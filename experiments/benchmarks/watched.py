"""How much does watching slow a run?

Question: the seconds of a run of LunarLander-v3 on all cores with `--watch`, and a client that asks for all that the
page asks for, as often as the page does, divided by the seconds of the same run without. Both compute the same bits.

Command: python experiments/benchmarks/watched.py [--quick] [--json]; four minutes on a quiet machine with two cores

The client is not a browser, whose own work, to draw the page, is no part of evonet. The server's process renders an
episode of each new champion in another one, at the lowest priority; the processor time of both is printed too, by which
a run is slowed at most where it keeps all cores busy.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np

from contest import HERE, Report, Result, chosen_rounds, cores_present, options, python, say

CONFIG = HERE.parents[1] / "configs" / "lunar_lander.yaml"
GENERATIONS = 40  # half a minute: to start, the page takes a second of one processor
BOUND = 1.03
WITHOUT, WITH = "without a page", "with a page and a client"


def main() -> None:
    parser = options(__doc__, rounds=3)
    arguments = parser.parse_args()
    rounds = chosen_rounds(arguments)
    report = Report("watched", rounds)
    results = {name: Result(name, cores_present(), "s", []) for name in (WITHOUT, WITH)}
    clients = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds + 1):  # the first warms the caches of the file system
            for name in (WITHOUT, WITH) if number % 2 else (WITH, WITHOUT):
                say(f"round {number}: {name:<30}", end="\r")
                length, output = GENERATIONS if number else 1, Path(folder) / f"{number}-{name == WITH}"
                seconds, client = _run(number, output, length, watch=name == WITH)
                if number:
                    results[name].values.append(seconds)
                    clients += [client] if name == WITH else []
    report.tables["seconds of a run"] = list(results.values())
    report.compare("with a page / without", results[WITH], results[WITHOUT], at_most=BOUND)
    report.notes = {
        "a run with a page has": {
            "answers": float(np.mean([client.answers for client in clients])),
            "pictures": float(np.mean([client.pictures for client in clients])),
            "processor seconds of the page": round(float(np.mean([client.seconds for client in clients])), 2),
        }
    }
    report.show(arguments.json)


class Client(threading.Thread):
    """Asks for what the page asks for, until the server is gone, and looks at the server's processor time."""

    def __init__(self, address: str, run: int) -> None:
        super().__init__(daemon=True)
        self.address, self.process = address, run
        self.answers, self.pictures, self.seconds = 0, 0, 0.0

    def run(self) -> None:
        clip, seen = 0, 0
        try:
            self.address = urllib.request.urlopen(self.address).url
            while True:
                entry = self._get("state")["clip"]
                if entry is not None:
                    clip, seen = (clip, seen) if entry["number"] == clip else (entry["number"], 0)
                    while seen < entry["pictures"]:
                        new = len(self._get(f"pictures?clip={clip}&from={seen}")["pictures"] or ())
                        seen, self.pictures = seen + new, self.pictures + new
                        if not new:
                            break
                self.seconds = _seconds_of_the_page(self.process)
                time.sleep(1)
        except (OSError, urllib.error.URLError, ValueError):
            return

    def _get(self, what: str) -> Any:
        self.answers += 1
        with urllib.request.urlopen(self.address + what) as answer:
            return json.loads(answer.read())


def _run(seed: int, output: Path, generations: int, *, watch: bool) -> tuple[float, Client]:
    """The seconds of a run, by its own clock, and its client."""
    words = ["run", str(CONFIG), "--seed", str(seed), "--json", "--output", str(output)]
    words += ["--set", f"stop.generations={generations}", "--set", "test.episodes=2", *(["--watch"] if watch else [])]
    process = subprocess.Popen(
        [python("x")[0], "-m", "evonet", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    client = Client("", process.pid)
    assert process.stderr is not None
    for line in process.stderr:
        found = re.search(r"http://\S+/", line)
        if found:
            client = Client(found[0], process.pid)
            client.start()
    output_text, _ = process.communicate()
    return float(json.loads(output_text)["seconds"]), client


def _seconds_of_the_page(run: int) -> float:
    """Processor seconds of the process `evonet watch` that a run has started, and of its children; 0 off Linux."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            seconds = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
            words = path.with_name("cmdline").read_text().split("\0")
            found[int(path.parent.name)] = int(fields[1]), seconds, "watch" in words
    page = {process for process, (parent, _, watches) in found.items() if parent == run and watches}
    page |= {process for process, (parent, _, _) in found.items() if parent in page}
    return sum(found[process][1] for process in page)


if __name__ == "__main__":
    main()
