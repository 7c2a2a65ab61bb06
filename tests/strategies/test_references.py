"""Each strategy against another account of the same paper: the `cmaes` package, or a transcription step by step."""

import math

import numpy as np
import pytest

from evonet.architecture import Architecture
from evonet.operators.mutation import shuffled
from evonet.seeding import Purpose, generator
from evonet.strategies import differential_evolution
from evonet.strategies.ars import ARS
from evonet.strategies.cosyne import CoSyNE
from evonet.strategies.differential_evolution import DifferentialEvolution
from evonet.strategies.openai_es import OpenAIES
from evonet.strategies.pgpe import PGPE
from evonet.strategies.snes import SNES

ARCHITECTURE = Architecture(3, 2, 1)
SIZE = ARCHITECTURE.genome_size


def rosenbrock(genomes):
    x, y = genomes[:, :-1], genomes[:, 1:]
    return -(100 * (y - x**2) ** 2 + (1 - x) ** 2).sum(axis=1)


@pytest.mark.parametrize(("name", "theirs"), [("cma_es", "CMA"), ("separable_cma_es", "SepCMA"), ("xnes", "XNES")])
def test_the_package_fed_the_same_samples_takes_the_same_course(name, theirs):
    cmaes = pytest.importorskip("cmaes")
    from evonet.experiment.algorithms import ALGORITHMS

    ours = ALGORITHMS[name](ARCHITECTURE, population_size=12, sigma=0.7, mean=0.2, seed=3)
    reference = getattr(cmaes, theirs)(np.full(SIZE, 0.2), 0.7, population_size=12)
    for _ in range(25):
        genomes = ours.ask()
        assert np.array_equal(genomes[-1], reference._mean)
        fitness = rosenbrock(genomes)
        if hasattr(reference, "_eigen_decomposition"):
            reference._eigen_decomposition()  # which its `ask` does, on the way
        reference.tell([(genome.copy(), -score) for genome, score in zip(genomes[:12], fitness[:12], strict=True)])
        ours.tell(fitness)
        assert np.array_equal(ours.mean, reference._mean)
        assert ours.sigma == reference._sigma


def test_snes_is_that_of_the_paper():
    ours = SNES(ARCHITECTURE, population_size=10, sigma=0.4, seed=2)
    mean, deviation = [0.0] * SIZE, [0.4] * SIZE
    n, rate = 10, (3 + math.log(SIZE)) / (5 * math.sqrt(SIZE))
    raw = [max(0.0, math.log(n / 2 + 1) - math.log(k)) for k in range(1, n + 1)]
    utilities = [value / sum(raw) - 1 / n for value in raw]
    for _ in range(10):
        genomes = ours.ask()
        order = sorted(range(n), key=lambda i: -rosenbrock(genomes[i : i + 1])[0])
        steps = [[(genomes[i][j] - mean[j]) / deviation[j] for j in range(SIZE)] for i in order]
        for j in range(SIZE):
            along = sum(u * step[j] for u, step in zip(utilities, steps, strict=True))
            wider = sum(u * (step[j] ** 2 - 1) for u, step in zip(utilities, steps, strict=True))
            mean[j] += deviation[j] * along
            deviation[j] *= math.exp(rate / 2 * wider)
        ours.tell(rosenbrock(genomes))
        assert ours.mean == pytest.approx(mean, rel=1e-9)
        assert ours.std == pytest.approx(deviation, rel=1e-9)


def centred(fitness):
    order = sorted(range(len(fitness)), key=lambda i: fitness[i])
    ranks = [0.0] * len(fitness)
    for place, i in enumerate(order):
        ranks[i] = place / (len(fitness) - 1) - 0.5
    return ranks


def test_openai_es_is_that_of_the_paper():
    ours = OpenAIES(ARCHITECTURE, population_size=8, sigma=0.2, learning_rate=0.03, weight_decay=0.01, seed=4)
    mean, first, second = np.zeros(SIZE), np.zeros(SIZE), np.zeros(SIZE)
    for t in range(1, 8):
        genomes = ours.ask()
        shaped = centred(rosenbrock(genomes[:8]))
        gradient = np.zeros(SIZE)
        for utility, genome in zip(shaped, genomes[:8], strict=True):
            gradient += utility * (genome - mean) / 0.2
        gradient = gradient / (8 * 0.2) - 0.01 * mean
        first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
        mean = mean + 0.03 * (first / (1 - 0.9**t)) / (np.sqrt(second / (1 - 0.999**t)) + 1e-8)
        ours.tell(rosenbrock(genomes))
        assert ours.mean == pytest.approx(mean, rel=1e-9)


