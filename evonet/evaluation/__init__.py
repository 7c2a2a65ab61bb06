"""Evaluation: genomes × episode seeds → returns, a pure function of its arguments.

An engine runs episodes; an executor runs engines, in this process or in workers elsewhere. Neither order nor chunks nor
workers can change a bit of the result.

`evaluate.py` is the function, `results.py` what it returns, `aggregation.py` makes fitness of it, `fault_policy.py`
says how many episodes may fail, `racing.py` which episodes need not be run. `engine.py` is the protocol of engines and
`engines.py` their registry: `gymnasium_engine.py` for any environment, `cartpole_vector_engine.py`,
`envpool_engine.py` for EnvPool, and those in `kernels`. Executors are in `executors`.

`training_episodes.py` says how many and how long the episodes of training are, `observer.py` keeps what a network
observes in one. `measuring.py` takes measures in an engine that runs one environment a slot; `task_descriptions.py` and
`measure_descriptions.py` write tasks and measures as plain data; `trial.py` tries an environment before a run;
`progress.py` counts the episodes that are done; `arrays.py` has two helpers.
"""
