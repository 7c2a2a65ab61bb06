"""Builders of the fitness, the algorithm, the race, the validation and the stop rule that a config describes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from evonet.architecture import Architecture
from evonet.champion import Champion
from evonet.champion_selection import Validation
from evonet.cluster.executor import Cluster, FuturesExecutor
from evonet.environments.known import WrongNames, checked_names
from evonet.environments.specification import EnvironmentSpec
from evonet.errors import (
    ConfigError,
    EnvironmentUnavailable,
    EvonetError,
    UnsuitableEnvironment,
    WorkersUnavailable,
)
from evonet.evaluation.engine import EngineName
from evonet.experiment.archives import check_measures, refuse_other_weights
from evonet.experiment.config.config import Config
from evonet.experiment.config.document import KeyPath
from evonet.experiment.config.model_factory import arguments, built
from evonet.experiment.config.named_parts import INNER_ALGORITHMS
from evonet.experiment.config.own_parts import own_names, refuse_imports
from evonet.experiment.config.sections import EPISODE_RETURN, EVALUATION, NETWORK
from evonet.experiment.pruning import check_pruning
from evonet.experiment.refinement import check_refinement
from evonet.experiment.stopping import Stop, StopRule
from evonet.experiment.training_episodes import build_training_episodes
from evonet.fitness import EpisodeReturn, Fitness
from evonet.foreign import ANY_ERROR, INTERRUPTS, described, guarded, import_module
from evonet.function_fitness import function_fitness
from evonet.operators.structure import CONNECTIONS
from evonet.settings import argument_hints, did_you_mean
from evonet.strategies.algorithm import Algorithm
from evonet.types import RETURN

if TYPE_CHECKING:
    from evonet.evaluation.racing import Race

_MAX_GENES = 10**9


def build_fitness(config: Config, executor: FuturesExecutor | Cluster | None = None) -> Fitness:
    """The fitness of a config; the environment is made once, to read its spaces.

    Args:
        config: the config.
        executor: runs the episodes instead of this machine.

    Raises:
        ConfigError: the environment or the fitness function is unknown, unsuitable, or may not be imported; or an
            executor is given for a fitness function.
        EnvironmentUnavailable: the environment cannot be made.
        WorkersUnavailable: the executor's workers cannot run the environment.
    """
    refuse_imports(config.document, config.allowed_imports)
    if config.settings.fitness.type == EPISODE_RETURN:
        return _build_episode_return(config, executor)
    episodes = None if config.settings.environment is None else _build_episode_return(config)
    _check_function_settings(config, executor)
    architecture = _architecture(config) if episodes is None else episodes.architecture
    name = f"{config.document.position(('fitness', 'type'))}: fitness.type {config.settings.fitness.type!r}"
    try:
        return function_fitness(
            _own_function(config), architecture, build_training_episodes(config).in_generation(0)[0], name
        )
    except TypeError as error:  # its number of arguments
        raise ConfigError(str(error)) from error


def _build_episode_return(config: Config, executor: FuturesExecutor | Cluster | None = None) -> EpisodeReturn:
    """The return of episodes in the config's environment, whose spaces set the size of the network."""
    assert config.settings.environment is not None
    environment = config.settings.environment.build().restricted(config.allowed_imports)
    episodes = _make_episode_return(config, environment, ("environment",), executor)
    network, architecture = config.settings.network, episodes.architecture
    for end, size in (("inputs", architecture.num_inputs), ("outputs", architecture.num_outputs)):
        if getattr(network, end) not in (None, size):
            raise config.error(
                ("network", end),
                f"network.{end} must be left out or be {size}, as the environment's spaces have it, "
                f"got {getattr(network, end)}",
            )
    return episodes


def _check_function_settings(config: Config, executor: FuturesExecutor | Cluster | None) -> None:
    """Refuse settings that make no sense where a function is the fitness.

    Raises:
        ConfigError: there are measures, weights, or an executor.
    """
    settings = config.settings
    for path, given in ((("measures",), settings.measures), (("fitness", "weights"), settings.fitness.weights)):
        if given:
            raise config.error(path, f"{'.'.join(path)} must be left out where a function is the fitness")
    if executor is not None:
        raise config.error(
            ("fitness", "type"),
            f"fitness.type must be {EPISODE_RETURN} where an executor runs the episodes, "
            f"got {settings.fitness.type!r}: a fitness function runs in this process, and may distribute its own work",
        )


