"""Degenerate levels on a shared basis: what is asked for is right, a band that goes on beyond it is not resolved."""

import numpy as np
import pytest
from charged_cases import spin_chain

from solvers.eigen import explicit
from solvers.eigen.block_dmrg import Wanted
from solvers.eigen.eigsolve import eigsolve
from solvers.formats.trains.sum_of_products import sum_of_products


def aklt(sites):
    """S.S + (S.S)^2 / 3 of spins one (Affleck, Kennedy, Lieb, Tasaki): four ground states of -2/3 a bond."""
    up = np.sqrt(2.0) * np.diag([1.0, 1.0], 1)
    spin = [0.5 * (up + up.T), -0.5j * (up - up.T), np.diag([1.0, 0.0, -1.0])]
    pairs = [(1.0, a, a) for a in spin] + [(1 / 3, a @ b, a @ b) for a in spin for b in spin]
    stack = [np.eye(3), *(m for _, a, b in pairs for m in (a, b))]
    terms = [(c, {k: 1 + 2 * i, k + 1: 2 + 2 * i}) for k in range(sites - 1) for i, (c, _, _) in enumerate(pairs)]
    return sum_of_products([np.array(stack, dtype=complex)] * sites, terms)


def ising(sites, field):
    z, x = np.diag([1.0, -1.0]), np.array([[0, 1.0], [1, 0]])
    terms = [(-1.0, {k: 1, k + 1: 1}) for k in range(sites - 1)] + [(-field, {k: 2}) for k in range(sites)]
    return sum_of_products([np.array([np.eye(2), z, x])] * sites, terms)


def majumdar_ghosh(sites):
    """A ring whose next neighbours couple by half: two ground states of -3/8 a site."""
    chain = spin_chain(sites)
    terms = []
    stack = np.array([np.eye(2), np.diag([0.5, -0.5]), [[0, 1.0], [0, 0]], [[0, 0], [1.0, 0]]])
    for k in range(sites):
        for step, j in ((1, 1.0), (2, 0.5)):
            other = (k + step) % sites
            terms += [(j, {k: 1, other: 1}), (0.5 * j, {k: 2, other: 3}), (0.5 * j, {k: 3, other: 2})]
    return sum_of_products([stack] * chain.d, terms)


@pytest.mark.parametrize(
    ("make", "n"),
    [
        (lambda: aklt(5), 4),
        (lambda: ising(7, 0.3), 1),
        (lambda: majumdar_ghosh(6), 2),
        (lambda: spin_chain(6), 2),  # one of a triplet
    ],
)
def test_levels_against_dense_matrices(monkeypatch, make, n):
    monkeypatch.setattr(explicit, "SMALL", 0)  # else vectors over the space answer
    h = make()
    exact = np.linalg.eigvalsh(h.full())[:n]
    found = eigsolve(h, n, accuracy=1e-9)
    assert found.status.name == "CONVERGED"
    assert np.all(np.abs(found.value.energies - exact) <= np.maximum(found.value.errors, 1e-12))


@pytest.mark.slow
@pytest.mark.parametrize(("sites", "n"), [(12, 4), (24, 4), (12, 5)])
def test_the_four_ground_states_of_a_longer_chain(sites, n):
    found = eigsolve(aklt(sites), n, accuracy=1e-9)
    np.testing.assert_allclose(found.value.energies[:4], -2 / 3 * (sites - 1), atol=1e-10)
    assert max(x.max_rank for x in found.value.trains[:4]) <= (20 if n == 4 else 100)


def test_what_a_residual_may_be():
    """Kato-Temple: r^2 over the gap to the last state; a buffer's level need only stay above the last one wanted."""
    wanted = Wanted(2, 1e-8, 1e-3)
    allowed = wanted.limits(np.array([0.0, 0.5, 0.9, 1.0]), np.array([1e-6, 1e-6, 0.1, 0.0]))
    np.testing.assert_allclose(allowed[:2], [1e-4, np.sqrt(0.5e-8)])
    np.testing.assert_allclose(allowed[2:], [0.4, 0.5], rtol=1e-5)
    narrow = wanted.limits(np.zeros(4), np.zeros(4))
    assert narrow[0] == narrow[1] == pytest.approx(np.sqrt(1e-11)) and narrow[2] > narrow[1]
