"""How much does watching slow a run?

Question: the seconds of a run of LunarLander-v3 on all cores with `--watch`, and a client that asks for all that the
page asks for, as often as the page does, divided by the seconds of the same run without. Both compute the same bits.

Command: python experiments/benchmarks/watched.py [--quick] [--json]

The client is not a browser, whose own work, to draw the page, is no part of evonet. Its process renders an episode of
each new champion at the lowest priority; the time of that process is printed too.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from contest import HERE, Report, Result, chosen_rounds, cores_present, options, python, say

CONFIG = HERE.parents[1] / "configs" / "lunar_lander.yaml"
GENERATIONS = 8
BOUND = 1.03
WITHOUT, WITH = "without a page", "with a page and a client"


def main() -> None:
    parser = options(__doc__, rounds=7)
    arguments = parser.parse_args()
    rounds = chosen_rounds(arguments)
    report = Report("watched", rounds)
    results = {name: Result(name, cores_present(), "s", []) for name in (WITHOUT, WITH)}
    asked, shown = 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds + 1):  # the first warms the caches of the file system
            for name in (WITHOUT, WITH) if number % 2 else (WITH, WITHOUT):
                say(f"round {number}: {name:<30}", end="\r")
                seconds, client = _run(number or 1, Path(folder) / f"{number}-{name == WITH}", watch=name == WITH)
                if number:
                    results[name].values.append(seconds)
                    asked, shown = asked + client.answers, shown + client.pictures
    report.tables["seconds of a run"] = list(results.values())
    report.compare("with a page / without", results[WITH], results[WITHOUT], at_most=BOUND)
    report.notes = {"answers a run": round(asked / rounds, 1), "pictures a run": round(shown / rounds, 1)}
    report.show(arguments.json)


class Client(threading.Thread):
    """Asks for what the page asks for, until the server is gone."""

    def __init__(self, address: str) -> None:
        super().__init__(daemon=True)
        self.address, self.answers, self.pictures = address, 0, 0

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
                time.sleep(1)
        except (OSError, urllib.error.URLError, ValueError):
            return

    def _get(self, what: str) -> Any:
        self.answers += 1
        with urllib.request.urlopen(self.address + what) as answer:
            return json.loads(answer.read())


def _run(seed: int, output: Path, *, watch: bool) -> tuple[float, Client]:
    """The seconds of a run, by its own clock, and its client."""
    words = ["run", str(CONFIG), "--seed", str(seed), "--json", "--output", str(output)]
    words += ["--set", f"stop.generations={GENERATIONS}", "--set", "test.episodes=2", *(["--watch"] if watch else [])]
    process = subprocess.Popen(
        [python("x")[0], "-m", "evonet", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    client = Client("")
    assert process.stderr is not None
    for line in process.stderr:
        found = re.search(r"http://\S+/", line)
        if found:
            client = Client(found[0])
            client.start()
    output_text, _ = process.communicate()
    return float(json.loads(output_text)["seconds"]), client


if __name__ == "__main__":
    main()
