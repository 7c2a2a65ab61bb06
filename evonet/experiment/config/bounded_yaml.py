"""A YAML reader for untrusted configs, with bounded time and memory.

The round-trip loader of ruamel.yaml runs no code for a tag. This module limits the depth, the number of values (an
alias counts as the values that it refers to) and the digits of a number before objects are built, and converts every
error into a ConfigError with its line.
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
"""The greatest size of a config, in bytes."""

_MAX_VALUES = 2000
_MAX_DEPTH = 40
_TOO_DEEP = f"nested more than {_MAX_DEPTH} levels deep"
_MAX_DIGITS = 400  # digits of a number; every float has fewer
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


def parse(text: str, name: str) -> Any:
    """The values in `text` as ruamel.yaml's round-trip loader returns them, with the line of each value.

    Raises:
        ConfigError: `text` is not valid YAML, or exceeds a limit; the message has `name`, line and column.
    """
    yaml = YAML(typ="rt", pure=True)
    yaml.Scanner, yaml.Composer, yaml.Constructor = _BoundedScanner, _BoundedComposer, _Constructor
    try:
        return yaml.load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        problem = (error.problem or error.context or "cannot be read").split(" with value")[0]
        if problem == "but found another document":
            problem = "a second document begins here; a config is one document, so remove this line and what follows it"
        raise ConfigError(f"{place}: not valid YAML: {problem}") from error
    except ReaderError as error:
        before = text[: error.position]
        place = f"{name}:{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"
        raise ConfigError(f"{place}: not valid YAML: the character #x{error.character:04x} is not allowed") from error
    except YAMLError as error:
        raise ConfigError(f"{name}: not valid YAML: {error}") from error
    except Exception as error:  # malformed text can make the loader raise any error
        raise ConfigError(f"{name}: not valid YAML: {type(error).__name__}: {error}") from error


class _BoundedScanner(Scanner):
    """Refuses deeply nested brackets while scanning, because the scanner's time grows with the square of the depth."""

    def fetch_flow_collection_start(self, TokenClass: Any, to_push: str) -> None:  # noqa: N803 - the library's name
        if len(self.flow_context) >= _MAX_DEPTH:
            raise ScannerError(None, None, _TOO_DEEP, self.reader.get_mark())
        super().fetch_flow_collection_start(TokenClass, to_push)


class _BoundedComposer(Composer):
    """Limits the number and depth of values; an alias counts as the values that it refers to."""

    def __init__(self, loader: Any = None) -> None:
        super().__init__(loader)
        self.warn_double_anchors = False  # YAML allows an anchor to be redefined
        self._values = 0
        self._sizes: dict[int, int] = {}  # the number of values in each finished node, by the node's id()
        self._levels = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.parser.peek_event()
        before = self._values
        self._values += 1
        self._levels += 1
        if self._levels > _MAX_DEPTH:
            raise ComposerError(None, None, _TOO_DEEP, event.start_mark)
        node = super().compose_node(parent, index)
        if isinstance(event, AliasEvent):
            if id(node) not in self._sizes:
                raise ComposerError(None, None, "an alias refers to a value that contains it", event.start_mark)
            self._values = before + self._sizes[id(node)]
        if self._values > _MAX_VALUES:
            raise ComposerError(None, None, f"there are more than {_MAX_VALUES} values", event.start_mark)
        self._sizes[id(node)] = self._values - before
        self._levels -= 1
        if isinstance(node, ScalarNode) and str(node.ctag) in _NUMBERS and len(node.value) > _MAX_DIGITS:
            raise ComposerError(None, None, f"a number has more than {_MAX_DIGITS} digits", event.start_mark)
        if isinstance(parent, MappingNode) and index is None and not isinstance(node, ScalarNode):
            raise ComposerError(None, None, "a key must be a text, got a list or a section", event.start_mark)
        return node


class _Constructor(RoundTripConstructor):
    """Raises an error, with its line, for a value that does not match its tag."""

    def construct_object(self, node: Node, deep: bool = False) -> Any:  # noqa: FBT001, FBT002 - the library's signature
        try:
            return super().construct_object(node, deep)
        except (YAMLError, RecursionError):
            raise
        except Exception as error:
            problem = f"the value is not {str(node.ctag).rpartition(':')[2]!r}: {error}"
            raise ConstructorError(None, None, problem, node.start_mark) from error
