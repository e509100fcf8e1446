"""The pseudo-inverse as an operator, by every route, against the dense one."""

import numpy as np
import pytest
from continued_calls import check_that_it_goes_on
from test_lstsq import by_trains, deficient, random_operator

from solvers import checkpoint as checkpoints
from solvers.formats import quantics
from solvers.formats.trains.construct import random_train, rank_one_operator
from solvers.linear.lstsq import lstsq
from solvers.linear.pinv import pinv
from solvers.methods import AMEn


def check(a, route):
    solution = pinv(a)
    m, n = int(np.prod(a.row_shape)), int(np.prod(a.column_shape))
    x, exact = solution.value.full().reshape(n, m), np.linalg.pinv(a.full().reshape(m, n), rcond=1e-12)
    assert np.linalg.norm(x - exact) <= 1e-7 * np.linalg.norm(exact)
    assert solution.converged and solution.extra["route"] == route
    assert solution.residual.shape == (4,) and solution.residual.max() <= 1e-8
    return solution


@pytest.mark.parametrize("dtype", [float, complex])
def test_dense_truth(dtype, monkeypatch):
    rng = np.random.default_rng(6)
    cases = [random_operator((4, 4), (3, 3), 2, rng, dtype), random_operator((2, 3), (4, 3), 2, rng, dtype)]
    for a in (*cases, deficient(rng, dtype), quantics.laplacian(4, left="periodic", right="periodic")):
        check(a, "full matrix")
    by_trains(monkeypatch)
    for a in (*cases, quantics.laplacian(4)):
        check(a, "least squares")


def test_products_of_any_size():
    rng = np.random.default_rng(7)
    parts = [rng.standard_normal((3, 4)), np.ones((4, 2)), np.eye(3)]
    assert check(rank_one_operator(parts), "product").extra["rank"] == 3 * 1 * 3
    large = rank_one_operator([rng.standard_normal((3, 4)) for _ in range(40)])
    b = random_train((3,) * 40, 1, rng)
    x = pinv(large).value @ b
    assert (large @ x - b).norm() <= 1e-10 * b.norm()  # of full row rank
    assert (x - lstsq(large, b, accuracy=1e-8).value).norm() <= 1e-6 * x.norm()


def test_zero_ranks_and_refusals():
    zero = random_operator((2, 3), (3, 2), 2, np.random.default_rng(0)) * 0.0
    assert pinv(zero).value.norm() == 0.0
    a = random_operator((4, 4, 4), (3, 3, 3), 2, np.random.default_rng(0))
    capped = pinv(a, method=AMEn(max_rank=2), throw=False)
    assert not capped.converged and capped.value.max_rank <= 2 and capped.residual.max() > 1e-8
    with pytest.raises(ValueError, match="accuracy must lie in"):
        pinv(a, accuracy=0.0)


def test_it_goes_on_to_the_same_inverse(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "QUIET", np.inf)
    by_trains(monkeypatch)
    check_that_it_goes_on(lambda **more: pinv(quantics.laplacian(4), **more), tmp_path)
