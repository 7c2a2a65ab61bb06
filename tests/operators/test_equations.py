"""Newer operators against the equations of their papers, written down here a second time and in another way."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from evonet.architecture import Architecture
from evonet.operators.crossover import BLX, SBX, Intermediate, Layer
from evonet.operators.mutation import Cauchy, CoSyNEPermutation, Polynomial, SelfAdaptive
from evonet.operators.parents import Parents
from evonet.operators.safe_mutation import SafeMutation, sensitivity
from evonet.operators.selection import Boltzmann, EpsilonLexicase, ExponentialRank
from evonet.testing.operators import parents_with

DRAWS = 40_000
ARCHITECTURE = Architecture(3, 2, 2)
SIZE = ARCHITECTURE.genome_size
PARENTS = parents_with([0.0], architecture=ARCHITECTURE)
FITNESS = np.array([3.0, -7.0, 0.0, 8.0, -2.0, 5.0])
RANKS = [4, 1, 3, 6, 2, 5]  # 1 for the least fit, as the papers count


def assert_shares(parents, chances):
    """Every share lies within five standard deviations of its chance; what has none is never drawn."""
    chances = np.asarray(chances)
    share = np.bincount(parents, minlength=len(chances)) / len(parents)
    assert chances.sum() == pytest.approx(1.0)
    assert (np.abs(share - chances) <= 5 * np.sqrt(chances * (1 - chances) / len(parents)) + 1e-12).all(), share


def assert_distributed(values, cdf, points):
    """The share of `values` below each point is the distribution's, to five standard deviations."""
    for point in points:
        chance = cdf(point)
        deviation = math.sqrt(chance * (1 - chance) / values.size)
        assert abs((values <= point).mean() - chance) <= 5 * deviation + 1e-12, point


@pytest.mark.parametrize("c", [0.3, 0.8, 0.95])
def test_exponential_ranking(c):
    n = len(FITNESS)
    chances = [(c - 1) / (c**n - 1) * c ** (n - i) for i in RANKS]  # Blickle and Thiele 1995, section 6
    assert_shares(ExponentialRank(c)(np.random.default_rng(1), parents_with(FITNESS), DRAWS), chances)


def test_exponential_ranking_of_equals():
    c = 0.5
    weights = np.array([c**1.5, c**1.5, c**0.0, c**3.0])  # ranks 2.5, 2.5, 4, 1
    chosen = ExponentialRank(c)(np.random.default_rng(1), parents_with([2.0, 2.0, 7.0, 1.0]), DRAWS)
    assert_shares(chosen, weights / weights.sum())


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
@pytest.mark.parametrize("scale", [1.0, 1e-12, 1e12])
def test_boltzmann_selection(temperature, scale):
    mean = sum(FITNESS) / len(FITNESS)
    deviation = math.sqrt(sum((f - mean) ** 2 for f in FITNESS) / len(FITNESS))
    weights = [math.exp((f - mean) / deviation / temperature) for f in FITNESS]
    chosen = Boltzmann(temperature)(np.random.default_rng(1), parents_with(FITNESS * scale), DRAWS)
    assert_shares(chosen, np.array(weights) / sum(weights))


def lexicase_chances(returns):
    """By going through all orders of the episodes (La Cava et al. 2016, algorithm 2 with the MAD of equation 2)."""
    n, episodes = len(returns), len(returns[0])
    columns = list(zip(*returns, strict=True))
    epsilon = [float(np.median([abs(v - np.median(column)) for v in column])) for column in columns]
    chances = np.zeros(n)
    orders = list(itertools.permutations(range(episodes)))
    for order in orders:
        pool = list(range(n))
        for episode in order:
            best = max(columns[episode][i] for i in pool)
            pool = [i for i in pool if columns[episode][i] >= best - epsilon[episode]]
        for i in pool:
            chances[i] += 1 / len(pool) / len(orders)
    return chances


