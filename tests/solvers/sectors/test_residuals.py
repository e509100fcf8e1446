"""Residual norms of trains, exact and by random sketches, against the dense operator."""

import numpy as np
import pytest
from eigen_cases import system
from sector_cases import dense

from solvers.eigen.block_start import joined, low_energy_bases
from solvers.sectors.residual_sketch import residual_norm_sketch
from solvers.sectors.residuals import block_residuals, residual_norm
from solvers.sectors.train import SectorTrain


def true_norm(case, vector, energy):
    return np.linalg.norm(case.h @ vector - energy * vector)


@pytest.mark.parametrize("charge", [0, 1])
def test_of_one_train(charge: int) -> None:
    case = system(21)
    x = case.random_state(charge)
    assert residual_norm(case.operator, x, 0.7) == pytest.approx(true_norm(case, dense(x), 0.7), rel=1e-12)


@pytest.mark.parametrize("centre", [0, 1, 2, 3])
def test_of_states_that_share_all_cores_but_one(centre: int) -> None:
    case = system(22)
    x = case.random_state(1)
    rows = case.rng.standard_normal((3, len(x.cores[centre])))
    energies = [-1.0, 0.0, 2.5]
    found = block_residuals(case.operator, x.bonds, x.cores, centre, rows, energies)
    for row, energy, norm in zip(rows, energies, found):
        cores = (*x.cores[:centre], row, *x.cores[centre + 1 :])
        vector = dense(SectorTrain(case.modes, x.bonds, cores))
        assert norm == pytest.approx(true_norm(case, vector, energy), rel=1e-12)


def test_of_an_eigenvector_to_the_last_digits() -> None:
    """Nothing is squared: what is left of an exact state is rounding, not its root."""
    case = system(23)
    values, vectors = case.levels(0)
    x = case.state(vectors[:, 1], 0)
    assert residual_norm(case.operator, x, float(values[1])) < 1e-13 * np.abs(case.h).sum(axis=1).max()


def test_of_the_rows_of_a_block_train() -> None:
    case = system(24)
    trains = [case.random_state(0, 2), case.random_state(0, 1)]
    bonds, cores, rows = joined(trains, low_energy_bases(case.operator, 0, 4))
    found = block_residuals(case.operator, bonds, cores, 0, rows, [0.1, 0.2])
    expected = [true_norm(case, dense(x), e) for x, e in zip(trains, (0.1, 0.2))]
    np.testing.assert_allclose(found, expected, rtol=1e-11)


@pytest.mark.parametrize("charge", [0, 1])
def test_a_sketch_wider_than_the_space_is_exact(charge: int) -> None:
    case = system(25)
    x = case.random_state(charge)
    found = residual_norm_sketch(case.operator, x, 0.4, case.rng, width=1000)
    assert found == pytest.approx(true_norm(case, dense(x), 0.4), rel=1e-10)


def test_the_square_of_a_narrow_sketch_is_unbiased() -> None:
    case = system(26)
    x = case.random_state(0)
    squares = [residual_norm_sketch(case.operator, x, -0.2, case.rng, width=4) ** 2 for _ in range(400)]
    exact = true_norm(case, dense(x), -0.2) ** 2
    deviation = np.std(squares) / np.sqrt(len(squares))
    assert 0.0 < deviation < 0.1 * exact
    assert np.mean(squares) == pytest.approx(exact, abs=4.0 * deviation)
