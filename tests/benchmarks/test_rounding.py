"""Rounding Y + Y against a plain QR sweep and SVD sweep in numpy, one core, one BLAS thread.

d = 20, n = 20, rank 200 (exact rank 100), relative error 1e-10.  The two are run in turn, so that a
slow moment of the machine meets both; the figure is the median of the ratios.  Run with ``-m benchmark -s``.
"""

import statistics
import time

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from solvers.formats.trains.construct import random_train

TOL = 1e-10
REPEATS = 5


def plain_rounding(cores, tol):
    """The two sweeps as every textbook has them: QR left to right, truncated SVD right to left."""
    cores = list(cores)
    for k in range(len(cores) - 1):
        a, n, b = cores[k].shape
        q, r = np.linalg.qr(cores[k].reshape(a * n, b))
        cores[k] = q.reshape(a, n, -1)
        cores[k + 1] = np.tensordot(r, cores[k + 1], axes=(1, 0))
    budget = tol * np.linalg.norm(cores[-1]) / np.sqrt(len(cores) - 1)
    for k in range(len(cores) - 1, 0, -1):
        a, n, b = cores[k].shape
        u, s, vh = np.linalg.svd(cores[k].reshape(a, n * b), full_matrices=False)
        tails = np.sqrt(np.cumsum(s[::-1] ** 2))[::-1]
        rank = max(1, int(np.count_nonzero(tails > budget)))
        cores[k] = vh[:rank].reshape(rank, n, b)
        cores[k - 1] = np.tensordot(cores[k - 1], u[:, :rank] * s[:rank], axes=(2, 0))
    return cores


def seconds(work):
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


@pytest.mark.benchmark
def test_rounding_is_no_slower_than_plain_sweeps():
    rng = np.random.default_rng(0)
    y = random_train((20,) * 20, 100, rng)
    doubled = y + y
    square = rng.standard_normal((1024, 1024))
    ours, plain, products = [], [], []
    with threadpool_limits(1):
        doubled.round(TOL)
        for _ in range(REPEATS):
            products.append(seconds(lambda: square @ square)[0])
            elapsed, rounded = seconds(lambda: doubled.round(TOL))
            ours.append(elapsed)
            elapsed, reference = seconds(lambda: plain_rounding(doubled.cores, TOL))
            plain.append(elapsed)
        error = (rounded - 2.0 * y).norm() / doubled.norm()
    ratio = statistics.median(a / b for a, b in zip(ours, plain))
    print(
        f"\nrounding {statistics.median(ours):.3f} s, plain sweeps {statistics.median(plain):.3f} s, "
        f"ratio {ratio:.2f}; 1024 x 1024 product {statistics.median(products):.3f} s; error {error:.1e}"
    )
    assert rounded.ranks == y.ranks
    assert max(core.shape[2] for core in reference) == y.max_rank
    assert error <= TOL
    assert ratio <= 1.0


@pytest.mark.benchmark
@pytest.mark.parametrize(
    ("shape", "rank", "dtype"),
    [
        ((2,) * 60, 4, float),
        ((2,) * 30, 8, float),
        ((2,) * 30, 15, float),
        ((2,) * 20, 40, float),
        ((2,) * 20, 30, complex),
        ((20,) * 10, 15, float),
    ],
)
def test_small_cores_are_no_slower_either(shape, rank, dtype):
    """Quantics trains: what is spent beside LAPACK stays below what it saves."""
    y = random_train(shape, rank, np.random.default_rng(0), dtype)
    doubled = y + y
    ratios = []
    with threadpool_limits(1):
        doubled.round(TOL)
        for _ in range(7 * REPEATS):
            elapsed, rounded = seconds(lambda: doubled.round(TOL))
            ratios.append(elapsed / seconds(lambda: plain_rounding(doubled.cores, TOL))[0])
    print(f"\n{shape[0]}^{len(shape)}, rank {rank}: ratio {statistics.median(ratios):.2f}")
    assert rounded.ranks == y.ranks
    assert statistics.median(ratios) <= 1.0
