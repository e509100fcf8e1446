"""The verb: trains against dense truth and closed forms, functions against exact minima, budgets, what is refused."""

import itertools

import numpy as np
import pytest

from solvers.extremal import prefixes, suffixes
from solvers.extremal.extreme import extreme
from solvers.formats import quantics
from solvers.formats.trains.construct import ones, random_train, rank_one, unit
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.solution import NotConverged, Status


def of_kind(kind, shape, rng):
    x = random_train(shape, int(rng.integers(1, 7)), rng)
    if kind == "ties":
        return rank_one([np.sign(rng.standard_normal(n)) for n in shape])
    if kind == "spikes":
        spikes = [unit(shape, [int(rng.integers(n)) for n in shape]) * float(rng.standard_normal()) for _ in range(3)]
        return sum(spikes, ones(shape) * float(rng.integers(0, 2)))
    if kind == "integers":
        return TensorTrain(tuple(np.rint(2 * core / np.abs(core).max()) for core in x.cores))
    if kind == "shifted":
        return x * 1e-6 + float(rng.standard_normal())
    return x * 10.0 ** rng.integers(-200, 200)


@pytest.mark.parametrize("kind", ["random", "ties", "spikes", "integers", "shifted"])
def test_proven_is_right_and_bounds_hold(kind, monkeypatch):
    """Sixteen trains a kind, with little room for lists of entries and few prefixes, so that some cannot be proven."""
    proven = 0
    for case in range(16):
        rng = np.random.default_rng([case, len(kind)])
        monkeypatch.setattr(prefixes, "FINISH", int(2 ** rng.integers(3, 12)))
        monkeypatch.setattr(suffixes, "ENUMERATED", int(2 ** rng.integers(1, 7)))
        shape = tuple(int(n) for n in rng.choice([1, 2, 2, 3, 5, 9], rng.integers(1, 8)))
        x, accuracy = of_kind(kind, shape, rng), float(rng.choice([1e-10, 1e-2]))
        found = extreme(x, prefixes=int(rng.choice([2, 10, 500])), accuracy=accuracy, rng=rng)
        dense, value = x.full(), found.value
        size = np.abs(dense).max()
        assert found.minimum == pytest.approx(dense[tuple(found.argmin)], abs=1e-12 * size)
        assert found.maximum == pytest.approx(dense[tuple(found.argmax)], abs=1e-12 * size)
        assert value.least <= dense.min() + 1e-12 * size and value.most >= dense.max() - 1e-12 * size
        if found.converged:
            proven += 1
            assert max(found.minimum - dense.min(), dense.max() - found.maximum) <= (accuracy + 1e-12) * size
        else:
            assert found.status in (Status.BEST_SEEN, Status.PRECISION)
    assert proven >= 8


def test_closed_forms():
    rng = np.random.default_rng(0)
    vectors = [rng.standard_normal(10) for _ in range(50)]
    product = extreme(rank_one(vectors))
    assert product.converged and product.max_abs == pytest.approx(np.prod([np.abs(v).max() for v in vectors]))
    terms = [rank_one([v if j == k else np.ones(10) for j in range(50)]) for k, v in enumerate(vectors)]
    total = extreme(sum(terms, ones((10,) * 50) * 0.0).round(1e-13))
    assert total.converged and total.argmin.tolist() == [int(v.argmin()) for v in vectors]
    assert total.maximum == pytest.approx(sum(v.max() for v in vectors), rel=1e-12)
    spike = extreme(ones((2,) * 60) + unit((2,) * 60, [1, 0, 1] * 20) * 0.7)
    assert spike.converged and (spike.minimum, spike.maximum) == pytest.approx((1.0, 1.7))
    assert spike.argmax.tolist() == [1, 0, 1] * 20


