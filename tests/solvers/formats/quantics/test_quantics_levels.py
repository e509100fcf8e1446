"""Finer and coarser grids, lines, planes and coarse arrays, all against dense arrays."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import erf

from solvers.formats.quantics.axes import kron, reordered
from solvers.formats.quantics.bits import to_bits
from solvers.formats.quantics.functions import gaussian, polynomial, sampled
from solvers.formats.quantics.levels import coarsen, prolongation, refine
from solvers.formats.quantics.views import coarse_grid, line, plane, reduced
from solvers.formats.trains.construct import ones, random_train, tt_svd

few = settings(max_examples=25, deadline=None, derandomize=True)
ENDS = ["dirichlet", "face", "neumann"]
GHOST = {"dirichlet": 0.0, "face": -1.0, "neumann": 1.0}
LEVELS = [3, 4, 2]
ARRAY = np.random.default_rng(0).standard_normal((8, 16, 4))
TRAIN = tt_svd(ARRAY.reshape((2,) * 9), 0.0)


def refined(x, grid, left, right):
    """Linear interpolation of a vector, written out with its values beyond the ends."""
    before, after = (x[-1], x[0]) if left == "periodic" else (GHOST[left] * x[0], GHOST[right] * x[-1])
    wide = np.concatenate([[before], x, [after]])
    y = np.empty(2 * len(x))
    if grid == "cell":
        y[::2] = 0.75 * x + 0.25 * wide[:-2]
        y[1::2] = 0.75 * x + 0.25 * wide[2:]
    else:
        y[::2] = x
        y[1::2] = 0.5 * (x + wide[2:])
    return y


@pytest.mark.parametrize("grid", ["cell", "node"])
@pytest.mark.parametrize(("left", "right"), [(p, q) for p in ENDS for q in ENDS] + [("periodic", "periodic")])
@pytest.mark.parametrize("levels", [1, 2, 5])
def test_prolongation_is_linear_interpolation(grid, left, right, levels):
    x = np.random.default_rng(1).standard_normal(2**levels)
    operator = prolongation(levels, grid, left, right)
    exact = refined(x, grid, left, right)
    np.testing.assert_allclose(operator.full() @ x, exact, atol=1e-15 * 10)
    np.testing.assert_allclose(refine(sampled(x), [levels], 0, grid, left, right).full().reshape(-1), exact, atol=1e-13)
    away = sum(end != "dirichlet" for end in (left, right)) if left != "periodic" else 0
    assert operator.max_rank <= 3 + away


def test_ranks_of_prolongations():
    assert prolongation(6).max_rank == 3
    assert prolongation(6, "cell", "face", "face").max_rank == 5
    assert prolongation(6, "node").max_rank == 2
    assert prolongation(6, "cell", "periodic", "periodic").max_rank == 3


def test_lines_are_kept_and_errors_fall_with_the_square_of_the_step():
    # a straight line, but for the ends
    straight = refine(polynomial(5, [1.0, 2.0], 0.5), [5]).full().reshape(-1)
    np.testing.assert_allclose(straight[1:-1], (1.0 + 2.0 * (0.25 + 0.5 * np.arange(64)))[1:-1], rtol=1e-12)
    errors = []
    for levels in (6, 7, 8):
        h = 10.0 / 2**levels
        coarse, fine = (gaussian(n, 2.0, 5.0, s / 2.0, s) for n, s in ((levels, h), (levels + 1, h / 2.0)))
        difference = refine(coarse, [levels]).full() - fine.full()
        errors.append(np.abs(difference).max())
    assert [p / q for p, q in itertools.pairwise(errors)] == pytest.approx([4.0, 4.0], rel=0.05)


def test_any_axis_of_a_train():
    for axis in range(3):
        exact = np.apply_along_axis(refined, axis, ARRAY, "cell", "face", "neumann")
        fine = refine(TRAIN, LEVELS, axis, "cell", "face", "neumann")
        np.testing.assert_allclose(fine.full().reshape(exact.shape), exact, atol=1e-12)
    exact = ARRAY.reshape(8, 8, 2, 4).mean(axis=2)
    np.testing.assert_allclose(coarsen(TRAIN, LEVELS, 1).full().reshape(exact.shape), exact, atol=1e-13)
    np.testing.assert_allclose(coarsen(TRAIN, LEVELS, 2, "node").full().reshape(8, 16, 2), ARRAY[..., ::2], atol=1e-13)


@few
@given(st.integers(2, 6), st.integers(1, 5), st.integers(0, 10**6))
def test_coarsening_undoes_refining_where_it_should(levels, rank, seed):
    x = random_train((2,) * levels, rank, np.random.default_rng(seed))
    again = coarsen(refine(x, [levels], 0, "node"), [levels + 1], 0, "node")
    assert (again - x).norm() <= 1e-11 * x.norm()
    # sums are kept by the mirror at both ends: the mean over a cell grid does not change
    fine = refine(x, [levels], 0, "cell", "neumann", "neumann").full().mean()
    assert fine == pytest.approx(x.full().mean(), abs=1e-12 * x.norm())


@pytest.mark.parametrize("order", ["sequential", "interleaved"])
def test_views_of_a_grid(order):
    levels = [4, 4, 4]
    array = np.random.default_rng(2).standard_normal((16, 16, 16))
    train = tt_svd(array.reshape((2,) * 12), 0.0)
    if order == "interleaved":
        train = reordered(train, levels, order, 0.0)
    np.testing.assert_allclose(line(train, levels, 1, {0: 5, 2: 3}, order), array[5, :, 3], atol=1e-12)
    np.testing.assert_allclose(plane(train, levels, (2, 0), {1: 7}, order=order), array[:, 7].T, atol=1e-12)
    exact = array[:, :, 9].reshape(4, 4, 4, 4).mean(axis=(1, 3))
    np.testing.assert_allclose(plane(train, levels, (0, 1), {2: 9}, 7, order=order), exact, atol=1e-12)
    np.testing.assert_allclose(plane(train, levels, (1, 2), {0: 2}, 8, "first", order), array[2, ::2, ::2], atol=1e-12)
    blocks = array.reshape(2, 8, 2, 8, 2, 8).mean(axis=(1, 3, 5))
    np.testing.assert_allclose(coarse_grid(train, levels, 2, order=order), blocks, atol=1e-12)
    np.testing.assert_allclose(coarse_grid(train, levels, 2, "first", order), array[::8, ::8, ::8], atol=1e-12)


def test_unequal_axes_and_means():
    np.testing.assert_allclose(reduced(TRAIN, LEVELS, {0: 0}, {1: 3, 2: 1}), [ARRAY[:, 3, 1].mean()], atol=1e-13)
    np.testing.assert_allclose(reduced(TRAIN, LEVELS, {}, {0: 1, 1: 3, 2: 1}), ARRAY[1, 3, 1], atol=1e-13)
    exact = ARRAY.mean(axis=0).reshape(4, 4, 4).mean(axis=1).T
    np.testing.assert_allclose(reduced(TRAIN, LEVELS, {2: 2, 1: 2, 0: 0}, {})[..., 0], exact, atol=1e-13)
    np.testing.assert_allclose(coarse_grid(TRAIN, LEVELS, 1), [[[ARRAY.mean()]]], atol=1e-13)


def test_views_of_a_grid_that_could_never_be_formed():
    levels = [30, 30, 30]
    step = 2.0**-30
    factors = [gaussian(30, 50.0, 0.5, 0.0, step, 1e-12)] * 3
    train = kron(factors)
    half = 2**29
    means = plane(train, levels, (0, 2), {1: half}, 128)
    # the mean of a Gaussian over a cell, from the error function
    edges = erf(np.sqrt(50.0) * (np.arange(129) / 128 - 0.5))
    exact = 0.5 * np.sqrt(np.pi / 50.0) * np.diff(edges) * 128
    np.testing.assert_allclose(means, np.outer(exact, exact), atol=1e-7)
    assert coarse_grid(train, levels, 1)[0, 0, 0] == pytest.approx((np.pi / 50.0) ** 1.5, rel=1e-4)
    index = np.array([[half, half, half]])
    assert train.entries(to_bits(index, levels))[0] == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: prolongation(3, "edge"), "grid"),
        (lambda: prolongation(3, "cell", "periodic"), "periodic"),
        (lambda: prolongation(0), "levels"),
        (lambda: refine(TRAIN, [3, 4], 0), "modes"),
        (lambda: refine(TRAIN, LEVELS, 3), "axis"),
        (lambda: coarsen(TRAIN, LEVELS, -1), "axis"),
        (lambda: coarsen(TRAIN, LEVELS, 0, "edge"), "grid"),
        (lambda: coarsen(ones((2, 2)), [1, 1], 0), "one level"),
        (lambda: coarsen(ones((3, 2)), [1, 1], 0), "modes"),
        (lambda: line(TRAIN, LEVELS, 1, {0: 0}), "every axis"),
        (lambda: line(TRAIN, LEVELS, 3, {0: 0, 1: 0, 2: 0}), "every axis"),
        (lambda: line(TRAIN, LEVELS, 0, {0: 0, 1: 0, 2: 0}), "every axis"),
        (lambda: plane(TRAIN, LEVELS, (0, 0), {1: 0, 2: 0}), "different"),
        (lambda: plane(TRAIN, LEVELS, (0, 3), {1: 0, 2: 0}), "different"),
        (lambda: plane(TRAIN, LEVELS, (0, 1), {2: 0}, 0), "max_points"),
        (lambda: plane(TRAIN, LEVELS, (0, 1), {2: 0}, how="last"), "how"),
        (lambda: reduced(TRAIN, LEVELS, {0: 4, 1: 0, 2: 0}, {}), "levels kept"),
        (lambda: line(ones((2,) * 40), [40], 0, {}), "dense array"),
    ],
)
def test_what_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_an_index_outside_is_refused():
    with pytest.raises(IndexError, match="outside"):
        line(TRAIN, LEVELS, 1, {0: 8, 2: 0})
