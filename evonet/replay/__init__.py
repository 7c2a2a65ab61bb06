"""A policy plays its environment for a person to see: in a window, in a film, below a notebook's cell.

`episodes.py` plays episodes in a window, into a film or unseen; `playback.py` does so for Python code and notebooks,
`side_by_side.py` for several policies in one film. `animation.py` has films and their formats, `pictures.py` the
pictures that they are made of.
"""
