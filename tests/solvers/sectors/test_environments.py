"""The local operator, its environments and MINRES against dense matrices."""

import numpy as np
import pytest
from sector_cases import (
    PARITY_MODES,
    PLAIN_MODES,
    dense,
    dense_sum,
    mode_charge,
    random_sector_train,
    random_terms,
)

from solvers.formats.trains.sum_of_products import sum_of_products
from solvers.kernels import local as kernels
from solvers.sectors.environments import LocalOperator, advance, mean_field, rotate, rotate_core, sandwich
from solvers.sectors.operator import SectorOperator
from solvers.sectors.train import SectorTrain, mirror_core

CASES = [(PARITY_MODES, 0), (PARITY_MODES, 1), (PLAIN_MODES, 0)]


def setting(modes, charge, seed, symmetric=True):
    rng = np.random.default_rng(seed)
    matrices, terms = random_terms(rng, modes, symmetric=symmetric)
    return rng, dense_sum(matrices, terms), SectorOperator(sum_of_products(matrices, terms), modes)


def environments(operator, x, k):
    """Left and right environments of <x|A|x> around core k."""
    left, right = {(0, 0): np.ones((1, 1, 1))}, {(x.charge, 0): np.ones((1, 1, 1))}
    for j in range(k):
        own = (x.cores[j], x.bonds[j], x.bonds[j + 1])
        left = advance(operator, j, 0, left, own, own)
    for j in range(x.d - 1, k, -1):
        own = (mirror_core(x.cores[j], x.bonds[j], x.modes[j], x.bonds[j + 1]), x.bonds[j + 1], x.bonds[j])
        right = advance(operator, j, 1, right, own, own)
    return left, right


def local(operator, x, k, side):
    left, right = environments(operator, x, k)
    bonds = (x.bonds[k], x.bonds[k + 1])
    if side == 0:
        return LocalOperator(operator, k, 0, left, right, bonds)
    return LocalOperator(operator, k, 1, right, left, bonds[::-1])


def frame(x, k, side):
    """The isometry-like matrix (dense vector, flat core k seen from ``side``): the train is linear in one core."""
    near, far = (x.bonds[k], x.bonds[k + 1]) if side == 0 else (x.bonds[k + 1], x.bonds[k])
    columns = []
    for unit in np.eye(len(x.cores[k])):
        core = unit if side == 0 else mirror_core(unit, near, x.modes[k], far)
        columns.append(dense(SectorTrain(x.modes, x.bonds, (*x.cores[:k], core, *x.cores[k + 1 :]))))
    return np.array(columns).T


