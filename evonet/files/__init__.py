"""Files: atomic writes, locks, bounded reading, archives of arrays, journals."""
