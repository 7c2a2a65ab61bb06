"""Runs watched while they go on: a page on this machine's own address, or a window, each in a process of its own.

Nothing here is part of a run. A spectator only reads the run directory, at a lower priority than the run.

`spectators.py` starts these processes beside a run. The page: `server.py` answers the browser with the pages of
`pages.py`, and with what `watched_run.py` reads of a run (`tail.py` its journals, `curves.py` its metrics, `sketch.py`
its network and population, `archive_sketch.py` its archive) or `folder.py` of a folder; `rendering.py` plays champions
and `report_maker.py` writes the report, in worker processes. The window is `window.py`; `priority.py` lowers the
priority.
"""
