"""Evolution that begins at networks which were found before: every algorithm starts there, and a config names them."""

import functools
import json

import numpy as np
import pytest

from evonet import Architecture, Champion, ConfigError, GeneticAlgorithm, NeuralNetwork, Population
from evonet.environments.normaliser import ObservationNormaliser
from evonet.experiment.algorithms import ALGORITHMS
from evonet.experiment.config import Config
from evonet.experiment.runner import resume, run
from evonet.operators import Gaussian, SelfAdaptive
from evonet.operators.structural_mutation import AddConnection
from evonet.operators.structure import Structure
from evonet.settings import argument_hints
from evonet.strategies import CMAES, SNES, CoSyNE, Islands, RandomSearch, Restarts
from evonet.strategies.algorithm import tell_with_episodes
from evonet.strategies.warm_start import starting_genomes
from tests.archived import ARCHIVED

SHAPE = Architecture(4, 2, 2, "tanh", "identity")
GENOME = np.linspace(-3.0, 3.0, SHAPE.genome_size)
WRAPPED = {"restarts", "relay", "growing", "islands", "novelty_search"}


def champion_of(shape=SHAPE, **settings):
    return Champion(shape, np.linspace(-3.0, 3.0, shape.genome_size), **settings)


def made(name, **settings):
    maker = ALGORITHMS[name]
    if name in WRAPPED:
        settings["algorithm"] = functools.partial(GeneticAlgorithm, population_size=8)
    if name == "relay":
        settings |= {"then": SNES, "generations": 9}
    if name == "novelty_search":
        settings["measures"] = ["return"]
    return maker(SHAPE, seed=3, **settings)


@pytest.mark.parametrize("name", sorted(set(ALGORITHMS) - ARCHIVED))
def test_every_algorithm_starts_around_what_it_is_given(name):
    algorithm = made(name, initial=GENOME)
    genomes = algorithm.ask()
    nearest = np.abs(genomes - GENOME).max(axis=1)
    if name not in {"random_search", "pgpe", "openai_es", "ars"}:
        assert nearest.min() == 0.0, "the genome itself is among the first"
    else:
        spread = np.abs(made(name).ask()).max()
        assert nearest.max() <= spread + 1e-12
    fitness = -np.abs(genomes).sum(axis=1)
    tell_with_episodes(algorithm, fitness, returns=None, observe=None, measures={"return": fitness})
    again = made(name)
    again.restore(algorithm.state())
    assert again.ask().tobytes() == algorithm.ask().tobytes(), "a restored one needs no start"
    assert "initial" in argument_hints(ALGORITHMS[name])


@pytest.mark.parametrize("name", ["pgpe", "openai_es", "ars", "snes"])
def test_a_strategy_with_a_mean_has_it_there_first(name):
    assert made(name, initial=GENOME).mean.tolist() == GENOME.tolist()
    assert (made(name, initial=GENOME, spread=0.5).mean - GENOME).tobytes() != bytes(GENOME.nbytes)


def test_the_mean_of_cma_es_may_be_a_genome():
    assert CMAES(SHAPE, mean=GENOME).mean.tolist() == GENOME.tolist()
    assert CMAES(SHAPE, mean=champion_of()).mean.tolist() == GENOME.tolist()
    assert CMAES(SHAPE, mean=0.5).mean.tolist() == [0.5] * SHAPE.genome_size
    with pytest.raises(ValueError) as refused:
        CMAES(SHAPE, mean=np.zeros(3))
    assert str(refused.value) == (
        f"CMAES.mean must have shape ({SHAPE.genome_size},) or (k, {SHAPE.genome_size}) for {SHAPE}, got (3,)"
    )


def test_a_genetic_algorithm_breeds_the_rest_of_its_first_generation_by_mutation():
    founders = np.stack([GENOME, -GENOME])
    genomes = GeneticAlgorithm(SHAPE, 9, initial=founders, mutation=[SelfAdaptive(0.001)], seed=1).ask()
    assert genomes[:2].tolist() == founders.tolist()
    steps = genomes[2:] - founders[[0, 1, 0, 1, 0, 1, 0]]
    assert (np.abs(steps).max(axis=1) > 0).all()
    assert np.abs(steps).max() < 0.02
    assert GeneticAlgorithm(SHAPE, 2, initial=founders).ask().tolist() == founders.tolist()
    assert GeneticAlgorithm(SHAPE, 4, initial=GENOME, mutation=()).ask().tolist() == [GENOME.tolist()] * 4


