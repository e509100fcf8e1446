"""Which modes an operator couples: the connected components of its graph of interactions, and its parts on them.

Every operator is a sum of terms, each traceless on the modes of its support and one on the others. P_i takes the part
that is traceless on mode i; P_i P_j A is zero exactly where no term has both i and j in its support. The components of
the graph of all (i, j) with P_i P_j A /= 0 are groups of modes that nothing couples: A is a sum over them, wherever
their modes stand. Norms are those of triangular factors from the left and from the right, so that nothing cancels.
Cost O(d^2 n^2 R^3) at most, O(d n^2 R^3) where neighbours are coupled.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from solvers.formats.trains.factorisations import triangular_factor
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain


def components(operator: TTOperator, floor: float) -> list[tuple[int, ...]]:
    """Groups of modes, in the order of their first; a coupling of a Frobenius norm up to ``floor`` counts as none."""
    d = operator.d
    flat = [core.reshape(core.shape[0], -1, core.shape[3]) for core in operator.cores]
    bare = [_traceless(core) for core in operator.cores]
    before, behind = [np.ones((1, 1))], [np.ones((1, 1))]
    for k in range(d - 1):
        before.append(_carried(before[-1], flat[k]))
        behind.append(_carried(behind[-1], flat[d - 1 - k].transpose(2, 1, 0)))
    behind.reverse()  # behind[k]: of the modes after k
    group = list(range(d))

    def coupled(left: np.ndarray, j: int) -> bool:
        block = np.tensordot(np.tensordot(left, bare[j], 1), behind[j], axes=(2, 1))
        return bool(np.linalg.norm(block) > floor)

    def join(i: int, j: int) -> None:
        own, other = sorted((group[i], group[j]))
        group[:] = [own if g == other else g for g in group]

    for i in range(d - 1):  # neighbours first: mostly these are all
        if coupled(_carried(before[i], bare[i]), i + 1):
            join(i, i + 1)
    for i in range(d - 1):
        if len(set(group)) == 1:
            break
        left = _carried(before[i], bare[i])
        for j in range(i + 1, d):
            if group[i] != group[j] and coupled(left, j):
                join(i, j)
            left = _carried(left, flat[j])
    return [tuple(k for k in range(d) if group[k] == g) for g in sorted(set(group))]


def _traceless(core: np.ndarray) -> np.ndarray:
    """The core without its part along one, modes of row and column as one axis."""
    n = core.shape[1]
    mean = np.einsum("aiib->ab", core) / n
    own = core - mean[:, None, None, :] * np.eye(n)[None, :, :, None]
    return own.reshape(core.shape[0], n * n, core.shape[3])


def _carried(factor: np.ndarray, core: np.ndarray) -> np.ndarray:
    """Triangular factor of what is before and a core: it has the norms of both."""
    block = np.tensordot(factor, core, 1)
    return triangular_factor(block.reshape(-1, block.shape[2]))


def part_on(operator: TTOperator, modes: Sequence[int]) -> TTOperator:
    """The operator on these modes (ascending), the others traced out and divided by their sizes; a number for none."""
    waiting = np.ones((1, 1))
    cores: list[np.ndarray] = []
    for k, core in enumerate(operator.cores):
        if k in modes:
            cores.append(np.tensordot(waiting, core, 1))
            waiting = np.eye(core.shape[3])
        else:
            waiting = waiting @ (np.einsum("aiib->ab", core) / core.shape[1])
    if not cores:
        return TTOperator((waiting[:, None, None, :],))
    cores[-1] = np.tensordot(cores[-1], waiting, 1)
    return TTOperator(tuple(cores))


def interleaved(trains: Sequence[TensorTrain], modes: Sequence[Sequence[int]]) -> TensorTrain:
    """The product of trains of groups of modes, each mode in its place; a bond has the ranks of the groups it cuts."""
    at = {k: (g, i) for g, own in enumerate(modes) for i, k in enumerate(own)}
    open_ranks = [1] * len(trains)
    cores = []
    for k in range(len(at)):
        g, i = at[k]
        core = trains[g].cores[i]
        low, high = math.prod(open_ranks[:g]), math.prod(open_ranks[g + 1 :])
        whole = np.einsum("ab,inj,cd->aicnbjd", np.eye(low), core, np.eye(high))
        cores.append(whole.reshape(low * core.shape[0] * high, core.shape[1], low * core.shape[2] * high))
        open_ranks[g] = core.shape[2]
    return TensorTrain(tuple(cores))
