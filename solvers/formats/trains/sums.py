"""The rounded sum of many trains of one shape, without the train whose ranks are the sums of theirs being formed.

Term k has cores G_j[k] (a, n, b). From the right, the interfaces of the sum as triangular factors L (k b, t), t their
numerical rank; from the left a sweep of SVDs of the carried core times L, as in solvers.formats.trains.rounding. Every
step takes the terms one by one: for K terms of rank r rounded to rank s, cost d n K r s (K r + s), where the sum
as one train costs d n (K r)^3. Of terms of rank one this is the rounding of a canonical tensor.
Oseledets, SIAM J. Sci. Comput. 33, 2295 (2011), algorithm 2 and section 4.1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from solvers.formats.trains.factorisations import (
    LeftSVD,
    freeze,
    frobenius,
    row_compress,
    triangular_factor,
    truncation_rank,
)
from solvers.formats.trains.tensor_train import TensorTrain


def rounded_sum(cores: Sequence[np.ndarray], tol: float) -> TensorTrain:
    """The train of the sum of K trains with relative error ``tol``; cores (K, a, n, b), the centre the last one."""
    terms, d = len(cores[0]), len(cores)
    dtype = np.result_type(*cores)
    interfaces = [np.ones((terms, 1, 1), dtype=dtype)]  # L of the modes behind, (K, b, t)
    for core in reversed(cores[1:]):
        _, a, n, b = core.shape
        wide = np.matmul(core.reshape(terms, a * n, b), interfaces[0]).reshape(terms * a, -1)
        factor = row_compress(triangular_factor(np.asfortranarray(wide.T)).T)
        interfaces.insert(0, factor.reshape(terms, a, -1))
    new: list[np.ndarray] = []
    carried = np.ones((1, terms, 1), dtype=dtype)  # (s, K, a)
    norm = 0.0
    for core, interface in zip(cores[:-1], interfaces):
        _, a, n, b = core.shape
        s = len(carried)
        ahead = np.matmul(carried.transpose(1, 0, 2), core.reshape(terms, a, n * b))
        wide = ahead.reshape(terms, s * n, b).transpose(1, 0, 2).reshape(s * n, terms * b)
        svd = LeftSVD(np.asfortranarray(wide @ interface.reshape(terms * b, -1)))
        norm = norm or frobenius(svd.s)
        rank, _ = truncation_rank(svd.s, tol * norm / math.sqrt(d - 1), None)
        u = svd.vectors(rank)
        new.append(freeze(u.reshape(s, n, rank)))
        carried = (u.conj().T @ wide).reshape(rank, terms, b)
    last = cores[-1]
    ahead = carried.reshape(len(carried), -1) @ last.reshape(terms * last.shape[1], -1)
    new.append(freeze(ahead.reshape(len(carried), last.shape[2], last.shape[3])))
    return TensorTrain(tuple(new), d - 1)
