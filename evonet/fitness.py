"""Fitness functions: what "good" means, on top of an evaluation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike

from evonet.activations import ACTIVATIONS, ActivationName
from evonet.cluster.executor import Cluster, FuturesExecutor
from evonet.environments.normaliser import ObservationNormaliser
from evonet.environments.spaces import ActionDecoder, ObservationEncoder, Squash
from evonet.environments.specification import DEFAULT_MAX_STEPS, EnvironmentFactory, EnvironmentSpec, Wrapper
from evonet.errors import TooManyFaults
from evonet.evaluation.engines import EngineName
from evonet.evaluation.executors import Executor, InProcess, WorkerProcesses, Workers, make_executor
from evonet.evaluation.fault_policy import FaultPolicy
from evonet.evaluation.results import EpisodeResults, Fault
from evonet.evaluation.task import Task
from evonet.network import Architecture
from evonet.settings import Count, Episodes, Probability, check
from evonet.types import FloatArray, IntArray

Aggregation = Literal["mean", "min", "median", "quantile"]
FitnessFunction: TypeAlias = Callable[[FloatArray, IntArray], ArrayLike]

_WATCHED = 1000  # steps of an episode, from its first, from which observations are taken
_OBSERVATIONS = 64


@runtime_checkable
class Fitness(Protocol):
    """What `evolve` asks of a fitness.

    Attributes:
        architecture: of the networks that it scores.
        episodes: how many episodes an evaluation has.
        task: the environment and its use, None where there is no environment.
        normaliser: of observations, None where they stay as they are.
    """

    architecture: Architecture
    episodes: int
    task: Task | None
    normaliser: ObservationNormaliser | None

    def __call__(self, genomes: FloatArray, episode_seeds: IntArray) -> EpisodeResults:
        """Run `genomes (n, genome_size)` on the episodes `(episodes,)`; a pure function of both."""
        ...

    def aggregate(self, returns: FloatArray) -> FloatArray:
        """Fitness `(n,)` of `returns (n, episodes)`; -inf for an individual with a fault."""
        ...

    def adapt(self, results: EpisodeResults) -> None:
        """Take in what a generation has seen, before the next begins."""
        ...

    def close(self) -> None:
        """Give back environments and processes."""
        ...


class EpisodeReturn:
    """The sum of rewards over an episode of a Gymnasium environment, aggregated over several episodes.

    The network's inputs and outputs follow from the environment's spaces.

    Args:
        environment: a registered id, a specification, or a callable that makes the environment.
        hidden: hidden neurons.
        hidden_activation: a key of `evonet.activations.ACTIVATIONS`.
        output_activation: likewise. The identity by default, for saturated outputs cannot be told apart.
        bias: whether neurons have a bias.
        recurrent: whether the hidden layer sees its own last output.
        episodes: in an evaluation.
        aggregation: how the returns of the episodes become one fitness.
        quantile: which, for the aggregation "quantile"; 0 is the worst episode, 1 the best.
        normalise_observations: whether each input is brought to mean 0 and deviation 1 as evolution goes on.
        action_squash: how unbounded outputs get into a Box action space, "tanh" or "clip".
        kwargs: keyword arguments of the environment.
        wrappers: around the environment, the first innermost.
        max_steps: cut an episode after so many steps; by default the environment's limit, or 1,000.
        engine: what runs the episodes.
        workers: processes; 1 is this one, the fastest for a cheap environment and no way for one that hangs or crashes.
            "auto" is this one too until others pay, if the environment comes with Gymnasium; else one for each core.
        faults: what becomes of episodes that cannot be scored.
        executor: runs the episodes instead of processes on this machine: a Dask `Client`, or any executor whose futures
            are those of `concurrent.futures`; `workers` then is how many it has, if it does not tell itself.

    Raises:
        UnsuitableEnvironment: the environment is unknown, or no network can serve its spaces.
        EnvironmentUnavailable: it cannot be made.
        WorkersUnavailable: it cannot be sent to worker processes.
        ClusterUnavailable: the Dask scheduler does not answer, or has no workers.
        TypeError, ValueError: a setting has the wrong type or is out of range.
    """

    def __init__(
        self,
        environment: str | EnvironmentSpec | EnvironmentFactory,
        *,
        hidden: Count = 16,
        hidden_activation: ActivationName = "tanh",
        output_activation: ActivationName = "identity",
        bias: bool = True,
        recurrent: bool = False,
        episodes: Episodes = 3,
        aggregation: Aggregation = "mean",
        quantile: Probability = 0.25,
        normalise_observations: bool = False,
        action_squash: Squash = "tanh",
        kwargs: Mapping[str, Any] | None = None,
        wrappers: Sequence[Wrapper] = (),
        max_steps: Count | None = None,
        engine: EngineName = "auto",
        workers: Workers = 1,
        faults: FaultPolicy = FaultPolicy(),  # noqa: B008 - frozen
        executor: FuturesExecutor | Cluster | None = None,
    ) -> None:
        check(type(self), {name: value for name, value in locals().items() if name != "self"})
        if isinstance(environment, str):
            environment = EnvironmentSpec(environment, kwargs or {}, wrappers, max_steps)
        elif kwargs or wrappers:
            raise ValueError("EpisodeReturn.kwargs and wrappers go with an id; here the environment brings its own")
        elif max_steps is not None and isinstance(environment, EnvironmentSpec):
            environment = replace(environment, max_steps=max_steps)
        sample = environment.make() if isinstance(environment, EnvironmentSpec) else environment()
        decoder = ActionDecoder(sample.action_space, ACTIVATIONS[output_activation], action_squash)
        inputs = ObservationEncoder(sample.observation_space).size
        self.architecture = Architecture(
            inputs, hidden, decoder.size, hidden_activation, output_activation, bias, recurrent
        )
        self.episodes = episodes
        self.task: Task | None = Task(
            environment,
            sample.observation_space,
            sample.action_space,
            self.architecture,
            action_squash,
            max_steps or step_limit(environment, sample),
            normalise_observations,
        )
        sample.close()
        self.normaliser: ObservationNormaliser | None = (
            ObservationNormaliser.fresh(inputs) if normalise_observations else None
        )
        self._aggregation = aggregation
        self._quantile = quantile
        self._faults = faults
        self._executor: Executor = make_executor(self.task, engine, workers, faults, executor)
        self._observer: Executor | None = None

    @property
    def engine(self) -> str:
        """The engine that runs the episodes."""
        return self._executor.engine_name

    @property
    def isolated(self) -> bool:
        """Whether episodes run where they may hang or crash without taking this process with them."""
        return self._executor.isolated

    def __call__(self, genomes: FloatArray, episode_seeds: IntArray) -> EpisodeResults:
        """Run `genomes (n, genome_size)`, each on all episodes `(episodes,)`.

        Raises:
            WorkersUnavailable: worker processes cannot start.
            TooManyFaults: so many individuals failed that the rest is not worth running.
        """
        return self.run(genomes, episode_seeds, self.normaliser)

    def run(
        self, genomes: FloatArray, episode_seeds: IntArray, normaliser: ObservationNormaliser | None
    ) -> EpisodeResults:
        """The same, with observations normalised by `normaliser`."""
        n, episodes = len(genomes), len(episode_seeds)
        individuals = np.repeat(np.arange(n), episodes)
        seeds = np.tile(np.asarray(episode_seeds, dtype=np.int64), n)
        try:
            chunks = self._executor.evaluate(genomes, individuals, seeds, normaliser)
        except TooManyFaults as error:
            error.faults = [fault.numbered(individuals, episodes) for fault in error.faults]
            raise
        return EpisodeResults.joined(chunks, individuals, episodes)

    def aggregate(self, returns: FloatArray) -> FloatArray:
        """Fitness `(n,)` of `returns (n, episodes)`; -inf for an individual with a fault."""
        return aggregate(returns, self._aggregation, self._quantile)

    def adapt(self, results: EpisodeResults) -> None:
        """Merge what a generation has seen into the normaliser."""
        if self.normaliser is not None and results.observations is not None:
            seen = results.observations
            lengths = np.where(np.isfinite(results.returns), results.lengths, 0)  # of an episode that failed, nothing
            self.normaliser = self.normaliser.merged(lengths.ravel(), seen.sums, seen.squares)

    def observe(self, genome: FloatArray, episode_seed: int) -> tuple[FloatArray, int]:
        """Network inputs that `genome (genome_size,)` meets in an episode, `(k, num_inputs)`, and the steps it took.

        They are in order. There are 64 of them at most, spread evenly over the first 1,000 steps; those of a recurrent
        network, for which each follows from the last, are the first. There are none if the episode fails.
        """
        assert self.task is not None
        if self._observer is None:
            watched = replace(self.task, recorded=min(self.task.max_steps, _WATCHED))
            self._observer = (
                WorkerProcesses(watched, "gymnasium", 1, self._faults)
                if self.isolated
                else InProcess(watched, "gymnasium")
            )
        seeds = np.array([episode_seed], dtype=np.int64)
        [results, *_] = self._observer.evaluate(genome[None, :], np.zeros(1, np.int64), seeds, self.normaliser)
        if results.faults or results.inputs is None:
            return np.empty((0, self.architecture.num_inputs)), results.steps
        inputs: FloatArray = results.inputs[0, : results.lengths[0]]
        if self.architecture.recurrent or len(inputs) <= _OBSERVATIONS:
            return inputs[:_OBSERVATIONS].copy(), results.steps
        return inputs[np.linspace(0, len(inputs) - 1, _OBSERVATIONS).astype(np.int64)], results.steps

    def close(self) -> None:
        """Close environments and end worker processes."""
        self._executor.close()
        if self._observer is not None:
            self._observer.close()
            self._observer = None


class FunctionFitness:
    """A function of one's own as fitness.

    Args:
        function: `genomes (n, genome_size), episode_seeds (episodes,) -> returns (n, episodes)` or `(n,)`, higher is
            fitter; it should draw random numbers from nothing but the seeds. What is not finite is a fault.
        architecture: of the networks that it scores.
        episodes: seeds that it gets.
    """

    task: Task | None = None
    normaliser: ObservationNormaliser | None = None

    def __init__(self, function: FitnessFunction, architecture: Architecture, episodes: Episodes = 1) -> None:
        check(type(self), {"episodes": episodes})
        self.function = function
        self.architecture = architecture
        self.episodes = episodes

    def __call__(self, genomes: FloatArray, episode_seeds: IntArray) -> EpisodeResults:
        """The function's returns as `(n, episodes)`; one return for all episodes stands as a single episode.

        Raises:
            ValueError: the function returned another shape.
        """
        n, episodes = len(genomes), len(episode_seeds)
        returns = np.array(self.function(genomes, episode_seeds), dtype=np.float64)
        if returns.shape not in ((n,), (n, episodes)):
            raise ValueError(
                f"the fitness function must return shape ({n},) or ({n}, {episodes}) "
                f"for {n} genomes and {episodes} seeds, got {returns.shape}"
            )
        returns = returns.reshape(n, -1)
        faults = [
            Fault(int(i), int(e), int(episode_seeds[e]), "nonfinite", 0, f"the function returned {returns[i, e]}")
            for i, e in np.argwhere(~np.isfinite(returns))
        ]
        returns[~np.isfinite(returns)] = np.nan
        return EpisodeResults(returns, np.zeros(returns.shape, np.int64), np.zeros(returns.shape, np.bool_), faults)

    def aggregate(self, returns: FloatArray) -> FloatArray:
        """The mean over episodes `(n,)`; -inf for an individual with a fault."""
        return aggregate(returns, "mean")

    def adapt(self, results: EpisodeResults) -> None:
        """Nothing to take in."""

    def close(self) -> None:
        """Nothing to give back."""


def aggregate(returns: FloatArray, aggregation: Aggregation, quantile: float = 0.5) -> FloatArray:
    """One fitness `(n,)` for `returns (n, episodes)`; -inf where a return is NaN, a fault."""
    if aggregation == "mean":
        fitness = returns.mean(axis=1)
    elif aggregation == "min":
        fitness = returns.min(axis=1)
    else:
        fitness = np.quantile(returns, 0.5 if aggregation == "median" else quantile, axis=1)
    return np.where(np.isfinite(fitness), fitness, -np.inf)


def step_limit(environment: EnvironmentSpec | EnvironmentFactory, sample: Any) -> int:
    """Steps after which an episode of an environment is cut."""
    if isinstance(environment, EnvironmentSpec):
        return environment.step_limit()[0]
    limit: int | None = sample.spec.max_episode_steps if sample.spec is not None else None
    return limit or DEFAULT_MAX_STEPS