@pytest.mark.parametrize("seed", range(4))
def test_epsilon_lexicase_selection(seed):
    returns = np.random.default_rng(seed).normal(size=(7, 4)).round(1)
    chances = lexicase_chances(returns.tolist())
    assert 0.0 in chances
    parents = replace(parents_with(returns.mean(axis=1)), returns=returns)
    assert_shares(EpsilonLexicase()(np.random.default_rng(1), parents, DRAWS), chances)


def parents_of(m):
    rng = np.random.default_rng(3)
    first, second = rng.normal(size=(2, 1, SIZE))
    return np.repeat(first, m, axis=0), np.repeat(second, m, axis=0)


@pytest.mark.parametrize(("crossover", "beyond"), [(BLX(1.0, 0.3), 0.3), (Intermediate(1.0, 0.25), 0.25)])
def test_a_gene_of_blx_and_of_intermediate_recombination_is_drawn_from_its_interval(crossover, beyond):
    first, second = parents_of(DRAWS // SIZE)
    children = crossover(np.random.default_rng(1), first, second, ARCHITECTURE)
    low, high = np.minimum(first, second), np.maximum(first, second)
    interval = high - low  # Eshelman and Schaffer: uniform over [low - alpha I, high + alpha I]
    places = (children - (low - beyond * interval)) / ((1 + 2 * beyond) * interval)
    assert places.min() >= 0.0
    assert places.max() <= 1.0
    assert_distributed(places, lambda p: p, [0.1, 0.25, 0.5, 0.75, 0.9])
    among = np.corrcoef(places.T)[~np.eye(SIZE, dtype=bool)]
    assert np.abs(among).max() < 5 / math.sqrt(len(places)), "each gene has a place of its own"


@pytest.mark.parametrize("eta", [0.0, 2.0, 15.0])
def test_the_spread_of_simulated_binary_crossover(eta):
    first, second = parents_of(DRAWS // SIZE)
    children = SBX(rate=1.0, eta=eta, swap=1.0)(np.random.default_rng(1), first, second, ARCHITECTURE)
    spread = (2 * children - first - second) / (second - first)

    def cdf(beta):  # the integral of Deb and Agrawal's densities, 0.5 (n + 1) b^n and 0.5 (n + 1) / b^(n + 2)
        return 0.5 * beta ** (eta + 1) if beta <= 1 else 1 - 0.5 * beta ** -(eta + 1)

    assert_distributed(np.abs(spread), cdf, [0.5, 0.9, 0.99, 1.0, 1.01, 1.1, 2.0])
    assert_distributed(np.sign(spread), lambda _: 0.5, [0.0])


def test_genes_that_simulated_binary_crossover_leaves_are_the_first_parent_s():
    first, second = parents_of(DRAWS // SIZE)
    children = SBX(rate=1.0, swap=0.3)(np.random.default_rng(1), first, second, ARCHITECTURE)
    assert_distributed((children != first).astype(float), lambda _: 0.7, [0.5])


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("recurrent", [True, False])
def test_layer_crossover_takes_both_layers_whole_each_on_its_own(bias, recurrent):
    architecture = Architecture(3, 2, 2, bias=bias, recurrent=recurrent)
    zeros, ones = np.zeros((4000, architecture.genome_size)), np.ones((4000, architecture.genome_size))
    children = Layer(1.0, swap=0.3)(np.random.default_rng(1), zeros, ones, architecture)
    views = architecture.views(children)
    layers = [
        np.concatenate([block.reshape(4000, -1) for name, block in views.items() if name in names], axis=1)
        for names in (
            ("input_hidden_weights", "hidden_bias", "hidden_hidden_weights"),
            ("hidden_output_weights", "output_bias"),
        )
    ]
    assert sum(layer.shape[1] for layer in layers) == architecture.genome_size
    for layer in layers:
        assert (layer == layer[:, :1]).all()
    kinds = (layers[0][:, 0] + 2 * layers[1][:, 0]).astype(int)
    assert_shares(kinds, [0.49, 0.21, 0.21, 0.09])


def test_a_cauchy_step():
    genomes = np.random.default_rng(2).normal(size=(DRAWS // SIZE, SIZE))
    steps = Cauchy(scale=0.4, rate=1.0)(np.random.default_rng(1), genomes, PARENTS) - genomes
    points = [-40.0, -4.0, -0.4, 0.0, 0.4, 4.0, 40.0]
    assert_distributed(steps, lambda x: 0.5 + math.atan(x / 0.4) / math.pi, points)
    changed = Cauchy(rate=0.3)(np.random.default_rng(1), genomes, PARENTS) != genomes
    assert_distributed(changed.astype(float), lambda _: 0.7, [0.5])


@pytest.mark.parametrize("eta", [0.0, 5.0, 20.0])
@pytest.mark.parametrize("gene", [-2.0, -1.9, 0.5, 3.0])
def test_a_polynomial_step(eta, gene):
    low, high = -2.0, 3.0
    genomes = np.full((DRAWS // SIZE, SIZE), gene)
    mutants = Polynomial(eta, low, high, rate=1.0)(np.random.default_rng(1), genomes, PARENTS)

    def cdf(x):  # Deb and Deb 2014, equations 1 to 3, solved for u
        if x < gene:
            return 0.5 * (1 + (x - gene) / (gene - low)) ** (eta + 1)
        return 1 - 0.5 * (1 - (x - gene) / (high - gene)) ** (eta + 1)

    assert mutants.min() >= low
    assert mutants.max() <= high
    below = [gene - share * (gene - low) for share in (0.5, 0.1, 0.01) if gene > low]
    above = [gene + share * (high - gene) for share in (0.01, 0.1, 0.5) if gene < high]
    assert_distributed(mutants, cdf, below + above)


@pytest.mark.parametrize("gene", [-2.0, -1.9, 0.5, 3.0])
def test_a_polynomial_step_that_is_a_share_of_the_range(gene):
    low, high, eta = -2.0, 3.0, 5.0
    genomes = np.full((DRAWS // SIZE, SIZE), gene)
    mutants = Polynomial(eta, low, high, rate=1.0, share_of="range")(np.random.default_rng(1), genomes, PARENTS)

    def cdf(x):  # the truncated polynomial distribution on either side, half of the steps on each
        step, below, above = abs(x - gene) / (high - low), (gene - low) / (high - low), (high - gene) / (high - low)
        tail = (1 - (below if x < gene else above)) ** (eta + 1)
        share = 0.5 * ((1 - step) ** (eta + 1) - tail) / (1 - tail)
        return share if x < gene else 1 - share

    assert mutants.min() >= low
    assert mutants.max() <= high
    places = [low + share * (high - low) for share in (0.01, 0.05, 0.2, 0.45, 0.52, 0.7, 0.95)]
    assert_distributed(mutants, cdf, [place for place in places if place != gene])


@pytest.mark.parametrize("scope", ["individual", "gene"])
def test_step_sizes_change_by_log_normal_factors(scope):
    m = 20_000
    genomes = np.random.default_rng(2).normal(size=(m, SIZE))
    mutation = SelfAdaptive(sigma=0.3, scope=scope)
    inherited = np.full_like(mutation.initial_step_sizes(m, ARCHITECTURE), 0.7)
    mutants, sizes = mutation.mutate(np.random.default_rng(1), genomes, PARENTS, inherited)
    logs = np.log(sizes / 0.7)
    assert sizes.shape == ((m, 1) if scope == "individual" else (m, SIZE))
    # Bäck and Schwefel 1993: exp(N(0, 1 / n)) for one size; exp(N(0, 1 / 2n) + N_i(0, 1 / 2 sqrt n)) for one each.
    variance = 1 / SIZE if scope == "individual" else 1 / (2 * SIZE) + 1 / (2 * math.sqrt(SIZE))
    assert logs.mean() == pytest.approx(0.0, abs=5 * math.sqrt(variance / m))
    assert logs.var(axis=0) == pytest.approx(variance, rel=0.06)
    if scope == "gene":
        among = np.cov(logs.T)[~np.eye(SIZE, dtype=bool)]
        assert among == pytest.approx(1 / (2 * SIZE), abs=0.01)
    steps = (mutants - genomes) / sizes  # with the new size, not with that of the parent
    assert_distributed(steps, lambda x: 0.5 * (1 + math.erf(x / math.sqrt(2))), [-2.0, -1.0, 0.0, 1.0, 2.0])


def test_genes_permuted_as_in_cosyne_stay_at_their_place_in_the_genome():
    n, rate = 12, 0.4
    genomes = np.arange(n * SIZE, dtype=float).reshape(n, SIZE)
    moved, trials = 0, 400
    for seed in range(trials):
        mutants = CoSyNEPermutation(rate)(np.random.default_rng(seed), genomes, PARENTS)
        assert np.array_equal(np.sort(mutants, axis=0), genomes)
        moved += int((mutants != genomes).sum())
    # Of k that are marked, one stays by chance, as long as there is any: k - 1 + (1 - rate)^n move on average.
    expected = rate * n - 1 + (1 - rate) ** n
    assert moved / trials / SIZE == pytest.approx(expected, rel=0.05)


ACTIVATIONS = {
    "tanh": np.tanh,
    "identity": lambda x: x,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "sin": np.sin,
    "gaussian": lambda x: np.exp(-x * x),
}


def forward(architecture, genome, observation, memory):
    """Hidden layer and outputs, for what the hidden layer remembers."""
    block = {name: views[0] for name, views in architecture.views(genome[None, :]).items()}
    before = observation @ block["input_hidden_weights"] + block.get("hidden_bias", 0.0)
    before = before + (memory @ block["hidden_hidden_weights"] if architecture.recurrent else 0.0)
    hidden = ACTIVATIONS[architecture.hidden_activation](before)
    output = hidden @ block["hidden_output_weights"] + block.get("output_bias", 0.0)
    return hidden, ACTIVATIONS[architecture.output_activation](output)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("recurrent", [True, False])
@pytest.mark.parametrize(("hidden", "output"), [("tanh", "identity"), ("sigmoid", "tanh"), ("sin", "gaussian")])
def test_the_sensitivity_of_safe_mutation_is_the_gradient_summed_over_observations(bias, recurrent, hidden, output):
    architecture = Architecture(3, 3, 2, hidden, output, bias, recurrent)
    rng = np.random.default_rng(5)
    genomes, observations = rng.normal(size=(2, architecture.genome_size)), rng.normal(size=(6, 3))
    found = sensitivity(architecture, genomes, observations)
    for genome, values in zip(genomes, found, strict=True):
        memory = [np.zeros(3)]
        for observation in observations:
            memory.append(forward(architecture, genome, observation, memory[-1])[0])
        for gene, value in enumerate(values):
            step = 1e-6 * np.eye(architecture.genome_size)[gene]
            slopes = [
                forward(architecture, genome + step, seen, remembered)[1]
                - forward(architecture, genome - step, seen, remembered)[1]
                for seen, remembered in zip(observations, memory[:-1], strict=True)
            ]
            # Lehman et al. 2018, equation 4: root over outputs k of (sum over experiences i of dy_k / dw)².
            sums = sum(slopes) / 2e-6
            assert value == pytest.approx(math.sqrt((sums**2).sum()), abs=1e-6)


def test_a_safe_step_is_a_normal_one_over_the_sensitivity():
    architecture = Architecture(3, 4, 2, "tanh", "identity")
    rng = np.random.default_rng(5)
    genomes, observations = rng.normal(size=(50, architecture.genome_size)), rng.normal(size=(6, 3))
    observations[:, 0] = 1e-9  # weights from there do nothing
    divisors = np.maximum(sensitivity(architecture, genomes, observations), 0.01)
    parents = Parents(architecture, genomes, np.zeros(50), observations=observations)
    steps = SafeMutation(sigma=0.3)(rng, genomes, parents) - genomes
    assert (divisors == 0.01).any()
    normal = steps * divisors / 0.3
    assert_distributed(normal, lambda x: 0.5 * (1 + math.erf(x / math.sqrt(2))), [-2.0, -1.0, 0.0, 1.0, 2.0])
