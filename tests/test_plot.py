"""Figures of one's own loop and of loaded runs, on axes of one's own or new ones."""

from itertools import islice

import numpy as np
import pytest

import evonet
from evonet import EpisodeReturn, EvonetError, GeneticAlgorithm, NeuralNetwork, Validation, evolve, load_run
from evonet.inspection import plots
from tests.inspection.conftest import failed_run, small_run  # noqa: F401 - fixtures


def history(count, **settings):
    fitness = EpisodeReturn("CartPole-v1", hidden=2, episodes=1, max_steps=30, engine="numpy")
    return list(islice(evolve(GeneticAlgorithm(fitness.architecture, 6, seed=1), fitness, **settings), count))


def curves(axes):
    return {line.get_label(): line.get_xydata().tolist() for line in axes.lines}


def test_the_learning_curve_of_one_s_own_loop_has_its_fitness_and_validation():
    generations = history(3, validation=Validation(episodes=2))
    axes = evonet.plot.learning_curve(generations, target=25.0)
    drawn = curves(axes)
    assert drawn["best in training"] == [[each.evaluations, each.fitness.max()] for each in generations]
    assert drawn["median"] == [[each.evaluations, np.median(each.fitness)] for each in generations]
    assert [y for _, y in drawn["champion in validation"]] == [each.champion.validation.mean for each in generations]
    assert drawn["target"][0][1] == 25.0
    without = curves(evonet.plot.learning_curve(history(2), over="generation"))
    assert "champion in validation" not in without
    assert [x for x, _ in without["median"]] == [0, 1]


def test_a_loaded_run_has_the_curve_of_the_report(small_run):  # noqa: F811
    run = load_run(small_run)
    assert curves(evonet.plot.learning_curve(run)) == curves(plots.learning_curve(run))
    assert curves(evonet.plot.learning_curve(run, target=50.0))["target"][0][1] == 50.0


def test_a_history_without_generations_is_refused():
    with pytest.raises(ValueError, match=r"^learning_curve\.history must have at least one generation, got none$"):
        evonet.plot.learning_curve([])


def test_networks_and_ancestors_are_drawn_on_the_axes_that_are_given(small_run, failed_run):  # noqa: F811
    run = load_run(small_run)
    own = evonet.plot.ancestry(run)
    assert own.get_xlabel() == "generation of birth"
    names = {text.get_text() for text in evonet.plot.network(run.champion).texts}
    assert "pole angle" in names
    axes = evonet.plot.network(
        NeuralNetwork(2, 2, 1, seed=1), ax=evonet.plot.network(run.champion).figure.add_subplot()
    )
    assert NeuralNetwork(2, 2, 1, seed=1).plot(ax=axes) is axes
    assert NeuralNetwork(2, 2, 1, seed=1).plot() is not axes
    with pytest.raises(EvonetError, match=r"has no champion, so no ancestry can be drawn$"):
        evonet.plot.ancestry(load_run(failed_run))
