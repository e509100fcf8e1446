"""The one place that decides how kernels are compiled and cached.

Machine code is cached on disk (NUMBA_CACHE_DIR, beside the sources, or else; solvers.kernels.cache), so only the very
first run on a machine compiles. Kernels release the GIL and keep IEEE semantics: a NaN must stay visible.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numba

from solvers.kernels.cache import cached


def kernel(function: Callable[..., Any]) -> Any:
    """Compile ``function`` on first use, cached on disk."""
    fast = {"contract", "reassoc", "nsz", "arcp"}
    return cached(partial(numba.njit, nogil=True, fastmath=fast, error_model="numpy"), function)
