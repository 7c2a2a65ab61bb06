"""A bar for one's own loop, and in a notebook its learning curve: `for generation in evonet.progress(evolve(…))`."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from itertools import islice
from typing import Any

from tqdm import tqdm

from evonet.experiment.run_files.generation_log import metrics_of
from evonet.files.text import short_number
from evonet.generation import Generation

_PAUSE_SECONDS = 1.0  # between two drawings of the learning curve, which takes a tenth of that


def progress(
    evolution: Iterable[Generation], generations: int | None = None, target: float | None = None
) -> Iterator[Generation]:
    """The generations of `evolution`, with a bar on stderr, and in a notebook with a learning curve that grows.

    Args:
        evolution: what `evolve` returns.
        generations: how many to yield at most, which is the length of the bar; by default there is no end.
        target: a line in the learning curve.
    """
    curve = _LiveCurve(target) if _in_notebook() and find_spec("matplotlib") is not None else None
    with tqdm(total=generations, unit="gen", dynamic_ncols=True) as bar:
        try:
            for generation in islice(evolution, generations):
                bar.set_postfix_str(_scores(generation), refresh=False)
                bar.update()
                if curve is not None:
                    curve.add(generation)
                yield generation
        finally:
            if curve is not None:
                curve.draw()


def _scores(generation: Generation) -> str:
    validation = generation.champion and generation.champion.validation
    shown = f"validation {short_number(validation.mean)}, " if validation else ""
    return f"{shown}best {short_number(float(generation.fitness.max()))}"


def _in_notebook() -> bool:
    ipython: Any = sys.modules.get("IPython")
    return hasattr(ipython and ipython.get_ipython(), "kernel")


class _LiveCurve:
    """The learning curve in the output of a notebook's cell, drawn anew as generations come."""

    def __init__(self, target: float | None) -> None:
        self._target = target
        self._lines: list[dict[str, Any]] = []
        self._handle: Any = None
        self._due = 0.0

    def add(self, generation: Generation) -> None:
        """Add a generation, and draw if the last drawing is a while ago."""
        self._lines.append(metrics_of(generation))
        if time.monotonic() >= self._due:
            self.draw()

    def draw(self) -> None:
        """Draw all generations so far."""
        if not self._lines:
            return
        from evonet.inspection.notebook import figure_html
        from evonet.plot import draw_metrics

        notebook: Any = importlib.import_module("IPython.display")
        picture = notebook.HTML(figure_html(lambda axes: draw_metrics(self._lines, target=self._target, ax=axes)))
        if self._handle is None:
            self._handle = notebook.display(picture, display_id=True)
        else:
            self._handle.update(picture)
        self._due = time.monotonic() + _PAUSE_SECONDS
