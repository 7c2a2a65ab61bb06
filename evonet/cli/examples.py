"""The examples at the end of each command's help."""

from __future__ import annotations

import argparse

EXAMPLES = {
    "evonet": (
        "evonet run cartpole",
        "evonet inspect last --html",
        "evonet list",
    ),
    "run": (
        "evonet run cartpole",
        "evonet run cartpole --seed 3 --set network.hidden=8 --output runs/third",
        "evonet run cartpole --watch",
    ),
    "resume": (
        "evonet resume last",
        "evonet resume runs/first --set stop.target=null --set stop.generations=9",
    ),
    "finish": ("evonet finish last",),
    "study": (
        "evonet study cartpole --seeds 20 --output runs/twenty",
        "evonet study cartpole --seeds 20 --vary algorithm.mutation.sigma=0.1,0.3,1",
    ),
    "watch": ("evonet watch", "evonet watch last --window"),
    "inspect": (
        "evonet inspect last",
        "evonet inspect runs/first --weights",
        "evonet inspect runs/first --html report.html",
        "evonet inspect champion.npz",
    ),
    "replay": (
        "evonet replay last",
        "evonet replay runs/first --episodes 3 --gif champion.gif",
        "evonet replay runs/first --generations 0,1,champion --gif film.gif",
    ),
    "test": (
        "evonet test last --episodes 1000 --output tested.npz",
        "evonet test champion.npz",
    ),
    "compare": (
        "evonet compare runs/first runs/second",
        "evonet compare 'one seed'=runs/first other=runs/second --html compare.html",
    ),
    "plot": ("evonet plot 'one seed'=runs/first other=runs/second --to figure.pdf",),
    "runs": ("evonet runs", "evonet runs runs --json"),
    "export": (
        "evonet export last --to onnx champion.onnx",
        "evonet export champion.npz --to c champion.h",
        "evonet export runs/first --to hub folder",
    ),
    "check": ("evonet check cartpole", "evonet check cartpole --set network.hidden=8"),
    "schema": ("evonet schema --output schema.json",),
    "init": (
        "evonet init LunarLander-v3",
        "evonet init my_game:MyGame game.yaml",
    ),
    "list": ("evonet list", "evonet list mutation", "evonet list gaussian", "evonet list stop"),
}
"""By command; `evonet` stands for the program without a command."""


class HelpFormatter(argparse.HelpFormatter):
    """Wraps descriptions to the terminal, and leaves the lines of examples as they are, to be copied."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text if text.startswith("examples:\n") else super()._fill_text(text, width, indent)


def add_examples(parser: argparse.ArgumentParser, command: str) -> None:
    """Add the examples of a command to its help."""
    parser.formatter_class = HelpFormatter
    if command in EXAMPLES:
        parser.epilog = "\n".join(["examples:", *(f"  {example}" for example in EXAMPLES[command])])
