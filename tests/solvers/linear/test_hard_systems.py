"""Large systems on which Galerkin projection is singular or indefinite, full vectors out of reach; exact answers."""

import warnings

import numpy as np
import pytest
from linear_cases import second_difference

import solvers.linear.task as linear
from solvers.formats import quantics
from solvers.formats.trains.construct import (
    identity_operator,
    kronecker_sum,
    ones,
    random_train,
    rank_one_operator,
    unit,
)
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.sum_of_products import sum_of_products
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.linear.solve import solve
from solvers.methods import DMRG, AMEn
from solvers.solution import NotConverged, Status

X, Z = np.array([[0.0, 1.0], [1.0, 0.0]]), np.diag([1.0, -1.0])
METHODS = {"amen": AMEn(), "dmrg": DMRG()}


def chain(n):
    """Transverse Ising chain less an energy inside its spectrum: indefinite."""
    terms = [(-1.0, {k: 1, k + 1: 1}) for k in range(n - 1)] + [(-0.7, {k: 2}) for k in range(n)]
    return sum_of_products([np.array([np.eye(2), X, Z])] * n, terms) - identity_operator((2,) * n) * 3.3


def image(a, rank=2):
    return a @ random_train(a.row_shape, rank, np.random.default_rng(5))


def systems():
    rng = np.random.default_rng(0)
    yield "flips", rank_one_operator([X] * 60), unit((2,) * 60, [0] * 60)
    yield "shift", quantics.cyclic_shift(30, 12345), quantics.unit_vector(30, 3)
    yield "2 + shift", quantics.cyclic_shift(30, 5) + quantics.identity(30) * 2.0, quantics.unit_vector(30, 3)
    one, two = (rank_one_operator([np.eye(5)[rng.permutation(5)] for _ in range(20)]) for _ in range(2))
    yield "permutations", one, random_train((5,) * 20, 2, rng)
    yield "two permutations", one * 2.0 + two, image(one * 2.0 + two)
    yield "chain", chain(24), image(chain(24))
    helmholtz = kronecker_sum([second_difference(24) - 24.0 * np.eye(24)] * 6)
    yield "helmholtz", helmholtz, ones([24] * 6)
    cores = [rng.standard_normal((1 if k == 0 else 2, 4, 4, 1 if k == 19 else 2)) / np.sqrt(8) for k in range(20)]
    dense = TTOperator(tuple(cores)) * 0.5 + identity_operator((4,) * 20)
    yield "random", dense, image(dense)
    neumann = quantics.laplacian(24, left="neumann", right="neumann")
    yield "consistent and singular", neumann, image(neumann)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name, a, b", list(systems()), ids=[name for name, _, _ in systems()])
def test_solved(method, name, a, b):
    solution = solve(a, b, method=METHODS[method], accuracy=1e-6)
    assert (b - a @ solution.value).norm() <= 1e-6 * b.norm()
    assert all(one.passed for one in solution.checked) and len(solution.checked) == 1


def test_closed_forms():
    flip, shift = rank_one_operator([X] * 60), quantics.cyclic_shift(30, 12345)
    x = solve(flip, unit((2,) * 60, [0] * 60)).value
    assert (x - unit((2,) * 60, [1] * 60)).norm() <= 1e-6
    x = solve(shift, shift @ quantics.unit_vector(30, 7)).value
    assert (x - quantics.unit_vector(30, 7)).norm() <= 1e-6


def test_small_ones_without_full_vectors(monkeypatch):
    monkeypatch.setattr(linear, "DIRECT_FIRST", 0)
    monkeypatch.setattr(linear, "DIRECT_LAST", 0)
    for seed in range(3):
        rng = np.random.default_rng(seed)
        a = TTOperator(tuple(rng.standard_normal(s) for s in ((1, 4, 4, 2), (2, 5, 5, 3), (3, 6, 6, 1))))
        b = a @ random_train((4, 5, 6), [1, 2, 3, 1], rng)
        for method in METHODS.values():
            solution = solve(a, b, method=method, accuracy=1e-8)
            assert solution.extra["route"] != "full vectors"
            dense = a.full() @ solution.value.full().reshape(-1) - b.full().reshape(-1)
            assert np.linalg.norm(dense) <= 1.01e-8 * b.norm()


def test_never_worse_than_zero():
    """Condition 1e18: out of reach, and said so."""
    a = quantics.laplacian(30, step=1.0 / 2**30, left="dirichlet", right="neumann")
    solution = solve(a, ones((2,) * 30), accuracy=1e-10, throw=False, method=AMEn(max_rank=16))
    assert solution.status in (Status.PRECISION, Status.STAGNATED, Status.RANK_LIMIT)
    assert solution.residual[0] <= 1.0


@pytest.mark.parametrize("power_a, power_b", [(-250, 0), (250, 0), (0, -250), (0, 250), (-150, 200), (200, -200)])
@pytest.mark.parametrize("shape", [(4, 5, 3), (8, 8, 8, 8, 8)])
def test_any_scale(shape, power_a, power_b):
    a = kronecker_sum([second_difference(n) / n**2 for n in shape])
    b = random_train(shape, 2, np.random.default_rng(1))
    plain = solve(a, b, accuracy=1e-8).value
    scaled = solve(a * 10.0**power_a, b * 10.0**power_b, accuracy=1e-8)
    assert scaled.converged
    cores = list(scaled.value.cores)
    for k in range(len(cores)):  # the power is taken out of the cores one by one: the whole may not be representable
        cores[k] = cores[k] * 10.0 ** ((power_a - power_b) / len(cores))
    assert (TensorTrain(tuple(cores)) - plain).norm() <= 1e-6 * plain.norm()


def test_a_solution_that_no_double_holds():
    with pytest.raises(ValueError, match="outside the range of double precision"):
        solve(rank_one_operator([np.eye(3) * 1e-300]), TensorTrain((np.full((1, 3, 1), 1e300),)))


def test_singular_is_proved_and_consistent_ones_are_solved():
    rng = np.random.default_rng(3)
    parts = [rng.standard_normal((n, n)) for n in (3, 4, 5)]
    parts[1][:, 0] = 0.0
    a = rank_one_operator(parts)
    solution = solve(a, image(a), accuracy=1e-9)
    assert solution.converged
    b = random_train((3, 4, 5), 2, rng)
    solution = solve(a, b, accuracy=1e-9, throw=False)
    assert solution.status is Status.SINGULAR and solution.extra["left_null_vector"] <= 1e-14
    least = np.linalg.lstsq(a.full(), b.full().reshape(-1), rcond=1e-12)[0]
    best = np.linalg.norm(b.full().reshape(-1) - a.full() @ least) / b.norm()
    assert best * 0.99 <= solution.residual[0] <= best * 1.2
    with pytest.raises(NotConverged, match="singular"):
        solve(a, b)


def test_nothing_overflows_in_many_dimensions():
    """|| b || = 32^32, and a Laplacian of 64 modes: squares of what a sweep meets leave the range of numbers."""
    second = (2.0 * np.eye(32) - np.eye(32, k=1) - np.eye(32, k=-1)) * 33.0**2
    a, b = kronecker_sum([second] * 64), ones((32,) * 64)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert solve(a, b, accuracy=1e-6).residual[0] <= 1e-6
