"""What evonet asks of the machine: one thread for linear algebra, memory that is kept."""

from __future__ import annotations

_LARGEST_KEPT = 1 << 24  # bytes

BLAS_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""What says, before NumPy is imported, how many threads its linear algebra starts: evonet's products are small, and
sums that threads share have other bits with other numbers of them."""


def keep_freed_memory() -> None:
    """Let the C library keep the memory of arrays that are gone, up to 16 MB each, for those that come.

    The one of most Linux systems hands large pieces back to the kernel, which clears every page of the next; once it
    has seen one as large as this freed, it no longer does (mallopt(3), M_MMAP_THRESHOLD). Elsewhere nothing happens.
    """
    import numpy as np  # which whoever only starts processes does not wait for

    np.empty(_LARGEST_KEPT, np.uint8)
