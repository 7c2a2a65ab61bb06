"""The JSON Schema describes every key, in the words of docstrings, and names nothing of evonet's inside."""

import json
from dataclasses import dataclass

import pytest

from evonet.experiment.config.docstrings import descriptions_of, summary_of
from evonet.experiment.config.json_schema import json_schema
from evonet.operators.mutation import Gaussian
from evonet.strategies.snes import SNES


@pytest.fixture(scope="module")
def schema():
    return json_schema()


def keys(schema):
    """The keys of all sections: the section's name, the key and its schema."""
    for section, body in {"": schema, **schema["$defs"]}.items():
        yield from ((section, name, key) for name, key in body["properties"].items())


def test_every_key_has_a_description_that_is_a_sentence(schema):
    texts = {f"{section}.{name}": key.get("description", "") for section, name, key in keys(schema)}
    assert len(texts) > 200
    wrong = {key: text for key, text in texts.items() if not text.endswith(".") or text.endswith("..") or "  " in text}
    assert wrong == {}
    assert texts["GaussianMutation.sigma"] == "Standard deviation of a step."
    assert texts["GaussianMutation.type"] == summary_of(Gaussian)
    assert texts["NetworkSection.recurrent"] == "Whether the hidden layer reads its own last output."


def test_no_key_has_a_title_and_sections_have_names_of_the_field(schema):
    assert all("title" not in key for _, _, key in keys(schema))
    text = json.dumps(schema)
    assert "evonet__" not in text
    assert "__1" not in text
    assert {"UniformCrossover", "UniformInitialisation", "GeneticAlgorithm", "LinearSchedule"} <= set(schema["$defs"])
    references = {part.partition('"')[0] for part in text.split("#/$defs/")[1:]}
    assert references == set(schema["$defs"])


@dataclass
class Base:
    """A base.

    Attributes:
        kept: what the base says.
        told_anew: what the base says too.
    """

    kept: int
    told_anew: int


@dataclass
class Derived(Base):
    """A class with a section that is none: Notes.

    Some text: with a colon.

    Attributes:
        told_anew: a text of two lines, the second of which
            is indented.

            And a paragraph.
        own: `a` "b" (c): d.

    Raises:
        ValueError: never.
    """

    own: int


def test_descriptions_are_read_from_the_docstrings_of_a_class_and_its_bases():
    assert descriptions_of(Derived) == {
        "kept": "what the base says.",
        "told_anew": "a text of two lines, the second of which is indented. And a paragraph.",
        "own": '`a` "b" (c): d.',
    }
    assert descriptions_of(SNES)["sigma"].startswith("first standard deviation")
    assert descriptions_of(object) == {}
    assert (summary_of(Derived), descriptions_of(lambda: 0)) == ("A class with a section that is none: Notes.", {})
