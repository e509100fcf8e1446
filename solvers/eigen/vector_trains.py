"""Vectors over all product functions of a small space as trains, with and without symmetry charges.

Successive truncated singular value decompositions of the unfoldings (Oseledets, SIAM J. Sci. Comput. 33, 2295 (2011),
algorithm 1), those of a sector train charge by charge. Cost O(N r^2) a vector.
"""

from __future__ import annotations

import numpy as np

from solvers.eigen.explicit import total_charges
from solvers.sectors.group import Bond
from solvers.sectors.train import ModeCharges, SectorTrain, layout


def sector_train(vector: np.ndarray, charge: int, modes: ModeCharges, tol: float, max_rank: int) -> SectorTrain:
    """The vector (N,), which holds nothing outside its ``charge``, as a train of at most ``max_rank``.

    Below that the error is at most ``tol`` times its norm.
    """
    d, norm2 = len(modes), float(vector @ vector)
    budget = tol * tol * norm2 / max(d - 1, 1)
    carry, near = vector.reshape(1, -1), np.zeros(1, dtype=np.int64)
    bonds: list[Bond] = [((0, 1),)]
    cores = []
    for k in range(d - 1):
        own = np.concatenate([np.full(n, c) for c, n in modes[k]])
        rows = (near[:, None] ^ own[None, :]).ravel()
        tails = charge ^ total_charges(modes[k + 1 :])  # what is behind mode k goes with this charge before it
        unfolded = carry.reshape(len(rows), -1)
        factors = {}
        for c in np.unique(rows):
            i, j = np.flatnonzero(rows == c), np.flatnonzero(tails == c)
            block = unfolded[np.ix_(i, j)]
            if block.any():
                factors[int(c)] = (i, j, *np.linalg.svd(block, full_matrices=False))
        values = np.sort(np.concatenate([f[3] for f in factors.values()]))[::-1]
        left_out = np.append(np.cumsum((values**2)[::-1])[::-1], 0.0)
        keep = max(1, min(max_rank, int(np.argmax(left_out <= budget))))
        kept = {c: int(np.sum(f[3] >= values[keep - 1])) for c, f in factors.items()}
        bond = tuple((c, kept[c]) for c in sorted(kept) if kept[c])
        parts, behind = {}, []
        for c, r in bond:
            i, j, u, s, vt = factors[c]
            whole = np.zeros((len(rows), r))
            whole[i] = u[:, :r]
            parts[c] = whole.reshape(len(near), len(own), r)
            rest = np.zeros((r, unfolded.shape[1]))
            rest[:, j] = s[:r, None] * vt[:r]
            behind.append(rest)
        cores.append(_flat(parts, bonds[-1], modes[k], bond, near, own))
        bonds.append(bond)
        carry = np.concatenate(behind)
        near = np.concatenate([np.full(r, c) for c, r in bond])
    own = np.concatenate([np.full(n, c) for c, n in modes[-1]])
    bonds.append(((charge, 1),))
    last = {charge: carry.reshape(len(near), len(own), 1)}
    cores.append(_flat(last, bonds[-2], modes[-1], bonds[-1], near, own))
    return SectorTrain(modes, tuple(bonds), tuple(cores))


def _flat(
    parts: dict[int, np.ndarray], near: Bond, mode: Bond, far: Bond, left: np.ndarray, own: np.ndarray
) -> np.ndarray:
    """A flat core from its columns by far charge, each (left, functions, right) over all of the first two."""
    blocks = []
    for l, c, *_ in layout(near, mode, far)[0]:
        blocks.append(parts[c][np.ix_(left == l, own == (l ^ c))].ravel())
    return np.concatenate(blocks)
