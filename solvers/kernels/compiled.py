"""The one place that decides how kernels are compiled and cached.

Machine code is cached on disk (NUMBA_CACHE_DIR, beside the sources, or else; solvers.kernels.cache), so only the very
first run on a machine compiles. Kernels release the GIL and keep IEEE semantics: a NaN must stay visible.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numba

from solvers.kernels.cache import cached


def kernel(function: Callable[..., Any]) -> Any:
    """Compile ``function`` on first use, cached on disk."""
    fast = {"contract", "reassoc", "nsz", "arcp"}
    return cached(partial(numba.njit, nogil=True, fastmath=fast, error_model="numpy"), function)


class CompileClock:
    """Adds up the seconds spent in the first call of each kernel signature: ``with clock: kernel(...)``."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __enter__(self) -> CompileClock:
        self._start = time.perf_counter()
        return self

    def __exit__(self, *exc: object) -> None:
        self.seconds += time.perf_counter() - self._start
