"""The loop: fair episodes for all, a champion chosen by what nobody trained on, and learning that can be measured."""

from functools import partial
from itertools import combinations, islice, pairwise

import numpy as np
import pytest

from evonet import (
    Architecture,
    ConfigError,
    EpisodeReturn,
    FunctionFitness,
    GeneticAlgorithm,
    Validation,
    evolve,
    progress,
)
from evonet.environments.normaliser import ObservationNormaliser
from evonet.environments.specification import EnvironmentSpec
from evonet.errors import AlgorithmFailed
from evonet.foreign import without_place
from evonet.operators.mutation import Gaussian
from evonet.operators.selection import RandomSelection, Tournament
from evonet.population import Population
from evonet.seeding import Purpose, episode_seeds
from evonet.strategies import ARS, Restarts
from evonet.strategies.random_search import RandomSearch
from tests.environments_for_tests import MODULE, closeness, make_walk

ARCHITECTURE = Architecture(2, 2, 1)
WALK = f"{MODULE}:evonet-tests/Walk-v0"
PURPOSES = {Purpose.TRAINING: "training", Purpose.VALIDATION: "validation"}


def purpose_of(episode_seeds):
    (purpose,) = {int(seed) & 3 for seed in episode_seeds}
    return PURPOSES[Purpose(purpose)]


class Recorded:
    """A fitness function that notes what it is asked."""

    def __init__(self, function):
        self.function = function
        self.calls = []

    def __call__(self, genomes, episode_seeds):
        self.calls.append((purpose_of(episode_seeds), genomes.copy(), episode_seeds.copy()))
        return self.function(genomes, episode_seeds)

    def seeds(self, purpose):
        return [seeds for what, _, seeds in self.calls if what == purpose]


def algorithm_for(architecture=ARCHITECTURE, **settings):
    return GeneticAlgorithm(architecture, **{"population_size": 12, "elites": 2, "seed": 3, **settings})


def generations(algorithm, fitness, count, **settings):
    return list(islice(evolve(algorithm, fitness, **{"seed": 3, **settings}), count))


def test_all_genomes_of_a_generation_meet_the_same_episodes_and_each_generation_meets_new_ones():
    function = Recorded(closeness)
    fitness = FunctionFitness(function, ARCHITECTURE, episodes=4)
    turns = generations(algorithm_for(), fitness, 6, validation=Validation(episodes=9))
    training, validation = function.seeds("training"), function.seeds("validation")
    assert [len(genomes) for what, genomes, _ in function.calls if what == "training"] == [12] * 6
    assert all(len(set(seeds.tolist())) == 4 for seeds in training)
    assert all(not set(a.tolist()) & set(b.tolist()) for a, b in combinations(training, 2))
    assert all(seeds.tolist() == validation[0].tolist() for seeds in validation)
    assert len(set(validation[0].tolist())) == 9
    tested = set(episode_seeds(3, Purpose.TEST, 0, 100).tolist())
    assert not set(np.concatenate(training).tolist()) & set(validation[0].tolist())
    assert not tested & (set(np.concatenate(training).tolist()) | set(validation[0].tolist()))
    assert [turn.number for turn in turns] == list(range(6))


def test_the_episodes_follow_from_the_seed():
    def met(seed):
        function = Recorded(closeness)
        generations(algorithm_for(), FunctionFitness(function, ARCHITECTURE, 3), 3, seed=seed, validation=Validation(5))
        return [seeds.tolist() for _, _, seeds in function.calls]

    assert met(1) == met(1)
    assert all(one != other for one, other in zip(met(1), met(2), strict=False))


def test_real_episodes_are_the_same_for_all_genomes():
    fitness = EpisodeReturn(make_walk, hidden=2, episodes=5)
    for turn in generations(algorithm_for(fitness.architecture), fitness, 3):
        assert (turn.results.lengths == turn.results.lengths[:1]).all()  # an episode's length tells its seed


