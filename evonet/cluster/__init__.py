"""Calls on a Dask cluster, or on any other executor.

`connection.py` opens a cluster; `calls.py` repeats calls there until their results are here, whichever workers die
meanwhile; `session.py` is what travels with each call. Nothing here knows what a call computes.
"""
