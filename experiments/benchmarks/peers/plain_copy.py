"""The measure of memory: one matrix copied onto another, again and again.

usage: python -m peers.plain_copy ROWS GENES
"""

from __future__ import annotations

import sys

import numpy as np

from contestant import Measure, serve, timed


def prepare(rows: int, genes: int) -> Measure:
    source = np.random.default_rng(1).standard_normal((rows, genes))
    target = np.zeros_like(source)

    def work() -> int:
        np.copyto(target, source)
        return 1

    return lambda: timed(work)


if __name__ == "__main__":
    serve(lambda: prepare(int(sys.argv[1]), int(sys.argv[2])))
