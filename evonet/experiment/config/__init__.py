"""A config: from YAML to settings that are checked.

`document.py` reads YAML with the line of each value, through the parser of `bounded_yaml.py`. `config.py` loads and
checks a whole config by the model of `experiment_model.py`, whose sections are in `sections.py`; `model_factory.py`
makes models from the classes that they configure, so that a new setting is a new argument of such a class. `errors.py`
words the errors. `named_parts.py` finds the algorithms and operators that a config names; `own_parts.py` imports those
that are the user's own, which `permissions.py` must allow. `json_schema.py`, `reference.py` and `docstrings.py`
describe every key; `catalogue.py` lists the names that a config may use; `template.py` writes a first config;
`differences.py` compares configs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evonet.lazy import lazy_attributes

if TYPE_CHECKING:
    from evonet.experiment.config.config import Config

__all__ = ["Config"]
__getattr__, __dir__ = lazy_attributes(__name__, {"Config": "evonet.experiment.config.config"})
