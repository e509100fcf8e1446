"""The ranks that almost every tensor of one format has in the other formats: exactly, modulo a prime.

The ranks of unfoldings of a tensor with random parameters are the largest that the format allows, but for parameters
on a set of measure zero. Modulo p = 2^31 - 1 they are found by elimination, without rounding errors (a singular value
below 1e-9 of the largest is no proof: of a tree of 16 modes and width 2 fewer than the 256 of the odd-even unfolding
are above it); a random tensor misses them with probability below (degree of the minors) / p (Schwartz and Zippel), and
a miss can only lower them.

Khrulkov, Novikov and Oseledets, ICLR 2018, theorem 1: trains of width r have an odd-even unfolding (rows: modes
1, 3, 5, ..., columns: 2, 4, 6, ...) of rank at least q^(d/2), q = min(n, r), so that no sum of fewer rank-one tensors
equals them; the exact value may be larger.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from solvers.cards import Card, Fact, dimensions, ends
from solvers.formats.hierarchical.tree import Tree, balanced, levels, modes_of
from solvers.kernels.elimination import product_modulo
from solvers.matrices.exact_rank import LARGEST_PRIME, exact_rank, rank_over
from solvers.measured import numeral

FORMATS = ("tt", "ht", "cp", "tucker")
MOST_ENTRIES = 2**20


@dataclass(frozen=True, eq=False)
class UnfoldingRanks(Card):
    """The ranks of the unfoldings of a tensor of one ``shape``.

    ``tt``: of the d - 1 unfoldings of a train; ``tucker``: of each mode beside the others; ``ht``: at each node of the
    balanced tree but the root, the largest at each depth, from the root's sons on; ``odd_even``: modes 1, 3, 5, ...
    beside 2, 4, 6, ...: no sum of fewer rank-one tensors is this tensor.
    """

    shape: tuple[int, ...]
    tt: tuple[int, ...]
    tucker: tuple[int, ...]
    ht: tuple[int, ...]
    odd_even: int

    @property
    def cp_at_least(self) -> int:
        """No sum of fewer rank-one tensors is this tensor."""
        return max(self.odd_even, *self.tt, *self.tucker, *self.ht)

    def worded(self) -> list[Fact]:
        """The ranks, format by format."""
        return [
            ("shape", dimensions(self.shape)),
            ("TT-ranks", ends(self.tt)),
            ("Tucker ranks", ends(self.tucker)),
            ("HT ranks by depth", ends(self.ht)),
            ("CP rank", f"at least {self.cp_at_least} (odd-even unfolding: {self.odd_even})"),
        ]


def generic_ranks(
    format: str, shape: Sequence[int], width: int, *, rng: np.random.Generator | None = None
) -> UnfoldingRanks:
    """The ranks of almost every tensor of ``shape`` in a ``format``: tt, ht (balanced tree), cp or tucker.

    ``width``: all TT-ranks, all ranks of the tree, the number of terms, or all Tucker ranks.

    Raises ValueError for another format, fewer than two modes, sizes or a width below 1, and more than 2^20 entries.
    Cost N^(3/2) for N entries.
    """
    shape = tuple(int(n) for n in shape)
    if format not in FORMATS:
        raise ValueError(f"format must be one of {', '.join(FORMATS)}, not {format!r}")
    if len(shape) < 2 or min(shape) < 1 or width < 1:
        raise ValueError(f"needs at least two modes, and sizes and a width of at least 1, not {shape} and {width!r}")
    if math.prod(shape) > MOST_ENTRIES or (format == "tucker" and width ** len(shape) > MOST_ENTRIES):
        raise ValueError(f"the tensor has {numeral(math.prod(shape))} entries, more than {MOST_ENTRIES}")
    rng = rng or np.random.default_rng(0)
    tensor = MAKERS[format](shape, int(width), rng).reshape(shape)
    return ranks_by(tensor, rank_over)


def exact_ranks(tensor: np.ndarray) -> UnfoldingRanks:
    """The ranks of all these unfoldings of an array of whole numbers, proved (see ``exact_rank``)."""
    return ranks_by(np.asarray(tensor), exact_rank)


def unfolding(tensor: np.ndarray, modes: Sequence[int]) -> np.ndarray:
    """The matrix with ``modes`` as rows and the others as columns, in C order."""
    rest = [k for k in range(tensor.ndim) if k not in modes]
    rows = math.prod(tensor.shape[k] for k in modes)
    return tensor.transpose([*modes, *rest]).reshape(rows, -1)


def ranks_by(tensor: np.ndarray, rank: Callable[[np.ndarray], int]) -> UnfoldingRanks:
    """The ranks of the unfoldings, as ``rank`` tells them."""
    d = tensor.ndim
    known: dict[tuple[int, ...], int] = {}

    def of(modes: Sequence[int]) -> int:
        own, rest = tuple(sorted(modes)), tuple(k for k in range(d) if k not in modes)
        key = min(own, rest)  # the same matrix, transposed
        if key not in known:
            known[key] = rank(unfolding(tensor, key))
        return known[key]

    by_depth = levels(balanced(d))
    return UnfoldingRanks(
        tensor.shape,
        tuple(of(range(k)) for k in range(1, d)),
        tuple(of([k]) for k in range(d)),
        tuple(max(of(modes_of(node)) for node in depth) for depth in by_depth[1:]),
        of(range(0, d, 2)),
    )


def _residues(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.integers(1, LARGEST_PRIME, shape)


def _train(shape: tuple[int, ...], width: int, rng: np.random.Generator) -> np.ndarray:
    rows = _residues(rng, shape[0], width)
    for k, n in enumerate(shape[1:], 2):
        after = 1 if k == len(shape) else width
        core = _residues(rng, width, n, after)
        rows = product_modulo(rows, core.reshape(width, -1), LARGEST_PRIME).reshape(-1, after)
    return rows


def _tree(shape: tuple[int, ...], width: int, rng: np.random.Generator) -> np.ndarray:
    def basis(node: Tree, columns: int) -> np.ndarray:
        """(entries of the modes below, columns)."""
        if isinstance(node, int):
            return _residues(rng, shape[node], columns)
        left, right = basis(node[0], width), basis(node[1], width)
        transfer = _residues(rng, width, width * columns)
        half = product_modulo(left, transfer, LARGEST_PRIME).reshape(len(left), width, columns)
        parts = [product_modulo(right, np.ascontiguousarray(half[:, :, c].T), LARGEST_PRIME).T for c in range(columns)]
        return np.ascontiguousarray(np.stack(parts, axis=-1).reshape(-1, columns))

    return basis(balanced(len(shape)), 1)


def _terms(shape: tuple[int, ...], width: int, rng: np.random.Generator) -> np.ndarray:
    rows = np.ones((1, width), dtype=np.int64)
    for n in shape[:-1]:
        factor = _residues(rng, n, width)
        rows = (rows[:, None, :] * factor[None, :, :] % LARGEST_PRIME).reshape(-1, width)
    return product_modulo(rows, _residues(rng, width, shape[-1]), LARGEST_PRIME)


def _tucker(shape: tuple[int, ...], width: int, rng: np.random.Generator) -> np.ndarray:
    core = _residues(rng, *(width,) * len(shape))
    for n in shape:  # the axis goes to the end each time: after all of them the order is the old one
        matrix = np.ascontiguousarray(np.moveaxis(core, 0, -1).reshape(-1, width))
        rest = core.shape[1:]
        core = product_modulo(matrix, _residues(rng, width, n), LARGEST_PRIME).reshape(*rest, n)
    return core


MAKERS = {"tt": _train, "ht": _tree, "cp": _terms, "tucker": _tucker}
