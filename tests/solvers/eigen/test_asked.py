"""Masses, targets and the upper end: eigenvalues that are known, normalisation, and what is refused."""

import finite_elements
import numpy as np
import pytest
import scipy.linalg as sl

from solvers.eigen import explicit, pencil
from solvers.eigen.asked import Asked, by_sums
from solvers.eigen.count_levels import count_levels
from solvers.eigen.eigsolve import eigsolve
from solvers.formats.trains.construct import identity_operator, kronecker_sum, operator_tt_svd, rank_one_operator
from solvers.formats.trains.sum_of_products import sum_of_products
from solvers.formats.trains.tensor_train import dot

# 8 of 40 cells, lowest: dense generalised diagonalisation in scipy, rel 1e-12; 7 lie in [100, 200)
COUPLED_40 = [20.940583198572206, 52.16115647105532, 52.71170797322721, 83.8910252133799, 105.10875697944817]
# Henon-Heiles, three modes, 16 functions each, lambda = 0.111803: dense diagonalisation by parity in scipy, abs 1e-12
HENON_HEILES_6 = [5.894173027735054, 6.214243420425641, 6.214904794889117, 6.29863710372648, 6.30746749458417]
HENON_HEILES_COUNTS = {(0.0, 4.0): 10, (4.0, 6.0): 26, (6.0, 6.5): 20, (10.0, 10.2): 16}


def henon_heiles(n: int = 16, strength: float = 0.111803):
    q = np.diag(np.sqrt(np.arange(1, n + 4) / 2.0), 1)
    q = q + q.T
    stack = np.array([np.eye(n), np.diag(np.arange(n) + 0.5), q[:n, :n], (q @ q)[:n, :n], (q @ q @ q)[:n, :n]])
    terms: list = [(1.0, {k: 1}) for k in range(3)]
    for k in range(2):
        terms += [(strength, {k: 3, k + 1: 2}), (-strength / 3.0, {k + 1: 4})]
    return sum_of_products([stack] * 3, terms)


@pytest.mark.parametrize(("d", "cells", "count"), [(1, 9, 5), (3, 32, 30), (6, 16, 12)])
def test_finite_elements_of_a_product_mass(d: int, cells: int, count: int) -> None:
    a, b = finite_elements.laplacian(d, cells)
    found = eigsolve(a, count, mass=b, accuracy=1e-8)
    exact = finite_elements.laplacian_levels(d, cells, count)
    off = np.abs(found.value.energies - exact)
    assert np.all(off <= 1e-9 * exact) and np.all(off <= found.value.errors)
    assert found.value.probe["completeness"] == "proved"
    x, y = found.value.trains[:2]
    assert dot(x, b @ x) == pytest.approx(1.0, abs=1e-10) and abs(dot(x, b @ y)) < 1e-10
    assert (a @ x - (b @ x) * float(found.value.energies[0])).norm() < 1e-8


@pytest.mark.slow
def test_six_dimensions_of_128_cells_and_their_count() -> None:
    a, b = finite_elements.laplacian(6, 128)
    found = eigsolve(a, 30, mass=b, accuracy=1e-8)
    np.testing.assert_allclose(found.value.energies, finite_elements.laplacian_levels(6, 128, 30), rtol=1e-9)
    exact = finite_elements.laplacian_levels(6, 128, 400)
    assert count_levels(a, 0.0, 200.0, mass=b).count == np.sum(exact < 200.0)


def test_a_mass_that_is_no_product() -> None:
    a, b = finite_elements.coupled(12)
    found = eigsolve(a, 5, mass=b, accuracy=1e-8)
    np.testing.assert_allclose(found.value.energies, sl.eigvalsh(a.full(), b.full())[:5], rtol=1e-11)
    x = found.value.trains[2]
    assert dot(x, b @ x) == pytest.approx(1.0, abs=1e-10)


@pytest.mark.slow
def test_a_mass_that_is_no_product_on_forty_cells() -> None:
    a, b = finite_elements.coupled(40)
    found = eigsolve(a, 5, mass=b, accuracy=1e-8)
    np.testing.assert_allclose(found.value.energies, COUPLED_40, rtol=1e-11)
    assert count_levels(a, 100.0, 200.0, mass=b).count == 7


def test_the_same_by_a_subspace_of_trains(monkeypatch) -> None:
    a, b = finite_elements.coupled(6)
    exact = sl.eigvalsh(a.full(), b.full())
    monkeypatch.setattr(explicit, "DENSE", 0)
    monkeypatch.setattr(explicit, "SMALL", 0)
    found = eigsolve(a, 3, mass=b, accuracy=1e-7)
    off = np.abs(found.value.energies - exact[:3])
    assert np.all(off <= found.value.errors) and found.value.errors.max() <= 1e-7
    near = eigsolve(a, 3, mass=b, target=120.0, accuracy=1e-7)
    nearest = np.sort(exact[np.argsort(np.abs(exact - 120.0))[:3]])
    assert np.all(np.abs(near.value.energies - nearest) <= near.value.errors)


