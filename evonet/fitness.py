"""Fitness functions: evaluate genomes, and aggregate the returns of their episodes to one fitness each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self, runtime_checkable

import gymnasium as gym
import numpy as np

from evonet.activations import ACTIVATIONS, ActivationName
from evonet.architecture import Architecture
from evonet.cluster.executor import Cluster, FuturesExecutor
from evonet.environments.instance import Instance, make_environment
from evonet.environments.known import checked_names, names_in_metadata
from evonet.environments.normaliser import ObservationNormaliser
from evonet.environments.spaces import ActionDecoder, ObservationEncoder, Squash
from evonet.environments.specification import DEFAULT_MAX_STEPS, EnvironmentFactory, EnvironmentSpec
from evonet.environments.time_limits import time_limit
from evonet.environments.wrappers import Wrapper, refuse_statistics
from evonet.errors import TooManyFaults
from evonet.evaluation.aggregation import Aggregation, aggregate
from evonet.evaluation.engine import EngineName
from evonet.evaluation.engines import runs_foreign_code
from evonet.evaluation.evaluate import evaluate
from evonet.evaluation.executors import Executor, Workers, make_executor
from evonet.evaluation.fault_policy import FaultPolicy
from evonet.evaluation.observer import Observer
from evonet.evaluation.results import EpisodeResults
from evonet.evaluation.task_descriptions import check_savable
from evonet.evaluation.training_episodes import check_steps
from evonet.settings import Count, Episodes, Natural, Probability, Schedule, check
from evonet.task import Task
from evonet.types import FloatArray, IntArray

if TYPE_CHECKING:
    from evonet.environments.spaces import Space
    from evonet.evaluation.trial import Trial
    from evonet.measures import Measure, Measures


@runtime_checkable
class Fitness(Protocol):
    """What `evolve` needs of a fitness.

    Attributes:
        architecture: architecture of the networks that it scores.
        episodes: how many episodes an evaluation has.
        task: the environment and how the networks act in it, None where there is no environment. If the task
            normalises observations, `evolve` owns the normaliser, and passes it to each evaluation.
    """

    architecture: Architecture
    episodes: int
    task: Task | None

    def __call__(
        self, genomes: FloatArray, episode_seeds: IntArray, normaliser: ObservationNormaliser | None = None
    ) -> EpisodeResults:
        """Run `genomes (n, genome_size)` on the episodes `(episodes,)`; a pure function of its arguments."""
        ...

    def aggregate(self, returns: FloatArray) -> FloatArray:
        """Fitness `(n,)` of `returns (n, episodes)`; -inf for an individual with a fault."""
        ...

    def close(self) -> None:
        """Close environments and end worker processes."""
        ...


class EpisodeReturn:
    """The sum of rewards over an episode of a Gymnasium environment, aggregated over several episodes.

    The network's inputs and outputs follow from the environment's spaces. As a context manager, it closes environments
    and ends worker processes.

    Args:
        environment: a registered id, a specification, or a callable that makes the environment.
        hidden: hidden neurons.
        hidden_activation: activation of the hidden neurons, a key of `evonet.activations.ACTIVATIONS`.
        output_activation: activation of the outputs; the identity by default, because saturated outputs are all equal.
        bias: whether neurons have a bias.
        recurrent: whether the hidden layer reads its own last output.
        skip: whether the output layer also reads the inputs; always so without hidden neurons.
        input_names: a name for each number of the observation, for reports and exports; by default those of the
            environment's `metadata["observation_names"]`, or those that evonet knows.
        output_names: a name for each action, or for each number of a continuous one; by default those of
            `metadata["action_names"]`, or those that evonet knows.
        episodes: episodes of an evaluation.
        aggregation: how the returns of the episodes become one fitness.
        quantile: which quantile, for the aggregation "quantile"; 0 is the worst episode, 1 the best.
        normalise_observations: whether each input is scaled to mean 0 and standard deviation 1 over what was seen so
            far.
        action_squash: how unbounded outputs are brought into a Box action space, "tanh" or "clip".
        kwargs: keyword arguments of the environment: numbers, texts, and lists, tuples and dicts of those, which a
            champion's file keeps as they are.
        wrappers: around the environment, the first innermost.
        max_steps: steps after which an episode is truncated; by default the environment's limit, or 1,000.
        engine: what runs the episodes: a kernel where there is one ("auto"), or one that is named.
        workers: processes; 1 is this process, the fastest for a cheap environment, unsafe for one that hangs or
            crashes. "auto" starts one for each core where that is faster, or where the environment is not part of
            Gymnasium.
        faults: how episodes that cannot be scored are treated.
        executor: runs the episodes instead of processes on this machine: a Dask `Client`, or any executor whose futures
            are those of `concurrent.futures`; `workers` is then its number of workers, if the executor does not tell.
        instances: environments that may be open in a process, for simulators with a port or a licence; by default up to
            32 run side by side. With 1 there is one in all: it is closed before another is made, also for the test. It
            counts in each process: a port of the whole machine needs `workers=1` too.
        measures: numbers of an episode beside its return, each an `evonet.measures.Measure`, by name.
        weights: what an episode is worth, as a sum of weights times its return, called "return", and its measures; by
            default the return. The champion is chosen by it, too, unless the validation has weights of its own; a
            target is about the return. A weight may follow a schedule of the generation: the last numbers are those of
            the task.

    Attributes:
        aggregation: how the returns of the episodes become one fitness.
        time_limit: the steps after which the settings or the environment end an episode; None if they never do.

    Raises:
        UnsuitableEnvironment: the environment is unknown, a network cannot be connected to its spaces, or a champion's
            file cannot hold its spaces or arguments.
        EnvironmentUnavailable: the environment cannot be made.
        WorkersUnavailable: the environment cannot be sent to worker processes.
        ClusterUnavailable: the Dask scheduler does not answer, or has no workers.
        TypeError, ValueError: a setting has the wrong type or is out of range.
    """

    def __init__(
        self,
        environment: str | EnvironmentSpec | EnvironmentFactory,
        *,
        hidden: Natural = 16,
        hidden_activation: ActivationName = "tanh",
        output_activation: ActivationName = "identity",
        bias: bool = True,
        recurrent: bool = False,
        skip: bool = False,
        input_names: Sequence[str] | None = None,
        output_names: Sequence[str] | None = None,
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
        instances: Count | None = None,
        measures: Mapping[str, Any] | None = None,
        weights: Mapping[str, float | Schedule] | None = None,
    ) -> None:
        settings = {
            "hidden": hidden,
            "hidden_activation": hidden_activation,
            "output_activation": output_activation,
            "bias": bias,
            "recurrent": recurrent,
            "skip": skip,
            "episodes": episodes,
            "aggregation": aggregation,
            "quantile": quantile,
            "normalise_observations": normalise_observations,
            "action_squash": action_squash,
            "max_steps": max_steps,
            "engine": engine,
            "workers": workers,
            "instances": instances,
        }
        if isinstance(hidden, list | tuple):
            raise TypeError(
                f"EpisodeReturn.hidden must be a whole number, got {hidden!r}; a network has one hidden layer"
            )
        check(type(self), settings)
        environment = _specification(environment, kwargs, wrappers, max_steps)
        sample = _Sample.of(environment, max_steps, instances)
        self.time_limit = sample.time_limit
        outputs = ActionDecoder(sample.action_space, ACTIVATIONS[output_activation], action_squash).size
        inputs = ObservationEncoder(sample.observation_space).size
        self.architecture = Architecture(
            inputs, hidden, outputs, hidden_activation, output_activation, bias, recurrent, skip or hidden == 0
        )
        known_inputs = sample.names("input_names", input_names, "observation_names", inputs)
        known_outputs = sample.names("output_names", output_names, "action_names", outputs)
        self.episodes = int(episodes)  # settings may be NumPy's numbers, which no file holds
        checked = _checked_measures(measures, inputs, sample.action_space)
        self._weights = _checked_weights(weights, checked)
        self.task: Task | None = Task(
            environment,
            sample.observation_space,
            sample.action_space,
            self.architecture,
            action_squash,
            int(self.time_limit or DEFAULT_MAX_STEPS),
            bool(normalise_observations),
            instances=instances and int(instances),
            input_names=known_inputs,
            output_names=known_outputs,
            measures=checked,
            weights=tuple(each.extremes[-1] if isinstance(each, Schedule) else each for each in self._weights),
        )
        check_savable(self.task)
        self.aggregation = aggregation
        self._quantile = quantile
        self._faults = faults
        self._executor: Executor = make_executor(self.task, engine, workers, faults, executor)
        self._observer = Observer(self.task, isolated=self._executor.isolated, faults=faults)
        self.runs_foreign_code = runs_foreign_code(engine, self.task)

    @property
    def engine(self) -> str:
        """The engine that runs the episodes."""
        return self._executor.engine_name

    @property
    def measure_names(self) -> tuple[str, ...]:
        """Names of the measures, in the order of `EpisodeResults.measures`."""
        assert self.task is not None
        return self.task.measure_names

    @property
    def isolated(self) -> bool:
        """Whether episodes run where they may hang or crash without taking this process with them."""
        return self._executor.isolated

    def __call__(
        self,
        genomes: FloatArray,
        episode_seeds: IntArray,
        normaliser: ObservationNormaliser | None = None,
        rows: IntArray | None = None,
        max_steps: int | None = None,
    ) -> EpisodeResults:
        """Run `genomes (n, genome_size)`, each on all `episode_seeds (episodes,)`; a pure function of its arguments.

        Args:
            genomes: `(n, genome_size)`.
            episode_seeds: `(episodes,)`.
            normaliser: normaliser of observations; where the task normalises, a fresh one by default.
            rows: the rows of the genomes that run, `(k,)`, ascending, by default all; results are `(k, episodes)`.
            max_steps: steps after which an episode is truncated, at most the task's, which is the default.

        Raises:
            TypeError, ValueError: `max_steps` is no whole number, or out of that range.
            WorkersUnavailable: worker processes cannot start.
            TooManyFaults: more of the n individuals failed than `faults` allows.
        """
        assert self.task is not None
        if max_steps is not None:
            check_steps("EpisodeReturn.max_steps", max_steps, self)
        if normaliser is None and self.task.normalise:
            normaliser = ObservationNormaliser.fresh(self.architecture.num_inputs)
        return evaluate(self._executor.evaluate, genomes, episode_seeds, normaliser, rows, max_steps)

    def weights_in(self, generation: int) -> tuple[float, ...]:
        """The weights of the return and of each measure in a generation's training; empty for the return alone."""
        return tuple(each.at(generation) if isinstance(each, Schedule) else each for each in self._weights)

    def aggregate(self, returns: FloatArray) -> FloatArray:
        """Fitness `(n,)` of `returns (n, episodes)`, or of what they are worth; -inf for an individual with a fault."""
        return aggregate(returns, self.aggregation, self._quantile)

    def observe(
        self,
        genome: FloatArray,
        episode_seed: int,
        normaliser: ObservationNormaliser | None = None,
        max_steps: int | None = None,
    ) -> tuple[FloatArray, int]:
        """Network inputs of `genome (genome_size,)` in an episode, `(k, num_inputs)`, and the steps it took.

        They are in order, at most 64, spread evenly over the first 1,000 steps; those of a recurrent network, for which
        each follows from the last, are the first. There are none if the episode fails.
        """
        return self._observer.observe(genome, episode_seed, normaliser, max_steps)

    def try_out(self, genomes: FloatArray, episode_seeds: IntArray) -> Trial | None:
        """A trial of the environment: a few steps of two episodes `(2,)`, in which `genomes (2, genome_size)` act.

        It is None if a kernel stands in for the environment, or if no worker process can try it where one should.
        """
        assert self.task is not None
        if not self.runs_foreign_code:
            return None
        from evonet.evaluation.trial import try_out  # a kernel does without its imports

        return try_out(self.task, self._executor, genomes, episode_seeds, self._faults.seconds)

    def close(self) -> None:
        """Close environments and end worker processes."""
        self._executor.close()
        self._observer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        assert self.task is not None
        episodes = f"{self.episodes} episode{'s' if self.episodes > 1 else ''}"
        return f"<EpisodeReturn of {self.task.environment_name}: {self.architecture}, {episodes}, {self.engine}>"


