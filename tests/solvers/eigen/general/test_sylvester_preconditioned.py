"""Systems of one core: sums are solved in one product, others by GMRES whose residual is the true one."""

import numpy as np
import pytest

from solvers.eigen.general import sylvester_preconditioned as module
from solvers.eigen.general.sylvester_preconditioned import solved_by_gmres
from solvers.sweeping.local_operator import OperatorCore, half, project


def _sum(kind: str, rng: np.random.Generator) -> tuple[np.ndarray, OperatorCore, np.ndarray, np.ndarray]:
    """X x 1 x 1 + 1 x M x 1 + 1 x 1 x Y between environments, and a right-hand side."""
    a, n, b = 5, 3, 4

    def drawn(*shape: int) -> np.ndarray:
        found = rng.standard_normal(shape)
        return found + 1j * rng.standard_normal(shape) if kind == "complex" else found

    x, m, y, f = drawn(a, a), drawn(n, n), drawn(b, b), drawn(a, n, b)
    core = np.zeros((2, n, n, 2), dtype=f.dtype)
    core[1, :, :, 0] = core[0, :, :, 1] = np.eye(n)
    core[0, :, :, 0] = m
    left = np.ascontiguousarray(np.stack([np.eye(a), x], axis=1).astype(f.dtype))
    right = np.ascontiguousarray(np.stack([np.eye(b), y.T], axis=0).astype(f.dtype))
    return left, OperatorCore.of(core, f.dtype), right, f


@pytest.mark.parametrize("kind", ["real", "complex"])
@pytest.mark.parametrize("largest", [500, 1])
def test_a_sum_needs_one_product(kind: str, largest: int, monkeypatch) -> None:
    monkeypatch.setattr(module, "LARGEST_SCHUR", largest)
    left, core, right, f = _sum(kind, np.random.default_rng(0))
    y, share, products = solved_by_gmres(left, core, right, 7.0, f, 1e-10)
    off = 7.0 * y - project(half(left, core, y), right, f.shape[:2]) - f
    assert products == 1 and share < 1e-12
    assert np.linalg.norm(off) < 1e-12 * np.linalg.norm(f)


def test_what_is_no_sum_is_iterated_on(monkeypatch) -> None:
    rng = np.random.default_rng(1)
    left, right = rng.standard_normal((6, 3, 6)), rng.standard_normal((3, 6, 6))
    core = OperatorCore.of(rng.standard_normal((3, 2, 2, 3)), np.dtype(float))
    f = rng.standard_normal((6, 2, 6))
    for goal in (0.3, 1e-6):
        y, share, _ = solved_by_gmres(left, core, right, 40.0, f, goal)
        off = 40.0 * y - project(half(left, core, y), right, f.shape[:2]) - f
        assert share <= goal
        assert np.linalg.norm(off) == pytest.approx(share * np.linalg.norm(f), rel=1e-6)
    zero, share, products = solved_by_gmres(left, core, right, 40.0, 0.0 * f, 0.1)
    assert not zero.any() and share == 0.0 and products == 0
    monkeypatch.setattr(module, "STEPS", 2)
    assert solved_by_gmres(left, core, right, 0.0, f, 1e-12)[1] <= 1.0  # never worse than nothing
