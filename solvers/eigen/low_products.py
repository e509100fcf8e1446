"""The product functions on which the diagonal of an operator is lowest: where localised states are to be looked for.

Descent from many random products at once: two neighbouring modes at a time take the values that are best for the others
as they are, sweep by sweep, until nothing moves. No state, mean field or rank takes part in it.
Cost of a sweep O(p d R (R n + n^2)) for p products and operator rank R.
"""

from __future__ import annotations

import numpy as np

from solvers.formats.trains.operator import TTOperator

PRODUCTS = 1000
SWEEPS = 8
MOST_WORK = 2e9  # of a sweep, in multiplications


def low_products(operator: TTOperator, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Up to ``count`` distinct products (m, d) of low diagonal, ascending, and their diagonal elements (m,)."""
    cores = [np.ascontiguousarray(np.real(np.einsum("aiib->aib", core))) for core in operator.cores]
    work = sum(
        float(a) * n * b * cores[min(k + 1, len(cores) - 1)].shape[1]
        for k, c in enumerate(cores)
        for a, n, b in [c.shape]
    )
    number = int(np.clip(MOST_WORK / max(work, 1.0), count, PRODUCTS))
    products = np.column_stack([rng.integers(c.shape[1], size=number) for c in cores])
    values = np.full(number, np.inf)
    for _ in range(SWEEPS):
        before, (products, values) = values, _descended(cores, products)
        if np.array_equal(before, values):
            break
    products, first = np.unique(products, axis=0, return_index=True)
    values = values[first]
    order = np.argsort(values, kind="stable")[:count]
    return products[order], values[order]


def _descended(cores: list[np.ndarray], products: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every pair of neighbours at its best once, from the left to the right; the diagonal there."""
    d, number = len(cores), len(products)
    products, every = products.copy(), np.arange(number)
    rights = [np.ones((number, 1))]
    for k in range(d - 1, 0, -1):
        rights.append(np.einsum("pab,pb->pa", cores[k][:, products[:, k]].transpose(1, 0, 2), rights[-1]))
    rights.reverse()  # rights[k]: what follows mode k
    left = np.ones((number, 1))
    for k in range(d):
        a, n, b = cores[k].shape
        own = (left @ cores[k].reshape(a, n * b)).reshape(number, n, b)
        if k + 1 < d:
            _, m, c = cores[k + 1].shape
            both = own.reshape(number * n, b) @ cores[k + 1].reshape(b, m * c)
            values = np.matmul(both.reshape(number, n * m, c), rights[k + 1][:, :, None])[:, :, 0]
            best = np.argmin(values, axis=1)
            products[:, k], products[:, k + 1] = np.divmod(best, m)
        else:
            products[:, k] = np.argmin(own[:, :, 0], axis=1)
        left = own[every, products[:, k]]
    return products, left[:, 0]
