"""``lstsq`` and ``gmres`` beside what scipy does with the same operators on full vectors; one thread.

No peer with a least-squares solver of rectangular operators or a GMRES on trains installs from a registry, so the
yardstick is the vector itself: LSQR (Paige, Saunders, ACM Trans. Math. Softw. 8, 43, 1982) and GMRES of
scipy, the operator applied core by core, to the same accuracy. The full vector wins where it is small; what must be is
that the time of the train grows far less when a mode is added. Run with ``-m benchmark -s``.
"""

import time

import numpy as np
import pytest
from scipy.sparse.linalg import LinearOperator, gmres, lsqr
from threadpoolctl import threadpool_limits

from solvers.formats.trains.construct import kronecker_sum, ones, random_train
from solvers.formats.trains.operator import TTOperator
from solvers.linear.full_vectors import apply_full
from solvers.linear.gmres import gmres as train_gmres
from solvers.linear.lstsq import lstsq

ACCURACY = 1e-6
LESS = 0.5  # of the growth of the full vector's time


def seconds(work):
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def tall(d):
    """1 + a small coupling of neighbours, 8 rows and 6 columns a mode, TT-ranks 2."""
    rng = np.random.default_rng(0)
    cores = []
    for k in range(d):
        core = 0.1 * rng.standard_normal((1 if k == 0 else 2, 8, 6, 1 if k == d - 1 else 2))
        core[0, :, :, 0] += np.eye(8, 6)
        cores.append(core)
    return TTOperator(tuple(cores))


def convection(d, n=16, speed=10.0):
    """A convection-diffusion operator on n^d points, scaled to be applied without a preconditioner."""
    step = 1.0 / (n + 1)
    second = 2.0 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)
    gradient = 0.5 * step * (np.eye(n, k=1) - np.eye(n, k=-1))
    return kronecker_sum([second + speed * gradient + 0.5 * np.eye(n)] * d)


def on_full_vectors(a):
    adjoint = a.adjoint()
    shape = tuple(int(np.prod(sizes)) for sizes in (a.row_shape, a.column_shape))
    return LinearOperator(
        shape,
        matvec=lambda x: apply_full(a.cores, x.reshape(-1)),
        rmatvec=lambda y: apply_full(adjoint.cores, y.reshape(-1)),
        dtype=float,
    )


def least_squares_pair(d):
    a = tall(d)
    b = random_train(a.row_shape, 1, np.random.default_rng(1))
    matrix, full = on_full_vectors(a), b.full().reshape(-1)
    theirs, found = seconds(lambda: lsqr(matrix, full, atol=0.1 * ACCURACY, btol=0.1 * ACCURACY, iter_lim=500))
    ours, solution = seconds(lambda: lstsq(a, b, accuracy=ACCURACY))
    apart = np.linalg.norm(matrix @ (solution.value.full().reshape(-1) - found[0]))
    assert apart <= 5.0 * ACCURACY * np.linalg.norm(full)
    return ours, theirs


def gmres_pair(d):
    a = convection(d)
    b = ones(a.row_shape)
    matrix, full = on_full_vectors(a), b.full().reshape(-1)
    theirs, found = seconds(lambda: gmres(matrix, full, rtol=ACCURACY, restart=30, maxiter=50))
    ours, solution = seconds(lambda: train_gmres(lambda x: a @ x, b, accuracy=ACCURACY))
    assert found[1] == 0
    assert (b - a @ solution.value).norm() <= 1.01 * ACCURACY * b.norm()
    return ours, theirs


@pytest.mark.benchmark
@pytest.mark.parametrize(
    "pair, sizes", [(least_squares_pair, (5, 6, 7)), (gmres_pair, (3, 4, 5))], ids=["least squares", "GMRES"]
)
def test_growth_beside_full_vectors(pair, sizes):
    with threadpool_limits(1):
        pair(sizes[0])
        times = {d: pair(d) for d in sizes}
    for d, (ours, theirs) in times.items():
        print(f"\nd = {d}: {ours:.2f} s, full vectors {theirs:.2f} s, ratio {ours / theirs:.2f}", end="")
    (ours, theirs), (ours_before, theirs_before) = times[sizes[-1]], times[sizes[-2]]
    assert ours / ours_before <= LESS * theirs / theirs_before
