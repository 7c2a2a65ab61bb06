"""Strategies: other ways than the genetic algorithm to propose genomes and learn from their fitness, a file each.

Each has the genetic algorithm's `ask`, `tell`, `state` and `restore`. To add one, subclass `Strategy`, and enter it in
`STRATEGIES` by the module that it lives in, so that only what a config names is imported.
"""

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
    "random_search": "evonet.strategies.random_search:RandomSearch",
    "restarts": "evonet.strategies.restarts:Restarts",
    "islands": "evonet.strategies.islands:Islands",
}
"""Where each strategy lives, by name."""
