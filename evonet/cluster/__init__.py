"""Calls on a Dask cluster, or on any other executor.

`connection.py` connects to a cluster; `calls.py` makes calls on the cluster, and repeats those whose workers die;
`session.py` defines the data that is sent with each call. This package does not depend on what a call computes.
"""
