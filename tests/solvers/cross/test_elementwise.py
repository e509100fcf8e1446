"""Functions of trains entry by entry, and quotients, against numpy; zeros are told."""

import numpy as np
import pytest

from solvers.cross.elementwise import divide, elementwise, quotient
from solvers.formats.trains.construct import ones, random_train
from solvers.solution import Status

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
