"""What evonet asks of the machine: one thread for linear algebra."""

from __future__ import annotations

BLAS_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""What says, before NumPy is imported, how many threads its linear algebra starts: evonet's products are small, and
sums that threads share have other bits with other numbers of them."""
