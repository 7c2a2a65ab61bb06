"""The champion from which a config's algorithm starts: `algorithm.start_from`, a champion's file or a finished run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evonet.champion import Champion
from evonet.errors import ConfigError
from evonet.experiment.config.config import Config
from evonet.experiment.config.document import KeyPath
from evonet.experiment.config.named_parts import INNER_ALGORITHMS
from evonet.experiment.run_files.run_directory import CHAMPION
from evonet.experiment.run_files.run_finder import require_run, resolve_last
from evonet.files.directory import reading_below
from evonet.fitness import Fitness

_KEY = ("algorithm", "start_from")


def start_champion(config: Config, fitness: Fitness) -> Champion | None:
    """The champion that `algorithm.start_from` names; None if the config starts at random weights.

    It may be from another environment, if its network and its use of a normaliser are those of the config.

    Raises:
        ConfigError: there is no such champion, or it does not fit the config.
    """
    algorithm = config.settings.algorithm
    _refuse_inner_starts(config, algorithm)
    name: str | None = algorithm.start_from
    if name is None:
        return None
    try:
        champion = _champion_at(resolve_last(name, studies=False))
    except ConfigError as error:
        raise config.error(_KEY, f"algorithm.start_from: {error}") from error
    _check_fit(config, champion, fitness)
    return champion


def _refuse_inner_starts(config: Config, algorithm: Any) -> None:
    """Refuse `start_from` in an algorithm within another one, because the outer one makes the inner one many times."""
    islands = getattr(algorithm, "islands", ())
    inner: list[tuple[KeyPath, Any]] = [((key,), getattr(algorithm, key, None)) for key in INNER_ALGORITHMS]
    inner += [(("islands", place), island) for place, island in enumerate(islands if isinstance(islands, list) else ())]
    for path, part in inner:
        if getattr(part, "start_from", None) is not None:
            place = ("algorithm", *path, "start_from")
            raise config.error(place, f"{'.'.join(map(str, place))} must be left out; set algorithm.start_from")


def _champion_at(path: Path) -> Champion:
    """The champion in a file, or in the directory of a finished run."""
    if not path.is_dir():
        return Champion.load(path)
    require_run(path)
    if not (path / CHAMPION).is_file():
        raise ConfigError(f"{path} has no {CHAMPION}: it is no finished run, or no individual could be scored in it")
    with reading_below(path / CHAMPION) as file:
        return Champion.read(file)


def _check_fit(config: Config, champion: Champion, fitness: Fitness) -> None:
    """Refuse a champion with another network, or with a normaliser where the config has none, and the reverse."""
    wanted, got = fitness.architecture, champion.architecture
    if wanted != got:
        raise config.error(_KEY, f"algorithm.start_from must have a network {wanted}, as the config has, got {got}")
    normalises = fitness.task is not None and fitness.task.normalise
    if normalises != (champion.normaliser is not None):
        what = "raw" if normalises else "normalised"
        raise config.error(
            _KEY,
            f"algorithm.start_from: the champion reads {what} observations; "
            f"set evaluation.normalise_observations to {str(not normalises).lower()}",
        )
