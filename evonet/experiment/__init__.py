"""Experiments from YAML: settings, the objects they stand for, the run and its files.

`config/` reads and checks a config, `run_files/` writes and reads what a run leaves.

A run: `runner.py` starts, resumes and finishes it; `run_loop.py` runs it; `session.py` has its objects, which
`build.py`, `archives.py`, `fronts.py`, `start_champion.py`, `pruning.py`, `refinement.py`, `target.py` and
`stopping.py` make from the config; `algorithms.py` has the names of algorithms. `pruning.py` and `refinement.py` run
generations after the last one, and share `extra_generations.py`. `check.py`, `start_check.py`, `costs.py` and
`run_warnings.py` try a config and warn; `interruption.py` handles signals, `background.py` runs a call in a thread,
`fault_replay.py` repeats a failed episode.

A study: `study.py` runs many seeds; `seed_run.py` is one of them, `seed_runners.py` and `cluster_study.py` say where
they run; `study_directory.py` has the study's files, `study_summary.py` its summary.
"""
