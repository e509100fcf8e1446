"""Cores of other packages by plain lists: there and back, and entries by the contraction that the layout means."""

import numpy as np
import pytest

from solvers.formats.trains.construct import random_train
from solvers.formats.trains.layouts import LAYOUTS, from_cores, to_cores
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain

RNG = np.random.default_rng(0)


def operator(d):
    ranks = [1, *([3] * (d - 1)), 1]
    return TTOperator(tuple(RNG.standard_normal((ranks[k], 2, 4, ranks[k + 1])) for k in range(d)))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("d", [1, 2, 4])
def test_there_and_back(layout, d):
    for x in (random_train((3, 2, 4, 5)[:d], 3, RNG, complex), operator(d)):
        cores = to_cores(x, layout)
        y = from_cores(cores, layout)
        assert type(y) is type(x) and all(np.array_equal(p, q) for p, q in zip(x.cores, y.cores, strict=True))
        assert all(core.flags.writeable for core in cores)
        assert from_cores(cores, layout, kind="train" if isinstance(x, TensorTrain) else "operator").shape == x.shape


def test_axes_of_each_layout():
    """Shapes with all sizes different: what each axis is."""
    x = random_train((5, 6, 7), [1, 2, 3, 1], RNG)
    a = TTOperator((np.ones((1, 4, 5, 2)), np.ones((2, 6, 7, 3)), np.ones((3, 8, 9, 1))))

    def shapes(layout):
        return [c.shape for c in to_cores(x, layout)], [c.shape for c in to_cores(a, layout)]

    plain = [(1, 5, 2), (2, 6, 3), (3, 7, 1)], [(1, 4, 5, 2), (2, 6, 7, 3), (3, 8, 9, 1)]
    assert shapes("ttpy") == shapes("torchtt") == shapes("teneva") == plain
    assert shapes("scikit_tt") == ([(1, 5, 1, 2), (2, 6, 1, 3), (3, 7, 1, 1)], plain[1])
    assert shapes("tenpy") == (plain[0], [(1, 2, 4, 5), (2, 3, 6, 7), (3, 1, 8, 9)])
    assert shapes("quimb") == ([(2, 5), (2, 3, 6), (3, 7)], [(2, 4, 5), (2, 3, 6, 7), (3, 8, 9)])
    assert shapes("itensor") == ([(5, 2), (2, 6, 3), (3, 7)], [(4, 5, 2), (2, 6, 7, 3), (3, 8, 9)])


def test_inputs_of_single_precision_in_any_memory_order():
    x = random_train((3, 4), 2, RNG)
    cores = [np.asfortranarray(core.astype(np.float32)) for core in x.cores]
    y = from_cores(cores, "ttpy")
    assert y.dtype == np.float64 and (y - x).norm() < 1e-6 * x.norm()


def test_what_is_no_layout():
    x = random_train((3, 4, 2), 2, RNG)
    with pytest.raises(ValueError, match="layout must be one of"):
        to_cores(x, "numpy")
    with pytest.raises(ValueError, match="at least one core"):
        from_cores([], "quimb")
    with pytest.raises(ValueError, match="neither a train nor an operator in the layout quimb"):
        from_cores(x.cores, "quimb")
    with pytest.raises(ValueError, match="neither a train nor"):
        from_cores(x.cores, "scikit_tt")
    with pytest.raises(ValueError, match="no operator"):
        from_cores(x.cores, "ttpy", kind="operator")
    with pytest.raises(ValueError, match="kind"):
        from_cores(x.cores, "ttpy", kind="vector")
    with pytest.raises(ValueError, match="left rank"):
        from_cores([np.ones((1, 2, 3)), np.ones((2, 2, 1))])
