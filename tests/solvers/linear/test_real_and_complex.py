"""Real operators with complex right-hand sides, and the other way round: no part of a number is lost on any route."""

import warnings

import numpy as np
import pytest

from solvers.formats.trains.construct import identity_operator, kronecker_sum, random_operator, random_train
from solvers.linear import full_vectors, task
from solvers.linear.gmres import gmres
from solvers.linear.lstsq import lstsq
from solvers.linear.product import multiply
from solvers.linear.solve import solve


@pytest.fixture(autouse=True)
def no_part_is_dropped():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(4)


def system(complex_operator: bool, cyclic: bool, rng):
    """A well-conditioned operator, dense or with few entries a row, and a right-hand side of the other kind."""
    shape = (4, 3, 5)
    if cyclic:  # eigenvalues around zero, so that Krylov steps do not reach the accuracy at once
        a = kronecker_sum([rng.uniform(0.5, 1.5) * np.roll(np.eye(n), 1, axis=0) for n in shape])
        a = a + 0.4 * identity_operator(shape)
    else:
        a = random_operator(shape, shape, 2, rng) + 20.0 * identity_operator(shape)
    b = random_train(shape, 2, rng)
    return (a * (1.0 + 0.5j), b) if complex_operator else (a, b + 1j * random_train(shape, 1, rng))


def off(a, x, b) -> float:
    return float(np.linalg.norm(b.full().ravel() - a.full() @ x.full().ravel()) / b.norm())


@pytest.mark.parametrize("complex_operator", [False, True])
@pytest.mark.parametrize("cyclic", [False, True])
@pytest.mark.parametrize("route", ["LU", "sparse LU", "QR with pivots", "sweeps"])
def test_solve(complex_operator, cyclic, route, monkeypatch, rng) -> None:
    a, b = system(complex_operator, cyclic, rng)
    if route != "sparse LU":
        monkeypatch.setattr(full_vectors, "SPARSE", 0.0)
    if route == "QR with pivots":
        monkeypatch.setattr(full_vectors, "_by_lu", lambda *_: None)
    if route == "sweeps":
        monkeypatch.setattr(task, "DIRECT_FIRST", 0)
        monkeypatch.setattr(task, "DIRECT_LAST", 0)
    found = solve(a, b, accuracy=1e-9)
    if route == "sparse LU" and not cyclic:
        assert found.extra["factorisation"] == "LU"
    elif route != "sweeps":
        assert found.extra["factorisation"] == route
    assert off(a, found.value, b) <= 1e-9


@pytest.mark.parametrize("complex_operator", [False, True])
def test_other_verbs(complex_operator, rng) -> None:
    a, b = system(complex_operator, False, rng)
    assert off(a, lstsq(a, b, accuracy=1e-9).value, b) <= 2e-9
    assert off(a, gmres(lambda x: a @ x, b, accuracy=1e-8).value, b) <= 1.1e-8
    product = multiply(a, b, tol=1e-10).value.full().ravel()
    np.testing.assert_allclose(product, a.full() @ b.full().ravel(), rtol=0, atol=1e-8)
