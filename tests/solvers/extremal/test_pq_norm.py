"""(p, q)-norms: listed values, certificates, operators, scales, refusals.

The matrices are sin(a i j + b i^2) + 0.3 cos(b j + a i), i and j from 1; values by counting all corners, by closed
forms, or by a scan of the circle, made apart from this package.
"""

import math

import numpy as np
import pytest
from scipy.sparse.linalg import LinearOperator, aslinearoperator

from solvers.extremal import pq_norm as module
from solvers.extremal.pq_norm import BEST, CERTIFIED, EXACT, pq_norm

INF = math.inf
CASES = [  # m, n, a, b, of absolute values, p, q, the norm, what is known
    (20, 12, 1.7, 0.9, False, INF, 1, 60.83491613024357, EXACT),
    (20, 12, 1.7, 0.9, False, INF, 2, 16.557138503988135, EXACT),
    (20, 12, 1.7, 0.9, False, INF, 5, 10.398817653576026, EXACT),
    (20, 12, 1.7, 0.9, False, INF, 10, 10.198458233528838, EXACT),
    (40, 14, 0.77, 0.31, False, INF, 1, 128.7780240072914, EXACT),
    (40, 14, 0.77, 0.31, False, INF, 2, 25.196062025004437, EXACT),
    (40, 14, 0.77, 0.31, False, INF, 5, 14.098522967944367, EXACT),
    (40, 14, 0.77, 0.31, False, INF, 10, 13.091684892250784, EXACT),
    (12, 9, 1.7, 0.9, False, 1, 1.5, 4.574012674141369, EXACT),
    (12, 9, 1.7, 0.9, False, 1, 2, 3.0516633368896167, EXACT),
    (12, 9, 1.7, 0.9, False, 1, 4, 1.6997218026543048, EXACT),
    (12, 9, 1.7, 0.9, False, 2, INF, 2.8232367294214686, EXACT),
    (12, 9, 1.7, 0.9, False, 3, INF, 4.034311914421007, EXACT),
    (12, 9, 1.7, 0.9, False, 4, INF, 4.829615014426625, EXACT),
    (12, 9, 1.7, 0.9, False, 2, 2, 3.602223330129896, EXACT),
    (12, 9, 1.7, 0.9, True, 4, 3, 8.296464893161312, CERTIFIED),
    (12, 9, 1.7, 0.9, True, 3, 3, 6.915147672784213, CERTIFIED),
    (12, 9, 1.7, 0.9, True, 5, 2, 13.815760046353033, CERTIFIED),
    (6, 2, 1.3, 0.4, False, 3, 4, 1.5508272958229574, BEST),
    (6, 2, 1.3, 0.4, False, 4, 10, 1.4774231289524546, BEST),
    (6, 2, 1.3, 0.4, False, 1.5, 3, 1.4968972574275021, BEST),
    (6, 2, 1.3, 0.4, False, 2, 10, 1.2423828874406535, BEST),
]


def matrix(m, n, a, b, absolute=False):
    i, j = np.arange(1, m + 1)[:, None], np.arange(1, n + 1)[None, :]
    found = np.sin(a * i * j + b * i**2) + 0.3 * np.cos(b * j + a * i)
    return np.abs(found) if absolute else found


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c[0]}x{c[1]}-{c[5]}-{c[6]}")
def test_listed_norms(case):
    *keys, p, q, exact, known = case
    a = matrix(*keys)
    found = pq_norm(a, p, q)
    assert found.kind == known and found.value == pytest.approx(exact, rel=1e-10)
    assert np.linalg.norm(found.vector, p) == pytest.approx(1.0, rel=1e-12)
    assert np.linalg.norm(a @ found.vector, q) == pytest.approx(exact, rel=1e-10)
    assert found.upper >= exact * (1.0 - 1e-12)


@pytest.mark.parametrize("case", CASES[:8], ids=lambda c: f"{c[0]}x{c[1]}-{c[6]}")
def test_the_search_finds_what_the_count_of_corners_does(case, monkeypatch):
    monkeypatch.setattr(module, "closed", lambda a, p, q: None)
    *keys, p, q, exact, _ = case
    found = pq_norm(matrix(*keys), p, q)
    assert found.kind == BEST and found.value == pytest.approx(exact, rel=1e-10) and 0.0 < found.reached < 1.0


def test_flips_of_signs_mend_a_bad_start(monkeypatch):
    monkeypatch.setattr(module, "closed", lambda a, p, q: None)
    a = matrix(*CASES[0][:4])
    alone = [pq_norm(a, INF, 2.0, starts=1, rng=np.random.default_rng(s)).value for s in range(5)]
    monkeypatch.setattr(module, "_polished", lambda a, vector, *rest: vector)
    plain = [pq_norm(a, INF, 2.0, starts=1, rng=np.random.default_rng(s)).value for s in range(5)]
    assert all(x >= y for x, y in zip(alone, plain)) and np.mean(alone) > np.mean(plain)


def test_an_operator_is_searched_without_its_matrix():
    a = matrix(*CASES[3][:4])
    asked = []

    class Noted(LinearOperator):
        def __init__(self):
            super().__init__(float, a.shape)

        def _matmat(self, x):
            asked.append(x.shape[1])
            return a @ x

        def _rmatmat(self, x):
            asked.append(x.shape[1])
            return a.T @ x

    found = pq_norm(Noted(), INF, 10.0)
    assert found.kind == BEST and found.value == pytest.approx(CASES[3][7], rel=1e-10)
    assert sum(asked) == found.products and math.isnan(found.upper)
    assert pq_norm(aslinearoperator(a), 2.0, 2.0).value == pytest.approx(np.linalg.norm(a, 2), rel=1e-9)


@pytest.mark.parametrize("scale", [1e-150, 1e150])
def test_the_norm_scales_with_the_matrix(scale):
    a = matrix(*CASES[18][:4])
    assert pq_norm(scale * a, 3, 4).value == pytest.approx(scale * CASES[18][7], rel=1e-10)
    b = matrix(*CASES[16][:5])
    assert pq_norm(scale * b, 3, 3).kind == CERTIFIED


def test_norms_of_a_matrix_and_its_transpose_are_dual():
    a = matrix(*CASES[18][:4])
    assert pq_norm(a.T, 4 / 3, 1.5).value == pytest.approx(CASES[18][7], rel=1e-10)


def test_zero_columns_and_a_zero_matrix():
    a = matrix(*CASES[16][:5])
    a[:, 3] = 0.0
    assert pq_norm(a, 3, 3).kind == CERTIFIED
    assert pq_norm(np.zeros((3, 2)), 2, 3).value == 0.0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((np.array([["a", "b"]]), 2, 2), "real numbers"),
        ((np.array([[1.0, np.nan]]), 2, 2), r"\[0, 1\] is nan"),
        ((np.ones(3), 2, 2), "shape"),
        ((np.ones((2, 2)), 0.5, 2), "p is 0.5"),
        ((np.ones((2, 2)), 2, math.nan), "q is nan"),
        ((np.ones((2, 2)) * 1j, 2, 2), "real"),
        ((aslinearoperator(np.ones((2, 2)) * 1j), 2, 2), "real"),
        ((aslinearoperator(np.full((2, 2), np.nan)), 3, 2), "finite"),
    ],
)
def test_refusals_are_a_line(given, said):
    with pytest.raises(ValueError, match=said) as refused:
        pq_norm(*given)
    assert "\n" not in str(refused.value)
    with pytest.raises(ValueError, match="starts"):
        pq_norm(np.ones((2, 2)), 3, 3, starts=0)
