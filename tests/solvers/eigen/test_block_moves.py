"""Block trains, their starts and their moves, and the local eigenpairs, against dense vectors and matrices."""

import numpy as np
import pytest
from eigen_cases import system
from sector_cases import dense

from solvers.eigen.block_davidson import davidson, orthonormal
from solvers.eigen.block_start import joined, low_energy_bases, mean_field_weights, reachable_charges
from solvers.eigen.block_train import BlockTrain, Cut, leading_left
from solvers.formats.trains.construct import kronecker_sum
from solvers.kernels import local as kernels
from solvers.sectors.environments import LocalOperator
from solvers.sectors.operator import SectorOperator
from solvers.sectors.train import SectorTrain, layout, product_state

KEEP = Cut(max_rank=1000, tol=0.0, expansion=0.0, floor=0.0)


def block(case, charge, count=3):
    """A block train of random states, and the states."""
    trains = [case.random_state(charge, 2) for _ in range(count)]
    bonds, cores, rows = joined(trains, low_energy_bases(case.operator, charge, 6))
    return BlockTrain(case.operator, bonds, cores, rows, case.rng), np.array([dense(x) for x in trains])


def vectors(train):
    c = train.centre
    states = [(*train.cores[:c], row, *train.cores[c + 1 :]) for row in train.rows]
    return np.array([dense(SectorTrain(train.modes, tuple(train.bonds), cores)) for cores in states])


def local_matrix(local):
    return kernels.model_matrix(np.arange(local.size), *local.arguments[:6])


@pytest.mark.parametrize("charge", [0, 1])
def test_joined_trains_are_the_rows_of_one_block(charge: int) -> None:
    train, states = block(system(61), charge)
    np.testing.assert_allclose(vectors(train), states, atol=1e-12)


@pytest.mark.parametrize("charge", [0, 1])
def test_moves_that_cut_nothing_change_no_state(charge: int) -> None:
    case = system(62)
    train, states = block(case, charge)
    for side, count in ((0, 3), (1, 3)):
        for _ in range(count):
            train.move(side, KEEP)
            np.testing.assert_allclose(vectors(train), states, atol=1e-11)
            assert train.discarded < 1e-12 and not train.capped
    assert train.centre == 0


def test_rows_are_coordinates_in_an_orthonormal_frame_and_the_environments_project_the_operator() -> None:
    case = system(63)
    train, _ = block(case, 0)
    for _ in range(2):
        train.move(0, KEEP)
    train.rows = np.eye(train.rows.shape[1])  # one state for each entry of the centre
    frame = vectors(train)
    np.testing.assert_allclose(frame @ frame.T, np.eye(len(frame)), atol=1e-12)
    local = LocalOperator(case.operator, 2, 0, *train.local_environments(0), train.oriented(0)[1:])
    np.testing.assert_allclose(local_matrix(local), frame @ case.h @ frame.T, atol=1e-10)


def test_a_cut_discards_what_it_says_and_no_more_than_it_may() -> None:
    case = system(64)
    train, states = block(case, 0)
    train.move(0, Cut(max_rank=1000, tol=0.3, expansion=0.0, floor=0.0))
    lost = np.linalg.norm(vectors(train) - states)
    assert 0.0 < lost <= 0.3 and train.discarded == pytest.approx(lost, rel=1e-9)
    assert not train.capped
    train, states = block(case, 0)
    train.move(0, Cut(max_rank=2, tol=1e-6, expansion=0.0, floor=0.0))
    assert train.capped and train.discarded > 1e-6
    assert train.discarded == pytest.approx(np.linalg.norm(vectors(train) - states), rel=1e-9)


def test_with_room_for_all_new_directions_the_residual_of_two_sites_is_within_reach() -> None:
    """(1 - U U^T) H x (1 - V V^T) vanishes for the enlarged left basis U and the present right basis V."""
    case = system(65)
    x = case.random_state(0, 1)
    bonds, cores, rows = joined([x], low_energy_bases(case.operator, 0, 1))
    train = BlockTrain(case.operator, bonds, cores, rows, case.rng)
    size = sum(n for _, n in case.modes[0])
    right, folded = suffix(case, bonds, cores, 1), (case.h @ dense(x)).reshape(size, -1)
    outside = folded - folded @ right.T @ right
    kept = outside - projector(dense(x).reshape(size, -1)) @ outside
    # what two neighbouring cores could take up: the third mode and on in the present basis
    behind = np.kron(np.eye(sum(n for _, n in case.modes[1])), suffix(case, bonds, cores, 2))
    kept = kept @ behind.T @ behind
    assert np.linalg.norm(kept) > 0.1
    train.move(0, Cut(max_rank=1000, tol=1e-12, expansion=100.0, floor=1e-12))
    np.testing.assert_allclose(vectors(train)[0], dense(x), atol=1e-12)
    train.rows = np.eye(train.rows.shape[1])
    left = projector(vectors(train).reshape(-1, size, folded.shape[1]).transpose(1, 0, 2).reshape(size, -1))
    assert np.linalg.norm(kept - left @ kept) < 1e-9 * np.linalg.norm(kept)


def projector(columns):
    u, s, _ = np.linalg.svd(columns, full_matrices=False)
    return u[:, s > 1e-10 * s[0]] @ u[:, s > 1e-10 * s[0]].T