def test_the_levels_nearest_to_a_number(monkeypatch) -> None:
    """By factors and two counts, where all vectors would do."""
    monkeypatch.setattr(pencil, "WHOLE", 100)
    h = henon_heiles(8)
    w = np.linalg.eigvalsh(h.full())
    found = eigsolve(h, 9, target=6.0, accuracy=1e-8)
    assert found.value.probe["completeness"] == "proved"
    np.testing.assert_allclose(found.value.energies, np.sort(w[np.argsort(np.abs(w - 6.0))[:9]]), atol=1e-11)
    x = found.value.trains[7]
    left = (h @ x - x * float(found.value.energies[7])).norm()
    assert left == pytest.approx(found.residual[7], rel=1e-3, abs=1e-9)


@pytest.mark.slow
def test_twenty_levels_of_henon_heiles_nearest_to_six() -> None:
    h = henon_heiles()
    found = eigsolve(h, 20, target=6.0, accuracy=1e-8)
    assert found.value.probe["completeness"] == "proved"
    nearest = found.value.energies[np.argsort(np.abs(found.value.energies - 6.0))]
    assert np.all(np.min(np.abs(nearest[:, None] - HENON_HEILES_6), axis=0) < 1e-11)


@pytest.mark.slow
def test_counts_of_the_levels_in_windows() -> None:
    for (lower, upper), count in HENON_HEILES_COUNTS.items():
        assert count_levels(henon_heiles(), lower, upper).count == count


@pytest.mark.parametrize("complex_", [False, True])
def test_small_random_operators_by_every_question(complex_: bool) -> None:
    rng = np.random.default_rng(8)
    g = rng.standard_normal((2, 12, 12)) + (1j * rng.standard_normal((2, 12, 12)) if complex_ else 0.0)
    h, m = g[0] + g[0].conj().T, g[1] @ g[1].conj().T + np.eye(12)
    a, b = (operator_tt_svd(x.reshape(3, 4, 3, 4), 1e-15) for x in (h, m))
    w = sl.eigvalsh(h, m)
    np.testing.assert_allclose(eigsolve(a, 4, mass=b, accuracy=1e-9).value.energies, w[:4], atol=1e-12)
    np.testing.assert_allclose(
        eigsolve(a, 4, mass=b, which="largest", accuracy=1e-9).value.energies, w[::-1][:4], atol=1e-12
    )
    near = np.sort(w[np.argsort(np.abs(w - 0.3))[:4]])
    np.testing.assert_allclose(eigsolve(a, 4, mass=b, target=0.3, accuracy=1e-9).value.energies, near, atol=1e-12)
    np.testing.assert_allclose(
        eigsolve(a, 12, which="largest", accuracy=1e-9).value.energies, np.linalg.eigvalsh(h)[::-1], atol=1e-12
    )
    assert count_levels(a, -1.0, 1.5, mass=b).count == np.sum((w >= -1.0) & (w < 1.5))


def test_sums_over_modes_in_a_huge_space() -> None:
    rng = np.random.default_rng(2)
    parts = [g + g.T for g in rng.standard_normal((40, 3, 3))]
    found = by_sums(kronecker_sum(parts), 4, None, 1e-9)
    assert found is not None and found.converged and found.residual.max() < 1e-10
    levels = [np.linalg.eigvalsh(p) for p in parts]
    ground = sum(w[0] for w in levels)
    gaps = np.sort([w[1] - w[0] for w in levels])[:2]
    np.testing.assert_allclose(found.value.energies[:3] - ground, [0.0, *gaps], atol=1e-11)


def test_refusals_are_one_line() -> None:
    a = identity_operator((2, 3))
    for mass, text in (
        (rank_one_operator([np.diag([1.0, -1.0]), np.eye(3)]), "mass is not positive definite"),
        (a * -1.0, "mass is not positive definite"),
        (a * 0.0, "mass is not positive definite"),
        (rank_one_operator([np.triu(np.ones((2, 2))), np.eye(3)]), "mass is not Hermitian"),
        (identity_operator((2, 2)), "mass has the shape"),
    ):
        with pytest.raises(ValueError, match=text):
            eigsolve(a, 1, mass=mass)
    for asked, text in (({"which": "lowest"}, "smallest"), ({"target": np.nan}, "real"), ({"target": 1j}, "real")):
        with pytest.raises(ValueError, match=text):
            Asked(**asked)
    with pytest.raises(ValueError, match="exclude"):
        Asked("largest", 1.0)
