"""``convert``: from one format of tensors to another, with the width that theory allows beside the width reached.

Widths (largest rank, or number of terms) of the result, for a source of width r and d modes of size n:

    from \\ to    tt                     ht (balanced)    tucker        cp
    tt            -                      r^2              min(n, r^2)   at least r^(d/2) for almost every train
    ht            r^ceil(log2(d) / 2)    -                min(n, r)     the same
    tucker        r^floor(d / 2)         r^floor(d / 2)   -             at most r^(d - 1)
    cp            r                      r                min(n, r)     -

The table that is often shown has r^(log2(d) / 2) from ht to tt, which is exact only where log2(d) is even: for d = 8
the train has width r^2. Trains and trees: Grasedyck and Hackbusch, Comput. Methods Appl. Math. 11, 291 (2011). Lower
bounds of the last column: Khrulkov, Novikov and Oseledets, ICLR 2018, theorem 1 (see solvers.formats.generic_ranks).

All conversions are exact constructions that never form the dense array, rounded afterwards; only trees whose modes are
not in the order 0, 1, ... go by the dense array. A sum of terms is written down from the fibres of a Tucker core or
from the paths through a train, whichever are fewer: an upper bound of the rank, seldom the rank itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from solvers.cards import Card, Fact, dimensions, size
from solvers.formats.cp.tensor import CPTensor
from solvers.formats.hierarchical.tensor import HierarchicalTensor, of_nodes
from solvers.formats.hierarchical.tree import Tree, balanced, checked, modes_of, nodes
from solvers.formats.hierarchical.truncation import truncate
from solvers.formats.trains.construct import tt_svd
from solvers.formats.trains.factorisations import as_double, check_finite, frobenius
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.formats.tucker.convert import from_full, to_train
from solvers.formats.tucker.tensor import TuckerTensor, separable, truncated
from solvers.measured import numeral

FORMATS = ("tt", "ht", "tucker", "cp", "full")
Tensor: TypeAlias = np.ndarray | TensorTrain | HierarchicalTensor | TuckerTensor | CPTensor
MOST = 50_000_000  # numbers of anything that is formed on the way: 400 MB
COMPARED = 2_000_000  # entries up to which the error is measured at all of them
SAMPLE = 10_000  # entries at which it is measured beyond
ZERO = 1e-14  # of the largest entry of a core: fibres below are no terms


@dataclass(frozen=True, eq=False)
class Conversion(Card):
    """``value``: the tensor in its new format; ``width``: its largest rank or number of terms; ``allowed``: the width
    that theory allows for a source of that width; ``error``: relative, measured at all entries or at 10,000 random
    ones; ``numbers``: how many it stores."""

    value: Tensor
    width: int
    allowed: int
    error: float
    numbers: int

    def worded(self) -> list[Fact]:
        """Widths, error, numbers."""
        return [
            ("format", f"{format_of(self.value)}, {dimensions(shape_of(self.value))}"),
            ("width", f"{self.width}, allowed {self.allowed}"),
            ("error", f"{size(self.error)} (relative)"),
            ("stored", f"{self.numbers} numbers"),
        ]


def convert(x: Tensor, to: str, *, tol: float = 1e-12, max_rank: int | None = None, tree: object = None) -> Conversion:
    """``x``, a dense real array or a tensor of any format, in the format ``to``: tt, ht, tucker, cp or full.

    ``tol``: relative error of the rounding afterwards; ``max_rank``: cap of the ranks, which may cost accuracy (not of
    sums of terms); ``tree``: of the format ht, balanced where none is given.

    Raises ValueError for another format, complex entries, fewer than two modes, and where more than 50 million numbers
    would be formed on the way; TypeError for what is no tensor.
    """
    if to not in FORMATS:
        raise ValueError(f"to must be one of {', '.join(FORMATS)}, not {to!r}")
    if not isinstance(x, TensorTrain | HierarchicalTensor | TuckerTensor | CPTensor):
        x = as_double(x, "the array")
        check_finite(x, "the array")
    shape = shape_of(x)
    if len(shape) < 2 or 0 in shape:
        raise ValueError(f"needs a tensor of at least two modes with entries, not shape {shape}")
    if isinstance(x, TensorTrain | TuckerTensor | np.ndarray) and x.dtype.kind == "c":
        raise ValueError("conversions are of real tensors: give real and imaginary parts one by one")
    value: Tensor
    if to == "full":
        value = full_of(x)
    elif to == "tt":
        value = train_of(x, tol, max_rank)
    elif to == "ht":
        value = tree_of(x, balanced(len(shape)) if tree is None else checked(tree, len(shape)), tol, max_rank)
    elif to == "tucker":
        value = tucker_of(x, tol, max_rank)
    else:
        value = terms_of(x, tol)
    width = width_of(value)
    tree = x.tree if isinstance(x, HierarchicalTensor) and to != "ht" else tree
    allowed = allowed_width(format_of(x), to, shape, width_of(x), tree)
    return Conversion(value, width, allowed, difference(x, value), numbers_of(value))


def allowed_width(source: str, to: str, shape: Sequence[int], width: int, tree: object = None) -> int:
    """The width in format ``to`` of a tensor of ``width`` in ``source``: the module's table, capped by the shape.

    To cp: the number of terms that can always be written down, r^(d - 1) at most. ``tree``: balanced where none is
    given; on another the shape alone is a cap, but for sums of terms.
    """
    d, n = len(shape), max(shape)
    every = math.prod(shape) // n  # fibres along the longest mode
    if to == "full" or source == to == "cp":
        return width
    if to == "cp":
        return min(every, width if source == "full" else width ** (d - 1))
    where = balanced(d) if tree is None else checked(tree, d)
    unfoldings: list[Sequence[int]]
    if to == "ht":
        unfoldings = [modes_of(node) for node in nodes(where) if node != where]
    else:
        unfoldings = [range(k) for k in range(1, d)] if to == "tt" else [(k,) for k in range(d)]
    cap = max(_most(shape, modes) for modes in unfoldings)
    depth = max(1, math.ceil(math.log2(d)))
    powers = {
        ("tt", "ht"): 2,
        ("tt", "tucker"): 2,
        ("ht", "tt"): math.ceil(depth / 2),
        ("tucker", "tt"): d // 2,
        ("tucker", "ht"): d // 2,
    }
    known = where == balanced(d) or "ht" not in (source, to) or source == "cp"
    return cap if source == "full" or not known else min(cap, int(width) ** powers.get((source, to), 1))


def _most(shape: Sequence[int], modes: Sequence[int]) -> int:
    """The largest rank of an unfolding: its rows, or its columns."""
    rows = math.prod(shape[k] for k in modes)
    return min(rows, math.prod(shape) // rows)


def format_of(x: Tensor) -> str:
    """tt, ht, tucker, cp or full."""
    kinds = ((TensorTrain, "tt"), (HierarchicalTensor, "ht"), (TuckerTensor, "tucker"), (CPTensor, "cp"))
    return next((name for kind, name in kinds if isinstance(x, kind)), "full")


def shape_of(x: Tensor) -> tuple[int, ...]:
    """Mode sizes."""
    return tuple(int(n) for n in x.shape)


def width_of(x: Tensor) -> int:
    """The largest rank, or the number of terms; of an array the fibres along its longest axis."""
    if isinstance(x, CPTensor):
        return x.rank
    if isinstance(x, np.ndarray):
        return x.size // max(x.shape)
    return x.max_rank


def numbers_of(x: Tensor) -> int:
    """How many numbers are stored."""
    return int(x.size)


def full_of(x: Tensor) -> np.ndarray:
    """All entries; ValueError where they are too many."""
    return x if isinstance(x, np.ndarray) else x.full(MOST)


def train_of(x: Tensor, tol: float, max_rank: int | None) -> TensorTrain:
    """As a train."""
    if isinstance(x, np.ndarray):
        made = tt_svd(x, tol)
        return made if max_rank is None else made.round(tol, max_rank)
    if isinstance(x, HierarchicalTensor):
        if list(modes_of(x.tree)) != list(range(x.d)):
            return train_of(full_of(x), tol, max_rank)
        made = TensorTrain(tuple(_cores(x.tree, x.by_node())))
    elif isinstance(x, TensorTrain):
        made = x
    else:
        made = to_train(x) if isinstance(x, TuckerTensor) else x.to_train()
    return made.round(tol, max_rank)


def _cores(node: Tree, arrays: dict[Tree, np.ndarray]) -> list[np.ndarray]:
    """The train of a node's basis, its column being the left rank of the first core.

    In the cores of the left son the row of the right one is carried along: their ranks are multiplied by its rank.
    """
    if isinstance(node, int):
        return [arrays[node].T[:, :, None]]
    left, right = _cores(node[0], arrays), _cores(node[1], arrays)
    transfer = arrays[node]
    carried = np.eye(transfer.shape[1])
    _check(sum(core.size for core in left) * transfer.shape[1] ** 2)
    first = np.einsum("abc,ans->cnsb", transfer, left[0], optimize=True)
    new = [first.reshape(*first.shape[:2], -1)]
    for core in left[1:]:
        a, n, s = core.shape
        wide = np.einsum("ans,bc->abnsc", core, carried)
        new.append(wide.reshape(a * len(carried), n, s * len(carried)))
    return [*new, *right]


def tree_of(x: Tensor, tree: Tree, tol: float, max_rank: int | None) -> HierarchicalTensor:
    """On a dimension tree."""
    if isinstance(x, np.ndarray):
        return truncate(x, tol, tree=tree, max_rank=max_rank).value
    if isinstance(x, HierarchicalTensor):
        return x.round(tol, max_rank) if x.tree == tree else tree_of(full_of(x), tree, tol, max_rank)
    if isinstance(x, CPTensor):
        _check(x.rank**3 * x.d)
        diagonal = np.zeros((x.rank,) * 3)
        np.einsum("rrr->r", diagonal)[:] = 1.0
        made = {n: diagonal for n in nodes(tree) if not isinstance(n, int)} | dict(enumerate(x.balanced().factors))
        made[tree] = np.eye(x.rank)[:, :, None]
        return of_nodes(tree, made).round(tol, max_rank)
    if isinstance(x, TuckerTensor):
        core = truncate(x.core, tol, tree=tree, max_rank=max_rank).value
        leaves = tuple(u @ v for u, v in zip(x.factors, core.leaves, strict=True))
        return HierarchicalTensor(tree, leaves, core.transfers).round(tol, max_rank)
    if list(modes_of(tree)) != list(range(x.d)):
        return tree_of(full_of(x), tree, tol, max_rank)
    return of_nodes(tree, _bases(tree, x)).round(tol, max_rank)


def _bases(tree: Tree, x: TensorTrain) -> dict[Tree, np.ndarray]:
    """The nodes of a train: the columns of an interval of modes are the pairs of its outer bonds."""
    made: dict[Tree, np.ndarray] = {}
    for node in nodes(tree):
        if isinstance(node, int):
            a, n, b = x.cores[node].shape
            made[node] = x.cores[node].transpose(1, 0, 2).reshape(n, a * b)
            continue
        first, middle, last = modes_of(node)[0], modes_of(node[1])[0], modes_of(node)[-1] + 1
        a, m, b = x.ranks[first], x.ranks[middle], x.ranks[last]
        _check((a * m) * (m * b) * (a * b))
        transfer = np.einsum("ae,mf,bg->amfbeg", np.eye(a), np.eye(m), np.eye(b))
        made[node] = transfer.reshape(a * m, m * b, a * b)
    return made


def tucker_of(x: Tensor, tol: float, max_rank: int | None) -> TuckerTensor:
    """As a Tucker tensor; its core is formed."""
    if isinstance(x, np.ndarray):
        made = from_full(x, tol)
        return made if max_rank is None else made.round(tol, max_rank)
    if isinstance(x, TuckerTensor):
        return x.round(tol, max_rank)
    if isinstance(x, CPTensor):
        _check(math.prod(min(n, x.rank) for n in x.shape))
        made = separable(x.balanced().factors, np.ones(x.rank), tol)
        return made if max_rank is None else made.round(tol, max_rank)
    if isinstance(x, HierarchicalTensor):
        x = x.orthogonalised()
        bases, small = list(x.leaves), tuple(np.eye(u.shape[1]) for u in x.leaves)
        _check(math.prod(len(u) for u in small))
        core = HierarchicalTensor(x.tree, small, x.transfers).full(MOST)
    else:
        bases, cores = [], []
        for k in range(x.d):  # the modes of a core whose neighbours are orthogonal span those of the whole
            n = x.shape[k]
            own = x.orthogonalise(k).cores[k].transpose(1, 0, 2).reshape(n, -1)
            u, s, _ = np.linalg.svd(own, full_matrices=False)
            bases.append(u[:, : max(1, int(np.count_nonzero(s > ZERO * s[0])))])
        cores = [np.einsum("anb,nj->ajb", core, u) for core, u in zip(x.cores, bases, strict=True)]
        _check(math.prod(u.shape[1] for u in bases))
        core = TensorTrain(tuple(cores)).full(MOST)
    return truncated(core, bases, tol=tol, max_rank=max_rank)


def terms_of(x: Tensor, tol: float) -> CPTensor:
    """As a sum of terms that can be written down: an upper bound of the rank."""
    if isinstance(x, CPTensor):
        return x
    tucker = tucker_of(x, tol, None)
    longest = int(np.argmax(tucker.core.shape))
    fibres = np.moveaxis(tucker.core, longest, -1).reshape(-1, tucker.core.shape[longest])
    kept = np.flatnonzero(np.abs(fibres).max(axis=1) > ZERO * np.abs(fibres).max())
    if isinstance(x, TensorTrain):
        x = x.round(tol)
        if math.prod(x.ranks) < len(kept):
            return _paths(x)
    kept = kept if len(kept) else np.zeros(1, dtype=int)
    _check(len(kept) * sum(x.shape))
    rest = [n for k, n in enumerate(tucker.core.shape) if k != longest]
    places = iter(np.unravel_index(kept, rest))
    along = tucker.factors[longest] @ fibres[kept].T
    return CPTensor(
        tuple(along if k == longest else u[:, next(places)] for k, u in enumerate(tucker.factors))
    ).balanced()


def _paths(x: TensorTrain) -> CPTensor:
    """A term for each choice of the bonds of a train."""
    inner = x.ranks[1:-1]
    count = math.prod(inner)
    _check(count * sum(x.shape))
    bonds = [np.zeros(count, dtype=int), *np.unravel_index(np.arange(count), inner), np.zeros(count, dtype=int)]
    return CPTensor(tuple(core[a, :, b].T for core, a, b in zip(x.cores, bonds[:-1], bonds[1:], strict=True)))


def difference(x: Tensor, y: Tensor) -> float:
    """The relative difference of two tensors: at all entries, or at 10,000 random ones where there are many."""
    shape = shape_of(x)
    if math.prod(shape) <= COMPARED:
        a, b = full_of(x), full_of(y)
    else:
        points = np.column_stack([np.random.default_rng(0).integers(0, n, SAMPLE) for n in shape])
        a, b = _at(x, points), _at(y, points)
    whole = frobenius(a)
    return frobenius(a - b) / whole if whole > 0.0 else 0.0


def _at(x: Tensor, points: np.ndarray) -> np.ndarray:
    return x[tuple(points.T)] if isinstance(x, np.ndarray) else x.entries(points)


def _check(numbers: int) -> None:
    if numbers > MOST:
        raise ValueError(f"this conversion forms {numeral(float(numbers))} numbers, more than {MOST}: round first")
