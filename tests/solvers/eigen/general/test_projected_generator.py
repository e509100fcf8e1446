"""Sweeps of implicit steps: they keep the mass, end at the stationary state, and a disturbance decays."""

import generators
import numpy as np
import pytest
import scipy.sparse as sp

from solvers.eigen import explicit
from solvers.eigen.general.closed_classes import stationary_vector
from solvers.eigen.general.projected_generator import ITERATED, ProjectedGenerator
from solvers.formats.trains.construct import ones, random_train, rank_one, tt_svd
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain, dot


def _flat(n: int) -> TensorTrain:
    return ones((2,) * n) * 0.5**n


def test_the_state_is_reached_and_mass_is_kept() -> None:
    a = generators.exclusion(8)
    mass = ones((2,) * 8)
    run = ProjectedGenerator(a, mass, _flat(8), 30, np.random.default_rng(0))
    for shift in 10.0 ** -np.arange(1.0, 11.0):
        run.sweep(shift, 0.1 * shift)
        assert dot(mass, run.train()) == pytest.approx(1.0, abs=1e-10)
    assert (a @ run.train()).norm() < 1e-10 * run.train().norm()
    assert run.train().round(1e-9).ranks == (1, 2, 3, 4, 5, 4, 3, 2, 1)  # exactly


def test_every_projected_operator_is_a_generator() -> None:
    """l^H W in the basis of each core is a left null vector of what A becomes there."""
    a = generators.glauber(6)
    run = ProjectedGenerator(a, ones((2,) * 6), _flat(6), 30, np.random.default_rng(1))
    seen = []

    class Watched(ProjectedGenerator):
        def _stepped(self, k: int, shift: float) -> np.ndarray:
            l = np.einsum("ap,piq,bq->aib", self.interfaces[k], self.mass[k], self.interfaces[k + 1])
            left, core, right = self.chain.environments[k], self.chain.core(k).dense, self.chain.environments[k + 1]
            back = np.einsum("xiy,xpa,pijq,qby->ajb", l, left, core, right)
            seen.append((float(np.linalg.norm(l)), float(np.abs(back).max())))
            return super()._stepped(k, shift)

    run.__class__ = Watched
    for _ in range(3):
        run.sweep(0.5, 1e-3)
    assert len(seen) == 18
    np.testing.assert_allclose([size for size, _ in seen], 1.0, atol=1e-12)
    assert max(back for _, back in seen) < 1e-12


def test_a_mass_of_several_ranks() -> None:
    """A in other coordinates, where the mass is no product."""
    rng = np.random.default_rng(2)
    n, a = 4, generators.exclusion(4)
    turn = random_train((2,) * n, 2, rng) + ones((2,) * n) * 4.0
    inverse = tt_svd(1.0 / turn.full(), 1e-15)
    diagonal = [
        TTOperator(tuple(np.einsum("aib,ij->aijb", core, np.eye(2)) for core in x.cores)) for x in (turn, inverse)
    ]
    there = diagonal[0] @ a @ diagonal[1]
    run = ProjectedGenerator(there, inverse, turn * 0.5**n, 30, rng)
    for shift in 10.0 ** -np.arange(1.0, 11.0):
        run.sweep(shift, 0.1 * shift)
    p = run.train()
    assert inverse.max_rank > 1
    assert (there @ p).norm() < 1e-9 * p.norm()
    assert dot(inverse, p) == pytest.approx(1.0, abs=1e-9)


def test_what_holds_no_mass_decays() -> None:
    a = generators.exclusion(6)
    rng = np.random.default_rng(3)
    x = rank_one([np.array([0.5 + u, 0.5 - u]) for u in 0.2 * rng.standard_normal(6)]) - _flat(6)
    run = ProjectedGenerator(a, ones((2,) * 6), x, 30, rng)
    for _ in range(6):
        run.sweep(0.05, 1e-4)
    assert run.train().norm() < 1e-3 * x.norm()


def test_large_cores_by_iteration_as_small_ones_by_factors(monkeypatch) -> None:
    """A driven chain of spins, complex, whose systems go through GMRES."""
    monkeypatch.setattr("solvers.eigen.general.projected_generator.LARGEST_FACTORS", 0)
    n, rng = 4, np.random.default_rng(4)
    a = generators.driven_chain(n)
    mass = rank_one([np.array([1.0, 0.0, 0.0, 1.0])] * n)
    run = ProjectedGenerator(a, mass, mass * 0.5**n, 30, rng)
    for shift in 0.5 ** np.arange(1.0, 31.0):
        run.sweep(shift, 0.1 * shift)
    start = mass.full().ravel() / 2.0**n + 0j
    exact = stationary_vector(sp.csc_matrix(explicit.matrix(a)), start, mass.full().ravel(), False, rng)
    found = run.train().full().ravel()
    assert run.products > 100 and run.unsolved <= ITERATED
    assert np.linalg.norm(found - exact.p) < 1e-7 * np.linalg.norm(exact.p)


def test_sweeps_of_one_step_solve_its_system() -> None:
    """(s - A) x = s x0 with x0 without mass, which stays so."""
    a, mass, rng = generators.exclusion(6), ones((2,) * 6), np.random.default_rng(5)
    first = rank_one([np.array([0.5 + u, 0.5 - u]) for u in 0.2 * rng.standard_normal(6)]) - _flat(6)
    run = ProjectedGenerator(a, mass, first, 30, rng, massless=True, single=True)
    for _ in range(5):
        run.sweep(0.2, 1e-10)
    exact = np.linalg.solve(np.eye(64) - sp.csc_matrix(explicit.matrix(a)).toarray() / 0.2, first.full().ravel())
    np.testing.assert_allclose(run.train().full().ravel(), exact, atol=1e-8 * np.linalg.norm(exact))
    assert abs(dot(mass, run.train())) < 1e-12 * np.linalg.norm(exact)
