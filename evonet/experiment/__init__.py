"""Experiments from YAML: settings, the objects they stand for, the run and its files.

The config: `document.py` reads YAML with the line of each value, through the parser of `bounded_yaml.py`. `config.py`
loads and checks a whole config by the model of `config_model.py`, whose sections are in `config_sections.py`;
`models.py` makes models from the classes that they configure, so that a new setting is a new argument of such a class.
`config_errors.py` words the errors. `own_parts.py` imports the user's own classes, which `permissions.py` must allow.
`json_schema.py`, `reference.py` and `docstrings.py` describe every key; `catalogue.py` lists the names that a config
may use; `template.py` writes a first config; `differences.py` compares configs.

A run: `runner.py` starts, resumes and finishes it; `run_loop.py` runs it; `session.py` has its objects, which
`build.py`, `algorithms.py`, `archives.py`, `fronts.py`, `start_champion.py`, `refinement.py` and `stopping.py` make
from the config. `check.py`, `start_check.py` and `costs.py` try a config before it runs; `interruption.py` handles
signals, `meanwhile.py` runs a call in a thread.

Its files: `run_directory.py` locks and writes them, `checkpoint.py` saves and restores the state, `generation_log.py`
and `fault_journal.py` write the journals, `tracking.py` sends metrics to other tools. `journal_lines.py` and
`summaries.py` read journals and summaries back, `champion_results.py` has the champion's part of a summary,
`run_finder.py` finds runs in a folder, `fault_replay.py` repeats a failed episode; `archive_moments.py` keeps the
archive of some generations.

A study: `study.py` runs many seeds; `seed_run.py` is one of them, `seed_runners.py` and `cluster_study.py` say where
they run; `study_directory.py` has the study's files, `study_summary.py` its figures.
"""
