"""`evonet list`: the names that a config may use, and the settings behind a name."""

from __future__ import annotations

import argparse
import json
import shutil
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from evonet.cli.console import DONE, Commands
from evonet.errors import ConfigError

if TYPE_CHECKING:
    from evonet.experiment.config.reference import Key

_WIDEST_NAME = 24
_NARROWEST = 40  # columns


def add_to(commands: Commands) -> None:
    """Add the command and its arguments to the parser."""
    listing = commands.add_parser(
        "list",
        help="list all components, or the settings of one",
        description="Lists the names that a config may use; with NAME, one kind, one component or one section of a "
        "config with all settings and their defaults.",
    )
    listing.add_argument("name", nargs="?", metavar="NAME", help="a kind, a component or a section of a config")
    listing.add_argument("--json", action="store_true", help="print them as one JSON document")
    listing.set_defaults(command=_list)


def _list(options: argparse.Namespace) -> int:
    from evonet.experiment.config.catalogue import catalogue

    entries = catalogue()
    if options.name is not None:
        return _list_one(options, entries)
    if options.json:
        print(json.dumps(entries, indent=2, ensure_ascii=False))
        return DONE
    for kind, names in entries.items():
        print(f"{kind}, by name in evonet run" if kind == "config" else kind)
        _print_rows(names, indent=2)
    print(textwrap.fill("settings and defaults: evonet list NAME, a kind, a component or a section", _width()))
    return DONE


def _list_one(options: argparse.Namespace, entries: Mapping[str, Mapping[str, str]]) -> int:
    """Print the kind, the components or the section that is called `options.name`."""
    from evonet.experiment.config.reference import PARTS, part_keys, sections
    from evonet.settings import near_miss

    name = options.name
    parts = {
        (kind, each): (summary, part_keys(kind, each) if kind in PARTS else [])
        for kind, names in entries.items()
        for each, summary in names.items()
        if name in (kind, each)
    }
    found = sections()
    section = found.get(name) if name else None
    if not parts and section is None:
        known = [*entries, *(each for names in entries.values() for each in names), *found]
        near = near_miss(name, known)
        raise ConfigError(" ".join(filter(None, [f"nothing is called {name!r};", near, "evonet list has all names"])))
    if options.json:
        settings = {f"{kind} {each}": _as_data(*about) for (kind, each), about in parts.items()}
        settings |= {} if section is None else {name: _as_data("", section)}
        print(json.dumps(settings, indent=2, ensure_ascii=False))
        return DONE
    if section is not None:
        print(f"section {name}")
        _print_rows(_described(section), indent=2)
    for (kind, each), (summary, keys) in parts.items():
        print(f"{kind} {each}")
        print(textwrap.fill(summary, _width(), initial_indent="  ", subsequent_indent="  "))
        _print_rows(_described(keys), indent=4)
    return DONE


def _described(keys: Sequence[Key]) -> dict[str, str]:
    """The meaning, the values and the default of each key as text, by name."""
    rows = {}
    for key in keys:
        default = "required" if key.default is None else f"default {key.default}" if key.default else ""
        value = key.value[0].upper() + key.value[1:]
        rows[key.name] = f"{key.description} {'; '.join(filter(None, [value, default]))}."
    return rows


def _as_data(summary: str, keys: Sequence[Key]) -> dict[str, object]:
    about: dict[str, object] = {"summary": summary} if summary else {}
    return about | {"settings": {key.name: {**key._asdict(), "name": key.name} for key in keys}}


def _print_rows(rows: Mapping[str, str], *, indent: int) -> None:
    """Print names and texts in two columns that fit the terminal."""
    column = indent + 2 + min(_WIDEST_NAME, max(map(len, rows), default=0))
    for name, text in rows.items():
        head = f"{' ' * indent}{name}"
        own_line = len(head) + 2 > column
        if own_line:
            print(head)
        start = " " * column if own_line else f"{head:<{column}}"
        print(textwrap.fill(text, _width(), initial_indent=start, subsequent_indent=" " * column))


def _width() -> int:
    return max(_NARROWEST, shutil.get_terminal_size().columns)
