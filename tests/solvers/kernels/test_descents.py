"""The loops of samples against numpy."""

import numpy as np
import pytest

from solvers.kernels import descents


def test_sorting():
    index = np.array([2, 0, 2, 5, 0])
    order, bounds = descents.sorted_by(index, 6)
    assert order.tolist() == [1, 4, 0, 2, 3] and bounds.tolist() == [0, 2, 2, 4, 4, 4, 5]


@pytest.mark.parametrize("dtype", [float, complex])
def test_masses_of_rows(dtype):
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal((7, 3)) + (1j * rng.standard_normal((7, 3)) if dtype is complex else 0) for _ in "ab")
    form, square = np.empty(7), np.empty(7)
    descents.forms(a, b, form)
    descents.squares(a, square)
    np.testing.assert_allclose(form, np.sum(a * b.conj(), axis=1).real, atol=1e-14)
    np.testing.assert_allclose(square, np.linalg.norm(a, axis=1) ** 2, rtol=1e-14)
    a[0], square[0] = 0.0, 0.0
    descents.divide_rows(a, np.sqrt(square))
    np.testing.assert_allclose(np.linalg.norm(a, axis=1), [0, 1, 1, 1, 1, 1, 1], rtol=1e-14)


def test_cells():
    edges = np.array([[0.0, 0.25, 0.25, 1.0], [0.0, 0.0, 0.5, 0.5]])
    found = descents.cells(edges, np.array([0, 0, 0, 1, 1]), np.array([0.2, 0.25, 0.9, 0.1, 0.7]))
    assert found.tolist() == [0, 2, 2, 1, 1]