class _Sample(NamedTuple):
    """What a task needs to know of its environment, read from an instance of it, which is closed again."""

    observation_space: Space
    action_space: Space
    time_limit: int | None
    opened: Any

    @classmethod
    def of(
        cls, environment: EnvironmentSpec | EnvironmentFactory, max_steps: int | None, instances: int | None
    ) -> _Sample:
        with Instance(partial(make_environment, environment), max_open=instances) as instance:
            spaces = instance.space("observation_space"), instance.space("action_space")
            opened = instance.open()
            limit = max_steps or _time_limit(environment, opened)
            refuse_statistics(opened, getattr(environment, "wrappers", ()))
        return cls(*spaces, limit, opened)

    def names(self, argument: str, given: Sequence[str] | None, key: str, count: int) -> tuple[str, ...] | None:
        """The names that were given as `argument`, else those in the environment's metadata under `key`."""
        return checked_names(argument, given, count) or names_in_metadata(self.opened, key, count)


def _specification(
    environment: str | EnvironmentSpec | EnvironmentFactory,
    kwargs: Mapping[str, Any] | None,
    wrappers: Sequence[Wrapper],
    max_steps: int | None,
) -> EnvironmentSpec | EnvironmentFactory:
    if isinstance(environment, str):
        return EnvironmentSpec(environment, kwargs or {}, wrappers, max_steps)
    if isinstance(environment, gym.Env) or not (isinstance(environment, EnvironmentSpec) or callable(environment)):
        rule = "must be an id, a specification, or a function that makes a new environment each time"
        repair = ""
        if isinstance(environment, gym.Env):
            known = environment.spec and environment.spec.id
            name = repr(known) if known else f"its class, {type(environment.unwrapped).__name__}"
            repair = f"; pass {name}, or a function such as lambda: gym.make(…)"
        raise TypeError(f"EpisodeReturn.environment {rule}, got {environment!r}{repair}")
    if kwargs or wrappers:
        raise ValueError("EpisodeReturn.kwargs and wrappers must go with an id; apply them to the environment itself")
    if max_steps is not None and isinstance(environment, EnvironmentSpec):
        return replace(environment, max_steps=max_steps)
    return environment


