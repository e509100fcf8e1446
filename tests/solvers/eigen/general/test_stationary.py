"""Stationary states: exact ones of chains, of mass one, and several that are not taken for one."""

import generators
import numpy as np
import pytest
import scipy.sparse as sp

from solvers.eigen import explicit
from solvers.eigen.general import another
from solvers.eigen.general import stationary as module
from solvers.eigen.general.stationary import stationary
from solvers.formats.trains.construct import operator_tt_svd, rank_one, rank_one_operator, tt_svd
from solvers.formats.trains.tensor_train import dot
from solvers.solution import Status


def test_the_exclusion_process_of_ten_sites() -> None:
    found = stationary(generators.exclusion(10))
    p = found.value
    assert p.ranks == (1, 2, 3, 4, 5, 6, 5, 4, 3, 2, 1)  # exactly
    np.testing.assert_allclose(generators.densities(p)[:4], generators.EXCLUSION_DENSITIES_10, atol=1e-14)
    assert found.extra["unique"] == "one closed class" and found.extra["error"] < 1e-12
    assert p.full().sum() == pytest.approx(1.0, abs=1e-14) and p.full().min() > 0.0


def test_by_implicit_steps_as_by_vectors(monkeypatch) -> None:
    """The route of large spaces, where the answer is known: Gibbs' state of the Glauber chain, of rank two."""
    monkeypatch.setattr(module, "LARGEST_FACTORS", 0)
    found = stationary(generators.glauber(9), accuracy=1e-7)
    s = 1 - 2 * ((np.arange(512)[:, None] >> np.arange(8, -1, -1)) & 1)
    gibbs = np.exp(0.8 * (s[:, 1:] * s[:, :-1]).sum(axis=1))
    gibbs /= gibbs.sum()
    off = np.linalg.norm(found.value.full().ravel() - gibbs) / np.linalg.norm(gibbs)
    assert off <= found.extra["error"] <= 1e-7
    assert dot(module.ones((2,) * 9), found.value) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.slow
def test_the_exclusion_process_of_fifty_sites() -> None:
    found = stationary(generators.exclusion(50))
    np.testing.assert_allclose(generators.densities(found.value)[:4], generators.EXCLUSION_DENSITIES_50, atol=1e-8)


def test_several_stationary_states_are_refused() -> None:
    with pytest.raises(ValueError, match="64 closed classes"):
        stationary(generators.epidemic(6))
    turn = np.array([[0.0, 1.0], [1.0, 0.0]])
    twice = rank_one_operator([np.eye(2) - turn, np.eye(3)]) * -1.0  # columns sum to zero, three classes
    with pytest.raises(ValueError, match="not unique"):
        stationary(twice)
    with pytest.raises(ValueError, match="not unique"):
        stationary(twice * 0.0)


def test_what_keeps_no_mass_is_refused() -> None:
    with pytest.raises(ValueError, match="columns do not sum to zero"):
        stationary(rank_one_operator([np.eye(2)]))
    with pytest.raises(ValueError, match="null vector of its adjoint"):
        stationary(generators.exclusion(3), left=tt_svd(np.arange(8.0).reshape(2, 2, 2)))


def test_a_damped_spin_by_the_vectorised_identity() -> None:
    """Lindblad operator of a spin with loss 1 and pump 0.25: the populations are 0.2 and 0.8."""
    loss, pump, one = np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([[0.0, 1.0], [0.0, 0.0]]), np.eye(2)
    h = np.diag([0.7, -0.7])
    a = -1j * (np.kron(h, one) - np.kron(one, h.T))
    for rate, l in ((1.0, loss), (0.25, pump)):
        n = l.T @ l
        a = a + rate * (np.kron(l, l.conj()) - 0.5 * np.kron(n, one) - 0.5 * np.kron(one, n.T))
    found = stationary(operator_tt_svd(a, 1e-15), left=tt_svd(np.eye(2).ravel()), accuracy=1e-10)
    np.testing.assert_allclose(found.value.full(), [0.2, 0.0, 0.0, 0.8], atol=1e-12)
    assert found.extra["unique"].startswith("next eigenvalue")


