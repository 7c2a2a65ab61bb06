"""Strategies: other ways than the genetic algorithm to propose genomes and learn from their fitness, a file each.

Each has the genetic algorithm's `ask`, `tell`, `state` and `restore`. To add one, subclass `Strategy`, and enter it in
`STRATEGIES` by the module that it lives in, so that only what a config names is imported. The classes are imported when
they are first used: `from evonet.strategies import CMAES`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evonet.lazy import lazy_attributes

if TYPE_CHECKING:
    from evonet.strategies.ars import ARS as ARS
    from evonet.strategies.cma_es import CMAES as CMAES
    from evonet.strategies.cma_me import CMAMAE as CMAMAE
    from evonet.strategies.cma_me import CMAME as CMAME
    from evonet.strategies.cosyne import CoSyNE as CoSyNE
    from evonet.strategies.differential_evolution import DifferentialEvolution as DifferentialEvolution
    from evonet.strategies.growing import Growing as Growing
    from evonet.strategies.islands import Islands as Islands
    from evonet.strategies.map_elites import MAPElites as MAPElites
    from evonet.strategies.novelty_search import NoveltySearch as NoveltySearch
    from evonet.strategies.openai_es import OpenAIES as OpenAIES
    from evonet.strategies.pgpe import PGPE as PGPE
    from evonet.strategies.random_search import RandomSearch as RandomSearch
    from evonet.strategies.relay import Relay as Relay
    from evonet.strategies.restarts import Restarts as Restarts
    from evonet.strategies.separable_cma_es import SeparableCMAES as SeparableCMAES
    from evonet.strategies.snes import SNES as SNES
    from evonet.strategies.strategy import Strategy as Strategy
    from evonet.strategies.xnes import XNES as XNES

STRATEGIES = {
    "cma_es": "evonet.strategies.cma_es:CMAES",
    "separable_cma_es": "evonet.strategies.separable_cma_es:SeparableCMAES",
    "xnes": "evonet.strategies.xnes:XNES",
    "snes": "evonet.strategies.snes:SNES",
    "openai_es": "evonet.strategies.openai_es:OpenAIES",
    "pgpe": "evonet.strategies.pgpe:PGPE",
    "ars": "evonet.strategies.ars:ARS",
    "cosyne": "evonet.strategies.cosyne:CoSyNE",
    "differential_evolution": "evonet.strategies.differential_evolution:DifferentialEvolution",
    "map_elites": "evonet.strategies.map_elites:MAPElites",
    "cma_me": "evonet.strategies.cma_me:CMAME",
    "cma_mae": "evonet.strategies.cma_me:CMAMAE",
    "random_search": "evonet.strategies.random_search:RandomSearch",
    "restarts": "evonet.strategies.restarts:Restarts",
    "relay": "evonet.strategies.relay:Relay",
    "growing": "evonet.strategies.growing:Growing",
    "islands": "evonet.strategies.islands:Islands",
    "novelty_search": "evonet.strategies.novelty_search:NoveltySearch",
}
"""Where each strategy lives, by name."""

_HOMES = {name: module for module, _, name in (place.partition(":") for place in STRATEGIES.values())}
_HOMES["Strategy"] = "evonet.strategies.strategy"

__all__ = ["STRATEGIES", *_HOMES]  # noqa: PLE0604 - strings all

__getattr__, __dir__ = lazy_attributes(__name__, _HOMES)
