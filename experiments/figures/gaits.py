"""Draws the README's picture of an archive of gaits: raw, and with what the elites do on held-out episodes.

Command:  evonet run bipedal_walker_gaits --output runs/gaits; python experiments/figures/gaits.py runs/gaits
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from evonet import load_run
from evonet.inspection.archives import held_out_of
from evonet.inspection.plots import archive_heatmap

run = load_run(sys.argv[1])
raw, checked = run.archive, held_out_of(run)
assert raw is not None, "the run has an archive"
assert checked is not None, "its elites were run on held-out episodes"
corrected = checked.corrected(raw)
shown = {"in training": raw, f"on {checked.episodes} held-out episodes": corrected}
scores = np.concatenate([archive.elites.fitness for archive in shown.values()])
figure = Figure(figsize=(9.6, 3.9), layout="constrained")
for (title, archive), axes in zip(shown.items(), figure.subplots(1, 2), strict=True):
    archive_heatmap(archive, ax=axes, limits=(scores.min(), scores.max()))
    axes.set_title(f"{title}: {len(archive)} gaits", fontsize=11)
target = Path(__file__).with_suffix(".png")
figure.savefig(target, dpi=80)
print(target)
