"""Sums over groups of modes are found by their cores, inverted by exponentials, and only where that is right."""

import numpy as np
import pytest
from linear_cases import laplacian, quantics_poisson
from numpy.testing import assert_allclose

from solvers.formats.trains.construct import kronecker_sum, ones, random_train, rank_one_operator
from solvers.linear.parts import parts, uncoupled
from solvers.linear.solve import solve
from solvers.linear.system import System
from solvers.methods import AMEn
from solvers.solution import Status


def outside(a, x, b):
    return (b - a @ x).norm() / b.norm()


def definite(n, rng, dtype=float):
    """A random Hermitian matrix with eigenvalues from one to twenty."""
    m = rng.standard_normal((n, n)) + (1j * rng.standard_normal((n, n)) if dtype is complex else 0.0)
    q = np.linalg.qr(m)[0]
    return (q * np.geomspace(1.0, 20.0, n)) @ q.conj().T


def cores_of(a):
    return System.of(a, ones(a.row_shape), a.dtype, True).cores


def test_groups_of_a_rounded_train():
    """Whatever basis rounding leaves at the bonds: bits of one axis belong together, axes do not."""
    a = quantics_poisson(3, 3).round(1e-14)
    matrices, groups = parts(cores_of(a), 100)
    assert groups == [range(0, 3), range(3, 6), range(6, 9)]
    one = np.eye(8)
    whole = sum(
        np.kron(np.kron(*[m if k == axis else one for k in (0, 1)]), m if axis == 2 else one)
        for axis, m in enumerate(matrices)
    )
    assert_allclose(whole, a.full(), atol=1e-12 * np.abs(a.full()).max())


def test_what_couples_is_no_sum():
    rng = np.random.default_rng(2)
    mats = [definite(5, rng) for _ in range(4)]
    a = kronecker_sum(mats)
    assert uncoupled(cores_of(a)) == [1, 2, 3]
    z = np.diag(np.arange(5.0))
    pair = rank_one_operator([np.eye(5), z, z, np.eye(5)])
    assert uncoupled(cores_of(a + pair * 1e-6)) == [1, 3]
    assert uncoupled(cores_of(rank_one_operator(mats))) == []
    assert parts(cores_of(a + pair), 24) is None


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("accuracy", [1e-4, 1e-10])
def test_residual_and_condition(dtype, accuracy):
    rng = np.random.default_rng(4)
    mats = [definite(n, rng, dtype) - 0.1 * np.eye(n) for n in (9, 12, 7, 11)]
    a = kronecker_sum(mats)
    b = random_train(a.row_shape, 2, rng, a.dtype)
    for sign in (1.0, -1.0):
        solution = solve(a * sign, b, accuracy=accuracy)
        assert solution.extra["route"] == "exponential sum"
        assert outside(a * sign, solution.value, b) <= accuracy * (1.0 + 1e-6)
        assert solution.extra["condition"] == pytest.approx((20.0 - 0.1) / (1.0 - 0.1), rel=1e-10)
        assert solution.counts["sweeps"] == 0
    exact = solve(a, b, method=AMEn(), accuracy=1e-12).value
    error = (solution.value * sign - exact).norm() / exact.norm()
    assert error <= solution.extra["forward_error"] + 1e-10


def test_quantics_groups():
    a = quantics_poisson(5, 3).round(1e-14)
    b = ones(a.row_shape)
    solution = solve(a, b, accuracy=1e-7)
    assert solution.extra["route"] == "exponential sum" and outside(a, solution.value, b) <= 1e-7
    swept = solve(a, b, method=AMEn(), accuracy=1e-7)
    assert solution.value.max_rank <= swept.value.max_rank
    assert solution.extra["condition"] == pytest.approx(1.0 / np.tan(0.5 * np.pi / 33.0) ** 2, rel=1e-9)


@pytest.mark.parametrize(
    "build",
    [
        lambda m: kronecker_sum(m) + kronecker_sum([np.eye(12)] * 4) * -1.0,  # indefinite
        lambda m: kronecker_sum([x - np.linalg.eigvalsh(x)[0] * np.eye(12) for x in m]),  # singular
        lambda m: kronecker_sum([np.triu(x) for x in m]),  # not Hermitian
    ],
    ids=["indefinite", "singular", "not Hermitian"],
)
def test_others_go_another_way(build):
    rng = np.random.default_rng(6)
    a = build([definite(12, rng) for _ in range(4)])
    b = a @ random_train(a.row_shape, 1, rng)
    solution = solve(a, b, accuracy=1e-5, throw=False)
    assert solution.extra["route"] != "exponential sum"
    if solution.status is Status.CONVERGED:
        assert outside(a, solution.value, b) <= 1e-5 * (1.0 + 1e-6)


def test_a_nearly_separable_operator_is_told_by_the_residual():
    """A coupling below what is looked for but not below the accuracy: the residual is that of A, sweeps go on."""
    rng = np.random.default_rng(7)
    a = kronecker_sum([definite(12, rng) * 1e-6 for _ in range(4)])
    big = np.zeros((12, 12))
    big[0, 0] = 1e6
    stiff = kronecker_sum([big, *[np.zeros((12, 12))] * 3])
    pair = rank_one_operator([definite(12, rng), np.eye(12), definite(12, rng), np.eye(12)]) * 1e-7
    b = ones(a.row_shape)
    solution = solve(a + stiff + pair, b, accuracy=1e-6, throw=False)
    true = outside(a + stiff + pair, solution.value, b)
    assert true == pytest.approx(solution.residual[0], rel=1e-2, abs=1e-8)
    assert solution.converged == (true <= 1e-6)


def test_a_hundred_and_ten_modes():
    """Cores of largest entry one, each with a small identity: their product leaves the range of double precision."""
    a = laplacian(110, 16)
    b = ones(a.row_shape)
    for method in (None, AMEn()):
        solution = solve(a, b, method=method, accuracy=0.05, condition=False)
        assert outside(a, solution.value, b) <= 0.05


def test_no_sweep_and_small_ranks():
    a = laplacian(16, 32)
    b = ones(a.row_shape)
    solution = solve(a, b, accuracy=2.5e-7)
    assert solution.counts == {"sweeps": 0, "local_solves": 0, "matvecs": 0}
    assert solution.value.max_rank <= 11
