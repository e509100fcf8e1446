"""Small states evolved as full vectors: exact in any kind of time, by every method, and cut to the cap at the end."""

import numpy as np
import pytest
from dynamics_cases import exact, ising, oscillators, overlap, product

from solvers.dynamics import full_vectors
from solvers.dynamics.driver import Driver
from solvers.dynamics.evolve import evolve
from solvers.formats.trains.construct import ones, random_train, rank_one, tt_svd, unit
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.sum_of_products import sum_of_products
from solvers.methods import BUG, TDVP, Implicit
from solvers.solution import Status

METHODS = [TDVP(), TDVP(sites=2), BUG(), Implicit()]


@pytest.fixture(autouse=True)
def whole(by_the_method, monkeypatch):
    monkeypatch.setattr(full_vectors, "LARGEST", by_the_method)


@pytest.fixture(params=["eigenvectors or exponential", "Krylov spaces"])
def engine(request, monkeypatch):
    monkeypatch.setattr(full_vectors, "DENSE", 0 if request.param == "Krylov spaces" else full_vectors.LARGEST)
    monkeypatch.setattr(full_vectors, "DIAGONALISING", 0.0)
    monkeypatch.setattr(full_vectors, "SQUARING", 0.0)


def walk(n=7, d=3, rate=1.0):
    """A Markov generator: a walk on d axes, faster up where the neighbour is high."""
    up, down = np.eye(n, k=-1), np.eye(n, k=1)
    moves = [m - np.diag(m.sum(axis=0)) for m in (up, down)]
    tables = [np.array([np.eye(n), *moves, np.diag(np.linspace(0.0, 1.0, n))])] * d
    terms = [(rate, {k: 2}) for k in range(d)] + [(2.0 * rate, {k: 1, (k + 1) % d: 3}) for k in range(d)]
    return sum_of_products(tables, terms)


@pytest.mark.parametrize("method", METHODS, ids=["tdvp", "tdvp2", "bug", "implicit"])
def test_every_method(method):
    operator, start = ising(6), product([0] * 6)
    solution = evolve(operator, start, [0.0, 0.7, 2.0], method=method, accuracy=1e-5, observe=overlap(start))
    assert solution.extra["route"] == "full vectors" and solution.counts["steps"] == 2
    assert np.linalg.norm(solution.value.state.full().ravel() - exact(operator, start, 2.0)) <= 1e-6
    assert solution.value.observed["a"][1] == pytest.approx(
        start.full().ravel() @ exact(operator, start, 0.7), abs=1e-6
    )
    assert [look.passed for look in solution.checked] == [True, True]


@pytest.mark.parametrize("factor", [-1j, -1.0, -0.6 - 0.8j])
def test_oscillators(factor, engine):
    operator, start = oscillators(2, 8), random_train((8, 8), 2, np.random.default_rng(0))
    solution = evolve(operator, start, [0.0, 1.5], factor=factor, accuracy=1e-8)
    right = exact(operator, start, 1.5, factor)
    off = np.linalg.norm(solution.value.state.full().ravel() - right) / np.linalg.norm(right)
    assert off <= 1.1 * solution.residual[0] + 1e-12 and off < 1e-8


@pytest.mark.parametrize("rate", [1.0, 300.0])
def test_a_stiff_generator(rate, engine, monkeypatch):
    monkeypatch.setattr(full_vectors, "MOST_SECONDS", 1e3)
    operator, start = walk(5, 2, rate), unit((5, 5), [4, 0])
    solution = evolve(operator, start, [0.0, 0.2], factor=1.0, accuracy=1e-6, conserve=[ones((5, 5))])
    right = exact(operator, start, 0.2, 1.0)
    assert np.linalg.norm(solution.value.state.full().ravel() - right) <= 1e-7 * np.linalg.norm(right)
    assert solution.value.state.full().sum() == pytest.approx(1.0, abs=1e-13)


