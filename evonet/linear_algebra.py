"""NumPy's linear algebra library: how many threads it uses, and which kernels.

Its sums have other bits with other numbers of threads and on other processors. A network's numbers do not come from it.
Strategies that need an eigendecomposition hold it to one thread, and a run's fingerprint records its kernels.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from functools import cache
from typing import Any

from evonet.errors import ConfigError
from evonet.extras import optional_package

_lock = threading.Lock()
_inside = 0  # threads within `single_threaded`
_limit: Any = None


@contextlib.contextmanager
def single_threaded() -> Iterator[None]:
    """Within it, linear algebra uses one thread; the former number comes back when the last thread has left it.

    Raises:
        ConfigError: the package threadpoolctl is not installed.
    """
    global _inside, _limit  # noqa: PLW0603 - the number of threads is a fact about the process
    controller = _controller()
    with _lock:
        if _inside == 0:
            _limit = controller.limit(limits=1, user_api="blas")
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                _limit.restore_original_limits()


@cache
def description() -> str:
    """The libraries that are loaded, their versions, and the kernels that each has chosen for this processor.

    Raises:
        ConfigError: the package threadpoolctl is not installed.
    """
    libraries = [library for library in _controller().info() if library["user_api"] == "blas"]
    known = [
        f"{library['internal_api']} {library['version']} {library.get('architecture', 'unknown')}"
        for library in libraries
    ]
    return f"{'; '.join(known) or 'unknown'}, one thread"


@cache
def _controller() -> Any:
    """It looks once for the libraries that are loaded, which takes some milliseconds."""
    import numpy as np  # noqa: F401 - its library must be loaded to be found

    need = "this strategy needs the package threadpoolctl"
    return optional_package("threadpoolctl", need, "strategies", ConfigError).ThreadpoolController()
