"""The condition that a solve has seen is a lower bound and not far below; the work of the sweeps is counted."""

import numpy as np
import pytest
from linear_cases import convection_diffusion, laplacian, quantics_poisson, random_definite

from solvers.formats.trains.construct import ones, random_train
from solvers.linear import task as module
from solvers.linear.condition import product_ends
from solvers.linear.solve import solve
from solvers.linear.system import System
from solvers.method_base import LocalSolver
from solvers.methods import AMEn

RNG = np.random.default_rng(8)
SMALL = {  # operator, and how far below the bound may be
    "Laplacian": (laplacian(3, 6), 1.001),
    "quantics": (quantics_poisson(4, 2), 4.0),
    "definite": (random_definite((4, 5, 3, 4), 2, RNG), 4.0),
    "complex definite": (random_definite((4, 5, 3, 4), 2, RNG, np.complex128), 4.0),
    "convection": (convection_diffusion(3, 6), 60.0),
}


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("side", ["ones", "random"])
def test_a_lower_bound(name, side, monkeypatch):
    monkeypatch.setattr(module, "DIRECT_FIRST", 0)
    monkeypatch.setattr(module, "DIRECT_LAST", 0)
    a, factor = SMALL[name]
    b = ones(a.row_shape) if side == "ones" else random_train(a.row_shape, 2, np.random.default_rng(1))
    seen = solve(a, b, method=AMEn(local=LocalSolver(dense_size=0)), accuracy=1e-8).extra["condition"]
    true = np.linalg.cond(a.full())
    assert true / factor <= seen <= true * (1.0 + 1e-6)


def test_the_ends_of_a_sum_over_modes():
    rng = np.random.default_rng(0)
    a = laplacian(12, 10)
    levels = np.linalg.eigvalsh(laplacian(1, 10).full())
    low, high = product_ends(System.of(a, random_train(a.row_shape, 1, rng), a.dtype, True))
    assert low == pytest.approx(12 * levels[0], rel=1e-10) and high == pytest.approx(12 * levels[-1], rel=1e-10)


def test_the_work_of_the_sweeps():
    """Sweeps, local solves and their products, beside torchTT's Laplacian and quantics Poisson problem."""
    bounds = {laplacian: ((16, 32), 7, 200, 15), quantics_poisson: ((5, 3), 11, 700, 45)}
    for build, (sizes, sweeps, products, rank) in bounds.items():
        a = build(*sizes)
        solution = solve(a, ones(a.row_shape), method=AMEn(), accuracy=2.5e-7)
        assert solution.counts["sweeps"] <= sweeps
        assert solution.counts["matvecs"] <= products
        assert solution.value.max_rank <= rank
