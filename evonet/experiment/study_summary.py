"""The summary of a study: success rate, cost of a success, and test scores of the champions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from evonet.statistics import bootstrap_interval, interquartile_mean, quantiles, wilson_interval
from evonet.types import FloatArray

COST_KEYS = ("evaluations", "environment_steps", "validation_steps", "generations")
"""The keys of a run's summary that count its cost."""

_SHARED_KEYS = ("environment", "target", "versions")
_RUN_KEYS = ("solved", "stopped_by", *COST_KEYS, "seconds")


def summarise(summaries: Sequence[Mapping[str, Any] | None], seeds: Sequence[int]) -> dict[str, Any]:
    """The summary of a study, as plain data.

    The success rate is over all runs, including those that failed with an error. The quartiles in `to_success` are over
    successful runs; `per_success` is the cost of all runs divided by the number of successes (the expected running time
    of Hansen et al. 2021).

    Args:
        summaries: the summary of each run, None for a run that failed.
        seeds: the seed of each run.
    """
    runs = [summary for summary in summaries if summary is not None]
    return {
        **{key: runs[0][key] if runs else None for key in _SHARED_KEYS},
        "seeds": list(seeds),
        "success": _success(runs, len(seeds)),
        "to_success": _to_success(runs),
        "test": _test_scores(runs),
        "seconds": {
            **_spread([run["seconds"] for run in runs]),
            "total": round(sum(run["seconds"] for run in runs), 3),
        },
        "engines": sorted({run["engine"] for run in runs}),
        "runs": [_row(run) for run in runs],
    }


def test_score(summary: Mapping[str, Any]) -> float:
    """The test mean of a run's champion; -inf if there is no champion, or a test episode failed."""
    champion = summary["champion"]
    score = champion and champion["test_mean"]
    return -np.inf if score is None else float(score)


def _success(runs: Sequence[Mapping[str, Any]], num_runs: int) -> dict[str, Any] | None:
    if not any(run["target"] is not None for run in runs):
        return None
    solved = sum(run["solved"] for run in runs)
    return {
        "solved": solved,
        "runs": num_runs,
        "rate": solved / num_runs,
        "interval": wilson_interval(solved, num_runs),
    }


def _to_success(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    solved = [run for run in runs if run["solved"]]
    return {
        "runs": len(solved),
        **{
            name: {
                **_spread([run[name] for run in solved]),
                "per_success": sum(run[name] for run in runs) / len(solved) if solved else None,
            }
            for name in COST_KEYS
        },
    }


def _test_scores(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    scores = np.array([test_score(run) for run in runs])
    if not scores.size:
        return {"runs": 0}
    champions = [run["champion"] for run in runs if run["champion"] is not None]
    return {
        "runs": len(scores),
        "episodes": champions[0]["test_episodes"] if champions else None,
        "interquartile_mean": float(interquartile_mean(scores)),
        "interval": bootstrap_interval(interquartile_mean, scores),
        **_spread(scores),
        "worst": scores.min(),
        "worst_seed": runs[int(scores.argmin())]["seed"],
        "best": scores.max(),
        "best_seed": runs[int(scores.argmax())]["seed"],
    }


def _spread(values: Sequence[float] | FloatArray) -> dict[str, float | None]:
    if not len(values):
        return dict.fromkeys(("median", "lower_quartile", "upper_quartile", "mean"))
    array = np.asarray(values, dtype=np.float64)
    lower, median, upper = quantiles(array, [0.25, 0.5, 0.75]).tolist()
    return {"median": median, "lower_quartile": lower, "upper_quartile": upper, "mean": float(array.mean())}


def _row(run: Mapping[str, Any]) -> dict[str, Any]:
    champion = run["champion"] or {}
    return {
        "seed": run["seed"],
        **{key: run[key] for key in _RUN_KEYS},
        **{key: champion.get(key) for key in ("training_fitness", "validation_mean", "test_mean")},
    }
