"""Whether a class is an operator of some kind, by what it inherits from or by the arguments of its `__call__`."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable
from typing import Any

from evonet.operators.crossover import Crossover
from evonet.operators.initialisation import Initialisation
from evonet.operators.mutation import Mutation
from evonet.operators.niching import Niching
from evonet.operators.registry import OPERATORS
from evonet.operators.replacement import Replacement
from evonet.operators.selection import Selection


def _arguments(call: Callable[..., Any]) -> tuple[str, ...]:
    """The names of a method's arguments, without `self`."""
    return tuple(inspect.signature(call).parameters)[1:]


CALLS: dict[str, tuple[str, ...]] = {
    "selection": _arguments(Selection.__call__),
    "crossover": _arguments(Crossover.__call__),
    "mutation": _arguments(Mutation.__call__),
    "replacement": _arguments(Replacement.__call__),
    "niching": _arguments(Niching.__call__),
    "initialisation": _arguments(Initialisation.__call__),
}
"""The arguments with which an operator of each kind is called."""


def operator_problem(owner: type, kind: str) -> str | None:
    """Why a class is no operator of this kind, for example "is a mutation, not a crossover"; None if it is one.

    Args:
        owner: the class.
        kind: a key of `OPERATORS`.
    """
    inherited = next((each for each in OPERATORS if issubclass(owner, _bases(each))), None)
    if inherited is not None:
        return None if inherited == kind else _wrong_kind(inherited, kind)
    signature = f"__call__({', '.join(CALLS[kind])})"
    call = next((vars(each)["__call__"] for each in owner.__mro__ if "__call__" in vars(each)), None)
    if call is None:
        return f"lacks the method {signature}, which every {kind} has"
    arguments = set(_arguments(call))
    similar = _most_similar(arguments)
    if similar not in (None, kind) and (arguments == set(CALLS[similar]) or not arguments & set(CALLS[kind]) - {"rng"}):
        return _wrong_kind(similar, kind)
    try:
        inspect.signature(call).bind(None, *CALLS[kind])
    except TypeError:
        if similar not in (None, kind):
            return _wrong_kind(similar, kind)
        return f"has a method __call__({', '.join(_arguments(call))}), which must take ({', '.join(CALLS[kind])})"
    return None


def with_article(kind: str) -> str:
    """A kind of part with its article, such as "an initialisation"."""
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def _wrong_kind(kind: str, wanted: str) -> str:
    """The problem of a class of one kind where another is wanted."""
    return f"is {with_article(kind)}, not {with_article(wanted)}"


def _bases(kind: str) -> tuple[type, ...]:
    """The classes whose subclasses are of this kind."""
    return (*OPERATORS[kind].values(), *([Crossover] if kind == "crossover" else []))


def _most_similar(arguments: set[str]) -> str | None:
    """The kind that shares the most names with `arguments`; a name counts the more, the fewer kinds have it."""
    uses = Counter(name for call in CALLS.values() for name in call)
    shared = {kind: sum(1 / uses[name] for name in arguments & set(call) - {"rng"}) for kind, call in CALLS.items()}
    best = min(CALLS, key=lambda kind: (-shared[kind], len(arguments ^ set(CALLS[kind]))))
    return best if shared[best] else None
