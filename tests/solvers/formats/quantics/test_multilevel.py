"""The multilevel preconditioner and its slopes: digit by digit their definition, and what they make of a system."""

import itertools

import numpy as np
import pytest

from solvers.formats.quantics.functions import unit_vector
from solvers.formats.quantics.multilevel import HELD, multilevel
from solvers.formats.quantics.operators import diagonal
from solvers.formats.trains.construct import ones
from solvers.formats.trains.tensor_train import dot
from solvers.linear.solve import solve


def interpolation(level, levels):
    x, nodes = np.arange(1, 2**levels + 1) / 2**levels, np.arange(1, 2**level + 1) / 2**level
    return np.maximum(0.0, 1.0 - np.abs(x[:, None] - nodes) * 2**level)


def by_level(levels, d):
    """Axis-major positions of level-major indices."""
    bits = (np.arange(2 ** (levels * d))[:, None] >> np.arange(levels * d - 1, -1, -1)) & 1
    places = bits.reshape(-1, levels, d).transpose(0, 2, 1).reshape(-1, levels * d)
    return places @ (1 << np.arange(levels * d - 1, -1, -1))


@pytest.mark.parametrize(
    ("levels", "ends"),
    [(levels, ends) for d, levels in ((1, 1), (1, 5), (2, 3), (3, 2)) for ends in itertools.product(HELD, repeat=d)],
)
def test_the_cores_are_the_definition(levels, ends):
    d, n = len(ends), 2**levels
    c = np.zeros((n**d, n**d))
    for level in range(levels + 1):
        term = np.ones((1, 1))
        for pair in ends:
            p = interpolation(level, levels)
            last = np.outer(p[:, -1], p[:, -1]) if HELD[pair] else 0.0
            term = np.kron(term, p @ p.T - last)
        c += 2.0 ** ((d - 1) * level - d * levels) * term
    made = multilevel(levels, ends)
    order = by_level(levels, d)
    np.testing.assert_array_equal(made.preconditioner.full(), c[np.ix_(order, order)])
    for k in range(d):
        parts = [np.eye(n) - np.eye(n, k=-1) if j == k else np.eye(n) for j in range(d)]
        step = parts[0]
        for part in parts[1:]:
            step = np.kron(step, part)
        np.testing.assert_array_equal(made.slopes[k].full(), (n * step @ c)[np.ix_(order, order)])


@pytest.mark.parametrize(("d", "levels", "ranks"), [(1, 8, (9, 7)), (2, 4, (41, 33)), (3, 3, (189, 157))])
def test_ranks_and_spectrum(d, levels, ranks):
    """Between zeros the smallest eigenvalue is about 2, the largest grows like L in one dimension only."""
    made = multilevel(levels, [("dirichlet", "dirichlet")] * d)
    assert (made.preconditioner.max_rank, made.slopes[0].max_rank) == ranks
    if d < 3:
        fused = sum(slope.full().T @ slope.full() for slope in made.slopes)
        spectrum = np.linalg.eigvalsh(fused)
        spectrum = spectrum[spectrum > 1e-9]
        assert spectrum[0] > 1.9 and spectrum[-1] < 20.0


@pytest.mark.parametrize("levels", [12, 40])
def test_a_system_is_solved_by_sweeps_on_any_number_of_levels(levels):
    """-u'' = 1, u(0) = u(1) = 0: 1/12 - h^2/12, without a digit lost to the grid."""
    made = multilevel(levels, [("dirichlet", "dirichlet")])
    theta, c = made.slopes[0], made.preconditioner
    last = diagonal(unit_vector(levels, 2**levels - 1))
    fused = ((theta.T @ theta) + last).round(1e-14)
    b = (c @ ones((2,) * levels)).round(1e-14)
    found = solve(fused, b, accuracy=1e-10)
    h = 2.0**-levels
    assert h * dot(b, found.value) == pytest.approx((1.0 - h**2) / 12.0, abs=1e-12)
    assert fused.max_rank <= 18 and found.value.max_rank <= 30


def test_refusals():
    with pytest.raises(ValueError, match="one to three pairs"):
        multilevel(4, [("neumann", "neumann")])
    with pytest.raises(ValueError, match="levels"):
        multilevel(0, [("dirichlet", "neumann")])
