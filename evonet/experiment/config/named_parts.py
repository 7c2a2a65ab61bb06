"""The parts that a config names: algorithms, operators, schedules and activations, each with the place of its name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from evonet.experiment.config.document import KeyPath
from evonet.operators.registry import OPERATORS

ALGORITHM, SCHEDULE, ACTIVATION = "algorithm", "schedule", "activation"
"""The kinds of part beside the kinds of operator."""

GENETIC_ALGORITHM = "genetic_algorithm"
"""The name of the algorithm of a config that names none."""

INNER_ALGORITHMS = ("algorithm", "then")
"""The keys of an algorithm that name another one, which it runs."""

VARYING = (("fitness", "weights"), ("evaluation", "episodes"), ("evaluation", "max_steps"))
"""The settings outside algorithms that may follow schedules, each as its section and its key."""


class NamedPart(NamedTuple):
    """The name of a part in a config.

    Attributes:
        path: the place of the name.
        kind: `ALGORITHM`, `SCHEDULE`, `ACTIVATION`, or a key of `OPERATORS`.
        name: the value at that place, which need not be a text.
    """

    path: KeyPath
    kind: str
    name: Any


def named_parts(data: Mapping[str, Any]) -> Iterator[NamedPart]:
    """The parts that a config names: algorithms, also within another, with their operators and schedules; activations.

    Args:
        data: the config as plain data, perhaps with mistakes.
    """
    network = data.get("network")
    for key in ("hidden_activation", "output_activation"):
        if isinstance(network, Mapping) and key in network:
            yield NamedPart(("network", key), ACTIVATION, network[key])
    yield from _parts_of_algorithm(data.get("algorithm", GENETIC_ALGORITHM), ("algorithm",))
    for section, key in VARYING:
        yield from _schedules(_section(data, section).get(key), (section, key))
    refine = _section(_section(data, "network"), "structure").get("refine")
    if refine is not None:
        yield from _parts_of_algorithm(refine, ("network", "structure", "refine"))


def imported_names(data: Mapping[str, Any]) -> list[tuple[KeyPath, str]]:
    """The names `module:Name` in a config, each with its place: code that running the config would import."""
    names: list[tuple[KeyPath, Any]] = []
    for above, path in ((data, ("environment",)), (_section(data, "validation"), ("validation", "environment"))):
        environment = _section(above, "environment")
        names += [((*path, key), environment.get(key)) for key in ("id", "register")]
        wrappers = environment.get("wrappers")
        for number, wrapper in enumerate(wrappers if isinstance(wrappers, list) else []):
            place = (*path, "wrappers", number)
            named = isinstance(wrapper, Mapping)
            names.append(((*place, "name"), wrapper.get("name")) if named else (place, wrapper))
    names.append((("fitness", "type"), _section(data, "fitness").get("type")))
    measures = _section(data, "measures")
    names += [(("measures", name, "of"), _section(measures, name).get("of")) for name in measures]
    names += [(part.path, part.name) for part in named_parts(data)]
    return [(path, name) for path, name in names if isinstance(name, str) and ":" in name]


def _section(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    section = data.get(key)
    return section if isinstance(section, Mapping) else {}


def _parts_of_algorithm(section: Any, path: KeyPath) -> Iterator[NamedPart]:
    yield _named(section, path, ALGORITHM)
    if not isinstance(section, Mapping):
        return
    for kind in OPERATORS:
        operators = section.get(kind, [])
        if isinstance(operators, list):
            yield from (_named(each, (*path, kind, number), kind) for number, each in enumerate(operators))
        else:
            yield _named(operators, (*path, kind), kind)
    own = {key: value for key, value in section.items() if key not in (*INNER_ALGORITHMS, "islands")}
    yield from _schedules(own, path)
    for key in INNER_ALGORITHMS:
        if section.get(key) is not None:
            yield from _parts_of_algorithm(section[key], (*path, key))
    islands = section.get("islands")
    for number, island in enumerate(islands if isinstance(islands, list) else []):
        if island is not None:
            yield from _parts_of_algorithm(island, (*path, "islands", number))


def _named(section: Any, path: KeyPath, kind: str) -> NamedPart:
    """The part whose section, or whose name alone, stands at `path`."""
    if not isinstance(section, Mapping):
        return NamedPart(path, kind, section)
    return NamedPart((*path, "type"), kind, section.get("type", GENETIC_ALGORITHM if kind == ALGORITHM else None))


def _schedules(node: Any, path: KeyPath) -> Iterator[NamedPart]:
    """The schedules in a section, at any depth, also those that lack their name."""
    if isinstance(node, Mapping):
        if "schedule" in node or ("type" not in node and {"start", "end"} & node.keys()):
            yield NamedPart((*path, "schedule"), SCHEDULE, node.get("schedule"))
        for key, child in node.items():
            yield from _schedules(child, (*path, key))
    elif isinstance(node, list):
        for number, child in enumerate(node):
            yield from _schedules(child, (*path, number))
