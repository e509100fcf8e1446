"""The operator of a small system as a sparse matrix, multiplied out core by core.

Rows of partial matrices, one for every index of the bond behind the cores done: M'_b = sum_a M_a (x) A_k[a, :, :, b].
Cost: nonzeros of the result times the ranks.
"""

from __future__ import annotations

import math

from scipy import sparse

from solvers.formats.trains.operator import TTOperator

MOST_NONZEROS = 4e6  # of a matrix that an evolution works with


def sparse_matrix(operator: TTOperator, most: float) -> sparse.csr_matrix | None:
    """The operator as a sparse matrix, or None where it has more than ``most`` nonzeros."""
    blocks: list[sparse.csr_matrix | None] = [sparse.identity(1, format="csr")]
    for core in operator.cores:
        following: list[sparse.csr_matrix | None] = [None] * core.shape[3]
        for alpha, block in enumerate(blocks):
            for beta in range(core.shape[3]):
                part = core[alpha, :, :, beta]
                if block is None or not part.any():
                    continue
                term = sparse.kron(block, sparse.csr_matrix(part), format="csr")
                following[beta] = term if following[beta] is None else following[beta] + term
        blocks = following
        if sum(block.nnz for block in blocks if block is not None) > most:
            return None
    size = math.prod(operator.column_shape)
    return blocks[0] if blocks[0] is not None else sparse.csr_matrix((size, size))
