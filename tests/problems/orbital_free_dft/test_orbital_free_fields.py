"""Every operation of the Tucker and quantics formats against dense arrays, on data without any symmetry."""

import numpy as np
import pytest

from problems.orbital_free_dft.fields import DenseFields
from problems.orbital_free_dft.grid import Grid
from problems.orbital_free_dft.quantics_fields import QuanticsFields
from problems.orbital_free_dft.tucker_fields import TuckerFields
from solvers.formats.tucker.convert import from_full

BOX, TOL = 9.0, 1e-8
MAKERS = {"tucker": TuckerFields, "quantics": QuanticsFields}


def orbitals(grid):
    """Two smooth functions, of different width on each axis, off the centre, one of them tilted and of both signs."""
    x, y, z = np.ix_(grid.x, grid.x, grid.x)
    u = np.exp(-0.5 * (x - 0.4) ** 2 - 0.3 * (y + 0.7) ** 2 - 0.9 * z**2 - 0.2 * x * y)
    v = (x - 0.3 * y * z) * np.exp(-np.sqrt(0.1 + x**2 + (y - 0.5) ** 2 + 2.0 * z**2))
    return u, v


def fields_of(kind, level=4, laplacian=None, max_rank=200, tol=TOL):
    grid = Grid(BOX, level, laplacian or ("differences" if kind == "quantics" else "spectral"))
    return MAKERS[kind](grid, tol, max_rank, np.random.default_rng(0)), DenseFields(grid)


CASES = [("tucker", "spectral", 5), ("tucker", "differences", 4), ("quantics", "differences", 4)]


@pytest.fixture(params=CASES, ids=lambda case: "-".join(map(str, case)))
def pair(request):
    """Fields of a format, dense ones, and the two orbitals in both."""
    kind, laplacian, level = request.param
    fields, dense = fields_of(kind, level, laplacian)
    arrays = orbitals(dense.grid)
    return fields, dense, [fields.adopt(from_full(a, 1e-13)) for a in arrays], arrays


def array(fields, u):
    return fields.tucker(u).full()


def close(fields, u, truth, scale=1.0, times=3.0):
    return np.linalg.norm(array(fields, u) - truth) <= times * TOL * scale * np.linalg.norm(truth)


def test_adopted_and_back(pair):
    fields, _, (u, v), (a, b) = pair
    assert close(fields, u, a) and close(fields, v, b)
    assert len(fields.ranks(u)) in (3, 3 * fields.grid.level + 1)


def test_sums_and_integrals(pair):
    fields, dense, (u, v), (a, b) = pair
    assert close(fields, fields.combine([(2.0, u), (-0.7, v)]), dense.combine([(2.0, a), (-0.7, b)]))
    assert close(fields, fields.combine([(3.0, v)]), 3.0 * b)
    assert fields.dot(u, v) == pytest.approx(dense.dot(a, b), rel=1e-7)
    assert fields.dot(u, u) == pytest.approx(np.sum(a * a) * fields.grid.volume, rel=1e-9)
    # what cancels is relative to what is left, or to the scale that was given
    nearly = fields.combine([(1.0, u), (1e-4, v)])
    assert np.linalg.norm(
        array(fields, fields.combine([(1.0, nearly), (-1.0, u)])) - 1e-4 * b
    ) <= 10.0 * TOL * np.linalg.norm(a)
    size = np.sqrt(dense.dot(a, a))
    coarse = fields.combine([(1.0, u), (1.0, v)], scale=1e5 * size)
    assert max(fields.ranks(coarse)) < max(fields.ranks(fields.combine([(1.0, u), (1.0, v)])))
    assert np.linalg.norm(array(fields, coarse) - a - b) <= 2e5 * TOL * np.linalg.norm(a)


def test_a_sum_that_vanishes(pair):
    fields, _, (u, _), _ = pair
    zero = fields.combine([(1.0, u), (-1.0, u)])
    assert np.sqrt(fields.dot(zero, zero)) <= 1e-7 * np.sqrt(fields.dot(u, u))


