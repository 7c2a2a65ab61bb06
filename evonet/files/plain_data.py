"""Python's plain data as JSON that comes back as it was: with tuples, and with dicts whose keys are not texts.

JSON has neither. A tuple becomes `{"$tuple": [item, …]}`, and a dict with a key that is not a text, or that begins with
`$`, becomes `{"$dict": [[key, value], …]}`. All other JSON stands for itself.
"""

from __future__ import annotations

from typing import Any

from evonet.files.text import short_repr

_TUPLE, _DICT = "$tuple", "$dict"


def describe_data(value: Any, name: str) -> Any:
    """JSON-ready data for `value`, from which `data_from` makes an equal value of the same types.

    Args:
        value: None, a boolean, number or text, or a list, tuple or dict of those.
        name: what messages call the value.

    Raises:
        TypeError: a part of the value is of another type; the message has its place.
    """
    kind = type(value)
    if value is None or kind in {bool, int, float, str}:
        return value
    if kind is list:
        return [describe_data(item, f"{name}[{index}]") for index, item in enumerate(value)]
    if kind is tuple:
        return {_TUPLE: describe_data(list(value), name)}
    if kind is not dict:
        raise TypeError(
            f"{name} must be a number, a text, true, false, None, or a list, tuple or dict of those, "
            f"got {short_repr(value)} of type {kind.__name__}"
        )
    items = [(key, describe_data(item, f"{name}[{key!r}]")) for key, item in value.items()]
    if all(type(key) is str and not key.startswith("$") for key in value):
        return dict(items)
    return {_DICT: [[describe_data(key, f"a key of {name}"), item] for key, item in items]}


def data_from(description: Any) -> Any:
    """The value that `describe_data` described.

    Raises:
        ValueError: `description` describes no value.
    """
    if isinstance(description, list):
        return [data_from(item) for item in description]
    if not isinstance(description, dict):
        return description
    marks = [key for key in description if key.startswith("$")]
    if not marks:
        return {key: data_from(item) for key, item in description.items()}
    items = description[marks[0]]
    if len(description) == 1 and isinstance(items, list):
        if marks == [_TUPLE]:
            return tuple(data_from(items))
        if marks == [_DICT]:
            return {key: data_from(item) for key, item in keyed_items(items, _DICT)}
    raise ValueError(f"a tuple or dict must be the only entry, {_TUPLE!r} or {_DICT!r}, got {short_repr(description)}")


def keyed_items(pairs: list[Any], name: str) -> list[tuple[Any, Any]]:
    """The pairs of a described key and an item, as pairs of a key and the item as it is.

    Raises:
        ValueError: `pairs` are no pairs, or their keys are not different keys of a dict.
    """
    if any(type(pair) is not list or len(pair) != 2 for pair in pairs):
        raise ValueError(f"{name} must be pairs of a key and a value")
    keys = [data_from(key) for key, _ in pairs]
    try:
        distinct = len(set(keys))
    except TypeError as error:
        raise ValueError(f"{name} must have keys that are numbers, texts or tuples of those: {error}") from error
    if distinct < len(keys):
        raise ValueError(f"{name} must have different keys")
    return [(key, item) for key, (_, item) in zip(keys, pairs, strict=True)]