def test_the_same_seed_gives_the_same_run_and_another_another():
    def run(seed):
        fitness = EpisodeReturn(WALK, hidden=2, normalise_observations=True)
        algorithm = algorithm_for(fitness.architecture, seed=seed)
        turns = generations(algorithm, fitness, 5, seed=seed, validation=Validation(6, candidates=3))
        champion = turns[-1].champion
        arrays = [a for turn in turns for a in (turn.population.genomes, turn.fitness, turn.results.returns)]
        return b"".join(a.tobytes() for a in [*arrays, champion.genome, champion.validation.returns])

    assert run(4) == run(4)
    assert run(4) != run(5)


def test_fitness_is_the_score_of_the_very_genomes_that_stand_beside_it():
    fitness = EpisodeReturn(WALK, hidden=2, aggregation="min")
    for turn in generations(algorithm_for(fitness.architecture), fitness, 4):
        seeds = episode_seeds(3, Purpose.TRAINING, turn.number, 3)
        again = fitness(turn.population.genomes, seeds)
        assert turn.fitness.tolist() == again.returns.min(axis=1).tolist()
        assert turn.fitness is turn.population.fitness


def test_elites_are_scored_anew_in_every_generation():
    def noisy(genomes, episode_seeds):
        return -(genomes**2).sum(axis=1)[:, None] + (np.asarray(episode_seeds) % 1000)

    turns = generations(algorithm_for(), noisy, 8)
    for old, new in pairwise(turns):
        kept = np.intersect1d(old.population.ids, new.population.ids)
        assert len(kept) == 2
        for individual in kept:
            scores = [turn.fitness[turn.population.ids == individual][0] for turn in (old, new)]
            genome = new.population.genomes[new.population.ids == individual]
            seeds = episode_seeds(3, Purpose.TRAINING, new.number, 1)
            assert scores[1] == noisy(genome, seeds)[0, 0]
            assert scores[0] != scores[1]


def test_a_generation_that_is_kept_keeps_its_numbers():
    loop = islice(evolve(algorithm_for(), closeness, seed=3), 6)
    turns = [(turn, turn.population.genomes.copy(), turn.fitness.copy()) for turn in loop]
    assert all(np.array_equal(turn.population.genomes, genomes) for turn, genomes, _ in turns)
    assert all(np.array_equal(turn.fitness, fitness) for turn, _, fitness in turns)


def test_evaluations_and_steps_are_counted_for_training_and_validation_apart():
    fitness = EpisodeReturn(make_walk, hidden=2, episodes=2)
    turns = generations(algorithm_for(fitness.architecture), fitness, 4, validation=Validation(5, candidates=2))
    steps = np.cumsum([turn.results.lengths.sum() for turn in turns])
    assert [turn.evaluations for turn in turns] == [12, 24, 36, 48]
    assert [turn.environment_steps for turn in turns] == steps.tolist()
    per_validation = fitness(turns[0].population.genomes[:1], validation_seeds(5)).steps
    assert turns[0].validation_steps == 2 * per_validation
    assert all(later.validation_steps >= turn.validation_steps for turn, later in pairwise(turns))


def validation_seeds(episodes):
    return episode_seeds(3, Purpose.VALIDATION, 0, episodes)


def two_faced(genomes, episode_seeds):
    """In training the first gene is good, on validation it is bad."""
    sign = 1.0 if purpose_of(episode_seeds) == "training" else -1.0
    return np.repeat(sign * genomes[:, :1], len(episode_seeds), axis=1)


def test_the_champion_is_the_best_on_validation_not_in_training():
    turns = generations(algorithm_for(), two_faced, 6, validation=Validation(4, candidates=12))
    everyone = np.concatenate([turn.population.genomes[:, 0] for turn in turns])
    champion = turns[-1].champion
    assert champion.genome[0] == everyone.min()
    assert champion.validation.mean == -everyone.min()
    assert champion.validation.episodes == 4
    assert champion.training_fitness == everyone.min()
    born = turns[champion.generation].population
    row = born.ids.tolist().index(champion.id)
    assert born.genomes[row].tolist() == champion.genome.tolist()


