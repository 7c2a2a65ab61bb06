"""The genetic operators: frozen settings that can be called.

Those that draw random numbers take `rng` first and draw from nothing else. All work on whole arrays, and none writes
what it is given. The names below are imported when they are first used: `from evonet.operators import Tournament`.

`selection.py`, `crossover.py`, `mutation.py`, `replacement.py`, `niching.py`, `initialisation.py` and `schedules.py`
have one kind each, with its registry; `safe_mutation.py` is one more mutation. `structural_mutation.py` has the
mutations that change which connections exist, `structure.py` the masks of connections. `parents.py` is what operators
know of the parents, `bounds.py` keeps genes in a range, `fitness_scaling.py` serves selections, `noise_table.py`
mutations. `registry.py` joins the registries, `kinds.py` says what is wrong with an operator of the user's own,
`scheduled_settings.py` keeps the current numbers of schedules, `matrix_pool.py` reuses the memory of genomes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evonet.lazy import lazy_attributes

if TYPE_CHECKING:
    from evonet.operators.bounds import Bounds as Bounds
    from evonet.operators.crossover import BLX as BLX
    from evonet.operators.crossover import SBX as SBX
    from evonet.operators.crossover import Arithmetic as Arithmetic
    from evonet.operators.crossover import Crossover as Crossover
    from evonet.operators.crossover import Intermediate as Intermediate
    from evonet.operators.crossover import KPoint as KPoint
    from evonet.operators.crossover import Layer as Layer
    from evonet.operators.crossover import Line as Line
    from evonet.operators.crossover import NeuronCrossover as NeuronCrossover
    from evonet.operators.crossover import NoCrossover as NoCrossover
    from evonet.operators.crossover import OnePoint as OnePoint
    from evonet.operators.crossover import UniformCrossover as UniformCrossover
    from evonet.operators.initialisation import Normal as Normal
    from evonet.operators.initialisation import Orthogonal as Orthogonal
    from evonet.operators.initialisation import UniformInitialisation as UniformInitialisation
    from evonet.operators.initialisation import Xavier as Xavier
    from evonet.operators.mutation import Cauchy as Cauchy
    from evonet.operators.mutation import CoSyNEPermutation as CoSyNEPermutation
    from evonet.operators.mutation import Gaussian as Gaussian
    from evonet.operators.mutation import NeuronMutation as NeuronMutation
    from evonet.operators.mutation import Polynomial as Polynomial
    from evonet.operators.mutation import SelfAdaptive as SelfAdaptive
    from evonet.operators.mutation import UniformReset as UniformReset
    from evonet.operators.niching import FitnessSharing as FitnessSharing
    from evonet.operators.niching import NoNiching as NoNiching
    from evonet.operators.niching import Speciation as Speciation
    from evonet.operators.parents import Parents as Parents
    from evonet.operators.replacement import Comma as Comma
    from evonet.operators.replacement import Generational as Generational
    from evonet.operators.replacement import Plus as Plus
    from evonet.operators.replacement import SteadyState as SteadyState
    from evonet.operators.safe_mutation import SafeMutation as SafeMutation
    from evonet.operators.schedules import Constant as Constant
    from evonet.operators.schedules import Exponential as Exponential
    from evonet.operators.schedules import Linear as Linear
    from evonet.operators.schedules import OneFifth as OneFifth
    from evonet.operators.schedules import Stagnation as Stagnation
    from evonet.operators.selection import Boltzmann as Boltzmann
    from evonet.operators.selection import EpsilonLexicase as EpsilonLexicase
    from evonet.operators.selection import ExponentialRank as ExponentialRank
    from evonet.operators.selection import LinearRank as LinearRank
    from evonet.operators.selection import RandomSelection as RandomSelection
    from evonet.operators.selection import Roulette as Roulette
    from evonet.operators.selection import StochasticUniversalSampling as StochasticUniversalSampling
    from evonet.operators.selection import Tournament as Tournament
    from evonet.operators.selection import Truncation as Truncation
    from evonet.operators.structural_mutation import AddConnection as AddConnection
    from evonet.operators.structural_mutation import AddNeuron as AddNeuron
    from evonet.operators.structural_mutation import RemoveConnection as RemoveConnection
    from evonet.operators.structural_mutation import RemoveInput as RemoveInput
    from evonet.operators.structural_mutation import RemoveNeuron as RemoveNeuron
    from evonet.operators.structure import Structure as Structure

_NAMES = {
    "bounds": "Bounds",
    "crossover": "BLX SBX Arithmetic Crossover Intermediate KPoint Layer Line NeuronCrossover NoCrossover "
    "OnePoint UniformCrossover",
    "initialisation": "Normal Orthogonal UniformInitialisation Xavier",
    "mutation": "Cauchy CoSyNEPermutation Gaussian NeuronMutation Polynomial SelfAdaptive UniformReset",
    "niching": "FitnessSharing NoNiching Speciation",
    "parents": "Parents",
    "replacement": "Comma Generational Plus SteadyState",
    "safe_mutation": "SafeMutation",
    "schedules": "Constant Exponential Linear OneFifth Stagnation",
    "selection": "Boltzmann EpsilonLexicase ExponentialRank LinearRank RandomSelection Roulette "
    "StochasticUniversalSampling Tournament Truncation",
    "structural_mutation": "AddConnection AddNeuron RemoveConnection RemoveInput RemoveNeuron",
    "structure": "Structure",
}

_HOMES = {name: f"evonet.operators.{module}" for module, names in _NAMES.items() for name in names.split()}

__all__ = [*_HOMES]  # noqa: PLE0604 - strings all

__getattr__, __dir__ = lazy_attributes(__name__, _HOMES)
