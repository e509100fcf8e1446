"""Operators of small spaces as matrices, their states as vectors and as trains, and the second looks at them."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
from eigen_cases import system
from sector_cases import PARITY_MODES, dense, total_charges

from solvers.eigen import explicit, full_vectors, matrix_levels
from solvers.eigen.checks import looked_at, rayleigh_quotient
from solvers.eigen.states import EigenStates
from solvers.eigen.vector_trains import sector_train
from solvers.formats.trains.construct import kronecker_sum
from solvers.sectors.train import inner
from solvers.solution import Status


def test_an_operator_as_a_matrix(monkeypatch) -> None:
    case = system(81)
    size = int(explicit.size_of(case.modes))
    assert size == len(case.h)
    np.testing.assert_allclose(explicit.matrix(case.train), case.h, atol=1e-12)
    monkeypatch.setattr(explicit, "DENSE", size - 1)  # from its halves
    found = explicit.matrix(case.train)
    assert sp.issparse(found)
    np.testing.assert_allclose(found.toarray(), case.h, atol=1e-12)
    monkeypatch.setattr(explicit, "MOST_ENTRIES", 10)
    assert explicit.matrix(case.train) is None


def test_charges_and_dimensions() -> None:
    charges = explicit.total_charges(PARITY_MODES)
    np.testing.assert_array_equal(charges, total_charges(PARITY_MODES))
    for charge in (0, 1, 2):
        assert explicit.space_of(PARITY_MODES, charge) == int(np.sum(charges == charge))


def test_a_diagonal_is_seen() -> None:
    levels = [np.array([0.0, 1.0, 3.0]), np.array([0.5, 0.7])]
    found = explicit.diagonal(kronecker_sum([np.diag(e) for e in levels]))
    np.testing.assert_allclose(found, np.add.outer(*levels).ravel())
    assert explicit.diagonal(system(81).train) is None


@pytest.mark.parametrize("charge", [0, 1])
def test_a_vector_as_a_train(charge: int) -> None:
    case = system(82)
    vector = np.zeros(len(case.h))
    own = case.members(charge)
    vector[own] = case.rng.standard_normal(len(own))
    x = sector_train(vector, charge, case.modes, 1e-14, 1000)
    assert x.charge == charge
    np.testing.assert_allclose(dense(x), vector, atol=1e-12)
    rough = sector_train(vector, charge, case.modes, 0.3, 1000)
    error = np.linalg.norm(dense(rough) - vector) / np.linalg.norm(vector)
    assert 0.0 < error <= 0.3 and rough.max_rank < x.max_rank
    assert sector_train(vector, charge, case.modes, 1e-14, 2).max_rank <= 2


def test_the_spectrum_is_that_of_the_dense_matrix() -> None:
    case = system(83)
    found = full_vectors.spectrum(case.train, case.modes, 9, case.rng)
    assert found is not None and found.completeness == "proved"
    np.testing.assert_allclose(found.energies, np.linalg.eigvalsh(case.h)[:9], atol=1e-10)
    for i, (energy, charge) in enumerate(zip(found.energies, found.charges)):
        v = found.vector(i)
        np.testing.assert_allclose(case.h @ v, energy * v, atol=1e-9)
        assert np.all(v[total_charges(case.modes) != charge] == 0.0)
    quotients, residuals = found.judged(np.eye(len(case.h))[:, :3])
    np.testing.assert_allclose(quotients, np.diag(case.h)[:3])
    np.testing.assert_allclose(residuals, np.linalg.norm((case.h - np.diag(np.diag(case.h)))[:, :3], axis=0))


def test_lanczos_searches_where_the_matrix_is_not_dense(monkeypatch) -> None:
    case = system(84)
    monkeypatch.setattr(explicit, "DENSE", 40)
    found = full_vectors.spectrum(case.train, case.modes, 4, case.rng)
    assert found is not None and found.starts >= matrix_levels.AGREEING
    np.testing.assert_allclose(found.energies, np.linalg.eigvalsh(case.h)[:4], atol=1e-8)


def test_a_proved_list_gives_a_start() -> None:
    case = system(85)
    start = full_vectors.Reference(case.train, case.modes, 5, 0).proved_start(5, 1000)
    assert start is not None
    found = [(state.energy, dense(state.train)) for sector in start.sectors for state in sector.states]
    np.testing.assert_allclose(sorted(e for e, _ in found), np.linalg.eigvalsh(case.h)[:5], atol=1e-10)
    for energy, v in found:
        np.testing.assert_allclose(case.h @ v, energy * v, atol=1e-8)


def solved(case, count=5):
    solution = full_vectors.solve(case.train, case.modes, count, 1e-8, case.rng)
    assert solution is not None
    return solution


def test_a_solution_passes_its_second_looks() -> None:
    case = system(86)
    found = looked_at(solved(case), case.train, case.modes, 5, 1e-8, None, case.rng)
    assert found.status is Status.CONVERGED and all(check.passed for check in found.checked)
    assert {check.what for check in found.checked} >= {"number of levels", "orthonormality", "energies"}


@pytest.mark.parametrize("fault", ["energy", "twice", "left out"])
def test_a_list_that_is_wrong_is_contradicted(fault: str) -> None:
    case = system(87)
    solution = solved(case, 6)
    value: EigenStates = solution.value
    trains, energies = list(value.trains), value.energies.copy()
    keep = [0, 1, 2, 3, 4]
    if fault == "energy":
        energies = energies - 1e-3
    if fault == "twice":
        trains[1], energies[1] = trains[0], energies[0]
    if fault == "left out":
        keep = [0, 2, 3, 4, 5]
    wrong = EigenStates(
        energies[keep],
        [trains[i] for i in keep],
        [value.charges[i] for i in keep],
        value.errors[keep],
        value.buffer,
        value.probe,
    )
    found = looked_at(replace(solution, value=wrong), case.train, case.modes, 5, 1e-8, None, case.rng)
    assert found.status is Status.CONTRADICTED and not all(check.passed for check in found.checked)


def test_the_rayleigh_quotient_by_dense_cores() -> None:
    case = system(88)
    x = case.random_state(1).scaled(2.0)
    v = dense(x)
    assert rayleigh_quotient(case.train, x.to_train()) == pytest.approx(v @ case.h @ v / (v @ v), rel=1e-12)
    assert inner(x, x) == pytest.approx(4.0)