def test_rates_over_many_decades() -> None:
    """A birth-death chain whose populations span twenty decades: detailed balance is exact."""
    n = 12
    births, deaths = 10.0 ** np.linspace(-3.0, 1.0, n - 1), 10.0 ** np.linspace(2.0, -1.0, n - 1)
    a = np.diag(births, -1) + np.diag(deaths, 1)
    a -= np.diag(a.sum(axis=0))
    exact = np.cumprod(np.append(1.0, births / deaths))
    exact /= exact.sum()
    found = stationary(operator_tt_svd(a.reshape(3, 4, 3, 4), 1e-15), accuracy=1e-9)
    off = np.linalg.norm(found.value.full().ravel() - exact) / np.linalg.norm(exact)
    assert off <= found.extra["error"] <= 1e-9


def test_several_stationary_states_of_a_large_chain_are_said(monkeypatch) -> None:
    """The number of particles is kept: a search in the complement finds a second state."""
    monkeypatch.setattr(module, "LARGEST_FACTORS", 0)
    monkeypatch.setattr(another, "conserved_product", lambda *_: None)
    with pytest.raises(ValueError, match="not unique: a search found another"):
        stationary(generators.exchange(5), accuracy=1e-6)


def test_nearly_closed_classes_by_elimination() -> None:
    """Two wells that a particle leaves once in 1e13 steps: detailed balance is exact, LU alone gives no digit."""
    n = 40
    x = np.linspace(-1.2, 1.2, n)
    energy = 30.0 * (x**2 - 1.0) ** 2 + 2.0 * x
    births = np.exp(-0.5 * np.diff(energy))
    deaths = 1.0 / births
    a = np.diag(births, -1) + np.diag(deaths, 1)
    a -= np.diag(a.sum(axis=0))
    exact = np.exp(-energy) / np.exp(-energy).sum()
    found = stationary(operator_tt_svd(a.reshape(n, n), 1e-16), accuracy=1e-8)
    off = np.linalg.norm(found.value.full() - exact) / np.linalg.norm(exact)
    assert off <= found.extra["error"] <= 1e-8


def test_a_driven_chain_of_spins_by_sweeps(monkeypatch) -> None:
    """Its occupations obey closed equations for any length."""
    monkeypatch.setattr(module, "LARGEST_FACTORS", 0)
    n = 6
    mass = rank_one([np.array([1.0, 0.0, 0.0, 1.0])] * n)
    found = stationary(generators.driven_chain(n), left=mass, accuracy=1e-7)
    np.testing.assert_allclose(generators.occupations(found.value), generators.driven_occupations(n), atol=1e-9)
    assert found.extra["error"] <= 1e-7 and found.extra["unique"].startswith("searched")
    assert found.value.ranks[3] == 12  # exactly, four times the distance from the nearer end


@pytest.mark.slow
def test_a_driven_chain_of_twenty_spins() -> None:
    n = 20
    mass = rank_one([np.array([1.0, 0.0, 0.0, 1.0])] * n)
    found = stationary(generators.driven_chain(n), left=mass)
    np.testing.assert_allclose(generators.occupations(found.value), generators.driven_occupations(n), atol=1e-8)


@pytest.mark.parametrize("max_rank", [1, 2, 30])
def test_the_error_is_not_told_too_small_where_ranks_are_cut(max_rank, monkeypatch) -> None:
    """Random rates of sites and neighbours, and driven chains: told errors are at least a third of the true ones."""
    monkeypatch.setattr(module, "LARGEST_FACTORS", 0)
    for seed in range(6):
        rng = np.random.default_rng(seed)
        if seed % 2:
            a, left = generators.random_rates(rng), None
        else:
            n = int(rng.integers(2, 4))
            a = generators.driven_chain(n, *rng.uniform(0.1, 1.0, 3))
            left = rank_one([np.array([1.0, 0.0, 0.0, 1.0])] * n)
        weights = np.ones(a.row_shape) if left is None else left.full()
        exact = np.linalg.svd(sp.csc_matrix(explicit.matrix(a)).toarray())[2][-1].conj()
        exact = exact / np.vdot(weights, exact)
        found = stationary(a, left=left, max_rank=max_rank, accuracy=1e-7, throw=False)
        off = np.linalg.norm(found.value.full().ravel() - exact) / np.linalg.norm(exact)
        assert off <= 3.0 * found.extra["error"]
        assert (found.status is Status.CONVERGED) or off > 1e-8
