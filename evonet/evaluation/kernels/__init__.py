"""Engines for environments that have a kernel: many episodes side by side, in NumPy or compiled by Numba.

Both get the same bits, so that a run can change from one to the other at any time.
"""

from evonet.evaluation.kernels.auto import KernelEngine
from evonet.evaluation.kernels.numba_engine import NumbaEngine
from evonet.evaluation.kernels.numpy_engine import NumpyEngine
from evonet.evaluation.kernels.task import kernel_for

__all__ = ["KernelEngine", "NumbaEngine", "NumpyEngine", "kernel_for"]
