"""The model of a whole config: its sections, with the algorithms, operators and archives that it may name."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from pydantic import Field, create_model

from evonet.experiment.algorithms import ALGORITHMS
from evonet.experiment.config.model_factory import Schedules, choice_of, nested_in, number_or_schedule, section_of
from evonet.experiment.config.named_parts import (
    ACTIVATION,
    ALGORITHM,
    GENETIC_ALGORITHM,
    SCHEDULE,
    VARYING,
    named_parts,
)
from evonet.experiment.config.own_parts import OwnParts
from evonet.experiment.config.sections import (
    SECTION_DEFAULTS,
    EvaluationSection,
    Experiment,
    FitnessSection,
    NetworkSection,
    StructureSection,
)
from evonet.lazy import LazyRegistry
from evonet.operators.registry import OPERATORS, registered_name
from evonet.operators.schedules import SCHEDULES
from evonet.settings import Count, Episodes, argument_defaults, argument_hints

_REGISTRIES: Mapping[str, Mapping[str, Any]] = {ALGORITHM: ALGORITHMS, SCHEDULE: SCHEDULES, **OPERATORS}

_START: Mapping[str, Any] = {
    "start_from": (str | None, Field(None, description="A champion's file or a finished run, at which it begins."))
}
REFINEMENT = "refinement"
"""The ending of the names of the models of strategies for a refinement."""

_REFINEMENT: Mapping[str, Any] = {"generations": (Count, Field(20, description="Generations of the refinement."))}
_REFINE = ("network", "structure", "refine")
_NOT_IN_REFINEMENT = ("structure", "objectives", "archive", "measures", "algorithm")  # arguments of an algorithm


def model_for(data: Mapping[str, Any], own: OwnParts = frozenset()) -> type[Experiment]:
    """The smallest model of a whole config that fits `data`, because that of all parts takes 0.1 s to make.

    Args:
        data: the config.
        own: classes of the user's own that it names; settings of another one that it names are not checked.
    """
    names: dict[str, set[str]] = {kind: set() for kind in (ALGORITHM, SCHEDULE, ACTIVATION, *OPERATORS)}
    parts = list(named_parts(data))
    for part in parts:
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
        raced=isinstance(evaluation := data.get("evaluation"), Mapping) and evaluation.get("race") is not None,
        varying=frozenset(part.path[0] for part in parts if part.path[:2] in VARYING),
        refining=frozenset(str(part.name) for part in parts if part.path[:3] == _REFINE),
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
    raced: bool = True,
    varying: frozenset[str] = frozenset(section for section, _ in VARYING),
    refining: frozenset[str] = frozenset(ALGORITHMS),
) -> type[Experiment]:
    """The model of a whole config that may name these parts; by default all.

    Args:
        algorithms: the algorithms that the config may name, also within another algorithm.
        schedules: the schedules that numbers may follow.
        operators: the operators that the config may name, by kind.
        own: the classes of the user's own among them; the settings of others `module:Class` are not checked.
        measured: whether the config may have measures.
        archived: whether the config may have a passive archive.
        raced: whether the config may have a race.
        varying: sections in which the fitness's weights or an evaluation's episodes may follow schedules.
        refining: the strategies that the config names for a refinement.
    """
    classes = {(kind, name): owner for kind, name, owner in own}
    named = _known_and_own(ALGORITHM, algorithms, classes)
    in_algorithm = any(owner and "archive" in argument_hints(owner) for owner in named.values())
    archive: Any = _archive_choice() if archived or in_algorithm else None
    choices = tuple(_known_and_own(SCHEDULE, schedules, classes).items())
    choose = functools.partial(
        choice_of,
        exclude=("architecture", "seed", "initial", "structure", "objectives"),
        more=_START,
        operators={kind: _known_and_own(kind, names, classes) for kind, names in operators},
        default_type=GENETIC_ALGORITHM,
        schedules=choices,
    )
    fields: dict[str, Any] = {"algorithm": _algorithm_field(choose, named, archive)}
    if measured:
        from evonet.measures import Measure  # a run without measures starts without it

        fields["measures"] = (dict[str, section_of(Measure)], Field(default_factory=dict))  # type: ignore[misc]
    if archived:
        fields["archive"] = (archive | None, None)
    if raced or "evaluation" in varying:
        fields["evaluation"] = _evaluation(raced=raced, schedules=choices if "evaluation" in varying else ())
    if "fitness" in varying:
        fields["fitness"] = _varying_fitness(choices)
    if refining:
        fields["network"] = _refined_network(choose, {name: classes.get((ALGORITHM, name)) for name in refining})
    model: type[Experiment] = create_model("Experiment", __base__=Experiment, __doc__="A whole config.", **fields)
    return model


def _known_and_own(kind: str, names: Collection[str], own: Mapping[tuple[str, str], type]) -> dict[str, type | None]:
    """The classes of one kind by name: evonet's in the order of their registry, then the user's own.

    Args:
        kind: the kind of part.
        names: the names that the config may use.
        own: the imported classes of the user's own, by kind and name; one that was not imported becomes None.
    """
    known = {name: _REGISTRIES[kind][name] for name in _REGISTRIES[kind] if name in names}
    return known | {name: own.get((kind, name)) for name in sorted(names) if ":" in name}


def _archive_choice() -> Any:
    """The type of a setting that names an archive."""
    from evonet.archives import ARCHIVES  # a run without an archive starts without them

    return choice_of(LazyRegistry(ARCHIVES), kind="archive")


def _algorithm_field(choose: Callable[..., Any], named: Mapping[str, type | None], archive: Any) -> tuple[Any, Any]:
    """The field `algorithm` of a config.

    Args:
        choose: makes the model of a choice of algorithms.
        named: the algorithms that the config may name; None for a class that was not imported.
        archive: the type of an algorithm's archive; None if no algorithm has one.
    """
    nested: dict[str, Any] = {} if archive is None else {"archive": archive}
    plain = {name: owner for name, owner in named.items() if owner and "algorithm" not in argument_hints(owner)}
    if plain and len(plain) < len(named):  # the others take one of them
        nested |= nested_in(choose(plain, nested=dict(nested)))
    return choose(named, nested=nested), Field(default={"type": GENETIC_ALGORITHM}, validate_default=True)


def _evaluation(*, raced: bool, schedules: Schedules) -> tuple[Any, Any]:
    """The field `evaluation` of a config with a race, or with episodes that may follow one of these schedules."""
    fields: dict[str, Any] = {}
    if raced:
        from evonet.evaluation.racing import Race  # a run without a race starts without it

        fields["race"] = (section_of(Race) | None, None)
    if schedules:
        default = EvaluationSection.model_fields["episodes"].default
        fields["episodes"] = (number_or_schedule(Episodes, schedules), default)
        fields["max_steps"] = (number_or_schedule(Count, schedules) | None, None)
    evaluation: Any = create_model(
        "EvaluationSection", __base__=EvaluationSection, __doc__=EvaluationSection.__doc__, **fields
    )
    return evaluation, SECTION_DEFAULTS


def _varying_fitness(schedules: Schedules) -> tuple[Any, Any]:
    """The field `fitness` of a config whose weights may follow schedules."""
    weights: Any = dict[str, number_or_schedule(float, schedules)]  # type: ignore[misc]
    fitness: Any = create_model(
        "FitnessSection",
        __base__=FitnessSection,
        __doc__=FitnessSection.__doc__,
        weights=(weights, Field(default_factory=dict)),
    )
    return fitness, SECTION_DEFAULTS


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
    return network, SECTION_DEFAULTS


def _can_refine(owner: type | None) -> bool:
    """Whether an algorithm is a strategy by itself, with one objective, that can start at given weights."""
    settings = {} if owner is None else argument_hints(owner)
    return "initial" in settings and settings.keys().isdisjoint(_NOT_IN_REFINEMENT)
