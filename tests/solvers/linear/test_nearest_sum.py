"""Sweeps begin with the solution of the nearest sum over modes, roughly, where that is definite."""

import numpy as np
import pytest
from linear_cases import laplacian, quantics_poisson

from solvers.formats.trains.construct import kronecker_sum, ones, random_train, rank_one_operator
from solvers.linear.nearest_sum import START_RANK, solved_roughly, start_of
from solvers.linear.parts import partial_traces
from solvers.linear.solve import solve
from solvers.linear.system import System
from solvers.methods import AMEn


def system_of(a, b, definite=True):
    return System.of(a, b * (1.0 / b.norm()), np.result_type(a.dtype, b.dtype), definite)


def coupled(d, n, strength=100.0):
    """A Laplacian whose neighbouring directions are coupled."""
    z = np.diag(np.linspace(0.0, 1.0, n))
    one = np.eye(n)
    pairs = [rank_one_operator([one] * k + [z, z] + [one] * (d - k - 2)) for k in range(d - 1)]
    return laplacian(d, n) + sum(pairs[1:], pairs[0]) * strength


def residual(system, x):
    return (system.b - system.operator @ x).norm()


@pytest.mark.parametrize("dtype", [float, complex])
def test_partial_traces_are_the_nearest_sum(dtype):
    """Beside least squares over all sums of one-mode matrices."""
    rng = np.random.default_rng(0)
    n = (2, 3, 2)
    terms = [[rng.standard_normal((m, m)).astype(dtype) for m in n] for _ in range(3)]
    if dtype is complex:
        terms = [[m + 1j * rng.standard_normal(m.shape) for m in term] for term in terms]
    a = sum((rank_one_operator(term) for term in terms[1:]), rank_one_operator(terms[0]))
    matrices = partial_traces(System.of(a, ones(n), np.dtype(dtype), False).cores, [range(k, k + 1) for k in range(3)])
    columns = []
    for k, m in enumerate(n):
        for i in range(m * m):
            parts = [np.eye(size) for size in n]
            parts[k] = np.zeros((m, m))
            parts[k].flat[i] = 1.0
            columns.append(np.kron(np.kron(parts[0], parts[1]), parts[2]).ravel())
    columns = np.array(columns).T
    best = columns @ np.linalg.lstsq(columns, a.full().ravel(), rcond=None)[0]
    np.testing.assert_allclose(kronecker_sum(matrices).full().ravel(), best, atol=1e-12)


def test_exact_but_for_the_exponentials_where_nothing_couples():
    for a in (laplacian(6, 12), laplacian(6, 12) * -1.0):
        system = system_of(a, ones(a.row_shape))
        x = solved_roughly(system, START_RANK)
        assert x.max_rank <= START_RANK and residual(system, x) <= 1e-3
    poisson = quantics_poisson(5, 3).round(1e-14)
    system = system_of(poisson, ones(poisson.row_shape))
    assert residual(system, solved_roughly(system, 30)) <= 1e-2  # bits of one axis belong together


def test_what_couples_is_left_to_the_sweeps():
    system = system_of(coupled(6, 12, 100.0), ones((12,) * 6))
    assert 1e-3 < residual(system, start_of(system, None)) < 0.3
    given = random_train((12,) * 6, 2, np.random.default_rng(0))
    assert start_of(system, given) is given


def test_the_right_hand_side_where_the_sum_is_of_no_use():
    a = kronecker_sum([np.diag([-2.0, 3.0, 4.0, 9.0])] * 4)
    indefinite = system_of(a, ones(a.row_shape))
    assert solved_roughly(indefinite, START_RANK) is None and start_of(indefinite, None) is indefinite.b
    turned = kronecker_sum([np.eye(4) + 30.0 * (np.eye(4, k=1) - np.eye(4, k=-1))] * 4)  # Hermitian part: the identity
    skew = system_of(turned, ones((4,) * 4), definite=False)
    assert start_of(skew, None) is skew.b
    drift = kronecker_sum([2.0 * np.eye(8) - 1.1 * np.eye(8, k=1) - 0.9 * np.eye(8, k=-1)] * 4)
    system = system_of(drift, ones((8,) * 4), definite=False)
    assert residual(system, start_of(system, None)) < 0.5


def test_sweeps_saved():
    """Beside the right-hand side as the start, to the same accuracy."""
    for a, at_most in ((laplacian(6, 12), 4), (coupled(6, 12), 5)):
        b = ones(a.row_shape)
        found, from_b = (solve(a, b, method=AMEn(), start=start, accuracy=1e-7) for start in (None, b))
        assert found.counts["sweeps"] <= at_most and found.counts["sweeps"] < from_b.counts["sweeps"]
        assert (b - a @ found.value).norm() <= 1e-7 * b.norm()