def test_a_small_part_that_outgrows_the_rest(engine):
    """The lowest state has a weight of 1e-9 in the start, and e^30 times the growth."""
    levels = np.array([-30.0, 0.0, 1.0, 2.5])
    operator = TTOperator((np.diag(levels).reshape(1, 4, 4, 1),))
    start = rank_one([np.array([1e-9, 1.0, 0.5, 0.3])])
    solution = evolve(operator, start, [0.0, 1.0], factor=-1.0, accuracy=1e-6)
    right = np.exp(-levels) * start.full()
    np.testing.assert_allclose(solution.value.state.full(), right, rtol=1e-6, atol=1e-6 * np.linalg.norm(right))


def test_the_cap_cuts_what_is_shown_and_no_more():
    operator, start = ising(8), product([0, 1] * 4)
    solution = evolve(operator, start, [0.0, 1.0, 3.0], method=TDVP(max_rank=4), accuracy=1e-8, throw=False)
    right = exact(operator, start, 3.0)
    best = tt_svd(right.reshape((2,) * 8), 0.0).round(0.0, 4)
    off = np.linalg.norm(solution.value.state.full().ravel() - right)
    assert solution.status is Status.RANK_LIMIT and solution.value.state.max_rank == 4
    assert off <= 1.01 * np.linalg.norm(best.full().ravel() - right)
    assert off == pytest.approx(solution.residual[0], rel=1e-6)


@pytest.mark.parametrize("method", [TDVP(time_step=0.1), BUG(tol=1e-8), Implicit(time_step=0.5)])
def test_a_step_or_a_tolerance_asks_for_the_method(method):
    operator, start = ising(4), product([0] * 4)
    assert evolve(operator, start, [0.0, 0.5], method=method, accuracy=1e-2, throw=False).extra["route"] == "method"


def test_what_is_large_or_dear_goes_by_the_method(monkeypatch):
    operator, start = ising(5), product([0] * 5)

    def taken(times):
        return Driver(operator, start, np.array(times), TDVP(), -1j, 1e-3, True, ()).route

    assert taken([0.0, 1.0]) == "full vectors"
    assert taken([0.0, 1e9]) == "full vectors"  # eigenvectors: any time
    monkeypatch.setattr(full_vectors, "DENSE", 0)
    assert taken([0.0, 1e9]) == "method"
    monkeypatch.setattr(full_vectors, "LARGEST", 31)
    assert taken([0.0, 1.0]) == "method"


def test_a_wrong_matrix_is_found(monkeypatch):
    plain = full_vectors.sparse_matrix
    from solvers.dynamics import second_look

    def wrong(operator, most):
        return 1.001 * plain(operator, most)

    monkeypatch.setattr(full_vectors, "sparse_matrix", wrong)
    monkeypatch.setattr(second_look, "sparse_matrix", wrong)
    solution = evolve(ising(5), product([0] * 5), [0.0, 1.0], accuracy=1e-6, throw=False)
    assert solution.status is Status.CONTRADICTED


def test_interrupted_and_resumed(tmp_path):
    operator, start = ising(6), product([0] * 6)
    options = {"method": BUG(max_rank=3), "accuracy": 1e-6, "observe": overlap(start), "throw": False}
    times, file = np.linspace(0.0, 2.0, 11), tmp_path / "state.npz"
    plain = evolve(operator, start, times, **options)

    def stop(state):
        if state.extra["time"] > 1.1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evolve(operator, start, times, checkpoint=file, callback=stop, **options)
    resumed = evolve(operator, start, times, checkpoint=file, **options)
    for name in ("norms", "energies", "ranks", "truncation_errors", "step_sizes"):
        np.testing.assert_allclose(getattr(resumed.value, name), getattr(plain.value, name), rtol=1e-9, atol=1e-12)
    assert (resumed.value.state - plain.value.state).norm() <= 1e-9