def build_validation_fitness(
    config: Config, fitness: Fitness, executor: FuturesExecutor | Cluster | None = None
) -> Fitness:
    """The fitness for validation: `fitness`, or another where `validation` names an environment, an engine or weights.

    Raises:
        ConfigError: the environment of the validation has other spaces, its engine cannot run the environment, or a
            weight is wrong.
    """
    settings = config.settings.validation
    engine: EngineName | None = settings.engine or (
        "gymnasium" if config.settings.evaluation.engine == "envpool" else None
    )
    check_validation_weights(config)
    override = next((name for name in ("environment", "weights") if getattr(settings, name) is not None), None)
    override = override or ("engine" if engine is not None else None)
    if override is None:
        return fitness
    path = ("validation", "environment")
    if not isinstance(fitness, EpisodeReturn):
        raise config.error(
            ("validation", override), f"validation.{override} must be left out where a function is the fitness"
        )
    environment = settings.environment or config.settings.environment
    assert environment is not None
    made = environment.build().restricted(config.allowed_imports)
    validation_fitness = _make_episode_return(config, made, path, executor, engine, settings.weights)
    assert fitness.task is not None
    assert validation_fitness.task is not None
    for name in ("observation_space", "action_space"):
        if getattr(fitness.task, name) != getattr(validation_fitness.task, name):
            validation_fitness.close()
            raise config.error(
                path,
                f"validation.environment must have the {name} {getattr(fitness.task, name)} of the environment, "
                f"got {getattr(validation_fitness.task, name)}",
            )
    return validation_fitness


def _make_episode_return(
    config: Config,
    environment: EnvironmentSpec,
    path: KeyPath,
    executor: FuturesExecutor | Cluster | None,
    engine: EngineName | None = None,
    weights: Mapping[str, float] | None = None,
) -> EpisodeReturn:
    """The return of episodes in an environment, with the config's network, measures and weights.

    Args:
        config: the config.
        environment: the environment of training, or of validation.
        path: its place in the config, for errors.
        executor: runs the episodes instead of this machine.
        engine: the engine of `validation`; by default that of `evaluation`.
        weights: the weights of `validation`; by default those of `fitness`.

    Raises:
        EvonetError: the environment cannot be made or is unsuitable, or a setting does not fit it.
    """
    settings = config.settings
    network = arguments(settings.network, *NETWORK)
    network["skip"] = network["skip"] or settings.network.structure is not None
    evaluation = arguments(settings.evaluation, *EVALUATION, "workers")
    section = "evaluation" if engine is None else "validation"
    evaluation |= {"episodes": build_training_episodes(config).in_generation(0)[0]} | (
        {} if engine is None else {"engine": engine}
    )
    evaluation["measures"] = {name: measure.build() for name, measure in settings.measures.items()}
    if weights is None:
        weights = {name: built(each) for name, each in settings.fitness.weights.items()}
    evaluation["weights"] = weights
    try:
        return EpisodeReturn(environment, **network, **evaluation, faults=settings.faults.build(), executor=executor)
    except WorkersUnavailable:  # an error of the cluster has its own exit status, and no line of the config
        raise
    except EvonetError as error:
        setting = error.setting if isinstance(error, EnvironmentUnavailable | UnsuitableEnvironment) else ("id",)
        raise type(error)(f"{config.document.named_position((*path, *setting))}: {error}") from error
    except WrongNames as error:
        raise config.error(("network", error.argument), f"network.{error}") from error
    except ValueError as error:  # only measures, weights and the engine, which depend on the environment
        if hasattr(error, "setting"):
            raise config.error(error.setting, str(error)) from error
        raise config.error((section, "engine"), f"{section}.engine: {error}") from error


def build_algorithm(config: Config, architecture: Architecture, start: Champion | None = None) -> Algorithm:
    """The algorithm for networks of `architecture`.

    Args:
        config: the config.
        architecture: architecture of the networks.
        start: the champion from which it starts; None for random weights, or for an algorithm that is to be restored.

    Raises:
        ConfigError: its settings contradict each other, a part of the user's own cannot be made, or the population does
            not fit into memory.
    """
    genes = architecture.genome_size
    if genes > _MAX_GENES:
        raise config.error(
            ("network", "hidden"),
            f"network.hidden must make a genome of at most {_MAX_GENES:,} genes, got {genes:,}",
        )
    section = config.settings.network.structure
    structure = None if section is None else section.build()
    if structure is not None and not _takes(config.settings.algorithm, "structure"):
        raise config.error(
            ("network", "structure"),
            "network.structure must be left out where no genetic algorithm evolves the networks, "
            f"got the algorithm {config.settings.algorithm.type}",
        )
    check_refinement(config, architecture)
    objectives = _objectives(config)
    try:
        algorithm: Algorithm = config.settings.algorithm.build(
            {"structure": structure, **objectives},
            architecture=architecture,
            seed=config.settings.seed,
            **({} if start is None else {"initial": start}),
        )
    except (EvonetError, *INTERRUPTS):
        raise
    except ValueError as error:
        raise config.error(("algorithm",), str(error)) from error
    except MemoryError as error:
        message = f"algorithm: a population of genomes of {genes:,} genes does not fit into the memory: {error}"
        raise config.error(("algorithm",), message) from error
    except ANY_ERROR as error:
        own = own_names(config.document.data)
        if not own:
            raise
        message = f"algorithm: the algorithm with {', '.join(map(repr, own))} cannot be made: {described(error)}"
        raise config.error(("algorithm",), message) from error
    check_pruning(config, algorithm)
    archive = getattr(algorithm, "archive", None)
    if archive is not None:
        key = "measures" if hasattr(config.settings.algorithm, "measures") else "archive"
        if key == "archive":
            refuse_other_weights(config)
        check_measures(config, archive, ("algorithm", key))
    return algorithm