def test_what_has_genomes_may_be_given_for_them(tmp_path):
    champion_of().save(tmp_path / "champion.npz")
    network = NeuralNetwork.from_genome(SHAPE, GENOME)
    for start in (GENOME, GENOME.tolist(), champion_of(), network, tmp_path, str(tmp_path / "champion.npz")):
        assert starting_genomes("A.initial", start, SHAPE, 3).tolist() == [GENOME.tolist()]
    fitness = np.array([1.0, 3.0, 2.0, 0.0])
    population = Population(SHAPE, np.arange(4.0)[:, None] * GENOME, fitness=fitness)
    assert starting_genomes("A.initial", population, SHAPE, 2).tolist() == [GENOME.tolist(), (2 * GENOME).tolist()]
    taken = starting_genomes("A.initial", GENOME, SHAPE, 1)
    assert not np.shares_memory(taken, GENOME)


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (np.zeros((2, 16)), "A.initial must be one genome, got 2"),
        (np.zeros((0, 16)), "A.initial must be one genome, got 0"),
        (np.full(16, np.nan), "A.initial must be finite, and has NaN or infinity"),
        (
            champion_of(Architecture(4, 3, 2, "tanh", "identity")),
            f"A.initial must be of networks {SHAPE}, whose num_hidden is 2, got 3",
        ),
        (
            champion_of(Architecture(4, 2, 2, "relu", "identity")),
            f"A.initial must be of networks {SHAPE}, whose hidden_activation is tanh, got relu",
        ),
    ],
    ids=["several", "none", "nan", "size", "activation"],
)
def test_a_start_that_does_not_fit_is_refused_without_its_numbers(start, message):
    with pytest.raises(ValueError) as refused:
        starting_genomes("A.initial", start, SHAPE, 1)
    assert str(refused.value) == message


def test_a_file_is_checked_as_the_champion_is(tmp_path):
    champion_of(Architecture(4, 3, 2)).save(tmp_path / "other.npz")
    with pytest.raises(ValueError, match=r"^SNES\.initial must be of networks .*, whose num_hidden is 2, got 3$"):
        SNES(SHAPE, initial=tmp_path / "other.npz")
    for path in (tmp_path / "none.npz", tmp_path):
        with pytest.raises(ConfigError, match="cannot be read"):
            SNES(SHAPE, initial=path)


def test_only_the_first_of_several_restarts_starts_there():
    algorithm = Restarts(SHAPE, functools.partial(CoSyNE, scale=0.001, rate=0.0), flat=1, initial=GENOME)
    assert np.abs(algorithm.ask() - GENOME).max() < 0.01
    algorithm.tell(np.zeros(len(algorithm.population)))
    assert np.abs(algorithm.ask()).max() < 0.01
    assert algorithm.restarts == 1
    islands = Islands(SHAPE, functools.partial(GeneticAlgorithm, population_size=4), 2, initial=GENOME)
    assert islands.ask()[[0, 4]].tolist() == [GENOME.tolist()] * 2
    assert RandomSearch(SHAPE, initial=GENOME, scale=1e-9).ask().round(6).tolist()[0] == GENOME.round(6).tolist()


def test_an_algorithm_shows_itself_in_a_line():
    assert repr(SNES(SHAPE, seed=2)) == "<SNES: 4-2-2 (tanh/identity), 12 a generation, generation 0, seed 2>"
    assert repr(made("restarts")).startswith("<Restarts: 0 so far, of <GeneticAlgorithm: 4-2-2 (tanh/identity), 8 ")
    assert repr(made("islands")).startswith("<Islands: 4, generation 0, the first <GeneticAlgorithm: 4-2-2 (tanh/id")


CONFIG = """
environment: {id: CartPole-v1, max_steps: 20}
network: {hidden: 2}
algorithm: {type: %s, start_from: %s}
evaluation: {episodes: 1, workers: 1, engine: numpy%s}
validation: {episodes: 2}
test: {episodes: 2}
stop: {generations: 2, target: null}
checkpoints: {seconds: 0}
"""


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """A champion's file."""
    path = tmp_path_factory.mktemp("start") / "champion.npz"
    champion_of().save(path)
    return path


def config_for(folder, algorithm, start, more=""):
    path = folder / "warm.yaml"
    path.write_text(CONFIG % (algorithm, json.dumps(str(start)), more), encoding="utf-8")
    return Config.load(str(path))