def test_pgpe_with_clip_up_is_that_of_the_papers():
    ours = PGPE(ARCHITECTURE, population_size=8, radius=2.0, seed=4)
    mean, velocity = np.zeros(SIZE), np.zeros(SIZE)
    deviation = np.full(SIZE, 2.0 / math.sqrt(SIZE))
    top, rate = 2.0 / 15, 1.0 / 15
    for _ in range(8):
        genomes = ours.ask()
        shaped = centred(rosenbrock(genomes[:8]))
        along, wider = np.zeros(SIZE), np.zeros(SIZE)
        for k in range(4):
            step = genomes[k] - mean
            along += (shaped[k] - shaped[k + 4]) / 2 * step / 4
            wider += (shaped[k] + shaped[k + 4]) / 2 * (step**2 - deviation**2) / deviation / 4
        velocity = 0.9 * velocity + rate * along / np.linalg.norm(along)
        velocity *= min(1.0, top / np.linalg.norm(velocity))
        mean = mean + velocity
        deviation = np.clip(deviation + 0.1 * wider, 0.8 * deviation, 1.2 * deviation)
        ours.tell(rosenbrock(genomes))
        assert ours.mean == pytest.approx(mean, rel=1e-9)
        assert ours.sigma == pytest.approx(deviation, rel=1e-9)


def test_ars_is_that_of_the_paper():
    ours = ARS(ARCHITECTURE, population_size=12, top=0.5, noise=0.2, learning_rate=0.1, seed=4)
    mean = np.zeros(SIZE)
    for _ in range(8):
        genomes = ours.ask()
        fitness = rosenbrock(genomes)
        pairs = [(fitness[k], fitness[k + 6], (genomes[k] - mean) / 0.2) for k in range(6)]
        best = sorted(pairs, key=lambda pair: -max(pair[:2]))[:3]
        deviation = np.std([reward for pair in best for reward in pair[:2]])
        mean = mean + 0.1 / (3 * deviation) * sum((plus - minus) * step for plus, minus, step in best)
        ours.tell(fitness)
        assert ours.mean == pytest.approx(mean, rel=1e-9)


@pytest.mark.parametrize("variant", ["rand/1", "best/1", "current-to-best/1"])
def test_a_challenger_of_differential_evolution_is_a_mixture_of_different_others(variant):
    ours = DifferentialEvolution(ARCHITECTURE, population_size=6, variant=variant, rate=1.0, seed=1)
    ours.tell(rosenbrock(ours.ask()))
    genomes = ours.ask()
    now, challengers = genomes[:6], genomes[6:]
    best = now[int(ours.individual_fitness.argmax())]
    for i, challenger in enumerate(challengers):
        mixtures = [
            {"rand/1": now[a], "best/1": best, "current-to-best/1": now[i] + 0.5 * (best - now[i])}[variant]
            + 0.5 * (now[b] - now[c])
            for a in range(6)
            for b in range(6)
            for c in range(6)
            if len({a, b, c, i}) == 4
        ]
        assert any(np.allclose(challenger, mixture, rtol=1e-12) for mixture in mixtures)


@pytest.mark.parametrize(("variant", "weight", "rate"), [("rand/1", 0.5, 0.9), ("best/1", 0.8, 0.3)])
def test_differential_evolution_fed_the_same_draws_takes_the_course_of_the_paper(variant, weight, rate):
    """Storn and Price 1997, figure 3, an individual and a gene at a time; fitness rises where their cost falls."""
    n = 9
    ours = DifferentialEvolution(ARCHITECTURE, n, variant, weight, rate, scale=0.7, seed=6)
    start = generator(6, Purpose.INITIALISATION)
    individuals = [[0.7 * float(start.standard_normal()) for _ in range(SIZE)] for _ in range(n)]
    costs = [-rosenbrock(np.array([x]))[0] for x in individuals]
    first = min(costs)
    for turn in range(30):
        rng = generator(6, Purpose.VARIATION, turn, 0)
        others = np.transpose(differential_evolution._others(rng, n)).tolist()
        draws = rng.random((n, SIZE))
        always = rng.integers(SIZE, size=n)
        best = min(range(n), key=lambda i: costs[i])
        trials = []
        for i, (r1, r2, r3) in enumerate(others):
            assert len({i, r1, r2, r3}) == 4
            base = individuals[best] if variant == "best/1" and turn else individuals[r1]
            trial = list(individuals[i])
            for j in range(SIZE):
                if draws[i][j] < rate or j == always[i]:
                    trial[j] = base[j] + weight * (individuals[r2][j] - individuals[r3][j])
            trials.append(trial)
        genomes = ours.ask()
        np.testing.assert_allclose(genomes, individuals + trials, rtol=1e-9)
        for i, trial in enumerate(trials):
            cost = -rosenbrock(np.array([trial]))[0]
            if cost <= costs[i]:
                individuals[i], costs[i] = trial, cost
        ours.tell(rosenbrock(genomes))
    assert min(costs) < first / 2  # there is a course to compare


