"""The code of a contestant written in Python.

>>> from contestant import serve, timed
>>> serve(lambda: lambda: timed(lambda: sum(range(1000))))  # doctest: +SKIP
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

MEASURE_SECONDS = 0.3
_LONG = 2.0

Measure = Callable[[], Mapping[str, Any]]


def serve(prepare: Callable[[], Measure]) -> None:
    """Answer each line on stdin by one measurement as a line of JSON.

    Args:
        prepare: imports, compiles and warms up, and returns what measures. If it raises ImportError the contestant
            counts as absent.
    """
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # libraries that greet their users do so on stderr

    def answer(message: Mapping[str, Any]) -> None:
        print(json.dumps(message), file=answers, flush=True)

    try:
        measure = prepare()
    except ImportError as error:
        answer({"absent": str(error)})
        return
    answer({"ready": True})
    for _ in sys.stdin:
        answer(measure())
    answers.close()
    os._exit(0)  # some peers' threads outlive them


def timed(work: Callable[[], int], at_least: float = MEASURE_SECONDS) -> dict[str, float]:
    """Repeat `work`, which returns how much it did, for a while; the sum of that, and the seconds.

    The contestant has slept since its last turn, and all its memory has gone cold: for as long again as is measured it
    works without being timed, unless a single call takes so long that this cannot matter.
    """
    done, seconds = _repeated(work, at_least)
    if seconds < _LONG:
        done, seconds = _repeated(work, at_least)
    return {"done": done, "seconds": seconds}


def _repeated(work: Callable[[], int], at_least: float) -> tuple[int, float]:
    done = 0
    start = time.perf_counter()
    while True:
        done += work()
        seconds = time.perf_counter() - start
        if seconds >= at_least:
            return done, seconds
