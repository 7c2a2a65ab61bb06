"""Validation of a YAML config: all errors are reported at once, each with its position, rule and value."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, ValidationError, create_model

from evonet.champion_selection import Validation
from evonet.environments.specification import EnvironmentSpec
from evonet.errors import ConfigError
from evonet.evaluation.executors import Workers
from evonet.evaluation.fault_policy import FaultPolicy
from evonet.experiment.algorithms import ALGORITHMS, Algorithms
from evonet.experiment.checkpoint import Checkpoints
from evonet.experiment.document import STANDARD_INPUT, Document, KeyPath, to_yaml
from evonet.experiment.explanations import explain
from evonet.experiment.models import Section, choice_of, nested_in, section_of
from evonet.experiment.own_parts import (
    ACTIVATION,
    ALGORITHM,
    GENETIC_ALGORITHM,
    SCHEDULE,
    OwnParts,
    import_parts,
    named_parts,
)
from evonet.experiment.stopping import Stop
from evonet.fitness import EpisodeReturn
from evonet.operators.registry import OPERATORS, registered_name
from evonet.operators.schedules import SCHEDULES
from evonet.operators.structure import Structure
from evonet.settings import Count, Episodes, Natural, Settings, argument_defaults, argument_hints

EPISODE_RETURN = "episode_return"

_REGISTRIES: Mapping[str, Mapping[str, Any]] = {ALGORITHM: ALGORITHMS, SCHEDULE: SCHEDULES, **OPERATORS}


@dataclass(frozen=True)
class Test(Settings):
    """The final test of the champion, on episodes that no choice depends on.

    Attributes:
        episodes: the number of episodes; by default 100, or as many as take 50,000 steps at the environment's step
            limit, but no fewer than 10.
    """

    episodes: Episodes | None = None


class FitnessSection(Section):
    """The fitness: the return of episodes, or the user's function.

    Attributes:
        type: `episode_return`, or `module:function` for a function of your own.
        weights: what an episode is worth, as a sum of weights times its return, called `return`, and its measures, such
            as `{return: 1, effort: -0.1}`; by default the return. A target is about the return.
    """

    type: Annotated[str, StringConstraints(pattern=rf"^({EPISODE_RETURN}|[\w.]+:[\w.]+)$")] = EPISODE_RETURN
    weights: dict[str, float] = Field(default_factory=dict)


NETWORK = (
    "hidden",
    "hidden_activation",
    "output_activation",
    "bias",
    "recurrent",
    "skip",
    "input_names",
    "output_names",
)
"""The arguments of `EpisodeReturn` in the section `network`."""

EVALUATION = (
    "episodes",
    "aggregation",
    "quantile",
    "normalise_observations",
    "action_squash",
    "engine",
    "instances",
)
"""The arguments of `EpisodeReturn` in the section `evaluation`, all but `workers`, whose default differs there."""

_NetworkArguments: Any = section_of(EpisodeReturn, *NETWORK)
_EvaluationArguments: Any = section_of(EpisodeReturn, *EVALUATION)
_StructureArguments: Any = section_of(Structure)
_EnvironmentArguments: Any = section_of(EnvironmentSpec)
_ValidationArguments: Any = section_of(Validation)
_TestArguments: Any = section_of(Test)
_FaultArguments: Any = section_of(FaultPolicy)
_StopArguments: Any = section_of(Stop)
_CheckpointArguments: Any = section_of(Checkpoints)
_DEFAULTS: Any = Field({}, validate_default=True)  # of a section; it is made with the model of the whole config
_START: Mapping[str, Any] = {
    "start_from": (str | None, Field(None, description="A champion's file or a finished run, at which it begins."))
}
REFINEMENT = "refinement"
"""What the models of strategies that refine are called by."""

_REFINEMENT: Mapping[str, Any] = {"generations": (Count, Field(20, description="Generations of the refinement."))}
_REFINE = ("network", "structure", "refine")
_NO_REFINEMENT = ("structure", "objectives", "archive", "measures", "algorithm")


class StructureSection(_StructureArguments):  # type: ignore[misc]
    """The structure of the first networks, the price of connections, the protection of new structures, refinement.

    Attributes:
        refine: a strategy that tunes the weights of the champion's structure after the last generation, with its
            settings and its number of `generations`; the champion changes if a tuned network validates better.
    """

    refine: Any = None


class NetworkSection(_NetworkArguments):  # type: ignore[misc]
    """The network; its inputs and outputs follow from the environment's spaces.

    Attributes:
        inputs: number of inputs; only where there is no environment.
        outputs: number of outputs; only where there is no environment.
        structure: how the networks' structure begins, if it evolves; `hidden` is then the most hidden neurons there may
            be, and there are skip connections.
    """

    inputs: Count | None = None
    outputs: Count | None = None
    structure: StructureSection | None = None


class EvaluationSection(_EvaluationArguments):  # type: ignore[misc]
    """The evaluation of genomes.

    Attributes:
        workers: worker processes; 1 is the main process, "auto" one for each core where that is faster, or where the
            environment is not part of Gymnasium.
    """

    workers: Workers = "auto"


class Experiment(Section):
    """A whole config; what the algorithm may be, `experiment_model` adds.

    Attributes:
        name: name of the experiment, in paths and reports; by default that of the file.
        seed: seed of all random numbers of the run.
        environment: the environment in which the networks act.
        network: the network that evolves.
        algorithm: the genetic algorithm, another algorithm, or its name alone.
        objectives: what `nsga2` maximises or minimises, by name: measures, `return`, and `connections` where the
            structure evolves.
        fitness: what is maximised.
        measures: numbers of an episode beside its return: the name and the settings of each measure.
        archive: an archive of what the algorithm finds by the way; it changes nothing in the run.
        evaluation: how genomes are scored in training.
        validation: how the champion is chosen.
        test: the final test of the champion, on fresh episodes.
        faults: how episodes that fail are treated.
        stop: when the run ends; the first limit that is reached ends it.
        checkpoints: how often the run is saved.
        tracking: other places that get the metrics of each generation, and at the end the test's score.
    """

    name: Annotated[str, StringConstraints(min_length=1, max_length=200)] = "experiment"
    seed: Natural = 0
    environment: _EnvironmentArguments | None = None
    network: NetworkSection = _DEFAULTS
    algorithm: Any
    objectives: dict[str, Literal["maximise", "minimise"]] | None = None
    fitness: FitnessSection = _DEFAULTS
    measures: dict[str, Any] = Field(default_factory=dict)
    archive: Any = None
    evaluation: EvaluationSection = _DEFAULTS
    validation: _ValidationArguments = _DEFAULTS
    test: _TestArguments = _DEFAULTS
    faults: _FaultArguments = _DEFAULTS
    stop: _StopArguments = _DEFAULTS
    checkpoints: _CheckpointArguments = _DEFAULTS
    tracking: list[Literal["tensorboard", "csv", "mlflow", "wandb"]] = Field(default_factory=list)


def _experiment_model(data: Mapping[str, Any], own: OwnParts = frozenset()) -> type[Experiment]:
    """The smallest model that fits a config, because the model of all algorithms and operators takes 0.1 s to make.

    Args:
        data: the config.
        own: classes of the user's own that it names; settings of another one that it names are not checked.
    """
    names: dict[str, set[str]] = {kind: set() for kind in (ALGORITHM, SCHEDULE, ACTIVATION, *OPERATORS)}
    for part in named_parts(data):
        names[part.kind].add(part.name if isinstance(part.name, str) else "")
    for algorithm in names[ALGORITHM].intersection(ALGORITHMS) | {GENETIC_ALGORITHM}:
        for kind, default in argument_defaults(ALGORITHMS[algorithm]).items():
            if kind in OPERATORS:
                names[kind].add(registered_name(kind, default) or "")
    return experiment_model(
        *(frozenset(_some_or_all(names[kind], kind)) for kind in (ALGORITHM, SCHEDULE)),
        tuple((kind, frozenset(_some_or_all(names[kind], kind))) for kind in OPERATORS),
        own,
        measured=bool(data.get("measures")),
        archived=bool(data.get("archive")),
        refining=frozenset(str(part.name) for part in named_parts(data) if part.path[:3] == _REFINE),
    )


def _some_or_all(names: Collection[str], kind: str) -> Collection[str]:
    """The names; if one is unknown also all known ones, for the message about it."""
    known = _REGISTRIES[kind]
    own = {name for name in names if ":" in name}
    return names if own.union(known).issuperset(names) else own.union(known)


@functools.cache
def experiment_model(
    algorithms: frozenset[str] = frozenset(ALGORITHMS),
    schedules: frozenset[str] = frozenset(SCHEDULES),
    operators: Sequence[tuple[str, frozenset[str]]] = tuple((kind, frozenset(OPERATORS[kind])) for kind in OPERATORS),
    own: OwnParts = frozenset(),
    *,
    measured: bool = True,
    archived: bool = True,
    refining: frozenset[str] = frozenset(ALGORITHMS),
) -> type[Experiment]:
    """The model of a config.

    Args:
        algorithms: the algorithms that the config may name, also within another algorithm.
        schedules: the schedules that numbers may follow.
        operators: the operators that the config may name, by kind.
        own: the classes of the user's own among them; the settings of others `module:Class` are not checked.
        measured: whether the config may have measures.
        archived: whether the config may have a passive archive.
        refining: the strategies that the config names for a refinement.
    """
    classes = {(kind, name): owner for kind, name, owner in own}

    def choices(kind: str, names: frozenset[str]) -> dict[str, Any]:
        known = {name: _REGISTRIES[kind][name] for name in _REGISTRIES[kind] if name in names}
        return known | {name: classes.get((kind, name)) for name in sorted(names) if ":" in name}

    named = choices(ALGORITHM, algorithms)
    archive: Any = None
    if archived or any(owner and "archive" in argument_hints(owner) for owner in named.values()):
        from evonet.archives import ARCHIVES  # a run without an archive starts without them

        archive = choice_of(Algorithms(ARCHIVES), kind="archive")
    nested: dict[str, Any] = {} if archive is None else {"archive": archive}
    plain = {name: owner for name, owner in named.items() if owner and "algorithm" not in argument_hints(owner)}
    choose = functools.partial(
        choice_of,
        exclude=("architecture", "seed", "initial", "structure", "objectives"),
        more=_START,
        operators={kind: choices(kind, names) for kind, names in operators},
        default_type=GENETIC_ALGORITHM,
        schedules=tuple(choices(SCHEDULE, schedules).items()),
    )
    if plain and len(plain) < len(named):  # the others take one of them
        nested |= nested_in(choose(plain, nested=dict(nested)))
    choice: Any = choose(named, nested=nested)
    fields: dict[str, Any] = {"algorithm": (choice, Field(default={"type": GENETIC_ALGORITHM}, validate_default=True))}
    if measured:
        from evonet.measures import Measure  # a run without measures starts without it

        fields["measures"] = (dict[str, section_of(Measure)], Field(default_factory=dict))  # type: ignore[misc]
    if archived:
        fields["archive"] = (archive | None, None)
    if refining:
        fields["network"] = _refined_network(choose, {name: classes.get((ALGORITHM, name)) for name in refining})
    model: type[Experiment] = create_model("Experiment", __base__=Experiment, __doc__="A whole config.", **fields)
    return model


def _refined_network(choose: Callable[..., Any], named: Mapping[str, type | None]) -> tuple[Any, Any]:
    """The field `network` of a config that names strategies for a refinement.

    Args:
        choose: makes the model of a choice of algorithms.
        named: the names, with the classes of the user's own.
    """
    classes = {name: named[name] or ALGORITHMS.get(name) for name in sorted(named)}
    if not all(map(_can_refine, classes.values())):  # all that can, for the message
        classes |= {name: ALGORITHMS[name] for name in ALGORITHMS}
    strategies = {name: owner for name, owner in classes.items() if _can_refine(owner)}
    refine: Any = choose(strategies, more=_REFINEMENT, kind=REFINEMENT, default_type=None)
    structure: Any = create_model(
        "Structure", __base__=StructureSection, __doc__=StructureSection.__doc__, refine=(refine | None, None)
    )
    network: Any = create_model(
        "NetworkSection", __base__=NetworkSection, __doc__=NetworkSection.__doc__, structure=(structure | None, None)
    )
    return network, _DEFAULTS


def _can_refine(owner: type | None) -> bool:
    """Whether an algorithm is a strategy by itself, with one objective, that can start at given weights."""
    settings = {} if owner is None else argument_hints(owner)
    return "initial" in settings and settings.keys().isdisjoint(_NO_REFINEMENT)


@dataclass(frozen=True)
class Config:
    """A validated config and its file.

    Attributes:
        settings: all settings, with defaults.
        document: the file, for the positions in later errors.
        allowed_imports: modules that the config may import.
    """

    settings: Experiment
    document: Document
    allowed_imports: Sequence[str] = field(default=())

    @classmethod
    def load(
        cls,
        path: str | Mapping[str, Any],
        overrides: Sequence[str] = (),
        allow_imports: Sequence[str] = (),
        *,
        follow_links: bool = True,
    ) -> Config:
        """Read and check a config.

        Args:
            path: the path of the file; "-" is standard input. Or the config itself, as plain data.
            overrides: texts `key.path=value`, which replace values of the file.
            allow_imports: modules that may be imported.
            follow_links: False for a file of a run directory, which a stranger may have written.

        Raises:
            ConfigError: the file cannot be read, or values break rules; the message has a line for each value.
        """
        if isinstance(path, Mapping):
            document = Document.of(path, overrides)
        else:
            document = Document.read(path, overrides, follow_links=follow_links)
        if isinstance(path, str) and path != STANDARD_INPUT:
            document.data.setdefault("name", Path(path).stem)
        settings = _validated(document, allow_imports)
        config = cls(settings, document, allow_imports)
        if settings.fitness.type == EPISODE_RETURN and settings.environment is None:
            raise config.error(("environment", "id"), "environment.id is required, for example: CartPole-v1")
        return config

    def error(self, path: KeyPath, message: str) -> ConfigError:
        """A ConfigError about the value at `path`."""
        return self.document.error(path, message)

    @property
    def resolved(self) -> dict[str, Any]:
        """All settings as plain data, with defaults, so that a later version of evonet runs the same config."""
        return self.settings.model_dump(mode="json")

    def to_yaml(self) -> str:
        """The resolved settings as a config file."""
        return to_yaml(self.resolved)


def completed(resolved: Mapping[str, Any], allow_imports: Sequence[str] | None = None) -> dict[str, Any]:
    """A config that an earlier version resolved, with the defaults of newer settings.

    Args:
        resolved: the config.
        allow_imports: modules that may be imported; None imports nothing, and leaves the settings of the user's own
            parts as they are.

    Raises:
        ConfigError: the config is not valid in this version.
    """
    return _validated(Document(dict(resolved), "the config", {}), allow_imports).model_dump(mode="json")


def _validated(document: Document, allow_imports: Sequence[str] | None) -> Experiment:
    """The settings of a document; `allow_imports` as for `completed`.

    Raises:
        ConfigError: values break rules; the message has a line for each value.
    """
    own, problems = import_parts(document, allow_imports) if allow_imports is not None else (frozenset(), {})
    try:
        model = _experiment_model(document.data, own)
        settings = model.model_validate(document.data)
    except ConfigError as error:
        raise document.error(("algorithm",), str(error)) from error
    except ValidationError as error:
        raise ConfigError("\n".join(explain(error, document, problems, model))) from None
    if problems:
        raise ConfigError("\n".join(f"{document.place(path)}: {problem}" for path, problem in problems.items()))
    return settings
