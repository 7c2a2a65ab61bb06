"""Worker processes that make calls, and the number of processors that this process may use.

`worker.py` is the parent's side of one process, `worker_loop.py` the child's; `pool.py` runs several and replaces those
that die; `worker_cache.py` keeps children alive in processes that evonet did not start. `crash_stacks.py` reads where a
process died, `daemons.py` allows daemonic processes to have children, `cores.py` counts processors. Nothing here
depends on what a call computes.
"""
