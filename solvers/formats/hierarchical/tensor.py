"""The hierarchical Tucker (HT) format: nested bases along a dimension tree, and its arithmetic.

Each node t of the tree (solvers.formats.hierarchical.tree) has a basis of r_t columns for its modes: a matrix U (n, r)
at a leaf, and at other nodes a transfer tensor B over the bases of its sons l, r,

    U_t[(i_l, i_r), c] = sum_ab U_l[i_l, a] U_r[i_r, b] B[a, b, c];   the root has one column, the tensor.

Hackbusch and Kuehn, J. Fourier Anal. Appl. 15, 706 (2009); Grasedyck, SIAM J. Matrix Anal. Appl. 31, 2029 (2010).
Letters: d modes of n points, ranks r; stored d n r + d r^3. Aliases: H-Tucker, tree tensor network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Number

import numpy as np

from solvers.cards import Card, Fact, dimensions, ranks
from solvers.formats.hierarchical.rounding import orthogonalised_nodes, rounded_nodes
from solvers.formats.hierarchical.tree import Tree, checked, modes_of, nodes, text
from solvers.formats.trains.cores import MAX_FULL_SIZE, check_full_size, check_scalar
from solvers.formats.trains.factorisations import as_double, check_finite, frobenius, frozen
from solvers.formats.trains.rounding import check_truncation

MOST_SHOWN = 8  # modes of a tree that is shown as a text


@dataclass(frozen=True, eq=False)
class HierarchicalTensor(Card):
    """An immutable real tensor in the hierarchical Tucker format.

    ``tree``: a dimension tree of d >= 2 modes; ``leaves``: d matrices (n_k, r_k), by mode; ``transfers``: the d - 1
    arrays (r_left, r_right, r) of the inner nodes, sons before their parents from left to right, the root (r = 1) last.

    Raises ValueError for wrong trees, shapes that do not fit, NaN or infinity, and complex entries.
    """

    tree: Tree
    leaves: tuple[np.ndarray, ...]
    transfers: tuple[np.ndarray, ...]

    __array_ufunc__ = None  # numpy scalars leave ``scalar * tensor`` to the tensor

    def __post_init__(self) -> None:
        tree = checked(self.tree, len(self.leaves))
        inner = [node for node in nodes(tree) if not isinstance(node, int)]
        if not inner or len(inner) != len(self.transfers):
            raise ValueError(f"a tree of {len(self.leaves)} modes has {len(inner)} transfer tensors (at least 1)")
        arrays = [as_double(array, "a node") for array in (*self.leaves, *self.transfers)]
        for array in arrays:
            if array.size == 0 or array.dtype.kind == "c":
                raise ValueError(f"nodes need real entries, not {array.dtype} {array.shape}")
            check_finite(array, "a node")
        kept = tuple(frozen(array, array.dtype) for array in arrays)
        object.__setattr__(self, "tree", tree)
        object.__setattr__(self, "leaves", kept[: len(self.leaves)])
        object.__setattr__(self, "transfers", kept[len(self.leaves) :])
        by_node = self.by_node()
        for node, array in by_node.items():
            if array.ndim != (2 if isinstance(node, int) else 3):
                raise ValueError(f"node {text(node)}: {array.ndim} axes, shape {array.shape}")
            if not isinstance(node, int):
                sons = tuple(by_node[son].shape[-1] for son in node)
                if array.shape[:2] != sons:
                    raise ValueError(f"node {text(node)}: shape {array.shape} does not fit the ranks {sons} below")
        if self.transfers[-1].shape[2] != 1:
            raise ValueError(f"the root has one column, not {self.transfers[-1].shape[2]}")

    def by_node(self) -> dict[Tree, np.ndarray]:
        """The array of each node, sons before their parents."""
        inner = iter(self.transfers)
        return {node: self.leaves[node] if isinstance(node, int) else next(inner) for node in nodes(self.tree)}

    @property
    def d(self) -> int:
        """Number of modes."""
        return len(self.leaves)

    @property
    def shape(self) -> tuple[int, ...]:
        """Mode sizes."""
        return tuple(len(u) for u in self.leaves)

    @property
    def ranks(self) -> dict[Tree, int]:
        """The rank of each node, that of the root being 1."""
        return {node: int(array.shape[-1]) for node, array in self.by_node().items()}

    @property
    def max_rank(self) -> int:
        """The largest rank."""
        return max(self.ranks.values())

    @property
    def size(self) -> int:
        """Stored numbers."""
        return sum(array.size for array in (*self.leaves, *self.transfers))

    def worded(self) -> list[Fact]:
        """Shape, tree, ranks and what is stored."""
        along = ranks(list(self.ranks.values())[:-1])
        shown = text(self.tree) if self.d <= MOST_SHOWN else f"{self.d} modes"
        told = [("shape", dimensions(self.shape)), ("tree", shown), ("ranks", f"{along} (sons before parents)")]
        return [*told, ("stored", f"{self.size} entries")]

    def __neg__(self) -> HierarchicalTensor:
        return self * -1.0

    def __add__(self, other: HierarchicalTensor) -> HierarchicalTensor:
        """Sum, of ranks added. Raises ValueError for different shapes or trees."""
        if not isinstance(other, HierarchicalTensor):
            return NotImplemented
        _same(self, other)
        leaves = tuple(np.hstack(pair) for pair in zip(self.leaves, other.leaves, strict=True))
        transfers: list[np.ndarray] = []
        for x, y in zip(self.transfers, other.transfers, strict=True):
            root = len(transfers) == self.d - 2
            size = [p + q for p, q in zip(x.shape, y.shape)]
            block = np.zeros((size[0], size[1], 1 if root else size[2]))
            block[: x.shape[0], : x.shape[1], : x.shape[2]] = x
            block[x.shape[0] :, x.shape[1] :, -y.shape[2] :] = y
            transfers.append(block)
        return HierarchicalTensor(self.tree, leaves, tuple(transfers))

    def __sub__(self, other: HierarchicalTensor) -> HierarchicalTensor:
        if not isinstance(other, HierarchicalTensor):
            return NotImplemented
        return self + -other

    def __mul__(self, other: HierarchicalTensor | float) -> HierarchicalTensor:
        """Times a number, or entry by entry with a tensor (ranks multiply)."""
        if isinstance(other, HierarchicalTensor):
            _same(self, other)
            leaves = tuple(
                (u[:, :, None] * v[:, None, :]).reshape(len(u), -1)
                for u, v in zip(self.leaves, other.leaves, strict=True)
            )
            products = tuple(np.kron(x, y) for x, y in zip(self.transfers, other.transfers, strict=True))
            return HierarchicalTensor(self.tree, leaves, products)
        if not isinstance(other, Number) or isinstance(other, complex):
            return NotImplemented
        check_scalar(other)
        return HierarchicalTensor(self.tree, self.leaves, (*self.transfers[:-1], self.transfers[-1] * other))

    __rmul__ = __mul__

    def norm(self) -> float:
        """The 2-norm of all entries, to rounding errors of the terms summed. Cost d n r^2 + d r^4."""
        return frobenius(self.orthogonalised().transfers[-1])

    def orthogonalised(self) -> HierarchicalTensor:
        """The same tensor with orthonormal bases at all nodes but the root. Cost d n r^2 + d r^4."""
        return of_nodes(self.tree, orthogonalised_nodes(self.tree, self.by_node()))

    def entries(self, indices: np.ndarray) -> np.ndarray:
        """Entries (m,) at multi-indices (m, d), integers from 0. Cost m d r^3. Raises IndexError outside the tensor."""
        indices = np.asarray(indices)
        if indices.ndim != 2 or indices.shape[1] != self.d or indices.dtype.kind not in "iu":
            raise ValueError(f"indices must be integers of shape (m, {self.d}), not {indices.dtype} {indices.shape}")
        if indices.size and not ((indices >= 0) & (indices < np.array(self.shape))).all():
            raise IndexError(f"an index lies outside the tensor of shape {self.shape}")
        rows: dict[Tree, np.ndarray] = {}
        for node, array in self.by_node().items():
            if isinstance(node, int):
                rows[node] = array[indices[:, node]]
            else:
                half = np.tensordot(rows.pop(node[0]), array, axes=(1, 0))
                rows[node] = np.einsum("mbc,mb->mc", half, rows.pop(node[1]))
        return rows[self.tree][:, 0]

    def full(self, max_size: int = MAX_FULL_SIZE) -> np.ndarray:
        """All entries; ValueError above ``max_size`` of them."""
        check_full_size(self.shape, max_size)
        bases: dict[Tree, np.ndarray] = {}
        for node, array in self.by_node().items():
            if isinstance(node, int):
                bases[node] = array
            else:
                left, right = bases.pop(node[0]), bases.pop(node[1])
                half = np.tensordot(left, array, axes=(1, 0))
                bases[node] = np.einsum("xbc,yb->xyc", half, right, optimize=True).reshape(-1, array.shape[2])
        order = modes_of(self.tree)
        whole = bases[self.tree].reshape([self.shape[k] for k in order])
        return np.ascontiguousarray(whole.transpose(np.argsort(order)))

    def round(self, tol: float = 1e-12, max_rank: int | None = None) -> HierarchicalTensor:
        """Smaller ranks with ||x - y|| <= tol ||x||, unless ``max_rank`` binds. Cost d n r^2 + d r^4."""
        return self.round_with_bound(tol, max_rank)[0]

    def round_with_bound(self, tol: float = 1e-12, max_rank: int | None = None) -> tuple[HierarchicalTensor, float]:
        """The rounded tensor and a bound of its relative error; ValueError unless 0 <= tol < 1, max_rank >= 1."""
        check_truncation(tol, max_rank)
        new, bound = rounded_nodes(self.tree, self.by_node(), tol, max_rank)
        return of_nodes(self.tree, new), bound


def of_nodes(tree: Tree, arrays: Mapping[Tree, np.ndarray]) -> HierarchicalTensor:
    """The tensor of these arrays, by node."""
    leaves = tuple(arrays[k] for k in range(len(modes_of(tree))))
    return HierarchicalTensor(tree, leaves, tuple(arrays[node] for node in nodes(tree) if not isinstance(node, int)))


def dot(x: HierarchicalTensor, y: HierarchicalTensor) -> float:
    """The sum of x times y over all entries. Cost d n r^2 + d r^4. Raises ValueError for different shapes or trees."""
    _same(x, y)
    grams: dict[Tree, np.ndarray] = {}
    theirs = y.by_node()
    for node, array in x.by_node().items():
        other = theirs[node]
        if isinstance(node, int):
            grams[node] = array.T @ other
        else:
            left, right = grams.pop(node[0]), grams.pop(node[1])
            grams[node] = np.einsum("abc,ad,be,def->cf", array, left, right, other, optimize=True)
    return float(grams[x.tree][0, 0])


def random_tree(shape: Sequence[int], width: int, tree: Tree, rng: np.random.Generator) -> HierarchicalTensor:
    """A tensor of standard normal entries in all nodes, of ranks ``width`` (depth first, sons before parents)."""
    made: dict[Tree, np.ndarray] = {}
    for node in nodes(tree):
        if isinstance(node, int):
            made[node] = rng.standard_normal((shape[node], width))
        else:
            made[node] = rng.standard_normal((width, width, 1 if node == tree else width))
    return of_nodes(tree, made)


def _same(x: HierarchicalTensor, y: HierarchicalTensor) -> None:
    if x.shape != y.shape or x.tree != y.tree:
        raise ValueError(f"tensors of shapes {x.shape} and {y.shape}, trees {x.tree} and {y.tree} do not fit together")