def test_a_champion_stays_until_a_better_one_comes():
    turns = generations(algorithm_for(), two_faced, 8, validation=Validation(4))
    best = -np.inf
    for turn in turns:
        leader = turn.population.genomes[turn.fitness.argmax()]
        best = max(best, -leader[0])
        assert turn.champion.validation.mean == best
    assert turns[-1].champion is turns[0].champion  # training makes it worse and worse


@pytest.mark.parametrize("candidates", [1, 4])
def test_of_individuals_that_do_equally_well_in_validation_the_first_stays_champion(candidates):
    def alike(genomes, episode_seeds):
        if purpose_of(episode_seeds) == "validation":
            return np.full((len(genomes), len(episode_seeds)), 7.0)
        return np.repeat(genomes[:, :1], len(episode_seeds), axis=1)

    algorithm = algorithm_for(mutation=Gaussian(rate=1.0))
    first, *others = generations(algorithm, alike, 5, validation=Validation(3, candidates=candidates))
    fittest = first.population.ids[first.fitness.argmax()]
    assert (first.champion.id, first.champion.generation) == (fittest, 0)
    assert all(turn.champion is first.champion for turn in others)
    assert max(turn.fitness.max() for turn in others) > first.fitness.max()


def test_a_lucky_genome_is_not_champion():
    skill = {}

    def lucky(genomes, episode_seeds):
        quality = -((genomes - 0.5) ** 2).sum(axis=1)
        skill.update({genome.tobytes(): q for genome, q in zip(genomes, quality, strict=True)})
        if purpose_of(episode_seeds) == "validation":
            return np.repeat(quality[:, None], len(episode_seeds), axis=1)
        luck = np.zeros(len(genomes))
        luck[np.argmin(quality)] = 1e6  # the worst has all the luck there is
        return np.repeat((quality + luck)[:, None], len(episode_seeds), axis=1)

    turns = generations(algorithm_for(), lucky, 4, validation=Validation(3, candidates=4))
    champion = turns[-1].champion
    leaders = [turn.population.genomes[turn.fitness.argmax()] for turn in turns]
    assert all(turn.fitness.max() > 1e5 for turn in turns)
    assert champion.training_fitness < 1e5
    assert all(champion.genome.tolist() != leader.tolist() for leader in leaders)
    tried = [turn.population.genomes[row] for turn in turns for row in np.argsort(-turn.fitness, kind="stable")[:4]]
    assert champion.validation.mean == max(skill[genome.tobytes()] for genome in tried)


@pytest.mark.parametrize("candidates", [1, 3])
def test_only_the_fittest_are_tried_and_nobody_twice(candidates):
    function = Recorded(closeness)
    algorithm = algorithm_for(mutation=Gaussian(rate=1.0))  # so that no two genomes are alike
    turns = generations(algorithm, function, 7, validation=Validation(4, candidates))
    tried = [g.tobytes() for what, genomes, _ in function.calls if what == "validation" for g in genomes]
    assert len(tried) == len(set(tried))
    leaders = [
        turn.population.genomes[row].tobytes()
        for turn in turns
        for row in np.argsort(-turn.fitness, kind="stable")[:candidates]
    ]
    assert set(tried) == set(leaders)


@pytest.mark.parametrize("restarting", [False, True])
def test_the_mean_alone_is_tried_although_samples_are_fitter(restarting):
    function = Recorded(closeness)
    settings = {"population_size": 8, "noise": 0.5, "seed": 3}
    algorithm = Restarts(ARCHITECTURE, partial(ARS, **settings)) if restarting else ARS(ARCHITECTURE, **settings)
    turns = generations(algorithm, function, 6, validation=Validation(4, policy="mean"))
    tried = [g.tobytes() for what, genomes, _ in function.calls if what == "validation" for g in genomes]
    assert tried == [turn.population.genomes[-1].tobytes() for turn in turns]
    assert any(turn.fitness.argmax() != 8 for turn in turns)
    assert turns[-1].champion.genome.tobytes() in tried


