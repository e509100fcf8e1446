"""Block DMRG against dense diagonalisation, exactly solvable models and published levels."""

import csv
import itertools
from pathlib import Path

import numpy as np
import pytest
from sector_cases import PARITY_MODES, PLAIN_MODES, random_terms, total_charges

from problems.quantum.hamiltonians.force_field.basis import harmonic_functions, mode_charges, parity_generators
from problems.quantum.hamiltonians.force_field.field import coupled_oscillators, henon_heiles
from problems.quantum.hamiltonians.force_field.operators import product_terms
from solvers.eigen.block_dmrg import block_dmrg
from solvers.formats.trains.sum_of_products import sum_of_products
from solvers.methods import BlockDMRG
from solvers.sectors.environments import sandwich
from solvers.sectors.operator import SectorOperator
from solvers.sectors.residuals import residual_norm
from solvers.sectors.train import inner, product_state
from solvers.solution import Status

LEVELS = Path(__file__).parents[2] / "data" / "henon_heiles_d4_n11.csv"


def vibrational(field, functions, parities=True):
    """The operator in harmonic functions: as a train of operators, with its sectors, and the mode charges."""
    d = field.d
    charges = mode_charges(parity_generators(field), d) if parities else np.zeros(d, dtype=np.int64)
    terms = product_terms(field, harmonic_functions(field, [functions] * d, charges), range(d))
    operator = sum_of_products(terms.matrices, terms.terms)
    return operator, SectorOperator(operator, terms.modes)


def solve(operator, charge, n_states, seed=0, start=None, callback=None, **options):
    rng = np.random.default_rng(seed)
    return block_dmrg(operator, charge, n_states, BlockDMRG(**options), start=start, rng=rng, callback=callback)


def dense_blocks(operator, modes):
    """The dense matrix of every total charge."""
    charges = total_charges(modes)
    matrix = operator.full().reshape(len(charges), len(charges))
    return {int(c): matrix[np.ix_(charges == c, charges == c)] for c in np.unique(charges)}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("modes", [PARITY_MODES, PLAIN_MODES])
def test_random_operators_against_dense_diagonalisation(seed, modes):
    rng = np.random.default_rng(seed)
    operator = sum_of_products(*random_terms(rng, modes))
    sectors = SectorOperator(operator, modes)
    for charge, block in dense_blocks(operator, modes).items():
        exact, count = np.linalg.eigvalsh(block), 5
        found = solve(sectors, charge, count, seed, tol=1e-9)
        assert found.status is Status.CONVERGED
        np.testing.assert_allclose(found.energies, exact[:count], rtol=0, atol=1e-11)
        gram = [[inner(x, y) for y in found.states] for x in found.states]
        np.testing.assert_allclose(gram, np.eye(count), atol=1e-9)


def test_every_state_of_a_small_space():
    rng = np.random.default_rng(7)
    modes = (((0, 1), (1, 1)),) * 4
    operator = sum_of_products(*random_terms(rng, modes))
    sectors = SectorOperator(operator, modes)
    for charge, block in dense_blocks(operator, modes).items():
        found = solve(sectors, charge, len(block), tol=1e-10)
        np.testing.assert_allclose(found.energies, np.linalg.eigvalsh(block), atol=1e-11)


def test_an_operator_without_a_diagonal():
    """Pair flips only: nothing on the bonds between has charge zero, so there is no mean field."""
    modes = (((0, 1), (1, 1)),) * 3
    flip = np.array([np.eye(2), [[0.0, 1.0], [1.0, 0.0]]])
    operator = sum_of_products([flip] * 3, [(1.0, {0: 1, 1: 1}), (0.5, {1: 1, 2: 1})])
    for charge, block in dense_blocks(operator, modes).items():
        found = solve(SectorOperator(operator, modes), charge, 3, tol=1e-10)
        np.testing.assert_allclose(found.energies, np.linalg.eigvalsh(block)[:3], atol=1e-12)


def test_one_mode():
    matrix = np.diag([3.0, 1.0, 2.0]) + 0.1
    operator = sum_of_products([np.array([np.eye(3), matrix])], [(1.0, {0: 1})])
    found = solve(SectorOperator(operator, (((0, 3),),)), 0, 2, tol=1e-10)
    np.testing.assert_allclose(found.energies, np.linalg.eigvalsh(matrix)[:2], atol=1e-13)


def normal_mode_levels(d, coupling, count):
    """Lowest sums (m_k + 1/2) Omega_k, Omega_k^2 the eigenvalues of W^(1/2) B W^(1/2), B = diag(w) + c (J - 1)."""
    w = np.sqrt(np.arange(1, d + 1) / 2)
    b = np.diag(w) + coupling * (1 - np.eye(d))
    omega = np.sqrt(np.linalg.eigvalsh(np.sqrt(np.outer(w, w)) * b))
    excitations = sorted(float(omega @ m) for m in itertools.product(range(6), repeat=d) if np.dot(m, omega) < 3.0)
    return omega.sum() / 2 + np.array(excitations[:count])


def test_coupled_oscillators_are_exact():
    """Both parity blocks together give the lowest levels, none missing, none twice."""
    d, count = 4, 12
    exact = normal_mode_levels(d, 0.1, count)
    _, operator = vibrational(coupled_oscillators(d, 0.1), 16)
    energies = np.sort(np.concatenate([solve(operator, c, 9, tol=1e-6).energies for c in (0, 1)]))[:count]
    np.testing.assert_allclose(energies, exact, rtol=0, atol=1e-8)