def test_ising_chain_against_its_transfer_matrix():
    rng, d, spin = np.random.default_rng(1), 40, np.array([1.0, -1.0])
    coupling, field = rng.standard_normal(d - 1), rng.standard_normal(d)
    cores = np.zeros((d, 3, 2, 3))
    cores[:, 0, :, 0] = cores[:, 2, :, 2] = 1.0
    cores[:, 0, :, 1] = spin
    cores[:, 0, :, 2] = field[:, None] * spin
    cores[1:, 1, :, 2] = coupling[:, None] * spin
    found = extreme(TensorTrain((cores[0][:1], *cores[1:-1], cores[-1][:, :, 2:])))
    lowest = field[0] * spin
    for k in range(1, d):
        lowest = np.min(lowest[:, None] + coupling[k - 1] * np.outer(spin, spin) + field[k] * spin, axis=0)
    assert found.converged and found.minimum == pytest.approx(lowest.min(), rel=1e-12)


def test_on_two_to_the_thirty_points():
    """(t - c)^2 on t = i / 2^30: the end far away, and the grid point next to c to the rounding errors of t^2."""
    c = 0.3711
    x = quantics.polynomial(30, [c**2, -2.0 * c / 2**30, 1.0 / 4**30])
    found = extreme(x, accuracy=1e-9)
    assert found.converged and found.maximum == pytest.approx((1 - c) ** 2, abs=1e-8) and found.argmax.all()
    assert abs(found.argmin @ 2.0 ** -np.arange(1, 31) - c) < 1e-4 and abs(found.minimum) < 1e-9


def test_what_cannot_be_proven_says_so():
    x = random_train((20,) * 20, 8, np.random.default_rng(2))
    found = extreme(x, prefixes=100)
    assert found.status is Status.BEST_SEEN and found.n_converged == 0 and found.residual.min() > 1.0
    assert found.value.least < found.minimum < found.maximum < found.value.most
    with pytest.raises(NotConverged):
        extreme(x, prefixes=100, throw=True)
    again = extreme(x, prefixes=100)
    assert (again.minimum, again.maximum, again.counts) == (found.minimum, found.maximum, found.counts)
    one = extreme(x, prefixes=100, which="minimum")
    assert one.minimum <= found.minimum * 0.9 and np.isnan(one.maximum) and one.argmax is None


def test_zero_constants_and_cancellation():
    for value in (0.0, -3.0):
        found = extreme(ones((3, 4)) * value)
        assert found.converged and found.minimum == found.maximum == pytest.approx(value)
    x = random_train((4,) * 6, 3, np.random.default_rng(3))
    y = random_train((4,) * 6, 3, np.random.default_rng(4)) * 1e-9
    near = extreme((x + y) - x)
    assert near.status is Status.PRECISION
    assert near.value.least <= y.full().min() and near.value.most >= y.full().max()


def qubo(d, seed):
    q = np.random.default_rng(seed).standard_normal((d, d))
    return lambda b: np.einsum("mi,ij,mj->m", b.astype(float), q, b.astype(float))


def test_all_entries_are_proof():
    f = qubo(10, 0)
    values = f(np.array(list(itertools.product([0, 1], repeat=10))))
    found = extreme(f, (2,) * 10, max_evaluations=1024)
    assert found.converged and found.counts["evaluations"] == 1024
    assert (found.minimum, found.maximum) == (values.min(), values.max())
    assert (found.value.least, found.value.most) == (values.min(), values.max())


def test_binary_minima_by_brute_force():
    f = qubo(16, 1)
    values = f(np.array(list(itertools.product([0, 1], repeat=16))))
    calls = []

    def counted(b):
        calls.append(len(b))
        return f(b)

    found = extreme(counted, (2,) * 16, max_evaluations=3000)
    assert found.status is Status.BEST_SEEN and sum(calls) == found.counts["evaluations"] <= 3000
    assert (found.minimum, found.maximum) == (values.min(), values.max())
    assert np.isinf(found.value.least) and found.n_converged == 0


@pytest.mark.parametrize("name", ["rastrigin", "qing", "michalewicz"])
def test_separable_functions_in_ten_dimensions(name):
    """The exact minimum on the grid, mode by mode, in 10,000 evaluations of 1024^10 points."""
    modes = np.arange(1, 11)
    one = {
        "rastrigin": lambda x: 10 + x**2 - 10 * np.cos(2 * np.pi * x),
        "qing": lambda x: (x**2 - modes) ** 2,
        "michalewicz": lambda x: -np.sin(x) * np.sin(modes * x**2 / np.pi) ** 20,
    }[name]
    low, high = {"rastrigin": (-4.1, 5.4), "qing": (0.0, 500.0), "michalewicz": (0.0, np.pi)}[name]
    grid = np.linspace(low, high, 1024)
    exact = one(grid[:, None] * np.ones(10)).min(axis=0).sum()
    found = extreme(lambda x: one(x).sum(axis=1), grids=[grid] * 10, which="minimum")
    assert found.minimum == pytest.approx(exact, abs=1e-9) and found.status is Status.BEST_SEEN


