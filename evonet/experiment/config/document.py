"""A YAML file as plain data, with the line and column of each value for messages.

The file is YAML 1.2 as ruamel.yaml reads it: `1e-3` is a number, `on` and `off` are text, a duplicate key is an error.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from evonet.errors import ConfigError
from evonet.experiment.config.bounded_yaml import LONGEST_CONFIG, parse
from evonet.files.bounded import reading
from evonet.files.directory import reading_below
from evonet.files.text import short_repr
from evonet.settings import plain

KeyPath = tuple[str | int, ...]

STANDARD_INPUT = "-"
"""The path of a config that is read from standard input."""

IGNORED_PREFIX = "x-"
"""The prefix of keys at the top of a config that evonet ignores: they hold anchors that other keys refer to."""


class Document:
    """The values of a config with their positions in the file.

    Attributes:
        data: the values, as dicts, lists and scalars.
        name: the name of the file, as the user typed it.
    """

    def __init__(self, data: dict[str, Any], name: str, positions: Mapping[KeyPath, tuple[int, int]]) -> None:
        self.data = data
        self.name = name
        self._positions = positions
        self._overrides: dict[KeyPath, str] = {}

    @classmethod
    def read(cls, path: str, overrides: Sequence[str] = (), *, follow_links: bool = True) -> Document:
        """Read a config and apply overrides.

        Args:
            path: the path of the file; "-" is standard input.
            overrides: texts `key.path=value`.
            follow_links: False for a file of a run directory, which may be untrusted.

        Raises:
            ConfigError: the file cannot be read or is not YAML, or an override is not of the form `key.path=value`.
        """
        name = "standard input" if path == STANDARD_INPUT else path
        tree = parse(_text(path, name, follow_links=follow_links), name)
        if not isinstance(tree, Mapping):
            raise ConfigError(f"{name}:1:1: the config must be a mapping of sections, got {short_repr(_plain(tree))}")
        positions: dict[KeyPath, tuple[int, int]] = {(): (1, 1)}
        _locate(tree, (), positions, name)
        data = {key: value for key, value in _plain(tree).items() if not key.startswith(IGNORED_PREFIX)}
        return cls(data, name, positions)._with(overrides)

    @classmethod
    def of(cls, data: Mapping[str, Any], overrides: Sequence[str] = ()) -> Document:
        """A config that a Python program holds, copied; errors call it "the config"."""
        return cls(_plain(plain(dict(data))), "the config", {})._with(overrides)

    def position(self, path: KeyPath) -> str:
        """`file:line:column` of the value at `path`, or of the nearest section around it."""
        for end in range(len(path), -1, -1):
            if path[:end] in self._overrides:
                return f"--set {self._overrides[path[:end]]}"
            if path[:end] in self._positions:
                line, column = self._positions[path[:end]]
                return f"{self.name}:{line}:{column}"
            below = next((text for place, text in self._overrides.items() if place[:end] == path[:end]), None)
            if below is not None:  # the section exists only because of this override
                return f"--set {below}"
        return self.name

    def named_position(self, path: KeyPath) -> str:
        """The position of a value and its key, such as `c.yaml:3:9: algorithm`.

        A last step that names the section's part (`type`, `id`, `name` or `schedule`) is left out of the key.
        """
        names_its_section = path[-1] in ("id", "name", "schedule") or (path[-1] == "type" and path[0] != "fitness")
        named = path[:-1] if names_its_section else path
        return f"{self.position(path)}: {'.'.join(map(str, named))}"

    def error(self, path: KeyPath, message: str) -> ConfigError:
        """A ConfigError about the value at `path`."""
        return ConfigError(f"{self.position(path)}: {message}")

    def existing_path(self, location: Sequence[str | int], *, missing: bool) -> KeyPath:
        """`location` without steps that are not in the data, such as an alternative's name.

        Args:
            location: the keys and indices.
            missing: whether the last step is a key that is missing; then it is kept.
        """
        path: list[str | int] = []
        node: Any = self.data
        for index, step in enumerate(location):
            alternative = isinstance(node, dict) and node.get("type") == step  # or a key with the same name
            if alternative and any(isinstance(key, str) for key in location[index + 1 : index + 2]):
                continue
            known = (isinstance(node, dict) and step in node) or (
                isinstance(node, list) and isinstance(step, int) and step < len(node)
            )
            if known:
                node = node[step]
                path.append(step)
            elif missing and index == len(location) - 1 and isinstance(node, dict):
                path.append(step)
        return tuple(path)

    def _with(self, overrides: Sequence[str]) -> Document:
        """This document, in which each override `key.path=value` has replaced its value."""
        for override in overrides:
            self._set(override)
        return self

    def _set(self, override: str) -> None:
        """Replace a value; sections that are missing on the way are made.

        Raises:
            ConfigError: `override` is not of the form `key.path=value`, or a step of the path is not a section.
        """
        key, equals, text = override.partition("=")
        if not equals or not all(key.split(".")):
            raise ConfigError(f"--set must have the form key.path=value, got {override!r}")
        path: KeyPath = tuple(key.split("."))
        node = self.data
        for step in path[:-1]:
            child = node.setdefault(str(step), {})
            if not isinstance(child, dict):
                raise ConfigError(f"--set {override}: {step!r} must be a section, got {short_repr(child)}")
            node = child
        node[str(path[-1])] = _plain(parse(text, f"--set {override}"))
        self._positions = {place: at for place, at in self._positions.items() if place[: len(path)] != path}
        self._overrides[path] = override


def to_yaml(data: Mapping[str, Any]) -> str:
    """`data` as YAML text."""
    stream = io.StringIO()
    yaml = YAML()
    yaml.width = 120
    yaml.representer.add_representer(type(None), lambda to, _: to.represent_scalar("tag:yaml.org,2002:null", "null"))
    yaml.dump(dict(data), stream)
    return stream.getvalue()


def _text(path: str, name: str, *, follow_links: bool) -> str:
    """The content of a config file."""
    if path == STANDARD_INPUT:
        content = sys.stdin.buffer.read(LONGEST_CONFIG + 1)
    else:
        with reading(path) if follow_links else reading_below(Path(path)) as file:
            content = file.read(LONGEST_CONFIG + 1)
    if len(content) > LONGEST_CONFIG:
        line = content.count(b"\n", 0, LONGEST_CONFIG) + 1
        raise ConfigError(f"{name}:{line}:1: a config must have at most {LONGEST_CONFIG} bytes, and this one has more")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{name}: the file is not UTF-8 text: {error}") from error


def _locate(node: Any, path: KeyPath, positions: dict[KeyPath, tuple[int, int]], name: str) -> None:
    """Add the position, counted from 1, of each key and item below `node` to `positions`; refuse duplicate keys."""
    if isinstance(node, Mapping):
        steps: list[tuple[str | int, Any, Any]] = [(str(key), key, value) for key, value in node.items()]
    elif isinstance(node, list):
        steps = [(index, index, value) for index, value in enumerate(node)]
    else:
        return
    marks = node.lc.data or {}
    for step, key, value in steps:
        if key in marks:  # values from a merge (`<<`) or a tag have no position
            line, column = marks[key][:2]
            if (*path, step) in positions:
                raise ConfigError(f"{name}:{line + 1}:{column + 1}: not valid YAML: found duplicate key {step!r}")
            positions[(*path, step)] = (line + 1, column + 1)
        _locate(value, (*path, step), positions, name)


def _plain(node: Any) -> Any:
    """A tree of ruamel.yaml's types as dicts, lists and scalars."""
    if isinstance(node, Mapping):
        return {key if isinstance(key, str) else str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [_plain(item) for item in node]
    if isinstance(node, bool) or node is None:
        return node
    return next((kind(node) for kind in (int, float, str) if isinstance(node, kind)), node)
