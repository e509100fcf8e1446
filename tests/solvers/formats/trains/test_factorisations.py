"""Triangular factors and left singular vectors, by whichever routine of LAPACK the sizes choose."""

import numpy as np
import pytest

from solvers.formats.trains import factorisations
from solvers.formats.trains.factorisations import LeftSVD, triangular_factor

SHAPES = [(9, 4), (4, 9), (60, 12), (500, 20), (30, 30), (700, 33), (500, 40), (2000, 60), (600, 300)]


def tall(shape, dtype, rng):
    m = rng.standard_normal(shape).astype(dtype)
    return m + 1j * rng.standard_normal(shape) if dtype is complex else m


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("shape", SHAPES)
def test_triangular_factor(shape, dtype):
    m = tall(shape, dtype, np.random.default_rng(0)) * np.geomspace(1.0, 1e-6, shape[1])
    r = triangular_factor(np.asfortranarray(m))
    assert r.shape == (min(shape), shape[1]) and np.all(np.tril(r, -1) == 0.0)
    exact = np.linalg.qr(m, mode="r")
    assert np.abs(np.abs(r) - np.abs(exact)).max() <= 1e-12 * np.abs(exact).max()
    scale = np.linalg.norm(m, axis=0)
    np.testing.assert_allclose(
        r.conj().T @ r / scale / scale[:, None], m.conj().T @ m / scale / scale[:, None], atol=1e-12
    )


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("shape", SHAPES)
def test_left_singular_vectors(shape, dtype):
    m = tall(shape, dtype, np.random.default_rng(1))
    svd = LeftSVD(np.asfortranarray(m))
    np.testing.assert_allclose(svd.s, np.linalg.svd(m, compute_uv=False), rtol=1e-11)
    u = svd.vectors(3)
    np.testing.assert_allclose(u.conj().T @ u, np.eye(3), atol=1e-13)
    np.testing.assert_allclose(np.linalg.norm(u.conj().T @ m, axis=1), svd.s[:3], rtol=1e-11)


def test_both_routines_are_met():
    """Of the shapes above, by the narrow blocks and without them."""
    made = {factorisations._reflectors(np.asfortranarray(np.ones(shape)))[2] for shape in SHAPES}
    assert made == {True, False}
