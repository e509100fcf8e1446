"""Products on which the diagonal of an operator is lowest."""

import numpy as np
import pytest

from solvers.eigen.low_products import low_products
from solvers.formats.trains.operator import TTOperator


@pytest.mark.parametrize("shape", [(5,), (2, 3), (2, 2, 2, 2, 2, 2, 2), (4, 1, 3, 4)])
def test_the_lowest_of_all(shape):
    rng = np.random.default_rng(len(shape))
    ranks = [1, *[3] * (len(shape) - 1), 1]
    cores = [rng.standard_normal((a, n, n, b)) for a, n, b in zip(ranks[:-1], shape, ranks[1:])]
    operator = TTOperator(tuple(cores))
    everything = np.real(np.diag(operator.full()))
    products, values = low_products(operator, 3, rng)
    np.testing.assert_allclose(values, [everything[np.ravel_multi_index(p, shape)] for p in products], atol=1e-12)
    assert len({tuple(p) for p in products}) == len(products) and np.all(np.diff(values) >= 0.0)
    assert values[0] == pytest.approx(everything.min())