def test_functions_of_points(pair):
    fields, dense, (u, v), (a, b) = pair

    def f(p, q):
        return np.cbrt(p) ** 5 + p * q - q * q

    truth = f(a, b)
    for _ in range(2):  # the second time from what the first one knew
        assert close(fields, fields.pointwise("f", f, [u, v]), truth, times=10.0)
    assert fields.missed == 0.0
    assert fields.counts["evaluations"] > 0
    assert dense.pointwise("f", f, [a, b]) is not None and np.array_equal(dense.pointwise("f", f, [a, b]), truth)


def test_kinetic_energy(pair):
    fields, dense, (u, v), (a, b) = pair
    assert fields.kinetic(u, u) == pytest.approx(dense.kinetic(a, a), rel=1e-7)
    assert fields.kinetic(u, v) == pytest.approx(dense.kinetic(a, b), rel=1e-6)


def test_resolvent_and_poisson(pair):
    fields, dense, (u, v), (a, b) = pair
    for field, values in ((u, a), (v, b)):
        # warm starts and rows kept must not leak from one to the other
        assert close(fields, fields.resolvent(field, 0.5), dense.resolvent(values, 0.5), times=20.0)
        assert close(fields, fields.poisson(field), dense.poisson(values), times=20.0)
    assert fields.missed == 0.0 and fields.counts["solves"] == 4


def test_dense_operators_are_the_matrices():
    """Second differences by hand, ghost points of opposite sign behind the faces."""
    grid = Grid(BOX, 4, "differences")
    dense, n = DenseFields(grid), grid.points
    matrix = (2.0 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)) / grid.spacing**2
    matrix[0, 0] = matrix[-1, -1] = 3.0 / grid.spacing**2

    def minus_laplace(a):
        return sum(np.moveaxis(np.tensordot(matrix, a, axes=(1, m)), 0, m) for m in range(3))

    a, b = orbitals(grid)
    assert dense.kinetic(a, b) == pytest.approx(0.5 * np.vdot(a, minus_laplace(b)) * grid.volume, rel=1e-12)
    solved = dense.resolvent(a, 0.3)
    assert np.allclose(0.5 * minus_laplace(solved) + 0.3 * solved, a, atol=1e-12)
    assert np.allclose(minus_laplace(dense.poisson(b)), 4.0 * np.pi * b, atol=1e-11)
    assert dense.ranks(a) == () and np.allclose(dense.tucker(b).full(), b, atol=1e-9)


def test_spectral_operators_are_exact_for_waves():
    grid = Grid(BOX, 4)
    k = np.pi * np.array([1, 3, 6]) / BOX
    one, two, three = np.ix_(*[np.sin(q * (grid.x + 0.5 * BOX)) for q in k])
    wave = one * two * three
    square = np.sum(k**2)
    fields, dense = fields_of("tucker")
    for format_, u in ((dense, wave), (fields, fields.adopt(from_full(wave)))):
        assert format_.kinetic(u, u) == pytest.approx(0.5 * square * BOX**3 / 8.0, rel=1e-10)
        for found, factor in (
            (format_.resolvent(u, 0.7), 1.0 / (0.5 * square + 0.7)),
            (format_.poisson(u), 4.0 * np.pi / square),
        ):
            assert np.allclose(format_.tucker(found).full(), factor * wave, atol=1e-7 * factor)


@pytest.mark.parametrize("kind", ["tucker", "quantics"])
def test_a_bound_on_the_rank_is_noted(kind):
    fields, dense = fields_of(kind, max_rank=3)
    a, b = orbitals(dense.grid)
    u, v = (fields.adopt(from_full(values, 1e-13)) for values in (a, b))
    fields.pointwise("f", lambda p, q: np.cbrt(p) ** 5 + p * q, [u, v])
    assert fields.missed > 10.0
    assert max(fields.ranks(fields.combine([(1.0, u), (1.0, v)]))) <= 3


def test_quantics_needs_differences():
    with pytest.raises(ValueError, match="differences"):
        QuanticsFields(Grid(BOX, 4), TOL, 20, np.random.default_rng(0))
