"""Least squares of rectangular operators against dense ones: tall, wide, rank deficient, regularised, scaled."""

import numpy as np
import pytest
from continued_calls import check_that_it_goes_on
from hypothesis import given, settings
from hypothesis import strategies as st

import solvers.linear.full_least_squares as full
import solvers.linear.task as task
from solvers import checkpoint as checkpoints
from solvers.formats.trains.construct import ones, random_train, rank_one_operator
from solvers.formats.trains.operator import TTOperator
from solvers.linear.lstsq import lstsq
from solvers.linear.solve import solve
from solvers.methods import AMEn
from solvers.solution import NotConverged, Status


def random_operator(rows, columns, rank, rng, dtype=float):
    ranks = [1, *[rank] * (len(rows) - 1), 1]
    cores = []
    for m, n, p, q in zip(rows, columns, ranks, ranks[1:]):
        core = rng.standard_normal((p, m, n, q))
        cores.append(core + 1j * rng.standard_normal(core.shape) if dtype is complex else core)
    return TTOperator(tuple(cores))


def deficient(rng, dtype=float):
    """A mode whose columns are multiples of one."""
    a = random_operator((4, 3, 4), (3, 5, 3), 2, rng, dtype)
    last = np.einsum("aijb,jk->aikb", a.cores[2], np.outer(np.ones(3), np.arange(1.0, 4.0)))
    return TTOperator((*a.cores[:2], last))


def by_trains(monkeypatch):
    monkeypatch.setattr(full, "MOST_WORK", 0)
    monkeypatch.setattr(task, "DIRECT_FIRST", 0)
    monkeypatch.setattr(task, "DIRECT_LAST", 0)


def check(a, b, accuracy=1e-6, ridge=0.0, digits=1e-3):
    solution = lstsq(a, b, ridge=ridge, accuracy=accuracy)
    m, n = int(np.prod(a.row_shape)), int(np.prod(a.column_shape))
    matrix, side, x = a.full().reshape(m, n), b.full().reshape(-1), solution.value.full().reshape(-1)
    if ridge:
        best = np.linalg.solve(matrix.conj().T @ matrix + ridge * np.eye(n), matrix.conj().T @ side)
    else:
        best = np.linalg.pinv(matrix, rcond=1e-12) @ side
    off = np.linalg.norm(matrix @ (x - best)) / np.linalg.norm(side)
    assert off <= accuracy and off <= solution.extra["excess"] + 1e-13
    left = side - matrix @ x
    assert np.linalg.norm(left) == pytest.approx(solution.residual[0] * np.linalg.norm(side), rel=1e-6, abs=1e-13)
    size = np.linalg.norm(matrix.conj().T @ side)
    orthogonality = np.linalg.norm(matrix.conj().T @ left - ridge * x) / size
    assert orthogonality == pytest.approx(solution.extra["orthogonality"], rel=0.1, abs=1e-12)
    assert np.linalg.norm(x - best) <= digits * np.linalg.norm(best)
    return solution


@pytest.mark.parametrize("trains", [False, True])
@pytest.mark.parametrize("dtype", [float, complex])
def test_dense_truth(trains, dtype, monkeypatch):
    if trains:
        by_trains(monkeypatch)
    rng = np.random.default_rng(31)
    tall, wide = random_operator((4,) * 3, (3,) * 3, 2, rng, dtype), random_operator((3,) * 3, (4,) * 3, 2, rng, dtype)
    low = deficient(rng, dtype)
    for a in (tall, wide, low):
        b = random_train(a.row_shape, 2, rng, dtype)
        solution = check(a, b)
        check(a, b, ridge=2.0)
        check(a, a @ random_train(a.column_shape, 2, rng, dtype))
        if not trains:
            assert solution.extra["rank"] == np.linalg.matrix_rank(a.full().reshape(len(b.full().reshape(-1)), -1))
            assert solution.counts["sweeps"] == 0
    check(tall, random_train((4,) * 3, 2, rng, dtype), accuracy=1e-10)


