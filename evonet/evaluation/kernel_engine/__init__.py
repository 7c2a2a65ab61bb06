"""Engines for environments that have a kernel: many episodes side by side, in NumPy or compiled by Numba.

Both get the same bits, so that one may follow the other in the middle of a run.
"""

from evonet.evaluation.kernel_engine.auto import KernelEngine
from evonet.evaluation.kernel_engine.numba_engine import NumbaEngine
from evonet.evaluation.kernel_engine.numpy_engine import NumpyEngine
from evonet.evaluation.kernel_engine.plan import kernel_for

__all__ = ["KernelEngine", "NumbaEngine", "NumpyEngine", "kernel_for"]
