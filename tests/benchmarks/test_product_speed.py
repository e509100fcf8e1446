"""A compressed product beside rounding the exact one; one core, one thread, CPU seconds.

An operator of ranks 12 on 16^16 times a train of rank 25, to 1e-6; the operator is the identity plus small parts, so
that the product has rank 25 at that tolerance. Run with ``-m benchmark -s``.
"""

import statistics
import time

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from solvers.formats.trains.construct import identity_operator, random_train
from solvers.formats.trains.operator import TTOperator
from solvers.linear.product import multiply

REPEATS = 3


def seconds(work):
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def of_ranks(rows, columns, rank, rng, size):
    """Random cores; with the identity in front where the operator is square, and ``size`` of the rest beside it."""
    ranks = [1, *[rank] * (len(rows) - 1), 1]
    shapes = list(zip(ranks, rows, columns, ranks[1:]))
    cores = [rng.standard_normal(shape) / np.sqrt(shape[0] * shape[2]) for shape in shapes]
    return TTOperator(tuple(cores)) * size


@pytest.mark.benchmark
def test_a_compressed_product_beside_rounding_the_exact_one():
    rng = np.random.default_rng(0)
    shape = (16,) * 16
    a = identity_operator(shape) + of_ranks(shape, shape, 11, rng, 1e-8)
    x = random_train(shape, 25, rng)
    ours, plain = [], []
    with threadpool_limits(1):
        multiply(a, x, tol=1e-6)
        exact = a @ x
        for _ in range(REPEATS):
            elapsed, product = seconds(lambda: multiply(a, x, tol=1e-6))
            ours.append(elapsed)
        elapsed, rounded = seconds(lambda: exact.round(1e-6))
        plain.append(elapsed)
    error = (product.value - exact).norm() / exact.norm()
    print(f"\nproduct {statistics.median(ours):.3f} s, rounding {plain[0]:.2f} s, error {error:.1e}")
    assert product.converged and error <= 1e-6 and product.value.max_rank <= rounded.max_rank
    assert statistics.median(ours) <= plain[0]