@pytest.mark.parametrize(
    ("algorithm", "settings", "words"),
    [
        (algorithm_for(), {}, "with evaluate_mean: true, got GeneticAlgorithm"),
        (ARS(ARCHITECTURE, evaluate_mean=False), {}, "with evaluate_mean: true, got ARS"),
        (ARS(ARCHITECTURE), {"candidates": 2}, "the policy 'mean' is one candidate, got candidates 2"),
    ],
)
def test_the_mean_cannot_be_tried_where_it_is_not_scored(algorithm, settings, words):
    with pytest.raises(ValueError, match=words):
        evolve(algorithm, closeness, seed=3, validation=Validation(4, policy="mean", **settings))


@pytest.mark.parametrize(
    "settings", [{"weights": {"return": 2}}, {"environment": EnvironmentSpec("CartPole-v0")}, {"engine": "gymnasium"}]
)
def test_a_validation_of_other_episodes_needs_a_fitness_of_its_own(settings):
    (name,) = settings
    algorithm = GeneticAlgorithm(ARCHITECTURE, 8)
    with pytest.raises(ValueError, match=rf"^Validation.{name} must be left out .*; give evolve a validation_fitness"):
        evolve(algorithm, closeness, seed=3, validation=Validation(4, **settings))


def test_most_generations_have_no_validation_and_a_resumed_run_keeps_the_count(tmp_path):
    def begin(function, **settings):
        return evolve(algorithm_for(), function, seed=3, validation=Validation(4, every=3), **settings)

    whole = Recorded(closeness)
    turns = list(islice(begin(whole), 8))
    order = [what for what, _, _ in whole.calls]
    assert [order[:place].count("training") - 1 for place, what in enumerate(order) if what == "validation"] == [
        0,
        3,
        6,
    ]
    stopped, resumed = Recorded(closeness), Recorded(closeness)
    first = begin(stopped)
    list(islice(first, 2))
    first.save(tmp_path / "half.npz")
    again = list(islice(begin(resumed, resume=tmp_path / "half.npz"), 6))
    assert again[-1].champion.genome.tobytes() == turns[-1].champion.genome.tobytes()
    assert [what for what, _, _ in stopped.calls + resumed.calls] == order


def test_under_a_normaliser_survivors_are_tried_again_for_they_act_otherwise():
    fitness = EpisodeReturn(make_walk, hidden=2, normalise_observations=True)
    turns = generations(algorithm_for(fitness.architecture), fitness, 4, validation=Validation(4))
    steps = [turn.validation_steps for turn in turns]
    assert steps == [steps[0] * k for k in (1, 2, 3, 4)]


def test_the_champions_normaliser_is_the_one_it_was_validated_with():
    fitness = EpisodeReturn(WALK, hidden=2, normalise_observations=True)
    for turn in islice(evolve(algorithm_for(fitness.architecture), fitness, seed=3, validation=Validation(5)), 4):
        champion = turn.champion
        again = champion.run(validation_seeds(5))
        assert again.returns[0].tolist() == champion.validation.returns.tolist()
        training = champion.run(episode_seeds(3, Purpose.TRAINING, champion.generation, 3))
        assert training.returns.mean() == champion.training_fitness


def test_a_failed_individual_ranks_last_is_never_champion_and_the_run_goes_on():
    def brittle(genomes, episode_seeds):
        returns = np.repeat(genomes[:, :1], len(episode_seeds), axis=1)
        returns[genomes[:, 0] > 0.8, -1] = np.nan  # whoever is best in training breaks
        return returns

    turns = generations(algorithm_for(seed=5), brittle, 6, validation=Validation(3, candidates=12))
    assert any((turn.fitness == -np.inf).any() for turn in turns)
    for turn in turns:
        failed = turn.population.genomes[:, 0] > 0.8
        assert (turn.fitness[failed] == -np.inf).all()
        assert np.isfinite(turn.fitness[~failed]).all()
        assert {fault.individual for fault in turn.results.faults} == set(np.flatnonzero(failed).tolist())
    everyone = np.concatenate([turn.population.genomes[:, 0] for turn in turns])
    assert turns[-1].champion.genome[0] == everyone[everyone <= 0.8].max()


