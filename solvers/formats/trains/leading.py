"""The largest entries of a dense train, real or complex: a beam search from the left, the rest right-orthogonal.

The norm of a partial product then bounds every entry behind it, so that what is found is the largest whenever ``beam``
partial products are enough.
"""

from __future__ import annotations

import numpy as np

from solvers.formats.trains.tensor_train import TensorTrain

BEAM = 64


def leading_entries(x: TensorTrain, count: int, beam: int = BEAM) -> list[tuple[complex, tuple[int, ...]]]:
    """The ``count`` entries of largest modulus, falling, with their indices; real ones have no imaginary part.

    Cost O(d n r^3 + d beam n r^2).
    """
    cores = list(x.cores)
    for k in range(len(cores) - 1, 0, -1):
        a, n, b = cores[k].shape
        q, r = np.linalg.qr(cores[k].reshape(a, n * b).conj().T)
        cores[k] = q.conj().T.reshape(-1, n, b)
        cores[k - 1] = np.tensordot(cores[k - 1], r.conj().T, 1)
    functions, vectors = np.zeros((1, 0), dtype=np.int64), np.ones((1, 1), dtype=x.dtype)
    for core in cores:
        n = core.shape[1]
        rows = np.tensordot(vectors, core, 1).reshape(-1, core.shape[2])
        functions = np.column_stack([np.repeat(functions, n, axis=0), np.tile(np.arange(n), len(functions))])
        best = np.argsort(-np.linalg.norm(rows, axis=1), kind="stable")[:beam]
        functions, vectors = functions[best], rows[best]
    return [(complex(v[0]), tuple(int(m) for m in f)) for v, f in zip(vectors[:count], functions[:count])]
