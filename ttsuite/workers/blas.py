"""What workers of every kind share: one BLAS thread each, and the error of those that cannot be had."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from threadpoolctl import threadpool_limits


def limit_blas() -> threadpool_limits:
    """One BLAS thread in this process, until ``restore_original_limits`` of what is returned."""
    import scipy.linalg  # noqa: F401  only a library that is loaded can be limited
    from threadpoolctl import threadpool_limits

    return threadpool_limits(limits=1, user_api="blas")


class ClusterError(RuntimeError):
    """A cluster that cannot be used; the text says why and what to do."""
