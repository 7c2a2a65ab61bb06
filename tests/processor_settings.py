"""Environment variables that make NumPy, its linear algebra and the C library compute as on another processor."""

from typing import Any

import numpy as np


def without_vector_instructions(*keep: str) -> dict[str, str]:
    """As on a processor that has none of the instructions that NumPy found here, but for those to `keep`."""
    configuration: Any = np.show_config(mode="dicts")
    found = [name for name in configuration.get("SIMD Extensions", {}).get("found", ()) if name not in keep]
    return {"NPY_DISABLE_CPU_FEATURES": " ".join(found)}


AVX2 = without_vector_instructions("X86_V3", "AVX2", "FMA3", "AVX", "F16C", "SSE42", "POPCNT", "SSSE3", "SSE41") | {
    "OPENBLAS_CORETYPE": "Haswell"
}
OLD = without_vector_instructions() | {
    "OPENBLAS_CORETYPE": "Nehalem",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4,-AVX",
    "NUMBA_CPU_NAME": "nehalem",
}


def threads(number: int) -> dict[str, str]:
    """With so many threads for linear algebra."""
    return dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(number))
