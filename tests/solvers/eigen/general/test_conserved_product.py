"""Parities that a generator conserves, found as products; generators that conserve nothing but mass."""

import numpy as np
import pytest
from generators import driven_chain, exclusion, glauber

from solvers.eigen.general.conserved_product import conserved_product
from solvers.eigen.general.stationary import _real, stationary
from solvers.formats.trains.construct import ones, rank_one
from solvers.formats.trains.sum_of_products import sum_of_products
from solvers.formats.trains.tensor_train import dot

X, Z, ONE = np.array([[0.0, 1.0], [1.0, 0.0]]), np.diag([1.0, -1.0]), np.eye(2)


def mean_size(a):
    return a.norm() / np.sqrt(np.prod(np.array(a.row_shape, dtype=float)))


def flipped_in_pairs(n):
    """Neighbouring bits that flip together: the parity of their sum stays."""
    terms = [(1.0, {k: 1, k + 1: 1}) for k in range(n - 1)]
    return sum_of_products([np.array([ONE, X])] * n, [*terms, (1.0 - n, {})])


def dephased(n, loss=0.0):
    """H = sum X X with jumps Z everywhere, and S- at an end at a rate ``loss``, which breaks the parity of Z."""

    def jump(rate, l):
        lost = 0.5 * l.T @ l
        return rate * (np.kron(l, l) - np.kron(lost, ONE) - np.kron(ONE, lost.T))

    stack = [np.eye(4), jump(0.3, Z), np.kron(X, ONE), np.kron(ONE, X), jump(1.0, np.array([[0.0, 0.0], [1.0, 0.0]]))]
    terms = [(1.0, {k: 1}) for k in range(n)] + ([(loss, {0: 4})] if loss else [])
    for k in range(n - 1):
        terms += [(-1j, {k: 2, k + 1: 2}), (1j, {k: 3, k + 1: 3})]
    return sum_of_products([np.array(stack, dtype=complex)] * n, terms)


def found(a, mass, seed=0):
    a, mass, _, _ = _real(a, mass, None)
    return a, mass, conserved_product(a, mass, mean_size(a), np.random.default_rng(seed))


def trace(n):
    return rank_one([ONE.ravel()] * n)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("n", [3, 9, 30])
def test_parities(n, seed):
    for a, mass in ((flipped_in_pairs(n), ones((2,) * n)), (dephased(n), trace(n))):
        a, mass, w = found(a, mass, seed)
        assert w is not None and w.norm() == pytest.approx(1.0) and w.max_rank == 1
        assert (a.adjoint() @ w).norm() <= 1e-10 * mean_size(a)
        assert abs(dot(w, mass)) <= 1e-6 * mass.norm()


@pytest.mark.parametrize("n", [4, 12])
def test_no_product_but_the_mass(n):
    classical = (glauber(n), exclusion(n))
    assert all(found(a, ones(a.row_shape))[2] is None for a in classical)
    assert all(found(a, trace(n))[2] is None for a in (driven_chain(n), dephased(n, 1.0)))


def test_two_states_are_no_answer():
    """In spaces of vectors and of trains; a rate that decides makes it one."""
    for n in (4, 18):
        with pytest.raises(ValueError, match="not unique"):
            stationary(flipped_in_pairs(n), accuracy=1e-6)
    single = sum_of_products([np.array([ONE, X - ONE])] * 18, [(0.2, {0: 1})])
    solution = stationary(flipped_in_pairs(18) + single, accuracy=1e-6)
    assert np.abs(solution.value.entries(np.zeros((1, 18), dtype=int)) * 2.0**18 - 1.0).max() < 1e-4