def test_who_fails_on_validation_only_is_no_champion_either():
    def shy(genomes, episode_seeds):
        returns = np.repeat(genomes[:, :1], len(episode_seeds), axis=1)
        if purpose_of(episode_seeds) == "validation":
            returns[genomes[:, 0] > 0.5, 0] = np.inf
        return returns

    champion = generations(algorithm_for(seed=5), shy, 4, validation=Validation(3, candidates=12))[-1].champion
    assert champion.genome[0] <= 0.5
    assert np.isfinite(champion.validation.returns).all()


def test_where_nobody_can_be_scored_there_is_no_champion():
    def hopeless(genomes, episode_seeds):
        return np.full(len(genomes), np.nan)

    turns = generations(algorithm_for(), hopeless, 3, validation=Validation(2))
    assert [turn.champion for turn in turns] == [None] * 3
    assert all((turn.fitness == -np.inf).all() for turn in turns)


def test_an_environment_that_always_breaks_gives_faults_and_no_champion():
    fitness = EpisodeReturn(WALK, hidden=2, kwargs={"trouble": "raise"})
    turns = generations(algorithm_for(fitness.architecture), fitness, 2, validation=Validation(2))
    assert all(len(turn.results.faults) == 12 * 3 for turn in turns)
    assert turns[-1].champion is None


def test_without_validation_nobody_is_called_champion():
    assert generations(algorithm_for(), closeness, 2)[-1].champion is None


@pytest.mark.parametrize("size", [2, 3])
def test_the_smallest_populations_evolve(size):
    algorithm = algorithm_for(population_size=size, elites=1)
    turns = generations(algorithm, closeness, 5, validation=Validation(1))
    assert all(len(turn.population) == size for turn in turns)
    best = [turn.fitness.max() for turn in turns]
    assert best == sorted(best)


def test_equal_fitness_for_all_is_no_trouble():
    turns = generations(algorithm_for(), lambda genomes, seeds: np.zeros(len(genomes)), 3, validation=Validation(1))
    assert turns[-1].champion.validation.mean == 0.0


def returns_by_genome(genomes, episode_seeds):
    """Returns of the first gene, with a spread of the second one over the episodes."""
    spread = np.where(np.arange(len(episode_seeds)) % 2, 1.0, -1.0)
    return genomes[:, :1] + genomes[:, 1:2] * spread


def preferred(rows, champion_genes=(0.0, 0.0), episodes=10):
    """The rows `(first gene, second gene)` of a population, and the champion after it is preferred to one of 0."""

    def at(genes, ids):
        genomes = np.zeros((len(genes), ARCHITECTURE.genome_size))
        genomes[:, :2] = genes
        return Population(ARCHITECTURE, genomes, fitness=np.arange(len(genes)) * 1.0, ids=np.array(ids))

    class Given(RandomSearch):
        def propose(self, rng):
            return at([champion_genes], [0]).genomes

    evolution = evolve(Given(ARCHITECTURE), returns_by_genome, seed=3, validation=Validation(episodes))
    champion = next(evolution).champion
    evolution.prefer(champion, at(rows, range(5, 5 + len(rows))) if rows else at([champion_genes], [5])[:0])
    return champion, evolution


def test_the_first_that_validates_as_well_as_a_champion_is_preferred_to_it():
    error = np.array([1.0, -1.0] * 5).std(ddof=1) / 10**0.5
    for lost, chosen in ((0.9 * error, 6), (1.1 * error, 7)):
        champion, evolution = preferred([(-5.0, 1.0), (-lost, 1.0), (0.0, 0.0), (9.0, 0.0)])
        assert evolution.champion.id == chosen
        assert evolution.champion.training_fitness == chosen - 5
        assert evolution.champion.validation.mean == pytest.approx(-lost if chosen == 6 else 0.0)
    assert champion.id == 0


@pytest.mark.parametrize("rows", [[], [(-1e-9, 0.0)], [(np.nan, 0.0)]])
def test_a_champion_stays_where_none_validates_as_well(rows):
    champion, evolution = preferred(rows)
    assert evolution.champion is champion


def test_the_error_is_that_of_the_differences_and_not_of_the_episodes():
    champion, evolution = preferred([(-0.1, 5.0)], champion_genes=(0.0, 5.0))  # worse by 0.1 in each episode
    assert evolution.champion is champion


