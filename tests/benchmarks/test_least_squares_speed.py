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


@pytest.mark.benchmark
def test_least_squares_beside_lsqr():
    ours, theirs = {}, {}
    with threadpool_limits(1):
        for d in (5, 6, 7):
            a = tall(d)
            b = random_train(a.row_shape, 1, np.random.default_rng(1))
            full = b.full().reshape(-1)
            adjoint = a.adjoint()
            matrix = LinearOperator(
                (8**d, 6**d),
                matvec=lambda x, a=a: apply_full(a.cores, x),
                rmatvec=lambda y, adjoint=adjoint: apply_full(adjoint.cores, y),
                dtype=float,
            )
            theirs[d], found = seconds(lambda: lsqr(matrix, full, atol=ACCURACY, btol=ACCURACY, iter_lim=500))
            ours[d], solution = seconds(lambda: lstsq(a, b, accuracy=ACCURACY))
            apart = np.linalg.norm(matrix @ (solution.value.full().reshape(-1) - found[0]))
            assert apart <= 5.0 * ACCURACY * np.linalg.norm(full)
    print("\n" + _told("least squares", ours, theirs))
    assert ours[7] / ours[6] <= LESS * theirs[7] / theirs[6]


@pytest.mark.benchmark
def test_gmres_beside_full_vectors():
    ours, theirs = {}, {}
    with threadpool_limits(1):
        for d in (3, 4, 5):
            a = convection(d)
            b = ones(a.row_shape)
            full = b.full().reshape(-1)
            matrix = LinearOperator((16**d,) * 2, matvec=lambda x, a=a: apply_full(a.cores, x), dtype=float)
            theirs[d], found = seconds(lambda: gmres(matrix, full, rtol=ACCURACY, restart=30, maxiter=50))
            ours[d], solution = seconds(lambda: train_gmres(lambda x, a=a: a @ x, b, accuracy=ACCURACY))
            assert found[1] == 0
            assert (b - a @ solution.value).norm() <= 1.01 * ACCURACY * b.norm()
    print("\n" + _told("GMRES", ours, theirs))
    assert ours[5] / ours[4] <= LESS * theirs[5] / theirs[4]


def _told(what, ours, theirs):
    return f"{what}: " + ", ".join(
        f"d = {d}: {ours[d]:.2f} s, full vectors {theirs[d]:.2f} s, ratio {ours[d] / theirs[d]:.2f}" for d in ours
    )