def test_a_curved_valley():
    def rosenbrock(x):
        return np.sum(100 * (x[:, 1:] - x[:, :-1] ** 2) ** 2 + (1 - x[:, :-1]) ** 2, axis=1)

    found = extreme(rosenbrock, grids=[np.linspace(-2.048, 2.048, 4096)] * 6, which="minimum", max_evaluations=6000)
    assert found.minimum < 0.01


def test_gaps_and_starts():
    """No value in half of the points; a needle that only a start tells of."""
    needle = np.array([3, 1, 4, 1, 5, 9, 2, 6])

    def f(i):
        return np.where(i[:, 0] < 5, np.where((i == needle).all(axis=1), -1.0, i.sum(axis=1)), np.nan)

    found = extreme(f, (10,) * 8, max_evaluations=2000, starts=needle)
    assert found.minimum == -1.0 and found.argmin.tolist() == needle.tolist() and found.counts["undefined"] > 0
    assert found.maximum == 4 + 7 * 9
    with pytest.raises(ValueError, match="not finite at any of the 2000 points"):
        extreme(lambda i: np.full(len(i), np.inf), (10,) * 8, max_evaluations=2000)


@pytest.mark.parametrize("of", ["train", "function"])
def test_interrupted_and_continued(of, tmp_path):
    x, options = (random_train((5,) * 9, 6, np.random.default_rng(5)), {"prefixes": 50})
    calls = []

    def f(i):
        calls.append(len(i))
        return np.sin(i @ np.arange(1.0, 10.0)) + i.sum(axis=1)

    if of == "function":
        x, options = f, {"shape": (5,) * 9, "max_evaluations": 3000}
    whole = extreme(x, **options)
    calls.clear()
    file = tmp_path / "kept.npz"
    first = extreme(x, **options, checkpoint=file, callback=lambda state: state.step == 2)
    assert first.status is Status.INTERRUPTED
    second = extreme(x, **options, checkpoint=file)
    assert (second.minimum, second.maximum, second.status) == (whole.minimum, whole.maximum, whole.status)
    assert second.counts == whole.counts and np.array_equal(second.argmax, whole.argmax)
    assert sum(calls) == (whole.counts["evaluations"] if of == "function" else 0)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"x": ones((2, 2)), "shape": (2, 2)}, "shape is of functions"),
        ({"x": ones((2, 2)), "max_evaluations": 5}, "max_evaluations is of functions"),
        ({"x": ones((2, 2)) * 1j}, "real trains"),
        ({"x": ones((2, 2)), "which": "most"}, "which must be one of both, minimum, maximum"),
        ({"x": ones((2, 2)), "accuracy": 0.0}, "accuracy must lie"),
        ({"x": ones((2, 2)), "prefixes": 1}, "prefixes must be a whole number"),
        ({"x": np.ones(3)}, "a TensorTrain or of a function, not of ndarray"),
        ({"x": np.sum}, "needs its shape"),
        ({"x": np.sum, "shape": (2, 0)}, "at least one index"),
        ({"x": np.sum, "shape": (2,), "grids": [np.arange(3)]}, "the shape is"),
        ({"x": np.sum, "shape": (2,), "prefixes": 5}, "prefixes is of trains"),
        ({"x": np.sum, "shape": (2,), "starts": np.array([[2]])}, "outside the shape"),
        ({"x": np.sum, "shape": (2,), "starts": np.array([[0.5]])}, "multi-indices of shape"),
        ({"x": lambda i: 1j * i[:, 0], "shape": (2,)}, "real values"),
    ],
)
def test_what_is_refused(keywords, message):
    with pytest.raises(ValueError, match=message):
        extreme(**keywords)