@settings(deadline=None, max_examples=5)
@given(
    seed=st.integers(0, 10**6), power_a=st.sampled_from([-100, -8, 0, 8, 100]), power_b=st.sampled_from([-90, 0, 90])
)
def test_the_scale_of_operator_and_side_is_that_of_x(seed, power_a, power_b):
    rng = np.random.default_rng(seed)
    a, b = random_operator((3, 4), (4, 2), 2, rng), random_train((3, 4), 2, rng)
    plain = lstsq(a, b, ridge=0.3).value.full()
    scaled = lstsq(a * 10.0**power_a, b * 10.0**power_b, ridge=0.3 * 10.0 ** (2 * power_a)).value
    np.testing.assert_allclose(scaled.full() * 10.0 ** (power_a - power_b), plain, rtol=1e-9, atol=1e-9)


def test_twenty_modes():
    """Of a Kronecker product the solution is known mode by mode."""
    rng = np.random.default_rng(5)
    parts = [rng.standard_normal((5, 4)) for _ in range(20)]
    b = random_train((5,) * 20, 1, rng)
    solution = lstsq(rank_one_operator(parts), b, accuracy=1e-8)
    best = [np.linalg.lstsq(part, core[0, :, 0], rcond=None)[0] for part, core in zip(parts, b.cores)]
    image = rank_one_operator(parts) @ solution.value
    off = [part @ x for part, x in zip(parts, best)]
    exact = type(b)(tuple(v.reshape(1, -1, 1) for v in off))
    assert (image - exact).norm() <= 1e-8 * b.norm()


def test_nothing_in_the_range_and_zeros():
    a = rank_one_operator([np.eye(3, 2)] * 3)
    b = rank_one_operator([np.eye(3)[:, 2:]] * 3) @ ones((1,) * 3)  # orthogonal to the range
    for side in (b, b * 0.0):
        solution = lstsq(a, side)
        assert solution.converged and solution.value.norm() == 0.0 and solution.value.shape == (2, 2, 2)
    assert lstsq(a, b).residual[0] == 1.0
    assert lstsq(a * 0.0, b).value.norm() == 0.0


def test_a_cap_on_the_ranks_is_said(monkeypatch):
    rng = np.random.default_rng(2)
    a, b = random_operator((4,) * 4, (3,) * 4, 2, rng), random_train((4,) * 4, 3, rng)
    for trains in (False, True):
        if trains:
            by_trains(monkeypatch)
        solution = lstsq(a, b, method=AMEn(max_rank=1), throw=False)
        assert not solution.converged and solution.value.max_rank == 1
        with pytest.raises(NotConverged):
            lstsq(a, b, method=AMEn(max_rank=1))
    assert solution.status is not Status.CONTRADICTED


def test_what_is_refused():
    a = rank_one_operator([np.eye(3, 2)] * 3)
    with pytest.raises(ValueError, match="the rows of the operator"):
        lstsq(a, ones((2,) * 3))
    with pytest.raises(ValueError, match="ridge must be"):
        lstsq(a, ones((3,) * 3), ridge=-1.0)
    with pytest.raises(ValueError, match="accuracy must lie in"):
        lstsq(a, ones((3,) * 3), accuracy=1.0)
    with pytest.raises(ValueError, match="use lstsq"):
        solve(a, ones((3,) * 3))


def test_it_goes_on_to_the_same_solution(tmp_path, monkeypatch):
    by_trains(monkeypatch)
    monkeypatch.setattr(checkpoints, "QUIET", np.inf)
    rng = np.random.default_rng(4)
    a, b = random_operator((4,) * 4, (3,) * 4, 2, rng), random_train((4,) * 4, 2, rng)
    check_that_it_goes_on(lambda **more: lstsq(a, b, accuracy=1e-6, **more), tmp_path)
