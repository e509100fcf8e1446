"""The grid and its sine basis: eigenvectors, exact integrals, refinement, delta functions."""

import numpy as np
import pytest

from problems.orbital_free_dft.grid import Grid, from_sine, refined, to_sine

BOX = 7.3


def waves(x, count, box=BOX):
    return np.sin(np.pi * np.arange(1, count + 1) * (x[:, None] + 0.5 * box) / box)


def test_the_points():
    grid = Grid(BOX, 4)
    assert grid.points == 16 and grid.spacing == pytest.approx(BOX / 16)
    assert grid.volume == pytest.approx((BOX / 16) ** 3)
    assert grid.x[0] == pytest.approx(-0.5 * BOX + 0.5 * grid.spacing)
    assert np.allclose(grid.x, -grid.x[::-1]) and np.allclose(np.diff(grid.x), grid.spacing)


def test_the_basis_is_orthonormal_and_its_own_inverse():
    columns = np.random.default_rng(0).standard_normal((32, 5))
    assert np.allclose(from_sine(to_sine(columns)), columns)
    assert np.allclose(np.linalg.norm(to_sine(columns), axis=0), np.linalg.norm(columns, axis=0))


def test_sine_functions_are_the_basis():
    """Each sampled function is one coefficient, of the size of its norm."""
    grid = Grid(BOX, 4)
    coefficients = to_sine(waves(grid.x, 16))
    norms = np.linalg.norm(waves(grid.x, 16), axis=0)
    assert np.allclose(coefficients, np.diag(norms), atol=1e-12)
    assert np.allclose(norms[:-1], np.sqrt(8.0)) and norms[-1] == pytest.approx(4.0)


def test_eigenvalues_of_second_differences():
    """The matrix of second differences with zero values on the faces: ghost points of opposite sign."""
    grid = Grid(BOX, 4, "differences")
    matrix = (2.0 * np.eye(16) - np.eye(16, k=1) - np.eye(16, k=-1)) / grid.spacing**2
    matrix[0, 0] = matrix[-1, -1] = 3.0 / grid.spacing**2
    basis = from_sine(np.eye(16))
    assert np.allclose(matrix @ basis, basis * grid.eigenvalues, atol=1e-11)


def test_eigenvalues_are_of_second_order():
    exact = Grid(BOX, 6).eigenvalues[:3]
    assert exact == pytest.approx((np.pi * np.arange(1, 4) / BOX) ** 2)
    errors = [np.abs(Grid(BOX, level, "differences").eigenvalues[:3] - exact) for level in (6, 7)]
    assert np.allclose(errors[0] / errors[1], 4.0, rtol=0.01)


@pytest.mark.parametrize("levels", [(4, 4), (4, 5), (3, 7)])
def test_refinement_is_exact_for_what_the_grid_holds(levels):
    coarse, fine = (Grid(BOX, level) for level in levels)
    weights = np.random.default_rng(1).standard_normal((coarse.points, 3))
    columns = waves(coarse.x, coarse.points) @ weights
    there = refined(columns, fine.points)
    assert np.allclose(there, waves(fine.x, coarse.points) @ weights, atol=1e-11)
    # integrals of products stay what they are, but for the alternating function, known at its peaks only
    weights[-1] = 0.0
    columns = waves(coarse.x, coarse.points) @ weights
    there = refined(columns, fine.points)
    assert np.allclose(there.T @ there * fine.spacing, columns.T @ columns * coarse.spacing)


def test_a_point_charge_is_dual_to_point_values():
    """The inner product with a function of the grid is its value there, at any place."""
    grid = Grid(BOX, 4)
    weights = np.random.default_rng(2).standard_normal(16)
    places = np.array([-0.41 * BOX, -0.1, 0.0, 1.234, grid.x[5]])
    values = to_sine(waves(grid.x, 16) @ weights)
    delta = grid.point_charge(places)
    assert delta.shape == (16, 5)
    assert np.allclose(grid.spacing * delta.T @ values, waves(places, 16) @ weights)


def test_a_point_dipole_is_the_derivative():
    grid = Grid(BOX, 4)
    places, step = np.array([-1.0, 0.3, 2.2]), 1e-4
    f = [grid.point_charge(places + k * step) for k in (-2, -1, 1, 2)]
    differences = (f[0] - 8.0 * f[1] + 8.0 * f[2] - f[3]) / (12.0 * step)
    assert np.allclose(grid.point_dipole(places), differences, atol=1e-8 * np.abs(differences).max())
