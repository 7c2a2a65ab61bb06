"""Environments: how one is made, how its spaces fit a network, what is known about each, and those of evonet.

Making one: `specification.py` names an environment and its wrappers, `ids.py` finds the environment, `wrappers.py` the
wrappers, `imports.py` says which modules may be imported for them, `keyword_arguments.py` reads their arguments,
`packages.py` says what to install. `instance.py` makes it, and is the only file that calls an environment's methods.
`silent_copies.py` keeps copies from repeating warnings, `time_limits.py` reads the step limit, `checker.py` runs
Gymnasium's checks.

Spaces: `spaces.py` encodes observations as network inputs and decodes outputs as actions, `batches.py` does it for
batches, `space_descriptions.py` writes spaces as plain data; `normaliser.py` normalises observations.

`known` has a file for each environment that has a kernel or names for its numbers; its README.md shows how to add one.
evonet's own environments are `double_pole.py` and `maze.py` (maps in `maze_maps.py`, drawings in
`double_pole_picture.py` and `maze_picture.py`, both on the canvas of `canvas.py`), its wrappers `fixed_seed.py` and
`noise_inputs.py`; `registration.py` registers them.
"""

from evonet.environments.registration import register

register()
