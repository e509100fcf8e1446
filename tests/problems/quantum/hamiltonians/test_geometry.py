"""Normal modes and rotation data of a geometry: against a Hessian put together from known modes, and differences."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from problems.quantum.hamiltonians.force_field.geometry import (
    ANGSTROM,
    ELECTRONS,
    HARTREE,
    Geometry,
    normal_modes,
    rotation_of,
)

LINE = Geometry(("O", "C", "O"), np.array([15.995, 12.0, 15.995]), np.array([[0, 0, -1.16], [0, 0, 0], [0, 0, 1.16]]))


def molecule(seed: int, atoms: int) -> Geometry:
    rng = np.random.default_rng(seed)
    return Geometry(("X",) * atoms, rng.uniform(1.0, 80.0, atoms), rng.normal(0.0, 1.5, (atoms, 3)))


def hessian_of(geometry: Geometry, frequencies: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    roots = np.repeat(np.sqrt(geometry.masses * ELECTRONS), 3)
    flat = vectors.reshape(len(frequencies), -1)
    squares = np.sign(frequencies) * (frequencies / HARTREE) ** 2
    return np.outer(roots, roots) * (flat.T @ np.diag(squares) @ flat)


@given(st.integers(0, 1000), st.integers(3, 6))
def test_the_modes_of_a_hessian_are_those_it_was_put_together_from(seed: int, atoms: int) -> None:
    geometry = molecule(seed, atoms)
    _, _, rows = np.linalg.svd(geometry.still())
    vectors = rows[6:].reshape(-1, atoms, 3)
    frequencies = np.linspace(-300.0, 3000.0, len(vectors))
    found = normal_modes(geometry, hessian_of(geometry, frequencies, vectors))
    assert found.frequencies == pytest.approx(frequencies, abs=1e-4)
    overlaps = np.einsum("kia,lia->kl", found.vectors, vectors)
    assert np.abs(overlaps) == pytest.approx(np.eye(len(vectors)), abs=1e-5)


def test_a_linear_molecule_has_one_mode_more() -> None:
    assert len(LINE.still()) == 5
    assert len(normal_modes(LINE, np.eye(9)).frequencies) == 4


@given(st.integers(0, 1000))
def test_derivatives_of_the_inertia_are_those_by_differences(seed: int) -> None:
    geometry = molecule(seed, 4)
    vectors = normal_modes(geometry, np.diag(np.linspace(0.1, 1.0, 12))).vectors
    rotation = rotation_of(geometry, vectors)
    assert rotation.derivatives is not None
    for vector, slope in zip(vectors, rotation.derivatives):
        step = 1e-4 * vector / np.sqrt(geometry.masses)[:, None]
        ends = [Geometry(geometry.symbols, geometry.masses, geometry.positions + s * step).inertia for s in (1, -1)]
        assert slope == pytest.approx((ends[0] - ends[1]) / 2e-4, abs=1e-6)


def test_zeta_of_a_bending_pair_of_a_line_is_one() -> None:
    # the two bends of a symmetric XY2 turn about its axis with one quantum of angular momentum
    up = np.array([1.0, -2.0 * np.sqrt(15.995 / 12.0), 1.0])
    bends = np.zeros((2, 3, 3))
    bends[0, :, 0] = bends[1, :, 1] = up / np.linalg.norm(up)
    assert rotation_of(LINE, bends).zeta[2] == pytest.approx(np.array([[0.0, 1.0], [-1.0, 0.0]]))


def test_units_are_those_of_a_harmonic_diatomic() -> None:
    # H-H of 1 amu each, force constant k: w = sqrt(k / mu), mu = 1/2
    pair = Geometry(("H", "H"), np.ones(2), np.array([[0, 0, 0], [0, 0, 0.74]]))
    hessian = np.zeros((6, 6))
    hessian[np.ix_([2, 5], [2, 5])] = 0.37 * np.array([[1, -1], [-1, 1]])
    found = normal_modes(pair, hessian).frequencies
    assert found == pytest.approx([np.sqrt(0.37 / (0.5 * ELECTRONS)) * HARTREE])
    assert pair.inertia[0, 0] == pytest.approx(0.5 * 0.74**2)
    assert pytest.approx(0.529177, abs=1e-6) == ANGSTROM
