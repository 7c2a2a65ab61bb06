"""Growing: a search for the weights of the smallest network, which restarts with more hidden neurons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Lt

from evonet.architecture import Architecture
from evonet.operators.structure import enlarged, masked, smaller, thresholded
from evonet.population import Population
from evonet.settings import Count, Natural, check
from evonet.strategies.algorithm import AlgorithmFactory
from evonet.strategies.restarts import Restarts
from evonet.strategies.warm_start import Start, starting_genomes
from evonet.types import BoolArray, FloatArray


class Growing(Restarts):
    """Searches the weights of the smallest network, and restarts with more hidden neurons when it stagnates.

    The smallest network has one hidden neuron, or none where there are skip connections. A network that has all the
    neurons there may be grows no more, and restarts go on. A restart follows for the reasons of `Restarts`.

    Args:
        architecture: architecture of the largest network.
        algorithm: a factory of the algorithm, called at the start and at each restart.
        neurons: hidden neurons that are added at a time.
        attempts: searches of networks of one size.
        start: hidden neurons of the first networks; by default as few as there may be.
        threshold: by how much each weight comes nearer to 0, as a share of the root mean square of the network's
            weights; a weight that comes to 0 is no connection. So connections that do not matter vanish.
        stagnation: generations without a better best fitness; by default 10 + 30 genes / population size.
        flat: generations in which all individuals have the same fitness.
        seed: seed of all random numbers.
        initial: genome of the largest network to start from, or what has one, see `evonet.strategies.warm_start`; its
            genes of 0 are connections that do not exist, and stay 0, so that the weights of a structure are tuned.

    Attributes:
        hidden: hidden neurons of the networks that are searched now.

    Raises:
        TypeError, ValueError: a setting has the wrong type or is out of range.
    """

    def __init__(
        self,
        architecture: Architecture,
        algorithm: AlgorithmFactory,
        neurons: Count = 1,
        attempts: Count = 1,
        start: Natural | None = None,
        threshold: Annotated[float, Ge(0), Lt(1)] = 0.0,
        stagnation: Count | None = None,
        flat: Count = 10,
        *,
        seed: Natural = 0,
        initial: Start | None = None,
    ) -> None:
        check(Growing, {"neurons": neurons, "attempts": attempts, "start": start, "threshold": threshold})
        self.neurons = int(neurons)
        self.attempts = int(attempts)
        self.threshold = float(threshold)
        least, most = 0 if architecture.skip else 1, architecture.num_hidden
        self.hidden = least if start is None else int(start)
        if not least <= self.hidden <= most:
            raise ValueError(f"Growing.start must be from {least} to {most} for {architecture}, got {start}")
        self._exists: BoolArray | None = None  # which connections there may be; None if all
        if initial is not None:
            self.hidden = most
            (genome,) = starting_genomes("Growing.initial", initial, architecture, most=1)
            initial = _before_threshold(genome, self.threshold)
            self._exists = None if genome.all() else genome != 0.0
        super().__init__(architecture, algorithm, stagnation=stagnation, flat=flat, seed=seed, initial=initial)

    @property
    def mean(self) -> FloatArray:
        """The mean of the search distribution of the algorithm that runs now, `(genome_size,)`, if it has one."""
        return enlarged(super().mean, self._searched, self.architecture)

    def __repr__(self) -> str:
        return f"<Growing: {self.hidden} of {self.architecture.num_hidden} hidden neurons, by {self.running!r}>"

    def state(self) -> dict[str, Any]:
        """Everything that `restore` needs to continue bit for bit: arrays and numbers."""
        own = {"hidden": self.hidden, "threshold": self.threshold}
        return {**super().state(), **own, **({} if self._exists is None else {"exists": self._exists})}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from `state`, which is copied."""
        self.hidden = int(state["hidden"])
        self._exists = np.array(state["exists"], np.bool_) if "exists" in state else None
        super().restore(state)

    @property
    def _searched(self) -> Architecture:
        return smaller(self.architecture, self.hidden)

    def _next_size(self) -> None:
        """Grow, and leave the population size to the algorithm."""
        if self.restarts % self.attempts == 0:
            self.hidden = min(self.hidden + self.neurons, self.architecture.num_hidden)

    def _placed(self, inner: Population) -> tuple[FloatArray, BoolArray | None]:
        genomes = thresholded(inner.genomes, self.threshold)
        masks = np.ones(genomes.shape, np.bool_) if inner.masks is None else inner.masks
        if self.threshold:
            masks = masks & (genomes != 0.0)
        exists: BoolArray = enlarged(masks, self._searched, self.architecture)
        if self._exists is not None:
            exists &= self._exists
        return masked(enlarged(genomes, self._searched, self.architecture), exists), exists


def _before_threshold(genome: FloatArray, threshold: float) -> FloatArray:
    """The genome that `thresholded` makes `genome (genome_size,)` of."""
    strengths = np.abs(genome[genome != 0.0])
    share = threshold * threshold
    rest = len(genome) - share * len(strengths)
    total = share * strengths.sum()
    by = (total + np.sqrt(total * total + rest * share * np.square(strengths).sum())) / rest
    raw: FloatArray = genome + by * np.sign(genome)
    return raw
