"""Error estimates against the dense second-order sum."""

import numpy as np
import pytest
from eigen_cases import frames, system
from sector_cases import PARITY_MODES, PLAIN_MODES, dense

from solvers.formats.trains.sum_of_products import sum_of_products
from solvers.sectors.estimates import rank_error
from solvers.sectors.operator import SectorOperator
from solvers.sectors.train import truncate

PAIR = (((0, 4), (1, 3)), ((0, 3), (1, 4)))
HUGE = 1e6  # a denominator above all others: sums of squares over it


@pytest.mark.parametrize("charge", [0, 1])
@pytest.mark.parametrize("floor", [1e-3, 5.0])
def test_two_modes_against_the_sum_over_all_excitations(charge: int, floor: float) -> None:
    case = system(3, PAIR)
    x = truncate(case.state(case.levels(charge)[1][:, 0], charge), 2)[0]
    x = x.scaled(1.0 / np.linalg.norm(dense(x)))
    error, norm2, energy, undone = rank_error(case.operator, x, floor)

    v, m = dense(x), dense(x).reshape(7, 7)
    image = (case.h @ v).reshape(7, 7)
    assert energy == pytest.approx(v @ case.h @ v, rel=1e-12)
    left, right = frames(x)
    p, q = left[1], right[1]
    outside = (np.eye(7) - p) @ image @ (np.eye(7) - q)
    one_sided = (np.eye(7) - p) @ image @ q
    h = case.h.reshape(7, 7, 7, 7)
    first = np.einsum("iaib,ab->i", h, m.T @ m) - energy  # excitation energies, the other mode averaged over the state
    second = np.einsum("aibi,ab->i", h, m @ m.T) - energy
    two = np.sum(outside**2 / np.maximum(first[:, None] + second[None, :], floor))
    one = np.sum((one_sided**2).sum(axis=1) / np.maximum(first, floor))
    assert error == pytest.approx(one + two, rel=1e-9)
    assert norm2 == pytest.approx(np.sum(outside**2), rel=1e-9)
    within = p @ (image - energy * m)
    assert undone == pytest.approx(np.sum(one_sided**2) + np.sum(within**2), rel=1e-9)


@pytest.mark.parametrize(("modes", "charge"), [(PARITY_MODES, 0), (PARITY_MODES, 1), (PLAIN_MODES, 0)])
def test_the_residual_of_two_sites_is_what_their_cores_could_take_up(modes, charge: int) -> None:
    case = system(5, modes)
    x = case.random_state(charge, 2)
    error, norm2, energy, undone = rank_error(case.operator, x, HUGE)
    shape = [sum(n for _, n in mode) for mode in modes]
    image = case.h @ dense(x)
    left, right = frames(x)
    two = one = 0.0
    for k in range(len(shape) - 1):
        behind, ahead = np.eye(shape[k]), np.eye(shape[k + 1])
        new_left = np.kron(left[k], behind) - left[k + 1]
        new_right = np.kron(ahead, right[k + 2]) - right[k + 1]
        folded = image.reshape(len(new_left), len(new_right))
        two += np.sum((new_left @ folded @ new_right) ** 2)
        one += np.sum((new_left @ folded @ right[k + 1]) ** 2)
    last = left[-2] @ (image - energy * dense(x)).reshape(-1, shape[-1])
    assert norm2 == pytest.approx(two, rel=1e-9)
    assert undone == pytest.approx(one + np.sum(last**2), rel=1e-9)
    assert error * HUGE == pytest.approx(one + two, rel=1e-9)


def test_an_exact_state_has_nothing_to_gain() -> None:
    case = system(2)
    values, vectors = case.levels(1)
    error, norm2, energy, undone = rank_error(case.operator, case.state(vectors[:, 2], 1), 0.1)
    assert energy == pytest.approx(values[2], abs=1e-11)
    assert max(error, norm2, undone) < 1e-20


def test_the_estimate_covers_what_a_larger_rank_gains() -> None:
    """Weak coupling of two modes: second order is nearly everything."""
    n = 5
    q = np.diag(np.sqrt(np.arange(1, n)), 1)
    q = q + q.T
    matrices = [np.array([np.eye(n), q, np.diag(np.arange(n) + 0.5)])] * 2
    terms = [(1.0, {0: 2}), (1.3, {1: 2}), (0.05, {0: 1, 1: 1})]
    modes = (((0, n),),) * 2
    train = sum_of_products(matrices, terms)
    h = np.asarray(train.full()).reshape(n * n, n * n)
    values, vectors = np.linalg.eigh(h)
    case = system(0, modes)
    x = truncate(case.state(vectors[:, 0], 0), 1)[0]
    x = x.scaled(1.0 / np.linalg.norm(dense(x)))
    error, _, energy, _ = rank_error(SectorOperator(train, modes), x, 1e-3)
    assert error == pytest.approx(energy - values[0], rel=0.05)
