"""`evonet export`: write a champion in a file format of other tools."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from evonet.cli.console import DONE, Commands
from evonet.errors import ConfigError, RunDirectoryError

if TYPE_CHECKING:
    from evonet.champion import Champion

FORMATS = ("onnx", "safetensors", "json", "c", "hub")


def add_to(commands: Commands) -> None:
    """Add the command and its arguments to the parser."""
    export = commands.add_parser(
        "export", help="write a champion as ONNX, safetensors, JSON, a C header or a hub folder"
    )
    export.add_argument("run", metavar="RUN", type=Path, help="a run directory, or a champion's file")
    export.add_argument("--to", required=True, choices=FORMATS, help="the format")
    export.add_argument("file", metavar="FILE", type=Path, help="where to; for hub, a folder")
    export.set_defaults(command=_export)


def _export(options: argparse.Namespace) -> int:
    from evonet.export import export

    try:
        written = export(_champion(options.run), options.to, options.file)
    except OSError as error:
        raise RunDirectoryError(f"{options.file}: cannot be written: {error.strerror or error}") from error
    for path in written:
        print(path)
    return DONE


def _champion(source: Path) -> Champion:
    """The champion in a champion's file or in a run directory; of an unfinished run, the champion so far."""
    from evonet.champion import Champion
    from evonet.experiment.run_directory import CHAMPION
    from evonet.files.directory import reading_below
    from evonet.inspection.loaded_run import load_run
    from evonet.inspection.stored import stored_champion

    if source.is_dir() and not (source / CHAMPION).is_file():
        run = load_run(source)
        champion = stored_champion(run)
        print(f"evonet: {source} is not finished: {_so_far(champion)}", file=sys.stderr)
        return champion
    if not source.exists():
        raise ConfigError(f"{source} holds no champion: there is no such file or directory")
    if not source.is_dir():
        return Champion.load(source)
    with reading_below(source / CHAMPION) as file:
        return Champion.read(file)


def _so_far(champion: Champion) -> str:
    individual = f"exporting the champion so far, individual {champion.id} of generation {champion.generation}"
    scored = "was not validated"
    if champion.validation is not None:
        scored = f"scores {champion.validation.mean:.6g} on {champion.validation.episodes} validation episodes"
    return f"{individual}, which {scored} and was not tested"
