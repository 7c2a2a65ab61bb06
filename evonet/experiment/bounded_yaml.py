"""YAML from a stranger: as much of it as a config may have, read in bounded time and memory; the rest is refused.

ruamel.yaml's round-trip loader runs no code for a tag. What is added here is a limit to length, depth and number of
values, aliases counted as what they stand for, before anything is built of them; and that whatever is wrong becomes
one kind of error, with its line.
"""

from __future__ import annotations

from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer, ComposerError
from ruamel.yaml.constructor import ConstructorError, RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode
from ruamel.yaml.reader import ReaderError
from ruamel.yaml.scanner import Scanner, ScannerError

from evonet.errors import ConfigError

LONGEST_CONFIG = 64 << 10
"""Bytes of a config."""

_MOST_VALUES = 2000
_DEEPEST = 40
_TOO_DEEP = f"nested more than {_DEEPEST} levels deep"
_MOST_DIGITS = 400  # of a number: enough for any float, and few enough to show
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


def parse(text: str, name: str) -> Any:
    """The tree that `text` describes, as ruamel.yaml's round-trip loader has it: with the place of each value.

    Raises:
        ConfigError: it is no YAML, or more than a config may have; the message has `name`, line and column.
    """
    yaml = YAML(typ="rt", pure=True)
    yaml.Scanner, yaml.Composer, yaml.Constructor = _BoundedScanner, _BoundedComposer, _Constructor
    try:
        return yaml.load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        problem = (error.problem or error.context or "cannot be read").split(" with value")[0]
        raise ConfigError(f"{place}: not valid YAML: {problem}") from error
    except ReaderError as error:
        before = text[: error.position]
        place = f"{name}:{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"
        raise ConfigError(f"{place}: not valid YAML: the character #x{error.character:04x} is not allowed") from error
    except YAMLError as error:
        raise ConfigError(f"{name}: not valid YAML: {error}") from error
    except Exception as error:  # what is malformed makes the loader raise whatever it likes
        raise ConfigError(f"{name}: not valid YAML: {type(error).__name__}: {error}") from error


class _BoundedScanner(Scanner):
    """Refuses brackets that nest too deeply when it meets them: its time grows with their square."""

    def fetch_flow_collection_start(self, TokenClass: Any, to_push: str) -> None:  # noqa: N803 - the library's name
        if len(self.flow_context) >= _DEEPEST:
            raise ScannerError(None, None, _TOO_DEEP, self.reader.get_mark())
        super().fetch_flow_collection_start(TokenClass, to_push)


class _BoundedComposer(Composer):
    """Counts values as it meets them; what an alias stands for is counted each time."""

    def __init__(self, loader: Any = None) -> None:
        super().__init__(loader)
        self.warn_double_anchors = False  # YAML lets a name be given anew
        self._values = 0
        self._sizes: dict[int, int] = {}  # of each node that is whole, by its identity
        self._levels = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.parser.peek_event()
        before = self._values
        self._values += 1
        self._levels += 1
        if self._levels > _DEEPEST:
            raise ComposerError(None, None, _TOO_DEEP, event.start_mark)
        node = super().compose_node(parent, index)
        if isinstance(event, AliasEvent):
            if id(node) not in self._sizes:
                raise ComposerError(None, None, "an alias stands within what it stands for", event.start_mark)
            self._values = before + self._sizes[id(node)]
        if self._values > _MOST_VALUES:
            raise ComposerError(None, None, f"there are more than {_MOST_VALUES} values", event.start_mark)
        self._sizes[id(node)] = self._values - before
        self._levels -= 1
        if isinstance(node, ScalarNode) and str(node.ctag) in _NUMBERS and len(node.value) > _MOST_DIGITS:
            raise ComposerError(None, None, f"a number has more than {_MOST_DIGITS} digits", event.start_mark)
        if isinstance(parent, MappingNode) and index is None and not isinstance(node, ScalarNode):
            raise ComposerError(None, None, "a key is a list or a section, not a text", event.start_mark)
        return node


class _Constructor(RoundTripConstructor):
    """Says where a value stands that is not what its tag says."""

    def construct_object(self, node: Node, deep: bool = False) -> Any:  # noqa: FBT001, FBT002 - the library's signature
        try:
            return super().construct_object(node, deep)
        except (YAMLError, RecursionError):
            raise
        except Exception as error:
            problem = f"the value is not {str(node.ctag).rpartition(':')[2]!r}: {error}"
            raise ConstructorError(None, None, problem, node.start_mark) from error