@pytest.mark.parametrize("algorithm", ["genetic_algorithm", "cma_es"])
def test_a_config_starts_from_a_champion_and_resumes_without_its_file(algorithm, start, tmp_path):
    copy = tmp_path / "copy.npz"
    copy.write_bytes(start.read_bytes())
    config = config_for(tmp_path, algorithm, copy)
    starts = []
    run(config, tmp_path / "whole", lambda generation, _: starts.append(generation.population.genomes.copy()))
    assert np.abs(starts[0] - GENOME).max(axis=1).min() == 0.0
    with pytest.raises(KeyboardInterrupt):
        run(config, tmp_path / "half", interrupted)
    copy.unlink()
    resume(tmp_path / "half")
    for name in ("champion.npz", "metrics.jsonl", "lineage.jsonl"):
        assert (tmp_path / "half" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert run(config_for(tmp_path, algorithm, tmp_path / "whole"), tmp_path / "on")["generations"] == 2


def interrupted(generation, seconds):
    raise KeyboardInterrupt


def test_a_config_whose_start_does_not_fit_is_refused_at_its_line(start, tmp_path):
    normalised = tmp_path / "normalised.npz"
    parts = {"mean": np.zeros(4), "squares": np.ones(4), "count": 3}
    Champion(SHAPE, GENOME, normaliser=ObservationNormaliser.from_arrays(parts, 4)).save(normalised)
    other = tmp_path / "other.npz"
    champion_of(Architecture(4, 2, 2)).save(other)
    (tmp_path / "empty").mkdir()
    for path, more, message in (
        (other, "", f"algorithm.start_from must have a network {SHAPE}, as the config has, got 4-2-2 (sigmoid"),
        (normalised, "", "algorithm.start_from: the champion reads normalised observations; set evaluation.normalise_"),
        (start, ", normalise_observations: true", "algorithm.start_from: the champion reads raw observations; set"),
        (tmp_path / "gone.npz", "", f"algorithm.start_from: {tmp_path / 'gone.npz'}: cannot be read: "),
        (tmp_path / "empty", "", f"algorithm.start_from: {tmp_path / 'empty'} has no champion.npz: it is no"),
    ):
        with pytest.raises(ConfigError) as refused:
            run(config_for(tmp_path, "snes", path, more), tmp_path / "never")
        assert str(refused.value).startswith(f"{tmp_path / 'warm.yaml'}:4:25: {message}")
    assert not (tmp_path / "never").exists()


@pytest.mark.parametrize(
    ("algorithm", "place"),
    [
        ("restarts, algorithm: {type: snes, start_from: a.npz}", "algorithm"),
        ("islands, algorithm: {population_size: 4}, islands: [{}, {start_from: a.npz}]", "islands.1"),
    ],
)
def test_a_start_belongs_to_the_whole_algorithm(algorithm, place, start, tmp_path):
    with pytest.raises(ConfigError) as refused:
        run(config_for(tmp_path, algorithm, start), tmp_path / "run")
    message = f"algorithm.{place}.start_from must be left out; set algorithm.start_from"
    assert str(refused.value).partition(": ")[2] == message
    assert str(refused.value).startswith(f"{tmp_path / 'warm.yaml'}:4:")


def test_the_first_generation_s_normaliser_is_the_champion_s(tmp_path):
    parts = {"mean": np.full(4, 0.25), "squares": np.full(4, 8.0), "count": 5}
    known = ObservationNormaliser.from_arrays(parts, 4)
    Champion(SHAPE, GENOME, normaliser=known).save(tmp_path / "c.npz")
    seen = []
    config = config_for(tmp_path, "snes", tmp_path / "c.npz", ", normalise_observations: true")
    run(config, tmp_path / "run", lambda generation, _: seen.append(generation.normaliser))
    assert seen[0].mean.tolist() == known.mean.tolist()


def test_the_missing_connections_of_a_start_stay_missing():
    sparse = np.where(np.arange(SHAPE.genome_size) % 3 == 0, 0.0, GENOME)
    mutation = [Gaussian(0.5, 1.0), AddConnection()]
    algorithm = GeneticAlgorithm(SHAPE, 6, initial=sparse, structure=Structure("full"), mutation=mutation, seed=1)
    genomes, masks = algorithm.ask(), algorithm.population.masks
    assert (masks == (sparse != 0.0)).all()
    assert (genomes[:, sparse == 0.0] == 0.0).all()
    assert (genomes[1:, sparse != 0.0] != sparse[sparse != 0.0]).all()
