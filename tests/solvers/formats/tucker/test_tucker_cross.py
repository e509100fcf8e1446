"""Cross approximation in the Tucker format against dense arrays: accuracy, its estimate, limits, what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers.formats.tucker.convert import from_full
from solvers.formats.tucker.cross import tucker_cross
from solvers.formats.tucker.tensor import TuckerTensor, rank_one
from solvers.methods import TuckerCross
from solvers.solution import NotConverged, Status

N = 32
X = np.linspace(-4.0, 4.0, N) + 0.07  # no symmetry
GRIDS = [X] * 3
CROSS = TuckerCross(whole=0)  # these tensors are small: the cross would not be tried on them
PLACES = ((1.0, 0.3, -0.4), (-1.2, -0.5, 0.7), (0.1, 1.8, -1.0))


def cusps(x, y, z):
    return sum(np.exp(-1.5 * np.sqrt((x - a) ** 2 + (y - b) ** 2 + (z - c) ** 2)) for a, b, c in PLACES)


PANEL = {
    "cusp": lambda x, y, z: np.exp(-2.0 * np.sqrt(x * x + y * y + z * z)),
    "cusps": cusps,
    "inverse": lambda x, y, z: 1.0 / np.sqrt(x * x + y * y + z * z),
    "resolvent": lambda x, y, z: 1.0 / (0.5 + x * x + y * y + z * z),
    "tilted": lambda x, y, z: np.exp(-(x * x + y * y + z * z) - 0.3 * x * y),
    "oscillating": lambda x, y, z: np.cos(2.0 * x + y * z) * np.exp(-0.2 * (x * x + y * y + z * z)),
}


def distance(x, full, scale=None):
    return np.linalg.norm(x.full() - full) / (np.linalg.norm(full) if scale is None else scale)


@pytest.mark.parametrize("accuracy", [1e-3, 1e-6, 1e-9])
@pytest.mark.parametrize("name", PANEL)
def test_the_accuracy_is_met_and_the_estimate_is_the_error(name, accuracy):
    """Twelve seeds each: the estimate is an unbiased square, so single ones may be off, the middle may not."""
    f = PANEL[name]
    full = f(*np.ix_(*GRIDS))
    errors, estimates = [], []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        solution = tucker_cross(f, [], coordinates=GRIDS, method=CROSS, accuracy=accuracy, rng=rng)
        assert solution.status is Status.CONVERGED and solution.residual[0] <= accuracy
        errors.append(distance(solution.value, full))
        estimates.append(solution.residual[0])
    ratios = np.array(errors) / estimates
    assert 0.7 <= np.median(ratios) <= 1.5
    assert 0.4 <= ratios.min() and ratios.max() <= 4.0
    assert np.median(errors) <= accuracy and max(errors) <= 3.0 * accuracy


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), d=st.integers(2, 4), rank=st.integers(1, 4))
def test_exact_ranks_are_recovered(seed, d, rank):
    rng = np.random.default_rng(seed)
    shape = tuple(int(n) for n in rng.integers(4, 12, d))
    x = TuckerTensor(rng.standard_normal((rank,) * d), tuple(rng.standard_normal((n, rank)) for n in shape))
    solution = tucker_cross(lambda a: a, [x], method=CROSS, accuracy=1e-10, rng=rng)
    assert distance(solution.value, x.full()) <= 1e-10
    assert all(r <= rank for r in solution.value.ranks)
    assert solution.counts["passes"] == 1


def test_functions_of_tensors_and_coordinates():
    rng = np.random.default_rng(1)
    phi = from_full(cusps(*np.ix_(*GRIDS)), 1e-12)
    other = from_full(PANEL["resolvent"](*np.ix_(*GRIDS)), 1e-12)
    a, b = phi.full(), other.full()

    def f(u, v, x, y, z):
        return np.cbrt(u) ** 5 * v + u * (x - 2.0 * y * z)

    full = f(a, b, *np.ix_(*GRIDS))
    solution = tucker_cross(f, [phi, other], coordinates=GRIDS, method=CROSS, accuracy=1e-7, rng=rng)
    assert distance(solution.value, full) <= 1e-7
    solution = tucker_cross(lambda u, v: u * v, [phi, other], method=CROSS, accuracy=1e-7, rng=rng)
    assert distance(solution.value, a * b) <= 1e-7


def test_axes_of_different_length():
    axes = [np.linspace(0.1, 1.0, n) for n in (3, 40, 17, 5)]

    def f(*c):
        return 1.0 / sum(c)

    solution = tucker_cross(f, [], coordinates=axes, method=CROSS, accuracy=1e-8)
    assert solution.value.shape == (3, 40, 17, 5)
    assert distance(solution.value, f(*np.ix_(*axes))) <= 1e-8


def test_the_scale_is_what_the_error_is_relative_to():
    f, full = PANEL["cusp"], PANEL["cusp"](*np.ix_(*GRIDS))
    scale = 1e3 * np.linalg.norm(full)
    loose = tucker_cross(f, [], coordinates=GRIDS, method=CROSS, accuracy=1e-6, scale=scale)
    tight = tucker_cross(f, [], coordinates=GRIDS, method=CROSS, accuracy=1e-6)
    assert 1e-8 < distance(loose.value, full, scale) <= 1e-6
    assert max(loose.value.ranks) < max(tight.value.ranks)
    # estimated in the same unit
    assert 0.3 <= distance(loose.value, full, scale) / loose.residual[0] <= 3.0


def test_known_rows_save_passes_and_values():
    """The cusps of a slightly changed function: its rows are those of the first."""
    first = tucker_cross(cusps, [], coordinates=GRIDS, method=CROSS, accuracy=1e-7, rng=np.random.default_rng(2))

    def changed(x, y, z):
        return cusps(x, y, z) * (1.0 + 0.05 * x)

    cold = tucker_cross(changed, [], coordinates=GRIDS, method=CROSS, accuracy=1e-7, rng=np.random.default_rng(3))
    warm = tucker_cross(
        changed,
        [],
        coordinates=GRIDS,
        method=CROSS,
        accuracy=1e-7,
        rng=np.random.default_rng(3),
        start=first.extra["rows"],
    )
    full = changed(*np.ix_(*GRIDS))
    assert cold.counts["passes"] >= 2 and warm.counts["passes"] == 1
    assert warm.counts["evaluations"] < 0.9 * cold.counts["evaluations"]
    assert max(distance(cold.value, full), distance(warm.value, full)) <= 2e-7


def test_the_values_wanted_are_few():
    """On axes eight times as long: planes of values, not the 1.7e7 of the whole."""
    x = np.linspace(-4.0, 4.0, 256) + 0.007
    solution = tucker_cross(PANEL["cusp"], [], coordinates=[x] * 3, accuracy=1e-6)
    assert solution.counts["evaluations"] <= 120_000
    rng = np.random.default_rng(4)
    rows = [rng.integers(0, 256, 40) for _ in range(3)]
    exact = PANEL["cusp"](*np.ix_(*[x[i] for i in rows]))
    assert np.linalg.norm(solution.value.block(rows) - exact) <= 1e-5 * np.linalg.norm(exact)


def test_the_same_seed_gives_the_same_tensor():
    one, other = (
        tucker_cross(cusps, [], coordinates=GRIDS, method=CROSS, accuracy=1e-5, rng=np.random.default_rng(5))
        for _ in range(2)
    )
    assert np.array_equal(one.value.core, other.value.core)
    assert one.counts == other.counts and one.residual == other.residual


def test_a_cap_on_the_rank_is_said():
    full = cusps(*np.ix_(*GRIDS))
    solution = tucker_cross(
        cusps, [], coordinates=GRIDS, method=TuckerCross(max_rank=6, whole=0), accuracy=1e-8, throw=False
    )
    assert solution.status is Status.RANK_LIMIT and solution.n_converged == 0
    assert solution.value.ranks == (6, 6, 6)
    best = from_full(full, 1e-15).round(1e-15, max_rank=6)
    error = distance(solution.value, full)
    assert error <= 5.0 * distance(best, full)
    assert 0.3 * error <= solution.residual[0] <= 3.0 * error
    with pytest.raises(NotConverged):
        tucker_cross(cusps, [], coordinates=GRIDS, method=TuckerCross(max_rank=6, whole=0), accuracy=1e-8)


def test_too_few_passes_are_said():
    method = TuckerCross(passes=1, whole=0)
    solution = tucker_cross(cusps, [], coordinates=GRIDS, method=method, accuracy=1e-9, throw=False)
    assert solution.status is Status.ITERATION_LIMIT and solution.counts["passes"] == 1
    error = distance(solution.value, cusps(*np.ix_(*GRIDS)))
    assert error > 1e-9 and 0.2 * error <= solution.residual[0] <= 5.0 * error


def test_noise_does_not_converge():
    noise = np.random.default_rng(6).standard_normal((N, N, N))
    tensor = from_full(noise)
    solution = tucker_cross(lambda u: u, [tensor], method=TuckerCross(max_rank=8, whole=0), accuracy=1e-3, throw=False)
    assert solution.status is Status.RANK_LIMIT and solution.residual[0] > 0.3


def test_constants_and_zero():
    one = tucker_cross(lambda x, y, z: np.ones(()), [], coordinates=GRIDS)
    assert one.value.ranks == (1, 1, 1) and np.allclose(one.value.full(), 1.0, rtol=1e-13)
    zero = tucker_cross(lambda u: 0.0 * u, [rank_one(GRIDS)])
    assert zero.status is Status.CONVERGED and zero.value.norm() == 0.0
    line = tucker_cross(lambda x, y, z: x, [], coordinates=GRIDS)  # broadcast
    assert np.allclose(line.value.full(), np.broadcast_to(X[:, None, None], (N, N, N)), atol=1e-12)


def test_small_tensors_are_taken_whole():
    f, full = cusps, cusps(*np.ix_(*GRIDS))
    solution = tucker_cross(f, [], coordinates=GRIDS, accuracy=1e-5)
    assert solution.counts == {"evaluations": N**3, "passes": 0} and solution.extra["unseen_share"] == 0.0
    assert np.isclose(solution.residual[0], distance(solution.value, full)) and solution.residual[0] <= 1e-5
    assert solution.status is Status.CONVERGED and all(c.passed for c in solution.checked)
    capped = tucker_cross(f, [], coordinates=GRIDS, method=TuckerCross(max_rank=4), accuracy=1e-5, throw=False)
    assert capped.status is Status.RANK_LIMIT
    assert np.isclose(capped.residual[0], distance(capped.value, full), rtol=1e-6)


def test_one_value_alone_is_no_evidence():
    """A single entry among zeros, or in a constant, that no sample finds."""
    grids = [np.arange(90.0)] * 3

    def needle(x, y, z):
        return np.where((x == 17) & (y == 61) & (z == 43), 1.0, 0.0)

    for f in (needle, lambda x, y, z: 1.0 + 50.0 * needle(x, y, z)):
        solution = tucker_cross(f, [], coordinates=grids, throw=False)
        assert solution.status is Status.NO_EVIDENCE and not all(c.passed for c in solution.checked)
    constant = rank_one([np.full(90, 2.0)] * 3)
    assert tucker_cross(lambda u: np.sqrt(u), [constant]).status is Status.CONVERGED  # no other value is possible


@pytest.mark.parametrize("seed", range(4))
def test_no_value_looked_at_contradicts_the_error(seed):
    """The norm of the errors at the entries of one call is a lower bound of the whole: the residual is not below it."""
    grids = [np.arange(70.0)] * 3
    smooth = np.exp(-sum((g - 30.0) ** 2 for g in np.ix_(*grids)) / 400.0)
    full = smooth + np.where(np.random.default_rng(3).random((70, 70, 70)) < 1e-4, 1.0, 0.0)
    asked = []

    def f(x, y, z):
        at = tuple(i.astype(int) for i in np.broadcast_arrays(x, y, z))
        asked.append(np.unique(np.ravel_multi_index(at, full.shape)))
        return full[at]

    solution = tucker_cross(
        f,
        [],
        coordinates=grids,
        accuracy=1e-3,
        method=TuckerCross(whole=0, passes=4),
        rng=np.random.default_rng(seed),
        throw=False,
    )
    errors = (solution.value.full() - full).ravel()
    found = max(np.linalg.norm(errors[block]) for block in asked) / np.linalg.norm(full)
    assert found <= 1.1 * solution.residual[0]
    assert solution.status is not Status.CONVERGED or found <= 1.1e-3


def test_what_is_refused():
    x = rank_one(GRIDS)
    with pytest.raises(ValueError, match="tensors or coordinates"):
        tucker_cross(lambda: 1.0, [])
    with pytest.raises(ValueError, match="one shape"):
        tucker_cross(lambda u, v: u, [x, rank_one([X, X, X[:-1]])])
    with pytest.raises(ValueError, match="one shape"):
        tucker_cross(lambda u, *c: u, [x], coordinates=[X, X, X[:-1]])
    for bad in (0.0, 1.0, -1e-3, np.nan):
        with pytest.raises(ValueError, match="accuracy"):
            tucker_cross(lambda u: u, [x], accuracy=bad)
    for bad in (np.nan, np.inf):
        with pytest.raises(ValueError, match=r"NaN or infinity at the multi-index \(\d+, "):
            tucker_cross(lambda u, bad=bad: np.where(u > 3.0, bad, u), [x])
    with pytest.raises(ValueError):
        tucker_cross(lambda u: np.ones(7), [x])
    with pytest.raises(ValueError, match="max_rank"):
        TuckerCross(max_rank=0)
