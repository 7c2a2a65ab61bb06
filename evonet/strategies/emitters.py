"""Emitters: several CMA-ES that run side by side in one archive, their arrays stacked.

N. Hansen, "The CMA evolution strategy: a tutorial", 2016, https://arxiv.org/abs/1604.00772: the numbers below are those
of its equations. A covariance is factorised by Cholesky, and the path of the step size is that of the normal numbers:
O. Krause, D. R. Arbones and C. Igel, "CMA-ES with optimal covariance update and storage complexity", NIPS 2016.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from evonet.arithmetic import exp, log
from evonet.types import BoolArray, FloatArray, IntArray

_NAMES = ("mean", "sigma", "path_sigma", "path_c", "covariance", "factor", "normal", "samples", "factorised")
_MAX_CONDITION, _MIN_STEP = 1e14, 1e-11


class Emitters:
    """Normal distributions that each learn mean, step size and covariance from their own ranked samples.

    A covariance is factorised only every few generations, when it has changed enough.

    Args:
        centres: the first means, `(emitters, genome_size)`.
        samples: samples of each emitter in a generation.
        sigma: first step size, also after a restart.

    Attributes:
        mean: `(emitters, genome_size)`.
        sigma: step sizes, `(emitters,)`.
    """

    def __init__(self, centres: FloatArray, samples: int, sigma: float) -> None:
        count, size = centres.shape
        self.batch, self._first_sigma = samples, float(sigma)
        self.mean = centres.copy()
        self.sigma = np.full(count, self._first_sigma)
        self.path_sigma, self.path_c = np.zeros((count, size)), np.zeros((count, size))
        self.covariance = np.tile(np.eye(size), (count, 1, 1))
        self.factor = self.covariance.copy()  # times its transpose it is the covariance
        self.normal = np.zeros((count, samples, size))  # the standard normal numbers of the last samples
        self.samples: IntArray = np.zeros(count, dtype=np.int64)  # since the start or the last restart
        self.factorised: IntArray = np.zeros(count, dtype=np.int64)  # `samples` at the last factorisation
        _, mu_eff = _weights(np.array([max(samples // 2, 1)]), samples)
        rank_one, rank_mu = _covariance_rates(mu_eff, size)
        self._gap = 0.5 * samples / (size * float((rank_one + rank_mu)[0]))

    def sample(self, rng: np.random.Generator) -> FloatArray:
        """Samples of all emitters, `(emitters * samples, genome_size)`, emitter by emitter."""
        self._factorise()
        self.normal = rng.standard_normal(self.normal.shape)
        samples = np.empty_like(self.normal)
        for own, normal, factor in zip(samples, self.normal, self.factor, strict=True):
            np.matmul(normal, factor.T, out=own)
        samples *= self.sigma[:, None, None]
        samples += self.mean[:, None, :]
        return samples.reshape(-1, self.mean.shape[1])

    def learn(self, samples: FloatArray, order: IntArray, parents: IntArray) -> None:
        """Adapt the distributions to their samples.

        Args:
            samples: what `sample` returned.
            order: the places of each emitter's samples, the best first, `(emitters, samples)`.
            parents: how many of the best each emitter learns from, `(emitters,)`; none changes nothing.
        """
        count, size = self.mean.shape
        self.samples = self.samples + self.batch
        at = np.flatnonzero(parents > 0)
        if not at.size:
            return
        most = int(parents.max())
        best = order[at, :most]
        weights, mu_eff = _weights(parents[at], most)
        rank_one, rank_mu = _covariance_rates(mu_eff, size)
        rate_c = (4 + mu_eff / size) / (size + 4 + 2 * mu_eff / size)  # (56)
        rate_sigma = (mu_eff + 2) / (size + mu_eff + 5)  # (55)
        damping = 1 + 2 * np.maximum(0.0, np.sqrt((mu_eff - 1) / (size + 1)) - 1) + rate_sigma
        steps = samples.reshape(count, self.batch, size)[at[:, None], best] - self.mean[at][:, None, :]
        steps /= self.sigma[at][:, None, None]
        step = (weights[:, None, :] @ steps)[:, 0, :]  # (41)
        whitened = (weights[:, None, :] @ self.normal[at[:, None], best])[:, 0, :]
        self.mean[at] += self.sigma[at][:, None] * step  # (42)
        gain = np.sqrt(rate_sigma * (2 - rate_sigma) * mu_eff)
        path_sigma = (1 - rate_sigma)[:, None] * self.path_sigma[at] + gain[:, None] * whitened  # (43)
        length = np.square(path_sigma).sum(axis=1)
        # 1 - (1 - rate)^(2 t) for generation t: the expected length of a young path.
        settled = 1 - exp(2.0 * (self.samples[at] / self.batch) * log(1 - rate_sigma))
        h_sigma = length / size / settled < 2 + 4 / (size + 1)  # whether the path of the step size is short
        gain = h_sigma * np.sqrt(rate_c * (2 - rate_c) * mu_eff)
        path_c = (1 - rate_c)[:, None] * self.path_c[at] + gain[:, None] * step  # (45)
        kept = 1 - rank_one * (1 - ~h_sigma * rate_c * (2 - rate_c)) - rank_mu
        steps *= np.sqrt(rank_mu[:, None] * weights)[:, :, None]
        changes = np.concatenate([steps, (np.sqrt(rank_one)[:, None] * path_c)[:, None, :]], axis=1)
        for emitter, share, change in zip(at, kept, changes, strict=True):  # (47), one matrix in the cache at a time
            covariance = self.covariance[emitter]
            covariance *= share
            covariance += change.T @ change
        self.path_sigma[at], self.path_c[at] = path_sigma, path_c
        self.sigma[at] *= exp(np.minimum(1.0, rate_sigma / damping * (length / size - 1) / 2))

    @property
    def converged(self) -> BoolArray:
        """Whether each distribution has become too narrow or too lopsided to go on, `(emitters,)`."""
        scales = np.diagonal(self.factor, axis1=1, axis2=2)
        largest, least = scales.max(axis=1), scales.min(axis=1)
        narrow: BoolArray = (self.sigma * largest < _MIN_STEP) | (largest > _MAX_CONDITION**0.5 * least)
        return narrow

    def restart(self, at: IntArray, centres: FloatArray) -> None:
        """Begin anew with the emitters `at (m,)`, at these `centres (m, genome_size)`."""
        self.mean[at], self.sigma[at] = centres, self._first_sigma
        self.path_sigma[at] = self.path_c[at] = 0.0
        self.covariance[at] = self.factor[at] = np.eye(self.mean.shape[1])
        self.samples[at] = self.factorised[at] = 0

    def state(self) -> dict[str, Any]:
        """Everything that `restore` needs, as arrays."""
        return {name: getattr(self, name).copy() for name in _NAMES}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from `state`, which is copied.

        Raises:
            ValueError: an array has another shape.
        """
        for name in _NAMES:
            now = getattr(self, name)
            setattr(self, name, np.array(state[name], dtype=now.dtype).reshape(now.shape))

    def _factorise(self) -> None:
        """Factorise the covariances that have changed for so many samples that it matters."""
        for emitter in np.flatnonzero(self.samples > self.factorised + self._gap):
            try:
                self.factor[emitter] = np.linalg.cholesky(self.covariance[emitter])
            except np.linalg.LinAlgError:  # no longer positive: without a width it has converged, and restarts
                self.factor[emitter] = 0.0
            self.factorised[emitter] = self.samples[emitter]


def _weights(parents: IntArray, most: int) -> tuple[FloatArray, FloatArray]:
    """Weights `(m, most)` of the best `parents (m,)`, 0 beyond them, and their effective number `(m,)` (8, 49, 53)."""
    places = np.arange(1.0, most + 1)
    weights = np.maximum(0.0, log(parents[:, None].astype(np.float64) + 0.5) - log(places))
    weights /= weights.sum(axis=1, keepdims=True)
    return weights, 1 / np.square(weights).sum(axis=1)


def _covariance_rates(mu_eff: FloatArray, size: int) -> tuple[FloatArray, FloatArray]:
    """The learning rates of the rank-one and of the rank-mu update, `(m,)` each (57, 58)."""
    rank_one = 2 / ((size + 1.3) ** 2 + mu_eff)
    return rank_one, np.minimum(1 - rank_one, 2 * (mu_eff - 2 + 1 / mu_eff) / ((size + 2) ** 2 + mu_eff))