def test_differential_evolution_keeps_whoever_is_fitter_on_the_same_episodes():
    ours = DifferentialEvolution(ARCHITECTURE, population_size=6, seed=1)
    genomes = ours.ask().copy()
    fitness = np.array([0.0, 1, 2, 3, 4, 5, 1, 1, 1, 9, 9, 9])
    ours.tell(fitness)
    assert np.array_equal(ours.ask()[:6], genomes[[6, 7, 2, 9, 10, 11]])


def test_cosyne_s_chances_are_equation_1():
    ours = CoSyNE(ARCHITECTURE, population_size=8, seed=1)
    fitness = np.array([8.0, 6, 5, 4, 3, 2, 1, 0])
    expected = [1 - (f / 8) ** (1 / SIZE) for f in fitness]
    assert ours._chances(fitness, SIZE) == pytest.approx(expected)


def test_cosyne_shuffles_each_gene_among_the_marked_and_touches_no_other():
    rng = np.random.default_rng(1)
    weights = np.arange(60.0).reshape(12, 5)
    marked = rng.random((12, 5)) < 0.5
    moved = 0
    for _ in range(50):
        mixed = shuffled(rng, weights, marked)
        assert np.array_equal(mixed[~marked], weights[~marked])
        assert np.array_equal(np.sort(mixed, axis=0), weights)
        moved += (mixed != weights).sum()
    places = np.repeat(marked.sum(axis=0), marked.sum(axis=0))
    assert moved / 50 == pytest.approx((1 - 1 / places).sum(), rel=0.1)  # in a random order, one of k stays on average


def test_cosyne_s_fittest_breed_and_its_least_fit_make_room():
    ours = CoSyNE(ARCHITECTURE, population_size=8, crossover_rate=0.0, rate=0.0, seed=1)
    genomes = ours.ask().copy()
    fitness = np.arange(8.0)
    ours.tell(fitness)
    kept = genomes[[7, 6, 5, 4, 3, 2, 7, 6]]  # the two fittest twice, the two least fit no more
    assert np.array_equal(np.sort(ours.ask(), axis=0), np.sort(kept, axis=0))


def cosyne_s_next(weights, fitness, rng, breeding, crossover_rate, sigma, rate):
    """A generation of Gomez et al. 2008, figure 3, a weight at a time: subpopulation i has weight i of all networks."""
    networks, genes = len(weights), len(weights[0])
    ranked = sorted(range(networks), key=lambda j: -fitness[j])
    weights, fitness = [list(weights[j]) for j in ranked], [fitness[j] for j in ranked]
    quarter = math.ceil(breeding * networks)
    mates = [(k + shift) % quarter for k, shift in enumerate(rng.integers(1, quarter, size=quarter))]
    crossed = rng.random(quarter) < crossover_rate
    cuts = rng.integers(0, genes + 1, size=quarter)
    children = [
        weights[k][: cuts[k]] + weights[mates[k]][cuts[k] :] if crossed[k] else list(weights[k]) for k in range(quarter)
    ]
    for k, i in np.argwhere(rng.random((quarter, genes)) < rate):
        children[k][i] += sigma * rng.standard_cauchy()
    worst, best = min(fitness), max(fitness)
    chances = [1 - ((f - worst) / (best - worst)) ** (1 / genes) for f in fitness]
    weights[networks - quarter :] = children
    chances[networks - quarter :] = [1.0] * quarter
    draws, keys = rng.random((networks, genes)), rng.random((networks, genes))
    for i in range(genes):
        marked = [j for j in range(networks) if draws[j][i] < chances[j]]
        source = sorted(marked, key=lambda j: keys[j][i])  # a random order of those marked
        moved = [weights[j][i] for j in source]
        for j, weight in zip(marked, moved, strict=True):
            weights[j][i] = weight
    return weights


@pytest.mark.parametrize("crossover_rate", [1.0, 0.5])
def test_cosyne_fed_the_same_draws_takes_the_course_of_the_paper(crossover_rate):
    settings = {"breeding": 0.25, "crossover_rate": crossover_rate, "sigma": 0.3, "rate": 0.3}
    ours = CoSyNE(ARCHITECTURE, population_size=18, scale=2.0, seed=8, **settings)
    start = generator(8, Purpose.INITIALISATION)
    weights = [[float(start.uniform(-2.0, 2.0)) for _ in range(SIZE)] for _ in range(18)]
    first = best = -math.inf
    for turn in range(40):
        genomes = ours.ask()
        assert genomes.tolist() == weights
        fitness = rosenbrock(genomes).tolist()
        first = max(fitness) if turn == 0 else first
        best = max(best, *fitness)
        ours.tell(fitness)
        weights = cosyne_s_next(weights, fitness, generator(8, Purpose.VARIATION, turn, 1), **settings)
    assert best > first / 4
