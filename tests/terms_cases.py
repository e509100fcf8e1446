"""Hamiltonians given term by term, and their dense matrices, for tests."""

from functools import reduce

import numpy as np

from problems.quantum.hamiltonians.terms.matrices import matrix
from problems.quantum.hamiltonians.terms.names import parse
from problems.quantum.kinds.sum_of_products import SumOfProductsProblem


def named(mode, text):
    """The complex matrix of a named operator."""
    phase, real = matrix(mode, parse(text, mode, 0))
    return 1j**phase * real


def problem(modes, terms, **keys):
    data = {"kind": "sum_of_products", "modes": modes, "terms": terms, "task": "spectrum"} | keys
    return SumOfProductsProblem.model_validate(data)


def dense(p):
    """The Hamiltonian in the functions given, by Kronecker products."""
    h = 0
    for coefficient, names in p.terms:
        c = complex(*coefficient) if isinstance(coefficient, tuple) else coefficient
        h = h + c * reduce(
            np.kron, [named(m, names[k]) if k in names else np.eye(m.size) for k, m in enumerate(p.bases)]
        )
    return h
