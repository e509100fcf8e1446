"""One BLAS thread while a solver works: its matrices are small, and threads that wait for each other cost many times
what they gain (six times the processor time of an eigenproblem of 24 spins on two cores, measured).

Whoever asks for more by ``OPENBLAS_NUM_THREADS``, ``MKL_NUM_THREADS``, ``BLIS_NUM_THREADS`` or ``OMP_NUM_THREADS`` is
obeyed. (A one there may have come after numpy, which reads them once: it is seen to.)
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache, wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

P = ParamSpec("P")
R = TypeVar("R")
VARIABLES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "OMP_NUM_THREADS")

_inside = threading.local()


def one_blas_thread(function: Callable[P, R]) -> Callable[P, R]:
    """The function, computed with one BLAS thread; what holds before holds again after it."""

    @wraps(function)
    def limited(*args: P.args, **options: P.kwargs) -> R:
        with _limited():
            return function(*args, **options)

    return limited


@contextmanager
def _limited() -> Iterator[None]:
    if getattr(_inside, "limited", False) or any(os.environ.get(name, "1") != "1" for name in VARIABLES):
        yield
        return
    _inside.limited = True
    try:
        with _controller().limit(limits=1, user_api="blas"):
            yield
    finally:
        _inside.limited = False


@lru_cache(maxsize=1)
def _controller() -> ThreadpoolController:
    """Of the libraries that are loaded: those of numpy and of scipy, which may be two."""
    import scipy.linalg  # noqa: F401
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
