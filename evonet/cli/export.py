"""`evonet export`: write a champion in a file format of other tools."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from evonet.cli.console import DONE, RUN_OR_STUDY_HELP, Commands, cell, print_note
from evonet.errors import ConfigError, RunDirectoryError

if TYPE_CHECKING:
    from evonet.champion import Champion

FORMATS = ("onnx", "safetensors", "json", "c", "hub")
_ONNX_OPTIONS = ("raw", "float32")


def add_to(commands: Commands) -> None:
    """Add the command and its arguments to the parser."""
    export = commands.add_parser(
        "export", help="write a champion as ONNX, safetensors, JSON, a C header or a hub folder"
    )
    export.add_argument("run", metavar="RUN", type=Path, help=f"{RUN_OR_STUDY_HELP}; or a champion's file")
    export.add_argument("--to", required=True, choices=FORMATS, help="the format")
    export.add_argument("file", metavar="FILE", type=Path, help="where to; for hub, a folder")
    export.add_argument("--cell", type=cell, metavar="M,M,…", help="the elite of the archive at these measures")
    export.add_argument("--raw", action="store_true", help="onnx: also return the network's outputs, after the action")
    export.add_argument("--float32", action="store_true", help="onnx: float32 instead of float64 inputs and outputs")
    export.set_defaults(command=_export)


def _export(options: argparse.Namespace) -> int:
    from evonet.export import export

    own = {name: True for name in _ONNX_OPTIONS if getattr(options, name)}
    if own and options.to != "onnx":
        raise ConfigError(f"--{next(iter(own))} must be left out with --to {options.to}: only onnx has it")
    try:
        written = export(_champion(options.run, options.cell), options.to, options.file, **own)
    except OSError as error:
        raise RunDirectoryError(f"{options.file}: cannot be written: {error.strerror or error}") from error
    for path in written:
        print(path)
    return DONE


def _champion(source: Path, place: Sequence[float] | None) -> Champion:
    """The champion in a file or a run directory, or a study's best; of an unfinished run, the champion so far.

    Args:
        source: the file or the directory.
        place: measures of a cell, for the elite of the run's archive there instead.
    """
    from evonet.champion import Champion
    from evonet.experiment.run_files.run_directory import CHAMPION
    from evonet.experiment.run_files.run_finder import resolve_last
    from evonet.files.directory import reading_below
    from evonet.inspection.loaded_study import load_run_or_best
    from evonet.inspection.stored import stored_champion

    source = resolve_last(source)
    if place is not None:
        from evonet.inspection.archives import elite_at

        return elite_at(load_run_or_best(source, say=print_note), place)
    if not source.exists():
        raise ConfigError(f"{source} holds no champion: there is no such file or directory")
    if not source.is_dir():
        return Champion.load(source)
    if (source / CHAMPION).is_file():
        with reading_below(source / CHAMPION) as file:
            return Champion.read(file)
    run = load_run_or_best(source, say=print_note)
    champion = stored_champion(run)
    if not run.finished:
        print_note(f"{source} is unfinished: exported its current best ({_so_far(champion)})")
    return champion


def _so_far(champion: Champion) -> str:
    validation = champion.validation
    scored = "not validated" if validation is None else f"validation {validation.mean:.4g}"
    return f"individual {champion.id} of generation {champion.generation}, {scored}, not tested"
