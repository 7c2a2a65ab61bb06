"""Engines for environments that have a kernel: many episodes side by side, in NumPy or compiled by Numba.

Both get the same bits, so that a run can change from one to the other at any time; `auto.py` does. A *lane* is the
place of one running episode in every array.

`task.py` says whether a kernel can run a task, and how; `start_states.py`, `activations.py`, `decoders.py`,
`measures.py` and `outcomes.py` are the parts of an episode that both engines share. `numpy_engine.py` is the plain
loop, with the networks of `lane_networks.py`. For Numba, `codegen.py` writes one module for each task, from
`rollout.py` and `intrinsics.py`; `compilation.py` compiles it, `cache.py` keeps the machine code, `aligned.py`
allocates its arrays, and `numba_engine.py` runs it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evonet.evaluation.kernels.auto import KernelEngine
from evonet.evaluation.kernels.numpy_engine import NumpyEngine
from evonet.evaluation.kernels.task import kernel_for
from evonet.lazy import lazy_attributes

if TYPE_CHECKING:
    from evonet.evaluation.kernels.numba_engine import NumbaEngine

__all__ = ["KernelEngine", "NumbaEngine", "NumpyEngine", "kernel_for"]

__getattr__, __dir__ = lazy_attributes(__name__, {"NumbaEngine": "evonet.evaluation.kernels.numba_engine"})
