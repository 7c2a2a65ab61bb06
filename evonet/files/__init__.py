"""Files: atomic writes, locks, bounded reading, archives of arrays, journals.

Writing: `directory.py` writes a file whole or not at all, and follows no links; `journal.py` appends lines,
`numbers.py` arrays; `lock.py` keeps a second writer out. Reading untrusted files: `bounded.py` limits size and depth,
`fields.py` checks each entry of a JSON object, `text.py` makes values safe for a message or a terminal. Formats:
`archive.py` holds arrays and nested states, `plain_data.py` is Python's plain data as JSON. Nothing here depends on
what a run is.
"""