def _objectives(config: Config) -> dict[str, Any]:
    """The argument `objectives` of the algorithm, if the config has any."""
    objectives = config.settings.objectives
    if not objectives:
        return {}
    if not _takes(config.settings.algorithm, "objectives"):
        raise config.error(
            ("objectives",),
            "objectives must be left out where the algorithm has a single one; write algorithm: {type: nsga2}, "
            f"got the algorithm {config.settings.algorithm.type}",
        )
    if "algorithm" in argument_hints(type(config.settings.algorithm).owner):
        outer = config.settings.algorithm.type
        raise config.error(
            ("objectives",),
            f"objectives must be left out where nsga2 is within another algorithm, got {outer}, which keeps no front; "
            f"write algorithm: {{type: nsga2}} without {outer}",
        )
    known = (RETURN, CONNECTIONS, *config.settings.measures)
    for name in objectives:
        if name not in known:
            message = f"objectives.{name} must be a known measure; {did_you_mean(name, known)}"
            raise config.error(("objectives", name), message)
    return {"objectives": objectives}


def _takes(section: Any, argument: str) -> bool:
    """Whether the algorithm of a section, and every one within it, has the `argument`."""
    settings = argument_hints(type(section).owner)
    if "algorithm" not in settings:
        return argument in settings
    islands = getattr(section, "islands", None)
    within = [getattr(section, key) for key in INNER_ALGORITHMS if hasattr(section, key)]
    within += islands if isinstance(islands, list) else []
    return all(_takes(algorithm, argument) for algorithm in within)


def build_validation(config: Config, algorithm: Algorithm) -> Validation:
    """The rule that chooses the champion.

    Raises:
        ConfigError: the algorithm does not have the policy that is to be validated.
    """
    validation: Validation = config.settings.validation.build()
    try:
        validation.check_algorithm(algorithm)
    except ValueError as error:
        raise config.error(("validation", "policy"), f"validation.policy: {error}") from error
    return validation


def check_validation_weights(config: Config) -> None:
    """Refuse weights of the validation that are not those of the return and of the config's measures.

    Raises:
        ConfigError: a weight has an unknown name, or all are 0.
    """
    weights = config.settings.validation.weights
    if weights is None:
        return
    from evonet.measures import WrongMeasure, checked_weights  # most runs have no weights

    try:
        checked_weights(weights, list(config.settings.measures))
    except WrongMeasure as error:
        raise config.error(("validation", *error.setting[1:]), str(error)) from error


def build_race(config: Config, fitness: Fitness, algorithm: Algorithm) -> Race | None:
    """The race of a generation's individuals; None without one.

    Raises:
        ConfigError: fitness or algorithm cannot race.
    """
    section = config.settings.evaluation.race
    if section is None:
        return None
    race: Race = section.build()
    try:
        race.check(fitness, algorithm, build_training_episodes(config).most_episodes)
    except ValueError as error:
        raise config.error(("evaluation", "race"), f"evaluation.race: {error}") from error
    return race


def build_stop_rule(config: Config, target: float | None, test_episodes: int) -> StopRule:
    """The rule that ends the run; the champion's test has `test_episodes`."""
    stop: Stop = config.settings.stop.build()
    return StopRule(stop, target, test_episodes)


def _architecture(config: Config) -> Architecture:
    """The architecture that the config gives where there is no environment.

    Raises:
        ConfigError: the number of inputs or outputs is missing, or does not fit their names.
    """
    network: Any = config.settings.network
    for end in ("inputs", "outputs"):
        if getattr(network, end) is None:
            raise config.error(("network", end), f"network.{end} is required where there is no environment")
    for argument, size in (("input_names", network.inputs), ("output_names", network.outputs)):
        try:
            checked_names(argument, getattr(network, argument), size)
        except WrongNames as error:
            raise config.error(("network", argument), f"network.{error}") from error
    return Architecture(
        network.inputs,
        network.hidden,
        network.outputs,
        network.hidden_activation,
        network.output_activation,
        network.bias,
        network.recurrent,
        network.skip or network.hidden == 0 or network.structure is not None,
    )


def _own_function(config: Config) -> Any:
    """The user's function that `fitness.type` names.

    Raises:
        ConfigError: it cannot be imported, or is no function.
    """
    name = config.settings.fitness.type
    module_name, _, function_name = name.partition(":")
    path = ("fitness", "type")
    with guarded(f"{config.document.position(path)}: fitness.type {name!r} cannot be imported", ConfigError):
        module = import_module(module_name)
    function = getattr(module, function_name, None)
    if not callable(function):
        raise config.error(path, f"fitness.type: the module {module_name!r} has no function {function_name!r}")
    return function
