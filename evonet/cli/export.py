"""`evonet export`: a champion in a format of others."""

from __future__ import annotations

import argparse
from pathlib import Path

from evonet.cli.console import DONE, Commands
from evonet.errors import ConfigError, RunDirectoryError

FORMATS = ("onnx", "safetensors", "json", "c", "hub")


def add_to(commands: Commands) -> None:
    """Enter the command."""
    export = commands.add_parser(
        "export", help="write a champion as ONNX, safetensors, JSON, a C header or a hub folder"
    )
    export.add_argument("run", metavar="RUN", type=Path, help="a run directory, or a champion's file")
    export.add_argument("--to", required=True, choices=FORMATS, help="the format")
    export.add_argument("file", metavar="FILE", type=Path, help="where to; for hub, a folder")
    export.set_defaults(command=_export)


def _export(options: argparse.Namespace) -> int:
    from evonet.champion import Champion
    from evonet.experiment.run_directory import CHAMPION
    from evonet.export import export

    source: Path = options.run / CHAMPION if options.run.is_dir() else options.run
    if not source.is_file():
        raise ConfigError(f"{options.run} holds no champion: there is no file {source}")
    try:
        written = export(Champion.load(source), options.to, options.file)
    except OSError as error:
        raise RunDirectoryError(f"{options.file}: cannot be written: {error.strerror or error}") from error
    for path in written:
        print(path)
    return DONE
