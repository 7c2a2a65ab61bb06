"""An individual: a genome, and what a run knows of it."""

from __future__ import annotations

import hashlib
from dataclasses import KW_ONLY, dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np

from evonet.architecture import Architecture
from evonet.environments.normaliser import ObservationNormaliser
from evonet.network import NeuralNetwork
from evonet.policy import Policy
from evonet.settings import plain
from evonet.task import Task
from evonet.types import FloatArray


@dataclass(frozen=True, eq=False)
class Individual:
    """One genome of a run.

    Attributes:
        architecture: architecture of the network that the genome holds.
        genome: `(genome_size,)`.
        id: number of the individual in the run.
        generation: generation of this fitness and this normaliser; of a champion, the one in which it was chosen.
        training_fitness: its fitness in that generation: luck as well as skill, never a result; -inf if it failed.
        normaliser: normaliser of observations in that generation; None if they stay as they are.
    """

    architecture: Architecture
    genome: FloatArray
    _: KW_ONLY
    id: int = 0
    generation: int = 0
    training_fitness: float = -np.inf
    normaliser: ObservationNormaliser | None = None

    def __post_init__(self) -> None:
        # A file holds Python's numbers and float64 only.
        object.__setattr__(self, "genome", np.asarray(self.genome, dtype=np.float64))
        for name in ("id", "generation", "training_fitness"):
            object.__setattr__(self, name, plain(getattr(self, name)))
        expected = (self.architecture.genome_size,)
        if np.shape(self.genome) != expected:
            raise ValueError(
                f"{type(self).__name__}.genome must have shape {expected} for {self.architecture}, "
                f"got {np.shape(self.genome)}"
            )

    def __getstate__(self) -> dict[str, Any]:
        # The network is views onto the genome, and a policy holds closures: a copy makes its own.
        return {name: value for name, value in vars(self).items() if name in self.__dataclass_fields__}

    @property
    def digest(self) -> str:
        """A digest of the genome, the architecture and the normaliser, to the last bit."""
        shape = self.architecture
        # Settings at their defaults are left out, so that a setting of a later version changes no digest.
        settings = [(f.name, value) for f in fields(shape) if (value := getattr(shape, f.name)) != f.default]
        digest = hashlib.sha256(repr(settings).encode())
        digest.update(np.ascontiguousarray(self.genome).data)
        if self.normaliser is not None:
            count, mean, squares = self.normaliser.to_arrays().values()
            digest.update(np.array([count, *mean, *squares], dtype=np.float64).data)
        return digest.hexdigest()[:32]

    @cached_property
    def network(self) -> NeuralNetwork:
        """The network, whose weights are views onto the genome."""
        return NeuralNetwork.from_genome(self.architecture, self.genome)

    def policy_for(self, task: Task | None, lanes: int = 1) -> Policy:
        """The individual's policy in the environment of `task`.

        Raises:
            EnvironmentUnavailable: there is no task, because a function scored the individual.
        """
        return Policy(task, self.network.genome[None, :], self.normaliser, lanes)
