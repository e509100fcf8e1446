"""The defect of tangent spaces against dense projectors; enlarged trains are the same tensors."""

import numpy as np
import pytest
from dynamics_cases import gaussian, ising, long_range, oscillators, product

from solvers.dynamics import defect as defects
from solvers.dynamics.defect import defect
from solvers.dynamics.enlarge import energy, enlarge, krylov_directions
from solvers.formats.trains.construct import random_train
from solvers.sweeping.chain import Chain


def dense_defect(operator, x, sites):
    n, d = x.shape[0], x.d
    left, right = [], []
    for k in range(d + 1):
        u, s, vh = np.linalg.svd(x.full().reshape(n**k, -1), full_matrices=False)
        r = int((s > 1e-12 * s[0]).sum())
        left.append(u[:, :r] @ u[:, :r].conj().T)
        right.append(vh[:r].T @ vh[:r].conj())
    left[0] = right[d] = np.eye(1)
    p = np.zeros((n**d, n**d), dtype=complex)
    for k in range(d - sites + 1):
        p += np.kron(np.kron(left[k], np.eye(n**sites)), right[k + sites])
    for k in range(1, d - sites + 1):
        p -= np.kron(np.kron(left[k], np.eye(n ** (sites - 1))), right[k + sites - 1])
    y = operator.full() @ x.full().ravel()
    return np.linalg.norm(y - p @ y)


@pytest.mark.parametrize("sites", [1, 2])
@pytest.mark.parametrize("name", ["neighbours", "long range"])
def test_against_dense_projectors(name, sites):
    rng = np.random.default_rng(0)
    operator = oscillators(5, 3) if name == "neighbours" else long_range(5, 3, rng)
    x = random_train((3,) * 5, 2, rng, np.complex128)
    chain = Chain.of(operator, x, np.dtype(complex))
    assert defect(chain, sites) == pytest.approx(dense_defect(operator, x, sites), rel=1e-10, abs=1e-12)
    v = x.full().ravel()
    assert energy(operator, x) == pytest.approx((v.conj() @ operator.full() @ v).real / (v.conj() @ v).real)


def test_nothing_is_missed_at_full_rank():
    x = random_train((3,) * 4, 9, np.random.default_rng(1), np.complex128)
    assert defect(Chain.of(oscillators(4, 3), x, np.dtype(complex))) <= 1e-13


def test_a_sketch_keeps_the_size(monkeypatch):
    rng = np.random.default_rng(2)
    x = random_train((4,) * 8, 12, rng, np.complex128)
    chain = Chain.of(long_range(8, 4, rng), x, np.dtype(complex))
    full = defect(chain)
    monkeypatch.setattr(defects, "SKETCH", 40)
    assert defect(chain) == pytest.approx(full, rel=0.25)


@pytest.mark.parametrize("case", ["oscillators", "ising"])
def test_enlarged_train_is_the_same_tensor_and_misses_less(case):
    if case == "oscillators":
        operator, x = oscillators(5, 6), gaussian(5, 6, 1.0)
    else:
        operator, x = ising(8), product([0] * 8)
    directions, reach = krylov_directions(operator, x, 6, 10, 1e-12)
    assert reach > 0 and len(directions) == 6
    larger = enlarge(x, directions, 10, 1e-12)
    assert (larger - x).norm() <= 1e-13 and larger.max_rank == 10
    assert all(
        np.allclose(core.reshape(len(core), -1) @ core.reshape(len(core), -1).conj().T, np.eye(len(core)))
        for core in larger.cores[1:]
    )
    before, after = (defect(Chain.of(operator, y, np.dtype(complex))) for y in (x, larger))
    assert after <= 1e-4 * before if case == "oscillators" else before <= 1e-12  # single flips are in any tangent space
    assert enlarge(x, directions, 3, 1e-12).max_rank == 3
    assert enlarge(x, directions, 10, 1e3).ranks == x.ranks


def test_an_eigenstate_has_no_directions():
    operator = ising(5, j=1.0, h=0.0)
    directions, _ = krylov_directions(operator, product([0] * 5), 4, 8, 1e-12)
    assert directions == []
