"""Export as JSON, which people and other programming languages can read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from evonet.champion import Champion
from evonet.export.policy import description
from evonet.files.directory import write_atomically

FORMAT = "evonet policy 1"


def export_json(champion: Champion, path: Path) -> list[Path]:
    """Write all weights by name, in full precision, with names of inputs and outputs, spaces and scores."""
    text = json.dumps(policy_document(champion), indent=2, ensure_ascii=False, allow_nan=False)
    write_atomically(path, (text + "\n").encode())
    return [path]


def policy_document(champion: Champion) -> dict[str, Any]:
    """The champion as plain data."""
    blocks = champion.architecture.views(champion.genome)
    normaliser = champion.normaliser
    return {
        "format": FORMAT,
        **description(champion),
        "weights": {name: block.tolist() for name, block in blocks.items()},
        "normaliser": normaliser and {"mean": normaliser.mean.tolist(), "deviation": normaliser.deviation.tolist()},
    }