def suffix(case, bonds, cores, first):
    """The orthonormal rows that the cores from ``first`` on span."""
    empty = np.ones(layout(bonds[0], case.modes[0], bonds[1])[1])
    found = np.ones((1, 1))
    for core in reversed(SectorTrain(case.modes, tuple(bonds), (empty, *cores[1:])).to_train().cores[first:]):
        a, n, b = core.shape
        found = (core.reshape(a * n, b) @ found).reshape(a, -1)
    return found


def test_states_are_trains_of_norm_one() -> None:
    case = system(66)
    train, states = block(case, 1)
    for x, vector in zip(train.states(1e-12), states):
        np.testing.assert_allclose(dense(x), vector / np.linalg.norm(vector), atol=1e-10)


@pytest.mark.parametrize("shape", [(200, 300), (300, 40), (12, 50)])
def test_leading_left_vectors_are_those_of_the_decomposition(shape) -> None:
    rng = np.random.default_rng(0)
    u = np.linalg.qr(rng.standard_normal((shape[0], 12)))[0]
    v = np.linalg.qr(rng.standard_normal((shape[1], 12)))[0]
    values = 10.0 ** -np.arange(12)
    found, singular = leading_left(u * values @ v.T, 4, 1e-6, 20, rng)
    np.testing.assert_allclose(singular[:6], values[:6], rtol=1e-6)
    assert np.abs(np.abs(found[:, :4].T @ u[:, :4]) - np.eye(4)).max() < 1e-5


# -- the start ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("charge", [0, 1])
def test_low_energy_bases_are_right_orthonormal(charge: int) -> None:
    case = system(67)
    bonds, cores = low_energy_bases(case.operator, charge, 5)
    for first in (1, 2, 3):
        rows = suffix(case, bonds, cores, first)
        np.testing.assert_allclose(rows @ rows.T, np.eye(len(rows)), atol=1e-12)


def test_the_mean_field_of_a_sum_of_modes_is_its_lowest_product() -> None:
    """Without coupling the self-consistent product state is the ground state, its weights the lowest energies."""
    n = 3
    rng = np.random.default_rng(1)
    single = [a + a.T for a in rng.standard_normal((3, n, n))]
    operator = SectorOperator(kronecker_sum(single), (((0, n),),) * 3)
    total = mean_field_weights(operator)[3]
    assert float(total[0]) == pytest.approx(sum(np.linalg.eigvalsh(a)[0] for a in single), abs=1e-10)


def test_reachable_charges_are_those_of_the_products() -> None:
    case = system(68)
    found = reachable_charges(case.operator, 1)
    assert found[0] == {0} and found[-1] == {1}
    x = product_state(case.modes, [0, 0, 0, 0])
    assert all({c for c, _ in bond} <= charges for bond, charges in zip(x.bonds, reachable_charges(case.operator, 0)))


# -- the local eigenpairs -------------------------------------------------------------------------------------------


def local_problem(case):
    train, _ = block(case, 0)
    train.move(0, KEEP)
    return LocalOperator(case.operator, 1, 0, *train.local_environments(0), train.oriented(0)[1:])


@pytest.mark.parametrize("guesses", [0, 1, 5])
def test_davidson_finds_the_lowest_pairs(guesses: int) -> None:
    case = system(69)
    local = local_problem(case)
    exact, exact_vectors = np.linalg.eigh(local_matrix(local))
    assert local.size > 20
    start = case.rng.standard_normal((guesses, local.size))
    found = davidson(local, start, 3, 1e-9, 60, 10, case.rng)
    np.testing.assert_allclose(found.values, exact[:3], atol=1e-9)
    np.testing.assert_allclose(found.vectors @ found.vectors.T, np.eye(3), atol=1e-10)
    residuals = found.vectors @ local_matrix(local) - found.values[:, None] * found.vectors
    np.testing.assert_allclose(np.linalg.norm(residuals, axis=1), found.residuals, atol=1e-9)
    assert found.residuals.max() <= 1e-9 and found.products > 3
    assert np.linalg.norm(exact_vectors[:, :3].T @ found.vectors.T, 2) == pytest.approx(1.0, abs=1e-8)


def test_davidson_takes_a_small_problem_as_it_is_and_refuses_an_impossible_one() -> None:
    case = system(69)
    local = local_problem(case)
    found = davidson(local, np.zeros((0, local.size)), 2, 1e-9, 1, 1000, case.rng)
    assert found.products == 0
    np.testing.assert_allclose(found.values, np.linalg.eigvalsh(local_matrix(local))[:2], atol=1e-10)
    with pytest.raises(ValueError, match="max_rank"):
        davidson(local, np.zeros((0, local.size)), local.size + 1, 1e-9, 1, 10, case.rng)


def test_orthonormal_rows_outside_others() -> None:
    rng = np.random.default_rng(2)
    against = np.linalg.qr(rng.standard_normal((9, 3)))[0].T
    rows = rng.standard_normal((2, 9))
    found = orthonormal(np.concatenate([rows, rows.sum(axis=0, keepdims=True)]), against)
    assert found.shape == (2, 9)
    np.testing.assert_allclose(found @ found.T, np.eye(2), atol=1e-12)
    assert np.abs(found @ against.T).max() < 1e-12
    stacked = np.concatenate([against, rows])
    assert np.linalg.matrix_rank(np.concatenate([stacked, found]), tol=1e-9) == 5
