"""Levels of operators that know what they are: against tridiagonal matrices and oscillators, on up to 2^20 points."""

import numpy as np
import pytest
from scipy.linalg import eigh, eigh_tridiagonal

from solvers.eigen.eigsolve import eigsolve
from solvers.eigen.form_levels import PASSES, levels_of_form
from solvers.formats import quantics
from solvers.formats.quantics.forms import FormOperator
from solvers.formats.trains.construct import identity_operator
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import dot
from solvers.solution import Status


def grid(levels, reach):
    step = 2.0 * reach / (2**levels + 1)
    return -reach + step, step


def hamiltonian(levels, reach, coefficients):
    start, step = grid(levels, reach)
    potential = quantics.polynomial(levels, coefficients, start, step)
    return quantics.laplacian(levels, step) * 0.5 + quantics.diagonal(potential)


@pytest.mark.parametrize(("coefficients", "reach"), [([0.0, 0.0, 0.5], 10.0), ([4.0, 0.0, -4.0, 0.0, 1.0], 5.0)])
def test_wells_are_those_of_the_tridiagonal_matrix(coefficients, reach):
    start, step = grid(11, reach)
    x = start + step * np.arange(2**11)
    v = np.polynomial.polynomial.polyval(x, coefficients)
    exact, vectors = eigh_tridiagonal(
        1.0 / step**2 + v, np.full(2**11 - 1, -0.5 / step**2), select="i", select_range=(0, 4)
    )
    found = eigsolve(hamiltonian(11, reach, coefficients), 5, accuracy=1e-8)
    np.testing.assert_allclose(found.value.energies, exact, atol=1e-9)
    for k, train in enumerate(found.value.trains):
        assert abs(train.full().ravel() @ vectors[:, k]) == pytest.approx(1.0, abs=1e-7)
    assert found.extra["route"] == "form"


def test_the_oscillator_on_2_to_the_20_points():
    """Second differences lower the levels by step^2 <p^4> / 24, with <p^4> = 3 (2 n^2 + 2 n + 1) / 4."""
    _, step = grid(20, 10.0)
    found = eigsolve(hamiltonian(20, 10.0, [0.0, 0.0, 0.5]), 4, accuracy=1e-10)
    n = np.arange(4)
    np.testing.assert_allclose(found.value.energies, n + 0.5 - step**2 * (2 * n**2 + 2 * n + 1) / 32.0, atol=2e-12)
    assert (found.value.errors < 1e-10).all() and found.extra["max_rank"] < 15
    overlaps = [[dot(x, y) for x in found.value.trains] for y in found.value.trains]
    np.testing.assert_allclose(overlaps, np.eye(4), atol=1e-6)


@pytest.mark.parametrize("order", ["sequential", "interleaved"])
def test_coupled_oscillators_on_2_to_the_20_points_each(order):
    levels, k = 20, 0.4
    start, step = grid(levels, 8.0)
    x = quantics.polynomial(levels, [0.0, 1.0], start, step)
    squares = [quantics.polynomial(levels, [0.0, 0.0, 0.5], start, step)] * 2
    potential = (quantics.kronecker_sum(squares, order) + quantics.kron([x, x], order) * k).round(1e-14)
    operator = quantics.kronecker_sum([quantics.laplacian(levels, step) * 0.5] * 2, order)
    operator = operator + quantics.diagonal(potential) - identity_operator((2,) * 40) * 1.0
    exact = np.sort([(i + 0.5) * np.sqrt(1 + k) + (j + 0.5) * np.sqrt(1 - k) for i in range(5) for j in range(5)])[:3]
    found = eigsolve(operator, 3, accuracy=1e-7)
    np.testing.assert_allclose(found.value.energies, exact - 1.0, atol=1e-8)


def test_a_variable_mass_and_a_reaction_against_the_dense_matrix():
    operator = quantics.divergence_form([4, 3], lambda x: 1.0 + x[:, 0] * x[:, 1], reaction=lambda x: 30.0 * x[:, 0])
    exact = eigh(operator.full(), eigvals_only=True, subset_by_index=[0, 3])
    found = levels_of_form(operator, 4, 1e-6)
    assert found is not None
    np.testing.assert_allclose(found.value.energies, exact, atol=1e-6)


def test_a_step_between_the_pieces_is_not_claimed(monkeypatch):
    monkeypatch.setitem(PASSES, 1, PASSES[1][:2])
    levels = 18
    _, step = grid(levels, 5.0)
    well = quantics.heaviside(levels, 2**17 + 12345) * 50.0
    operator = quantics.laplacian(levels, step) * 0.5 + quantics.diagonal(well)
    found = levels_of_form(operator, 3, 1e-10)
    assert found is not None and found.status is Status.BASIS_LIMIT and found.n_converged < 3


def test_what_has_no_form_or_three_axes_goes_the_usual_way():
    operator = hamiltonian(4, 5.0, [0.0, 0.0, 0.5])
    assert isinstance(operator, FormOperator) and operator.forms[0].potential is not None
    assert levels_of_form(TTOperator(operator.cores), 2, 1e-6) is None
    assert levels_of_form(quantics.kronecker_sum([quantics.laplacian(4)] * 3), 2, 1e-6) is None
