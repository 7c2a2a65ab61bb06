"""Run directories read back: summaries, reports, replays, and comparisons of runs and studies.

`loaded_run.py` and `loaded_study.py` read a directory and run no code; `lineage.py`, `stored.py` and `saved_archive.py`
read ancestors, stored individuals and the archive, `archive_history.py` how it filled. `analysis` computes numbers
about a champion or a search; `plots` draws them on Matplotlib axes.

Text for a terminal: `overview.py` and `study_overview.py` are what `evonet inspect` prints, composed of `verdict.py`,
`chart.py`, `weights.py`, `policy_text.py` and `archives.py`; `run_list.py` is what `evonet runs` prints. `phrases.py`
has the phrases and number formats that all of them share.

Pages: `report` is the page of a run, `study_page.py` that of a study, `comparison` the text and the page of `evonet
compare`; they share `svg.py` and `table.py`. `figure_file.py` writes single figures, `notebook.py` shows objects in
notebooks.
"""
