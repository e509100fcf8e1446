"""How a function is called: arguments, batches, a domain, known values, gaps; and what is counted then."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers.cross.calling import Calling
from solvers.cross.cross import cross
from solvers.kernels.evaluations import looked_up, written
from solvers.methods import Cross
from solvers.solution import Status

ALONE = Cross(whole=0)
GRIDS = [np.linspace(0.0, 1.0, 20)] * 3
ALL = np.indices((20,) * 3).reshape(3, -1).T


class Asked:
    """A function of rows of points that notes them."""

    def __init__(self, f):
        self.f, self.asked = f, []

    def __call__(self, points):
        self.asked.append(points.copy())
        return self.f(points)

    @property
    def points(self):
        return np.concatenate(self.asked)


def smooth(x, y, z):
    return 1.0 / (1.0 + x + 2.0 * y + z * z)


def of_numbers(x, y, z):
    return math.exp(-x) * y + z if x > 0.3 else y + z  # an array is neither


@pytest.mark.parametrize(
    "f, arguments",
    [
        (smooth, None),
        (smooth, "columns"),
        (smooth, "numbers"),
        (of_numbers, None),
        (of_numbers, "numbers"),
        (lambda p: smooth(*p.T), None),
        (lambda p: smooth(*p.T), "rows"),
        (lambda p: smooth(*p), "row"),
        (lambda *c: smooth(*c), "columns"),
    ],
)
def test_the_same_train_from_every_way_to_call(f, arguments):
    exact = of_numbers if f is of_numbers else smooth
    solution = cross(f, (20,) * 3, grids=GRIDS, method=ALONE, arguments=arguments)
    values = np.array([exact(*point) for point in GRIDS[0][ALL]])
    assert np.abs(solution.value.full().ravel() - values).max() <= 2e-8 * np.abs(values).max()
    assert cross(lambda i, j, k: i + j * k, (3, 4, 5)).value.full()[2, 3, 4] == pytest.approx(14.0)


def test_batches():
    f = Asked(lambda p: smooth(*p.T))
    solution = cross(f, (20,) * 3, grids=GRIDS, method=ALONE, batch=37)
    assert max(len(part) for part in f.asked) == 37
    assert len(f.points) == solution.counts["evaluations"] + solution.counts["check_evaluations"]


@pytest.mark.parametrize("domain", ["mask", "function"])
@pytest.mark.parametrize("method", [Cross(), ALONE])
def test_nothing_is_asked_outside_the_domain(domain, method):
    mask = np.ones((20,) * 3, dtype=bool)
    mask[:7] = False
    allowed = mask if domain == "mask" else (lambda p: mask[tuple(p.T)])
    f = Asked(lambda p: p.sum(axis=1) + 1.0)
    solution = cross(f, (20,) * 3, domain=allowed, outside=-2.5, method=method)
    assert mask[tuple(f.points.T)].all()
    assert len(f.points) == solution.counts["evaluations"] + solution.counts["check_evaluations"]
    exact = np.where(mask, np.indices((20,) * 3).sum(axis=0) + 1.0, -2.5)
    assert np.abs(solution.value.full() - exact).max() <= 1e-8 * 58
    known = cross(f, (20,) * 3, domain=allowed, outside=lambda p: -p[:, 0] / 2.0, method=method)
    assert known.value.full()[6, 3, 3] == pytest.approx(-3.0, abs=1e-6)


def test_known_values_are_not_asked_for():
    points = np.random.default_rng(0).integers(0, 20, (300, 3))
    f = Asked(lambda p: smooth(*p.T / 19.0))
    solution = cross(f, (20,) * 3, known=(points, f.f(points)), method=ALONE)
    assert not (f.points[:, None] == points[None]).all(axis=2).any()
    assert len(f.points) == solution.counts["evaluations"] + solution.counts["check_evaluations"]
    where = np.array([[3, 17, 4]])
    needle = cross(lambda p: np.zeros(len(p)), (20,) * 3, known=(where, np.array([2.0])), method=ALONE)
    assert needle.value.entries(where)[0] == pytest.approx(2.0) and needle.value.norm() == pytest.approx(2.0)


@pytest.mark.parametrize("complex_", [False, True])
def test_gaps_are_refused_by_name_or_continued(complex_):
    def f(p):
        with np.errstate(all="ignore"):
            s = p @ np.array([1.0, 0.5, 0.25])
            return np.sin(s) / s * ((1.0 + 1.0j) if complex_ else 1.0)

    with pytest.raises(ValueError, match=r"not finite at the multi-index \(0, 0, 0\)"):
        cross(f, (20,) * 3, grids=GRIDS)
    for method in (Cross(), ALONE):
        asked = Asked(f)
        solution = cross(asked, (20,) * 3, grids=GRIDS, undefined="skip", method=method, accuracy=1e-6)
        assert solution.status is Status.CONVERGED and solution.value.max_rank <= 8
        assert abs(abs(solution.value.full()[0, 0, 0]) - abs(1.0 + 1.0j * complex_)) <= 1e-4
        everywhere = f(GRIDS[0][ALL[1:]])
        assert np.abs(solution.value.full().ravel()[1:] - everywhere).max() <= 2e-6 * np.abs(everywhere).max()
        assert len(asked.points) == len(np.unique(asked.points, axis=0)) <= 20**3
        assert len(asked.points) == solution.counts["evaluations"] + solution.counts["check_evaluations"]


def test_a_half_space_without_values_costs_each_point_once():
    def f(p):
        with np.errstate(invalid="ignore"):
            return np.sqrt(0.5 - p.sum(axis=1))

    asked = Asked(f)
    solution = cross(asked, (20,) * 3, grids=GRIDS, undefined="skip", method=Cross(max_evaluations=5000), throw=False)
    assert len(asked.points) == len(np.unique(asked.points, axis=0)) <= 5000
    inside = np.isfinite(f(GRIDS[0][ALL]))
    wrong = np.abs(solution.value.full().ravel() - f(GRIDS[0][ALL]))[inside].max()
    assert wrong <= 1e-6 or not solution.converged


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    kind=st.sampled_from(["zero", "constant", "rank one", "steps", "spikes", "two values"]),
    exponent=st.sampled_from([-200, -20, 0, 20, 200]),
    complex_=st.booleans(),
)
def test_degenerate_functions_end_in_a_status(seed, kind, exponent, complex_):
    """No error of linear algebra reaches the caller, at any scale, and what was seen is met."""
    rng = np.random.default_rng(seed)
    shape = tuple(int(n) for n in rng.choice([1, 2, 3, 12, 25], int(rng.integers(1, 6))))
    table = [rng.standard_normal(n) for n in shape]
    spikes = rng.integers(0, shape, (3, len(shape)))
    scale = 10.0**exponent * (1.0 + 2.0j if complex_ else 1.0)
    functions = {
        "zero": lambda p: np.zeros(len(p)),
        "constant": lambda p: np.ones(len(p)),
        "rank one": lambda p: np.prod([t[i] for t, i in zip(table, p.T)], axis=0),
        "steps": lambda p: (p @ np.arange(1, len(shape) + 1) > 12) * 1.0,
        "spikes": lambda p: sum((p == q).all(axis=1) * 1.0 for q in spikes),
        "two values": lambda p: np.where(p.sum(axis=1) % 2 == 0, 1.0, -1.0),
    }
    f = Asked(lambda p: functions[kind](p) * scale)
    method = Cross(whole=0, max_rank=20, sweeps=40, max_evaluations=20_000)
    solution = cross(f, shape, method=method, accuracy=1e-6, throw=False, rng=rng)
    errors = np.abs((solution.value.entries(f.points) - f.f(f.points)) / abs(scale))
    assert np.isfinite(errors).all() and (errors.max() <= 1e-5 * 10 or not solution.converged)


def test_what_is_refused():
    f = lambda p: np.ones(len(p))  # noqa: E731
    for options, message in [
        ({"arguments": "lists"}, "arguments must be one of"),
        ({"batch": 0}, "batch must be at least 1"),
        ({"undefined": "zero"}, "undefined must be"),
        ({"domain": np.ones((4, 4))}, "a mask of shape"),
        ({"domain": lambda p: np.ones(3)}, "the domain must return"),
        ({"domain": np.zeros((4, 5), dtype=bool)}, "lies inside the domain"),
        ({"known": (np.array([[0, 1]]), np.array([1.0, 2.0]))}, "known must be"),
        ({"known": (np.array([[0, 1]]), np.array([np.nan]))}, "known must be"),
        ({"known": (np.array([[0, 1]]), np.ones((1, 2)))}, "known values of 2 outputs"),
    ]:
        with pytest.raises(ValueError, match=message):
            cross(f, (4, 5), **options)
    with pytest.raises(TypeError, match="argument"):
        cross(lambda i, j, k: i, (4, 5))


def test_neighbours_of_a_gap():
    calling = Calling(lambda p: p[:, 0], (3, 9), domain=np.arange(27).reshape(3, 9) != 14)
    k, near = calling.neighbours(np.array([1, 4]))
    assert k == 1 and sorted(near[:, 1].tolist()) == [1, 2, 3, 6, 7]
    cubic = near[:, 1:].astype(float) ** 3
    assert calling.continued(np.array([1, 4]), k, near, cubic)[0] == pytest.approx(64.0)


def test_multi_indices_and_coordinates_are_written_by_compiled_loops():
    rng = np.random.default_rng(0)
    left, middle, right = (rng.integers(0, 9, shape) for shape in ((3, 2), (4, 1), (5, 3)))
    expected = [np.concatenate([x, y, z]) for x in left for y in middle for z in right]
    assert np.array_equal(written(left, middle, right), expected)
    grids = [rng.random(n) for n in (9, 12, 10)]
    points = rng.integers(0, 9, (7, 3))
    found = looked_up(np.concatenate(grids), np.array([0, 9, 21]), points)
    assert np.array_equal(found, np.column_stack([g[points[:, k]] for k, g in enumerate(grids)]))
