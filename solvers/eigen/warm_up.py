"""Compile (or load) every kernel of the eigensolver by a tiny problem, so that compile time is reported apart."""

from __future__ import annotations

import time

import numpy as np

from solvers.eigen.configuration_interaction import ProductTerms
from solvers.eigen.eigsolve import eigsolve
from solvers.eigen.left_out import about, left_out
from solvers.formats.trains.sum_of_products import sum_of_products
from solvers.methods import InverseIteration

_DONE = False


def warm_up() -> float:
    """Seconds spent; zero from the second call on in one process."""
    global _DONE
    if _DONE:
        return 0.0
    begin = time.perf_counter()
    q = np.diag(np.sqrt(np.arange(1, 4) / 2.0), 1)
    stack = np.array([np.eye(4), q + q.T, np.diag(np.arange(4) + 0.5)])
    terms = tuple((1.0, {k: 2}) for k in range(3)) + tuple((0.1, {k: 1, k + 1: 1}) for k in range(2))
    energies = np.arange(4) + 0.5
    table = ProductTerms((stack,) * 3, terms, (energies,) * 3, (np.zeros(4, dtype=np.int64),) * 3)
    found = eigsolve(
        sum_of_products(table.matrices, table.terms),
        2,
        start=table,
        accuracy=1e-3,
        throw=False,
        method=InverseIteration(max_rank=4, first_rank=3, max_passes=2, configurations=8),
    )
    left_out(about(table, (((0, 4),),) * 2 + (((0, 3),),)), found.value.trains[0], 1e-3, 1.0)
    _DONE = True
    return time.perf_counter() - begin
