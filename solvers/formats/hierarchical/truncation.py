"""Truncation of a dense array to the hierarchical Tucker format, from the leaves to the root, with its bound.

Each node in turn, sons before parents, keeps the leading left singular vectors of its unfolding of what is left. Every
step is an orthogonal projection within the range of those before, so the squares of what is discarded add up to the
square of the error. As a projection lowers singular values, the error is at most

    bound = sqrt( sum over the 2 d - 3 unfoldings t of sum_{i > r_t} sigma_i(A_t)^2 ) <= sqrt(2 d - 3) best

Grasedyck, SIAM J. Matrix Anal. Appl. 31, 2029 (2010), theorem 3.11; both sons of the root have one unfolding,
cut at the smaller rank.
Letters: d modes of n points, N entries, ranks r. Cost N sum(n).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from solvers.formats.hierarchical.tensor import HierarchicalTensor, of_nodes
from solvers.formats.hierarchical.tree import Tree, balanced, checked, modes_of, nodes
from solvers.formats.trains.factorisations import (
    as_double,
    check_finite,
    frobenius,
    power_of_two,
    truncation_rank,
)
from solvers.formats.trains.rounding import check_truncation
from solvers.formats.tucker.tensor import left_singular, multiply


@dataclass(frozen=True, eq=False)
class Truncated:
    """A tensor of smaller ranks, and the bound of its relative error."""

    value: HierarchicalTensor
    bound: float


def truncate(array: np.ndarray, tol: float = 1e-12, *, tree: object = None, max_rank: int | None = None) -> Truncated:
    """The tensor of a dense real ``array`` (n1, ..., nd), d >= 2, within ``tol`` of its norm unless ``max_rank`` binds.

    ``tree``: balanced where none is given. ``bound``: what was discarded, which is the relative error itself but for
    rounding errors. Raises ValueError for fewer than two axes, no entries, NaN or infinity, complex entries, another
    tree, a tol outside [0, 1); TypeError for entries that are no numbers.
    """
    check_truncation(tol, max_rank)
    array = as_double(array, "the array")
    if array.ndim < 2 or array.size == 0 or array.dtype.kind == "c":
        raise ValueError(f"needs a real array of at least two axes, with entries, not {array.dtype} {array.shape}")
    check_finite(array, "the array")
    d = array.ndim
    where = balanced(d) if tree is None else checked(tree, d)
    exponent = math.frexp(float(np.abs(array).max()))[1]
    core = power_of_two(array, -exponent)
    norm, spent, remaining = frobenius(core), 0.0, 2 * d - 3
    axes: list[Tree] = list(range(d))  # what each axis of the core stands for
    made: dict[Tree, np.ndarray] = {}
    for node in nodes(where):
        if not isinstance(node, int):
            # 1 the axes of the sons become one
            core, axes = _merged(core, axes, node)
        if node == where:
            made[node] = core.reshape(made[where[0]].shape[-1], -1, 1)  # type: ignore[index]
            break
        # 2 the leading singular vectors of this node's unfolding
        at = axes.index(node)
        u, s = left_singular(np.moveaxis(core, at, 0).reshape(core.shape[at], -1))
        own = tol**2 / (2 * d - 3) if remaining > 0 else 0.0  # the second son of the root has what is left over
        budget = norm * math.sqrt(max(own, (tol**2 - spent) / max(remaining, 1)))
        rank, discarded = truncation_rank(s, budget, max_rank)
        spent += (discarded / norm) ** 2 if norm > 0.0 else 0.0
        remaining -= 1
        sons = (array.shape[node],) if isinstance(node, int) else tuple(made[son].shape[-1] for son in node)
        made[node] = u[:, :rank].reshape(*sons, rank)
        # 3 what they span of the rest
        core = multiply(core, [u[:, :rank].T if k == at else None for k in range(core.ndim)])
    made[where] = power_of_two(made[where], exponent)
    return Truncated(of_nodes(where, made), math.sqrt(spent))


def _merged(core: np.ndarray, axes: list[Tree], node: tuple[Tree, Tree]) -> tuple[np.ndarray, list[Tree]]:
    """The axes of two sons as one axis, the last."""
    rest = [k for k, name in enumerate(axes) if name not in node]
    moved = core.transpose([*rest, axes.index(node[0]), axes.index(node[1])])
    return moved.reshape(*moved.shape[:-2], -1), [*(axes[k] for k in rest), node]


def error_bound(values: Mapping[Tree, np.ndarray], ranks: Mapping[Tree, int], tree: Tree) -> float:
    """The bound of the module for these ranks, from the singular ``values`` of the unfoldings, in their unit."""
    assert not isinstance(tree, int)
    left_out = 0.0
    for node in nodes(tree):
        if node not in (tree, tree[1]):
            rank = min(ranks[tree[0]], ranks[tree[1]]) if node == tree[0] else ranks[node]
            left_out += float(np.sum(np.asarray(values[node])[rank:] ** 2))
    return math.sqrt(left_out)


def unfolding_values(array: np.ndarray, tree: Tree) -> dict[Tree, np.ndarray]:
    """The singular values of the unfolding of each node but the root. Cost N sqrt(N) a node, N entries."""
    found = {}
    for node in nodes(tree):
        if node != tree:
            own = modes_of(node)
            rest = [k for k in range(array.ndim) if k not in own]
            matrix = array.transpose([*own, *rest]).reshape(math.prod(array.shape[k] for k in own), -1)
            found[node] = left_singular(matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T)[1]
    return found
