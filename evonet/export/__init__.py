"""Exporters of champions: ONNX, safetensors, JSON, C, and a folder for the Hugging Face hub.

An exporter is a function of a champion, a path and options of its own that returns the paths of the files it wrote. To
add a format, write a module and add its exporter to `EXPORTERS`.

`onnx_model.py`, `torch_weights.py` (safetensors), `document.py` (JSON), `c_header.py` and `hub.py` have an exporter
each. `policy.py` has what they share, and `compact.py` leaves out the neurons that lead nowhere.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from evonet.champion import Champion
from evonet.export.c_header import export_c
from evonet.export.document import export_json
from evonet.export.hub import export_hub
from evonet.export.onnx_model import export_onnx
from evonet.export.torch_weights import export_safetensors
from evonet.settings import chosen

EXPORTERS: dict[str, Callable[..., list[Path]]] = {
    "onnx": export_onnx,
    "safetensors": export_safetensors,
    "json": export_json,
    "c": export_c,
    "hub": export_hub,
}


def export(champion: Champion, to: str, path: str | Path, **options: Any) -> list[Path]:
    """Write `champion` to `path` in the format `to`, a key of `EXPORTERS`.

    Args:
        champion: the champion.
        to: the format.
        path: where to.
        options: options of the format's exporter, such as `raw` and `float32` of ONNX.

    Raises:
        ValueError: the format is unknown.
        NotExportable: the format cannot hold this champion, or its package is not installed.
        OSError: the file cannot be written.
    """
    return chosen("export.to", to, EXPORTERS)(champion, Path(path), **options)
