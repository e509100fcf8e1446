"""The arithmetic of Tucker tensors against numpy, real and complex."""

import numpy as np
import pytest

from solvers.formats.tucker.arithmetic import indexed
from solvers.formats.tucker.convert import from_full, to_train
from solvers.formats.tucker.tensor import TuckerTensor, constant

RNG = np.random.default_rng(0)


def made(shape, ranks, dtype):
    def array(size):
        return RNG.standard_normal(size) + (1j * RNG.standard_normal(size) if dtype is complex else 0.0)

    return TuckerTensor(array(ranks), tuple(array((n, r)) for n, r in zip(shape, ranks)))


@pytest.mark.parametrize("dtype", [float, complex])
def test_arithmetic(dtype):
    x, y, z = made((4, 5, 6), (2, 3, 2), dtype), made((4, 5, 6), (2, 2, 3), dtype), made((5, 1), (2, 1), dtype)
    a, b, c = x.full(), y.full(), z.full()
    for found, expected in (
        (x + y, a + b),
        (x - y, a - b),
        (x * y, a * b),
        (x + z, a + c),
        (z * x, a * c),
        (x + 1.5, a + 1.5),
        (2 - x, 2 - a),
        (np.float64(2) * x, 2 * a),
        (x / 4, a / 4),
        (-x, -a),
        (x * 2j, a * 2j),
        (x.conj(), a.conj()),
        (x.transpose(2, 0, 1), a.transpose(2, 0, 1)),
        (x.transpose(), a.T),
        (x.sum(1), a.sum(1)),
        (x.sum([0, -1]), a.sum((0, 2))),
    ):
        np.testing.assert_allclose(found.full(), expected, atol=1e-12 * np.abs(expected).max())
    assert x.sum() == pytest.approx(a.sum())
    assert (x + y).ranks == (4, 5, 5) and (x * y).ranks == (4, 6, 6)
    assert ((x + y) - x).round(1e-10).ranks == y.ranks
    np.testing.assert_allclose(from_full(a).full(), a, atol=1e-11 * np.abs(a).max())
    np.testing.assert_allclose(to_train(x).full(), a, atol=1e-12 * np.abs(a).max())
    assert x.round(1e-12).norm() == pytest.approx(np.linalg.norm(a))


@pytest.mark.parametrize(
    "key",
    [1, (slice(None), -1), (..., 2), (None, 0, ..., slice(None, None, -2)), ([0, 2],), (slice(None), [1, 1], [0, 5])],
)
def test_indices(key):
    x = made((4, 5, 6), (2, 3, 2), complex)
    np.testing.assert_allclose(x[key].full(), x.full()[key], atol=1e-12)
    assert x[1, 2, 3] == pytest.approx(complex(x.full()[1, 2, 3]))
    assert indexed(x.core, x.factors, (0, 0, 0))[1] == []


def test_what_is_refused():
    x = constant((3, 4), 2.0)
    with pytest.raises(ValueError, match=r"\(3, 4\) and \(4, 3\) do not fit"):
        x + constant((4, 3), 1.0)
    with pytest.raises(ZeroDivisionError):
        x / 0
    for act in (lambda: x + "a", lambda: x * None, lambda: np.ones((3, 4)) + x, lambda: x - np.ones(4)):
        with pytest.raises(TypeError):
            act()
    with pytest.raises(ValueError, match="not finite"):
        x + np.nan
    with pytest.raises(IndexError, match="out of range"):
        x[3]
