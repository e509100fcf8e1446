"""The largest coefficients of a train in one symmetry sector: which products of functions a state is made of."""

from __future__ import annotations

import numpy as np

from solvers.sectors.group import taken
from solvers.sectors.train import SectorTrain, first_functions, right_orthogonal


def leading_products(x: SectorTrain, count: int, beam: int = 64) -> list[tuple[float, tuple[int, ...]]]:
    """The ``count`` largest coefficients of a train and their mode functions (indices in ascending charge).

    A beam search from the left: with the rest right-orthogonal, the norm of a partial product bounds every coefficient
    behind it, so what is found is the largest whenever ``beam`` partial products are enough. Cost O(d beam n r^2).
    """
    x = right_orthogonal(x)
    partial: dict[int, tuple[np.ndarray, np.ndarray]] = {0: (np.zeros((1, 0), dtype=np.int64), np.ones((1, 1)))}
    for k in range(x.d):
        at = first_functions(x.modes[k])
        found: dict[int, list[tuple[np.ndarray, np.ndarray]]] = {}
        for (l, c), block in x.blocks(k).items():
            if l not in partial:
                continue
            functions, vectors = partial[l]
            n, r = block.shape[1:]
            rows = (vectors @ block.reshape(len(block), -1)).reshape(-1, r)
            own = np.tile(at[taken(c, l)] + np.arange(n), len(functions))
            new = np.column_stack([np.repeat(functions, n, axis=0), own])
            found.setdefault(c, []).append((new, rows))
        # the ``beam`` largest, ties (as many zeros as there are products, in a product state) by their place
        sizes = [np.einsum("ir,ir->i", rows, rows) for parts in found.values() for _, rows in parts]
        order = np.argsort(-np.concatenate(sizes), kind="stable")[:beam]
        kept = np.zeros(sum(map(len, sizes)), dtype=bool)
        kept[order] = True
        partial, start = {}, 0
        for c, parts in found.items():
            functions = np.concatenate([f for f, _ in parts])
            keep = kept[start : start + len(functions)]
            start += len(functions)
            if keep.any():
                partial[c] = (functions[keep], np.concatenate([rows for _, rows in parts])[keep])
    functions, values = partial[x.charge]
    order = np.argsort(-np.abs(values[:, 0]), kind="stable")[:count]
    return [(float(values[i, 0]), tuple(int(n) for n in functions[i])) for i in order]
