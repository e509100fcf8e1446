"""Functions of trains entry by entry, and quotients, against numpy; zeros are told."""

import numpy as np
import pytest

from solvers.cross.elementwise import divide, elementwise, quotient
from solvers.formats.trains.construct import ones, random_operator, random_train
from solvers.methods import Cross
from solvers.solution import NotConverged, Status

RNG = np.random.default_rng(0)
SHAPE = (7, 8, 9, 6)
WAVE = random_train(SHAPE, 2, RNG) * 0.3
X = WAVE * WAVE + 1.0
Y = random_train((9, 1), 1, RNG, complex)


def relative(x, expected):
    return np.abs(x.full() - expected).max() / np.abs(expected).max()


def test_quotients():
    x, y = X.full(), Y.full()
    assert relative(1 / X, 1 / x) < 1e-11
    assert relative(Y / X, y / x) < 1e-11
    assert relative(X / X, np.ones(SHAPE)) < 1e-11
    found = divide(2.0, X, accuracy=1e-6)
    assert found.status is Status.CONVERGED and relative(found.value, 2.0 / x) < 1e-6
    assert found.value.max_rank < (1 / X).max_rank


def test_functions_of_trains_and_numbers():
    found = elementwise(lambda a, b, c: np.exp(a) * b + c, X, Y, 2.0)
    assert relative(found.value, np.exp(X.full()) * Y.full() + 2.0) < 1e-10
    large = (random_train((20,) * 6, 2, RNG) * 0.1 + 2.0).round(1e-14)
    root = elementwise(np.sqrt, large, accuracy=1e-8)
    assert root.status is Status.CONVERGED
    assert (root.value * root.value - large).norm() <= 1e-7 * large.norm()


def test_what_cannot_be_done():
    zero = ones((3, 4)) - ones((3, 4))
    with pytest.raises(ZeroDivisionError, match=r"zero at \d+ of the entries"):
        quotient(1.0, zero)
    with pytest.raises(ZeroDivisionError, match="by zero"):
        X / 0
    with pytest.raises(ValueError, match="not finite at the multi-index"):
        elementwise(lambda v: np.where(v > 1.0, v, np.nan), zero)
    with pytest.raises(ValueError, match="at least one train"):
        elementwise(np.exp, 1.0)
    with pytest.raises(TypeError, match="not str"):
        elementwise(np.exp, "x")
    with pytest.raises(ValueError, match="do not fit"):
        elementwise(np.add, X, ones((5,)))


def test_functions_of_operators():
    rng = np.random.default_rng(3)
    a, b = random_operator((2, 3, 2), (3, 2, 4), 2, rng), random_operator((3, 2, 4), (2, 2, 2), 2, rng)
    c = a @ b
    found = elementwise(lambda u, v: np.tanh(u * v), c, 3.0, accuracy=1e-11)
    assert found.converged and found.value.shape == c.shape
    np.testing.assert_allclose(found.value.full(), np.tanh(3.0 * c.full()), atol=1e-10)
    starts = np.array([[0, 1, 1, 1, 0, 0]])
    assert elementwise(np.cos, c, starts=starts).converged
    with pytest.raises(TypeError, match="trains or operators, not both"):
        elementwise(np.add, c, random_train((4, 6, 4), 2, rng))
    with pytest.raises(ValueError, match="do not fit together"):
        elementwise(np.add, a, b)
    with pytest.raises(NotConverged) as error:
        elementwise(lambda u: np.sin(40.0 * u / c.norm()), c, method=Cross(max_rank=2), accuracy=1e-11)
    assert error.value.solution.value.shape == c.shape
