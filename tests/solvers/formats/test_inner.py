"""Inner products of every kind against numpy."""

import numpy as np
import pytest

from solvers.formats.inner import dot
from solvers.formats.trains.construct import operator_tt_svd, random_train
from solvers.formats.tucker.convert import from_full


def test_two_of_a_kind():
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal((2, 3, 2, 2)) + 1j * rng.standard_normal((2, 3, 2, 2)) for _ in range(2))
    for make in (operator_tt_svd, from_full):
        assert dot(make(a), make(b)) == pytest.approx(np.vdot(a, b))
    x, y = random_train((2, 3), 2, rng), random_train((2, 3), 2, rng)
    assert dot(x, y) == pytest.approx(np.vdot(x.full(), y.full()))
    with pytest.raises(TypeError, match="TensorTrain, TTOperator"):
        dot(x, operator_tt_svd(a))
    with pytest.raises(ValueError, match="do not fit"):
        dot(operator_tt_svd(a), operator_tt_svd(b.transpose(1, 0, 2, 3)))
    with pytest.raises(ValueError, match="do not fit"):
        dot(from_full(a), from_full(b[:1]))
