"""Values, slopes and curvatures of the skip-gram objective against its definition."""

import numpy as np
import scipy.sparse as sparse

from solvers.kernels.skip_gram import row_slopes, row_values


def setup(scale):
    rng = np.random.default_rng(0)
    counts = rng.poisson(0.7, (6, 9)).astype(float)
    counts[2] = 0.0  # a word that was never seen
    rows, columns = rng.uniform(0.0, 3.0, 6), rng.uniform(0.0, 1.0, 9)
    columns[4] = 0.0  # a context that no negative sample is
    x = scale * rng.standard_normal((4, 9))
    table = sparse.csr_array(counts)
    return counts, rows, columns, x, (table.indptr, table.indices, table.data, rows, columns, 1)


def plain(counts, weights, x):
    return -(counts * np.logaddexp(0.0, -x) + weights * np.logaddexp(0.0, x))


def test_values_are_those_of_the_definition():
    for scale in (0.0, 1.0, 30.0, 800.0):
        counts, rows, columns, x, given = setup(scale)
        exact = plain(counts[1:5], np.outer(rows[1:5], columns), x).sum(axis=1)
        np.testing.assert_allclose(row_values(x, *given), exact, rtol=1e-13)


def test_slopes_and_curvatures_are_derivatives():
    counts, rows, columns, x, given = setup(2.0)
    slopes, curvature = x.copy(), np.empty_like(x)
    values = row_slopes(slopes, *given, curvature)
    np.testing.assert_allclose(values, row_values(x, *given), rtol=1e-14)
    a, b, h = counts[1:5], np.outer(rows[1:5], columns), 1e-4
    up, here, down = (plain(a, b, x + s) for s in (h, 0.0, -h))
    np.testing.assert_allclose(slopes, (up - down) / (2 * h), atol=1e-7)
    np.testing.assert_allclose(curvature, -(up - 2 * here + down) / h**2, atol=1e-6)


def test_nothing_overflows_far_away():
    _, _, _, x, given = setup(1.0)
    slopes, curvature = 1e4 * x, np.empty_like(x)
    assert np.isfinite(row_slopes(slopes, *given, curvature)).all()
    assert np.isfinite(slopes).all() and (curvature >= 0.0).all()