@pytest.mark.parametrize("modes, charge", CASES)
@pytest.mark.parametrize("symmetric", [True, False])
def test_sandwich(modes, charge, symmetric):
    for seed in range(5):
        rng, matrix, operator = setting(modes, charge, seed, symmetric)
        x, y = random_sector_train(rng, modes, charge), random_sector_train(rng, modes, charge)
        expected = dense(y) @ matrix @ dense(x)
        scale = np.linalg.norm(matrix, 2) * np.linalg.norm(dense(x)) * np.linalg.norm(dense(y))
        assert sandwich(operator, y, x) == pytest.approx(expected, abs=1e-12 * scale)


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("modes, charge", CASES)
def test_local_operator_is_the_projected_one(modes, charge, side):
    for seed in range(3):
        rng, matrix, operator = setting(modes, charge, seed)
        x = random_sector_train(rng, modes, charge)
        for k in range(x.d):
            f = frame(x, k, side)
            expected = f.T @ matrix @ f
            a = local(operator, x, k, side)
            tolerance = 1e-12 * max(np.abs(expected).max(), 1e-300)
            vector = rng.standard_normal(a.size)
            np.testing.assert_allclose(a @ vector, expected @ vector, atol=10 * a.size * tolerance)
            np.testing.assert_allclose(a.diagonal(), np.diagonal(expected), atol=tolerance)
            selected = np.sort(rng.permutation(a.size)[: a.size // 2 + 1])
            block = kernels.model_matrix(selected, *a.arguments[:6])
            np.testing.assert_allclose(block, expected[np.ix_(selected, selected)], atol=tolerance)


@pytest.mark.parametrize("modes, charge", CASES)
def test_minres_solves_the_shifted_system(modes, charge):
    rng, _, operator = setting(modes, charge, 1)
    x = random_sector_train(rng, modes, charge)
    a = local(operator, x, 1, 0)
    whole = kernels.model_matrix(np.arange(a.size), *a.arguments[:6])
    values = np.linalg.eigvalsh(whole)
    shift = float(values[0] - 0.1 * (values[-1] - values[0]))
    b = rng.standard_normal(a.size)
    for model in (0, 4, a.size):
        found = np.zeros(a.size)
        products = a.minres(b, found, shift, 200, 1e-12, 1e-8, model)
        assert products <= 201
        np.testing.assert_allclose(whole @ found - shift * found, b, atol=1e-7 * np.linalg.norm(b))
    # with the exact block everywhere the preconditioner is the inverse
    assert products <= 4


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("modes, charge", CASES)
def test_rotation_keeps_the_operator(modes, charge, side):
    """The gauge of the mean field is orthogonal: the rotated local operator is the same one."""
    rng, _, operator = setting(modes, charge, 2)
    x = random_sector_train(rng, modes, charge)
    k = 2
    a = local(operator, x, k, side)
    near, far = a.near, a.far_environment
    core = rng.standard_normal(a.size)
    effective = mean_field(operator, k, side, (near, far), core, a.bonds)
    for r, h in effective.items():
        np.testing.assert_allclose(h, h.T, atol=1e-12 * max(1.0, np.abs(h).max()), err_msg=str(r))
    gauges = [{c: np.linalg.qr(rng.standard_normal((r, r)))[0] for c, r in bond} for bond in a.bonds]
    turned = LocalOperator(operator, k, side, rotate(near, gauges[0]), rotate(far, gauges[1]), a.bonds)
    inside = rotate_core(core, *gauges, a.bonds, x.modes[k], False)
    assert np.linalg.norm(inside) == pytest.approx(np.linalg.norm(core))
    np.testing.assert_allclose(rotate_core(inside, *gauges, a.bonds, x.modes[k], True), core, atol=1e-12)
    back = rotate_core(turned @ inside, *gauges, a.bonds, x.modes[k], True)
    expected = a @ core
    np.testing.assert_allclose(back, expected, atol=1e-12 * np.linalg.norm(expected))


def test_mean_field_is_the_average_over_the_core():
    """Its expectation in the core's own bond density is the energy of the core."""
    rng, _, operator = setting(PARITY_MODES, 0, 3)
    x = random_sector_train(rng, PARITY_MODES, 0)
    a = local(operator, x, 1, 0)
    core = rng.standard_normal(a.size)
    identity = {c: np.eye(r) for c, r in a.bonds[0]}
    effective = mean_field(operator, 1, 0, (a.near, a.far_environment), core, a.bonds)
    assert set(effective) == set(identity)
    # a scalar operator: every mean field is that scalar, times the norms of the near basis
    stack = [np.eye(len(mode_charge(mode)))[None] for mode in PARITY_MODES]
    scalar = SectorOperator(sum_of_products(stack, [(2.5, {})]), PARITY_MODES)
    b = local(scalar, x, 1, 0)
    plain = SectorOperator(sum_of_products(stack, [(1.0, {})]), PARITY_MODES)
    gram = local(plain, x, 1, 0)
    ratio = mean_field(scalar, 1, 0, (b.near, b.far_environment), core, b.bonds)
    unit = mean_field(plain, 1, 0, (gram.near, gram.far_environment), core, gram.bonds)
    for c in ratio:
        np.testing.assert_allclose(ratio[c], 2.5 * unit[c], rtol=1e-12, atol=1e-12 * np.abs(ratio[c]).max())


def test_operators_that_break_the_charges_are_refused():
    modes = (((0, 1), (1, 1)),) * 2
    flip, sign = np.array([[0.0, 1.0], [1.0, 0.0]]), np.diag([1.0, -1.0])
    stack = np.array([np.eye(2), flip, sign])
    SectorOperator(sum_of_products([stack] * 2, [(1.0, {0: 1, 1: 1}), (1.0, {0: 2})]), modes)
    with pytest.raises(ValueError, match="total charge"):
        SectorOperator(sum_of_products([stack] * 2, [(1.0, {0: 1})]), modes)
    with pytest.raises(ValueError, match="does not conserve"):
        SectorOperator(sum_of_products([stack] * 2, [(1.0, {0: 1, 1: 1}), (1.0, {0: 1})]), modes)
    mixed = np.array([np.eye(2), flip + sign])
    with pytest.raises(ValueError, match="mixes"):
        SectorOperator(sum_of_products([mixed] * 2, [(1.0, {0: 1, 1: 1})]), modes)