def _checked_measures(measures: Mapping[str, Measure] | None, inputs: int, action_space: Space) -> Measures:
    if not measures:
        return ()
    from evonet.evaluation.measuring import measures_of_task  # a run without measures starts without it

    return measures_of_task(measures, inputs, action_space)


def _checked_weights(weights: Mapping[str, float | Schedule] | None, known: Measures) -> tuple[float | Schedule, ...]:
    if not weights:
        return ()
    from evonet.measures import checked_weights  # most runs have no weights

    return checked_weights(weights, [name for name, _ in known])


def _time_limit(environment: EnvironmentSpec | EnvironmentFactory, sample: Any) -> int | None:
    return environment.time_limit(sample) if isinstance(environment, EnvironmentSpec) else time_limit(sample)


def is_repeatable(fitness: Fitness, genomes: FloatArray, seeds: IntArray, first: EpisodeResults) -> bool:
    """Whether a second evaluation, in environments that have run other episodes, repeats the `first` one."""
    try:
        fitness(genomes[::-1], seeds[::-1])  # so that no environment repeats the episode that it ran last
        second = fitness(genomes, seeds)
    except TooManyFaults:
        return False
    same_returns = np.array_equal(first.returns, second.returns, equal_nan=True)
    return same_returns and np.array_equal(first.lengths, second.lengths)
