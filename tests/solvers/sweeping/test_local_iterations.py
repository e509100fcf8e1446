"""The iterations of a local system, each beside the dense matrix: Hermitian definite, indefinite, and neither."""

import numpy as np
import pytest

import solvers.sweeping.local_system as module
from solvers.sweeping.local_operator import OperatorCore
from solvers.sweeping.local_system import LocalSystem
from solvers.sweeping.preconditioner import ModeBasis


def local(dtype, rng, shift=0.0, sizes=(5, 6, 7), lopsided=False):
    """Environments and a core of three Hermitian terms, coupled, the middle one of a wide spectrum."""
    a, n, b = sizes

    def matrix(size, scale=1.0):
        m = rng.standard_normal((size, size)).astype(dtype) * scale
        if dtype is complex:
            m += 1j * rng.standard_normal((size, size)) * scale
        return m + m.conj().T + (np.triu(m) if lopsided else 0.0)

    left, right, core = np.zeros((a, 3, a), dtype), np.zeros((3, b, b), dtype), np.zeros((3, n, n, 3), dtype)
    left[:, 0], left[:, 1], left[:, 2] = np.eye(a), matrix(a, 0.3), np.eye(a)
    right[0], right[1], right[2] = np.eye(b), matrix(b, 0.3).T, np.eye(b)
    spread = np.diag(np.linspace(1.0, 40.0, n)).astype(dtype)
    core[0, :, :, 0], core[1, :, :, 1], core[2, :, :, 2] = spread - shift * np.eye(n), matrix(n, 0.3), matrix(n, 0.05)
    return LocalSystem(left, OperatorCore.of(core, np.dtype(dtype)), right)


def solved(system, rng, hermitian, definite):
    f = rng.standard_normal(system.shape).astype(system.core.values.dtype)
    x = 0.1 * rng.standard_normal(system.shape).astype(f.dtype)
    y, norm, _ = system.solve_iteratively(
        x,
        f - system.apply(x),
        1e-9,
        hermitian=hermitian,
        definite=definite,
        side=None,
        steps=600,
        mode=ModeBasis(),
    )
    true = np.linalg.norm(f.ravel() - system.dense() @ y.ravel())
    assert norm <= 1e-9 and true == pytest.approx(norm, rel=1e-2, abs=1e-11)
    return y, f


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("shift", [-10.0, 17.3, 60.0])
def test_minres_where_the_operator_is_not_definite(dtype, shift, monkeypatch):
    """Definite ones of either sign are no exception; only large systems go there."""
    monkeypatch.setattr(module, "DENSE_SIZE", 0)
    monkeypatch.setattr(module.iterations, "gmres", None)
    rng = np.random.default_rng(1)
    system = local(dtype, rng, shift)
    y, f = solved(system, rng, hermitian=True, definite=False)
    exact = np.linalg.solve(system.dense(), f.ravel())
    np.testing.assert_allclose(y.ravel(), exact, atol=1e-6 * np.abs(exact).max())


def test_conjugate_gradients_give_way(monkeypatch):
    monkeypatch.setattr(module, "DENSE_SIZE", 0)
    rng = np.random.default_rng(2)
    system = local(float, rng, 17.3)
    f = rng.standard_normal(system.shape)
    zero = np.zeros(system.shape)
    arguments = {"hermitian": True, "definite": True, "side": None, "steps": 600, "mode": ModeBasis()}
    y, norm, definite = system.solve_iteratively(zero, f, 1e-9, **arguments)
    assert not definite and norm <= 1e-9 and np.linalg.norm(f - system.apply(y)) <= 1e-8


def test_few_products_for_a_shifted_sum(monkeypatch):
    """The preconditioner's size is that of the operator: eigenvalues one and minus one, whatever the shift."""
    monkeypatch.setattr(module, "DENSE_SIZE", 0)
    a, n, b = 6, 20, 6
    second = 2.0 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)
    core = np.zeros((2, n, n, 2))
    core[0, :, :, 0], core[0, :, :, 1], core[1, :, :, 1] = second - 1.17 * np.eye(n), np.eye(n), np.eye(n)
    rng = np.random.default_rng(3)
    left, right = np.zeros((a, 2, a)), np.zeros((2, b, b))
    left[:, 0], left[:, 1] = np.eye(a), 0.0
    right[0], right[1] = np.eye(b), 0.0
    system = LocalSystem(left, OperatorCore.of(core, np.dtype(float)), right)
    before = system.products
    solved(system, rng, hermitian=True, definite=False)
    assert system.products - before <= 6


def test_gmres_for_any_other(monkeypatch):
    monkeypatch.setattr(module.iterations, "minres", None)
    rng = np.random.default_rng(4)
    solved(local(float, rng, 0.0, lopsided=True), rng, hermitian=False, definite=False)