def test_who_is_preferred_stays_champion_until_a_better_one_comes():
    champion, evolution = preferred([(-0.1, 1.0)])
    steps = evolution.validation_steps
    assert evolution.champion.id == 5
    evolution.continue_with(evolution.algorithm)  # whose individuals of 0 do better than -0.1
    assert next(evolution).champion.validation.mean == champion.validation.mean
    assert evolution.validation_steps >= steps


def test_another_algorithm_may_have_more_episodes():
    fitness = Recorded(lambda genomes, _: genomes[:, 0])
    evolution = evolve(algorithm_for(), fitness, seed=3)
    next(evolution)
    for episodes in (7, None):
        evolution.continue_with(RandomSearch(ARCHITECTURE, population_size=3), episodes)
        next(evolution)
    assert [len(seeds) for seeds in fitness.seeds("training")] == [1, 7, 1]
    assert evolution.evaluations == 12 + 3 + 3


def test_the_loop_is_lazy_and_prints_nothing(capsys):
    function = Recorded(closeness)
    loop = evolve(algorithm_for(), function, seed=3)
    assert function.calls == []
    next(loop)
    assert len(function.calls) == 1
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("seed", range(5))
def test_evolution_beats_random_search_of_a_hundred_times_its_budget(seed):
    architecture = Architecture(3, 4, 2)
    algorithm = GeneticAlgorithm(architecture, population_size=32, elites=2, seed=seed)
    best = generations(algorithm, closeness, 40, seed=seed)[-1].fitness.max()
    random = np.random.default_rng(seed).normal(size=(100 * 40 * 32, architecture.genome_size))
    assert best > closeness(random, [1]).max()


def balanced_for(selection, seeds):
    """Steps that the last generation's average network balances the pole, of at most 100; mean over the seeds."""
    means = []
    for seed in seeds:
        fitness = EpisodeReturn("CartPole-v1", hidden=4, episodes=2, max_steps=100, engine="gymnasium")
        algorithm = algorithm_for(fitness.architecture, population_size=32, selection=selection, seed=seed)
        means.append(generations(algorithm, fitness, 8, seed=seed)[-1].fitness.mean())
    return np.mean(means)


def test_cart_pole_is_learned_and_only_with_selection():
    # Over 20 seeds: 82 ± 15 with selection, 26 ± 8 without; random networks 22.
    assert balanced_for(Tournament(size=3), range(3)) > 55
    assert balanced_for(RandomSelection(), range(3)) < 45


def test_the_seed_is_the_algorithm_s_unless_another_is_given():
    function = Recorded(closeness)
    for settings in ({}, {"seed": 3}, {"seed": 4}):
        next(evolve(algorithm_for(), FunctionFitness(function, ARCHITECTURE, 2), **settings))
    by_default, same, other = function.seeds("training")
    assert by_default.tolist() == same.tolist() != other.tolist()


def test_an_algorithm_without_a_seed_needs_one():
    class Seedless:
        architecture = ARCHITECTURE

    with pytest.raises(TypeError, match=r"^Evolution\.seed must be given, because Seedless has no attribute seed$"):
        evolve(Seedless(), closeness)


def test_a_saved_evolution_goes_on_with_the_same_bits(tmp_path):
    def begun(**settings):
        fitness = EpisodeReturn("Pendulum-v1", hidden=2, episodes=2, max_steps=20, normalise_observations=True)
        algorithm = GeneticAlgorithm(fitness.architecture, population_size=6, seed=3)
        return evolve(algorithm, fitness, validation=Validation(episodes=3), **settings)

    whole = begun()
    for turn in islice(whole, 3):
        if turn.number == 1:
            whole.save(tmp_path / "half")
    resumed = begun(resume=tmp_path / "half")
    again = next(resumed)
    assert again.number == 2
    assert again.population.genomes.tobytes() == turn.population.genomes.tobytes()
    assert again.fitness.tobytes() == turn.fitness.tobytes()
    assert again.champion.genome.tobytes() == turn.champion.genome.tobytes()
    assert again.champion.validation.returns.tobytes() == turn.champion.validation.returns.tobytes()
    contents = []
    for evolution in (whole, resumed):
        evolution.save(tmp_path / "end")
        contents.append((tmp_path / "end").read_bytes())
    assert contents[0] == contents[1]


