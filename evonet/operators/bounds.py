"""Bounds: the range that genes are kept in."""

from __future__ import annotations

from typing import Literal

import numpy as np

from evonet.operators.mutation import check_order
from evonet.settings import Operator, frozen
from evonet.types import FloatArray


@frozen
class Bounds(Operator):
    """Keeps genes in [low, high]: after the mutations, a gene outside the range is put back into it.

    Attributes:
        low: smallest value of a gene.
        high: greatest value of a gene.
        handling: "clip" puts a gene on the bound that it crossed, "reflect" as far inside as it was outside.
    """

    low: float = -5.0
    high: float = 5.0
    handling: Literal["clip", "reflect"] = "clip"

    def check_together(self) -> None:
        check_order("Bounds", self.low, self.high)

    def __call__(self, genomes: FloatArray) -> FloatArray:
        """The genomes with all genes in the range, in a new array."""
        if self.handling == "reflect":
            width = self.high - self.low
            folded = np.mod(genomes - self.low, 2 * width)  # a triangle wave
            inside: FloatArray = np.where(
                (genomes < self.low) | (genomes > self.high), self.low + width - np.abs(folded - width), genomes
            )
            return np.clip(inside, self.low, self.high)
        return np.clip(genomes, self.low, self.high)
