"""Bounds: genes that stay in a range."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from evonet.operators.mutation import check_order
from evonet.settings import Operator
from evonet.types import FloatArray


@dataclass(frozen=True)
class Bounds(Operator):
    """Genes stay in [low, high]: what leaves it is put back after the mutations.

    Attributes:
        low: least gene.
        high: greatest gene.
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
            folded = np.mod(genomes - self.low, 2 * width)  # there and back again
            inside: FloatArray = np.where(
                (genomes < self.low) | (genomes > self.high), self.low + width - np.abs(folded - width), genomes
            )
            return np.clip(inside, self.low, self.high)
        return np.clip(genomes, self.low, self.high)