def test_a_saved_evolution_is_resumed_only_by_one_like_it(tmp_path):
    evolution = evolve(algorithm_for(), closeness)
    next(evolution)
    path = tmp_path / "saved"
    evolution.save(path)
    other = Architecture(2, 3, 1)
    for algorithm, settings, message in (
        (algorithm_for(), {"seed": 4}, f"{path}: the saved evolution has another seed: 3, not 4"),
        (algorithm_for(other), {}, f"{path}: the saved evolution has another architecture: "),
        (algorithm_for(), {"validation": Validation()}, f"{path}: does not fit this evolution: TypeError: "),
    ):
        with pytest.raises(ConfigError) as refused:
            evolve(algorithm, closeness, resume=path, **settings)
        assert str(refused.value).startswith(message)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ConfigError):
        evolve(algorithm_for(), closeness, resume=path)


def test_a_normaliser_may_be_given_to_the_first_generation():
    fitness = EpisodeReturn("Pendulum-v1", hidden=2, episodes=1, max_steps=9, normalise_observations=True)
    algorithm = GeneticAlgorithm(fitness.architecture, population_size=4)
    known = ObservationNormaliser.from_arrays({"mean": np.ones(3), "squares": np.ones(3), "count": 9}, 3)
    first = next(evolve(algorithm, fitness, normaliser=known))
    assert first.normaliser.mean.tolist() == [1.0] * 3
    with pytest.raises(ValueError, match=r"^evolve\.normaliser must be left out where the fitness does not normalise"):
        evolve(algorithm_for(), closeness, normaliser=known)


class Panic(BaseException):
    """What extensions in Rust raise."""


class Wild:
    """A user's operator, of any kind, that breaks its contract."""

    def __init__(self, error=None, returned=None):
        self.error, self.returned = error, returned

    def __call__(self, *arguments):
        if self.error is not None:
            raise self.error
        return self.returned


@pytest.mark.parametrize("kind", ["mutation", "crossover", "selection", "replacement"])
@pytest.mark.parametrize("error", [ValueError("too wild"), SystemExit(0), Panic("too wild")], ids=type)
def test_an_operator_of_the_user_s_that_raises_is_named_with_its_line(kind, error):
    with pytest.raises(AlgorithmFailed) as failed:
        generations(algorithm_for(**{kind: Wild(error)}), closeness, 2)
    said = "it left the program (sys.exit)" if isinstance(error, SystemExit) else f"{type(error).__name__}: too wild"
    assert without_place(str(failed.value)) == f"Wild.__call__, which the algorithm calls, failed: {said}"
    assert " in tests/test_evolution.py:" in str(failed.value)
    assert failed.value.__cause__ is error


@pytest.mark.parametrize("kind", ["mutation", "crossover"])
@pytest.mark.parametrize("returned", [None, np.zeros(3), np.zeros((1, ARCHITECTURE.genome_size))])
def test_an_operator_of_the_user_s_that_returns_no_genomes_is_named(kind, returned):
    with pytest.raises(AlgorithmFailed) as failed:
        generations(algorithm_for(**{kind: Wild(returned=returned)}), closeness, 2)
    shape = (10, ARCHITECTURE.genome_size)
    assert str(failed.value) == f"Wild must return genomes of shape {shape}, got {np.shape(returned)}"


@pytest.mark.parametrize("returned", [None, [0.0] * 20, [0] * 19, [12] * 20, [-1] * 20])
def test_a_selection_of_the_user_s_that_returns_no_rows_is_named(returned):
    with pytest.raises(AlgorithmFailed, match=r"^Wild with NoNiching must return 20 rows from 0 to 11, got array"):
        generations(algorithm_for(selection=Wild(returned=returned)), closeness, 2)


