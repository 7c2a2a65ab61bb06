"""The files of a run, written and read back.

`run_directory.py` locks and writes them, `checkpoint.py` saves and restores the state, `generation_log.py` and
`fault_journal.py` write the journals, `individuals.py` the genomes in them, `archive_snapshots.py` the archive of some
generations; `tracking.py` sends metrics to other tools. `journal_lines.py` and `summaries.py` read journals and
summaries back, `champion_results.py` has the champion's part of a summary, `run_finder.py` finds runs in a folder.
"""