def test_henon_heiles_levels():
    with LEVELS.open() as lines:
        exact = [float(row["energy"]) for row in csv.DictReader(line for line in lines if not line.startswith("#"))]
    _, operator = vibrational(henon_heiles(4, 0.111803), 11, parities=False)
    found = solve(operator, 0, 10, tol=1e-5)
    np.testing.assert_allclose(found.energies, exact[:10], rtol=0, atol=1.5e-9)


def test_degenerate_levels_are_complete():
    """Uncoupled equal oscillators: one-mode excitations, then all pairs; nothing couples the multiplets."""
    d = 4
    _, operator = vibrational(coupled_oscillators(d, 0.0), 6, parities=False)
    w = np.sqrt(np.arange(1, d + 1) / 2)
    equal = np.array([np.eye(6), np.diag(np.arange(6) + 0.5)])
    sectors = SectorOperator(sum_of_products([equal] * d, [(1.0, {k: 1}) for k in range(d)]), (((0, 6),),) * d)
    found = solve(sectors, 0, 1 + d + d * (d + 1) // 2, tol=1e-9)
    np.testing.assert_allclose(found.energies, [2.0] + [3.0] * d + [4.0] * (d * (d + 1) // 2), atol=1e-12)
    ladder = sorted(float(w @ (np.array(m) + 0.5)) for m in itertools.product(range(6), repeat=d))[:9]
    np.testing.assert_allclose(solve(operator, 0, 9, tol=1e-9).energies, ladder, atol=1e-12)


def test_residuals_are_those_of_the_dense_vectors():
    operator, sectors = vibrational(henon_heiles(3, 0.111803), 7)
    matrix = operator.full().reshape(343, 343)
    for tol in (1e-2, 1e-5, 1e-9):
        found = solve(sectors, 1, 4, tol=tol)
        for energy, reported, x in zip(found.energies, found.residuals, found.states):
            vector = x.to_train().full().ravel()
            assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-12)
            true = np.linalg.norm(matrix @ vector - energy * vector)
            assert reported == pytest.approx(true, rel=2e-2, abs=1e-13)
            assert residual_norm(sectors, x, energy) == pytest.approx(true, rel=1e-6, abs=1e-13)
            assert sandwich(sectors, x, x) == pytest.approx(energy, abs=max(1e-12, reported**2))
            assert reported <= tol


def test_a_start_is_used():
    _, operator = vibrational(henon_heiles(5, 0.111803), 6)
    cold = solve(operator, 0, 4, tol=1e-7)
    warm = solve(operator, 0, 4, tol=1e-7, start=cold.states)
    assert warm.status is Status.CONVERGED
    assert warm.history[0].residuals.max() < cold.history[0].residuals.max()
    np.testing.assert_allclose(warm.energies, cold.energies, atol=1e-12)
    few = solve(operator, 0, 4, tol=1e-7, start=[product_state(operator.modes, [0] * 5)])
    np.testing.assert_allclose(few.energies, cold.energies, atol=1e-12)


def test_history_and_counts():
    _, operator = vibrational(henon_heiles(4, 0.111803), 6)
    seen = []
    found = solve(operator, 0, 3, tol=1e-6, callback=seen.append)
    assert tuple(seen) == found.history
    assert found.counts["sweeps"] == len(seen) == seen[-1].step
    assert found.counts["local_solves"] == 4 * len(seen)
    assert found.counts["matvecs"] > 0
    assert found.n_converged == 3
    worst = [state.residuals.max() for state in seen]
    assert worst == sorted(worst, reverse=True)
    assert all(x.max_rank <= max(found.ranks) for x in found.states)
    again = solve(operator, 0, 3, tol=1e-6)
    np.testing.assert_array_equal(again.energies, found.energies)


def test_the_rank_cap_holds_and_is_reported():
    _, operator = vibrational(henon_heiles(5, 0.111803), 7)
    found = solve(operator, 0, 4, tol=1e-8, max_rank=8)
    assert found.status is Status.RANK_LIMIT
    assert max(found.ranks) <= 8
    assert found.n_converged < 4
    full = solve(operator, 0, 4, tol=1e-8)
    # Ritz values of a subspace lie above, by the square of the residual over the gap
    errors = found.energies - full.energies
    assert np.all(errors > -1e-12)
    assert np.all(errors <= 20.0 * found.residuals**2)


def test_the_sweep_limit_is_reported():
    _, operator = vibrational(henon_heiles(5, 0.111803), 7)
    assert solve(operator, 0, 4, tol=1e-12, sweeps=2).status is Status.ITERATION_LIMIT


def test_refusals():
    _, operator = vibrational(henon_heiles(3, 0.1), 4)
    with pytest.raises(ValueError, match="32 dimensions"):
        solve(operator, 0, 33)
    with pytest.raises(ValueError, match="0 dimensions"):
        solve(operator, 2, 1)
    with pytest.raises(ValueError, match="charge 0"):
        solve(operator, 0, 1, start=[product_state(operator.modes, [2, 0, 0])])
    with pytest.raises(ValueError, match="raise max_rank"):
        solve(operator, 0, 20, max_rank=2)
    phase = np.array([[0, -1j], [1j, 0]])
    complex_operator = sum_of_products([np.array([np.eye(2), phase])] * 2, [(1.0, {0: 1}), (1.0, {1: 1})])
    with pytest.raises(ValueError, match="complex"):
        solve(SectorOperator(complex_operator, (((0, 2),),) * 2), 0, 1)


IMPOSSIBLE = [("tol", 0.0), ("tol", np.nan), ("max_rank", 0), ("sweeps", 1.5), ("steps", True)]


@pytest.mark.parametrize("key, value", IMPOSSIBLE)
def test_options_refuse_the_impossible(key, value):
    with pytest.raises(ValueError, match=key):
        BlockDMRG(**{key: value})