class Idle(RandomSearch):
    """A user's algorithm."""

    def ask(self):
        return self.answer

    def tell(self, fitness):
        raise KeyError("scores")

    def state(self):
        raise OSError("no state")

    def restore(self, state):
        raise OSError("no state")


def test_an_algorithm_of_the_user_s_that_fails_is_named():
    size = ARCHITECTURE.genome_size
    algorithm = Idle(ARCHITECTURE, 4, seed=1)
    algorithm.answer = np.zeros(size)
    with pytest.raises(AlgorithmFailed) as failed:
        generations(algorithm, closeness, 1)
    assert str(failed.value) == f"Idle.ask must return genomes of shape (n, {size}), got ({size},)"
    algorithm.answer = np.zeros((4, size))
    with pytest.raises(AlgorithmFailed) as failed:
        generations(algorithm, closeness, 1)
    assert without_place(str(failed.value)) == "Idle.tell, which the algorithm calls, failed: KeyError: 'scores'"
    evolution = evolve(algorithm, closeness, seed=1)
    for call in (evolution.state, lambda: evolution.restore({"algorithm": {}})):
        with pytest.raises(AlgorithmFailed, match=r"^Idle\.(state|restore), which the algorithm calls, failed: OSErr"):
            call()


def test_an_error_of_evonet_s_own_algorithm_stays_as_it_is():
    algorithm = algorithm_for()
    algorithm.population = None
    with pytest.raises(AttributeError):
        generations(algorithm, closeness, 1)


def test_a_generation_and_its_parts_show_themselves_in_a_line():
    fitness = EpisodeReturn("CartPole-v1", hidden=2, episodes=1, max_steps=200, engine="numpy")
    algorithm = GeneticAlgorithm(fitness.architecture, 6, selection=Tournament(3), mutation=Gaussian(0.5, 0.5), seed=1)
    generation = next(evolve(algorithm, fitness, validation=Validation(episodes=3)))
    best, median = generation.fitness.max(), np.median(generation.fitness)
    shown = [f"{each:,.0f}" if each >= 100 else f"{each:.3g}" for each in (best, median)]
    mean = generation.champion.validation.mean
    validation = f"{mean:,.0f}" if mean >= 100 else f"{mean:.3g}"
    assert repr(generation) == (
        f"<Generation 0: 6 individuals, best {shown[0]}, median {shown[1]}, champion's validation {validation}, "
        f"{generation.environment_steps:,} steps>"
    )
    assert repr(generation.population) == f"<Population of 6 networks 4-2-2 (tanh/identity), best fitness {shown[0]}>"
    assert repr(generation.champion) == (
        f"<Champion {generation.champion.id} in CartPole-v1: 4-2-2 (tanh/identity), generation 0, "
        f"validation {validation}>"
    )
    assert repr(algorithm) == (
        "<GeneticAlgorithm: 4-2-2 (tanh/identity), 6 individuals, generation 0, seed 1; Tournament(size=3), "
        "NeuronCrossover(rate=0.7, swap=0.5), Gaussian(sigma=0.5, rate=0.5)>"
    )
    failed = next(evolve(algorithm_for(), lambda genomes, seeds: np.full(len(genomes), np.nan)))
    assert repr(failed) == "<Generation 0: 12 individuals, none scored>"


def test_a_bar_follows_the_loop_and_ends_it(capsys):
    seen = [generation.number for generation in progress(evolve(algorithm_for(), closeness), 3)]
    assert seen == [0, 1, 2]
    assert "3/3" in capsys.readouterr().err
    for generation in progress(evolve(algorithm_for(), closeness, validation=Validation())):
        if generation.number == 1:
            break
    assert "2gen" in (bar := capsys.readouterr().err)
    assert "validation " in bar


def test_a_state_whose_champion_was_validated_on_no_episodes_is_refused():
    def new():
        return evolve(algorithm_for(), FunctionFitness(closeness, ARCHITECTURE, 3), seed=1, validation=Validation(5))

    evolution = new()
    next(evolution)
    state = evolution.state()
    state["selector"]["champion"]["validation"] = np.empty(0)
    with pytest.raises(ValueError, match="validation must be float64 of shape"):
        new().restore(state)
