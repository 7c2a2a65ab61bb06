"""Text of untrusted files for terminals."""

import json

import pytest

from evonet.cli.console import print_unless_quiet
from evonet.files.text import printable, printable_json

HOSTILE = "\x1b]0;x\x07 \x9b31m \u202e ü 😀 \udc80"


def test_text_for_a_terminal_has_escapes_for_what_a_terminal_obeys():
    assert printable(HOSTILE) == r"\x1b]0;x\x07 \x9b31m \u202e ü 😀 \udc80"


def test_json_for_a_terminal_is_the_same_document():
    text = json.dumps({"name": HOSTILE}, ensure_ascii=False, indent=2)
    shown = printable_json(text)
    assert all(c.isprintable() or c == "\n" for c in shown)
    assert json.loads(shown) == {"name": HOSTILE}
    assert "ü 😀" in shown


@pytest.mark.parametrize("quiet", [False, True])
def test_a_message_is_printed_as_text(quiet, capsys):
    class Options:
        pass

    Options.quiet = quiet
    print_unless_quiet(Options, f"warning: processor {HOSTILE}")
    assert capsys.readouterr().err == ("" if quiet else f"warning: processor {printable(HOSTILE)}\n")
