"""A config, read from YAML and checked: all errors are reported at once, each with its position, rule and value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from evonet.errors import ConfigError
from evonet.experiment.config.document import STANDARD_INPUT, Document, KeyPath, to_yaml
from evonet.experiment.config.errors import explain
from evonet.experiment.config.experiment_model import model_for
from evonet.experiment.config.own_parts import import_parts
from evonet.experiment.config.sections import EPISODE_RETURN, Experiment


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
            follow_links: False for a file of a run directory, which may be untrusted.

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


def with_defaults(resolved: Mapping[str, Any], allow_imports: Sequence[str] | None = None) -> dict[str, Any]:
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
    """The settings of a document; `allow_imports` as for `with_defaults`.

    Raises:
        ConfigError: values break rules; the message has a line for each value.
    """
    own, part_problems = import_parts(document, allow_imports) if allow_imports is not None else (frozenset(), {})
    try:
        model = model_for(document.data, own)
        settings = model.model_validate(document.data)
    except ConfigError as error:
        raise document.error(("algorithm",), str(error)) from error
    except ValidationError as error:
        raise ConfigError("\n".join(explain(error, document, part_problems, model))) from None
    if part_problems:
        lines = [f"{document.named_position(path)}: {problem}" for path, problem in part_problems.items()]
        raise ConfigError("\n".join(lines))
    return settings
