"""Work for a Dask cluster, or for any other executor: how one is reached, and what holds whatever happens to it.

`connection.py` opens a cluster; `tasks.py` has calls made there until their results are here, whoever dies meanwhile;
`guests.py` is what runs in the processes of others, and what it keeps there. Nothing here knows what a call computes.
"""
