"""Smaller ranks for the nodes of a hierarchical tensor, within a bound.

Bases are made orthonormal from the leaves to the root; then triangular factors L_t with the singular values of each
unfolding go down the tree (no Gram matrices: small values keep their digits), and all nodes are projected at once. The
error is at most the root of the sum, over the 2 d - 3 unfoldings, of the squares of all singular values left out:
Grasedyck, SIAM J. Matrix Anal. Appl. 31, 2029 (2010), theorem 3.11. Cost d n r^2 + d r^4.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from solvers.formats.hierarchical.tree import Tree, modes_of, nodes
from solvers.formats.trains.factorisations import frobenius, qr_factors, singular_vectors, truncation_rank

Nodes = Mapping[Tree, np.ndarray]  # the array of each node, sons before their parents


def orthogonalised_nodes(tree: Tree, arrays: Nodes) -> dict[Tree, np.ndarray]:
    """The same tensor with orthonormal bases at all nodes but the root: QR from the leaves to the root."""
    new: dict[Tree, np.ndarray] = {}
    factors: dict[Tree, np.ndarray] = {}
    for node, array in arrays.items():
        if not isinstance(node, int):
            array = np.einsum("abc,pa,qb->pqc", array, factors[node[0]], factors[node[1]], optimize=True)
        if node == tree:
            new[node] = array
        else:
            q, factors[node] = qr_factors(array.reshape(-1, array.shape[-1]))
            new[node] = q.reshape(*array.shape[:-1], -1)
    return new


def rounded_nodes(tree: Tree, given: Nodes, tol: float, max_rank: int | None) -> tuple[dict[Tree, np.ndarray], float]:
    """Nodes of smaller ranks, and the bound of the relative error: at most ``tol`` unless ``max_rank`` binds."""
    arrays = orthogonalised_nodes(tree, given)
    size = frobenius(arrays[tree])
    if size == 0.0:
        zeros = [(n, (array.shape[0], 1) if isinstance(n, int) else (1, 1, 1)) for n, array in arrays.items()]
        return {node: np.zeros(shape) for node, shape in zeros}, 0.0
    budget = tol * size / math.sqrt(2 * len(modes_of(tree)) - 3)
    # 1 from the root on: the singular vectors of each unfolding, in its node's basis
    factors: dict[Tree, np.ndarray] = {tree: np.ones((1, 1))}
    chosen: dict[Tree, np.ndarray] = {tree: np.ones((1, 1))}
    spent = 0.0
    for node in reversed(list(nodes(tree))):
        if isinstance(node, int):
            continue
        outer = np.tensordot(arrays[node], factors[node], axes=(2, 0))
        for son, unfolded in zip(node, (outer, outer.transpose(1, 0, 2)), strict=True):
            u, s, _ = singular_vectors(unfolded.reshape(unfolded.shape[0], -1))
            rank, discarded = truncation_rank(s, budget, max_rank)
            if not (node == tree and son == node[1]):  # the same unfolding as that of its brother
                spent += (discarded / size) ** 2
            factors[son], chosen[son] = u * s, u[:, :rank]
    # 2 all nodes projected
    new: dict[Tree, np.ndarray] = {}
    for node, array in arrays.items():
        if isinstance(node, int):
            new[node] = array @ chosen[node]
        else:
            left, right = chosen[node[0]], chosen[node[1]]
            new[node] = np.einsum("abc,ap,bq,cr->pqr", array, left, right, chosen[node], optimize=True)
    return new, math.sqrt(spent)
