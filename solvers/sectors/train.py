"""Trains inside one symmetry block of an abelian group: parities, particle numbers, Sz, also modulo N.

Every mode function carries a charge, an integer (solvers.sectors.group says how charges add). A train of definite
charge has block-sparse cores: the block (l, c) between left bond charge l and right bond charge c holds the mode
functions of charge c - l. A core is stored as ONE flat array, its blocks in ascending (l, c), each
(r_l, n_{l^c}, r_c) in C order, so that compiled kernels see plain memory. With one non-trivial parity a contraction
costs a quarter of the dense one and the symmetry is exact.

Block-sparse trains: Singh, Pfeifer, Vidal, Phys. Rev. A 82, 050301 (2010). Indices: l, c bond charges; m mode charge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from solvers.cards import Card, Fact, dimensions, ranks
from solvers.formats.trains.factorisations import frobenius
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.sectors.group import Bond, added, negated, taken, turned

ModeCharges = tuple[Bond, ...]  # (charge, number of functions) a mode
Link = tuple[np.ndarray, Bond, Bond]  # a flat core, its near and its far bond


@lru_cache(maxsize=200_000)
def layout(left: Bond, mode: Bond, right: Bond) -> tuple[tuple[tuple[int, int, int, int, int, int], ...], int]:
    """Blocks (l, c, offset, r_l, n, r_c) of a core in storage order, and the size of the flat array."""
    functions = dict(mode)
    blocks = []
    offset = 0
    for l, rl in left:
        for c, rc in right:
            n = functions.get(taken(c, l), 0)
            if n:
                blocks.append((l, c, offset, rl, n, rc))
                offset += rl * n * rc
    return tuple(blocks), offset


def views(core: np.ndarray, left: Bond, mode: Bond, right: Bond) -> dict[tuple[int, int], np.ndarray]:
    """The blocks of a flat core as arrays (r_l, n, r_c) that share its memory."""
    blocks, _ = layout(left, mode, right)
    return {(l, c): core[o : o + a * n * b].reshape(a, n, b) for l, c, o, a, n, b in blocks}


def rank(bond: Bond) -> int:
    return sum(dim for _, dim in bond)


@dataclass(frozen=True)
class SectorTrain(Card):
    """A train of definite charge: ``cores[k]`` flat, between ``bonds[k]`` and ``bonds[k+1]``; ``modes[k]`` its charges.

    ``bonds[0]`` is ((0, 1),) and ``bonds[-1]`` is ((charge, 1),). Memory 8 sum of block sizes bytes.
    """

    modes: ModeCharges
    bonds: tuple[Bond, ...]
    cores: tuple[np.ndarray, ...]

    def worded(self) -> list[Fact]:
        """Functions a mode, charge, TT-ranks and what is stored."""
        return [
            ("shape", dimensions([sum(n for _, n in mode) for mode in self.modes])),
            ("charge", str(self.charge)),
            ("TT-ranks", ranks(self.ranks)),
            ("stored", f"{sum(core.size for core in self.cores)} entries"),
        ]

    @property
    def d(self) -> int:
        return len(self.cores)

    @property
    def charge(self) -> int:
        return self.bonds[-1][0][0]

    @property
    def ranks(self) -> list[int]:
        return [rank(b) for b in self.bonds]

    @property
    def max_rank(self) -> int:
        return max(self.ranks)

    def blocks(self, k: int) -> dict[tuple[int, int], np.ndarray]:
        return views(self.cores[k], self.bonds[k], self.modes[k], self.bonds[k + 1])

    def scaled(self, factor: float) -> SectorTrain:
        return SectorTrain(self.modes, self.bonds, (*self.cores[:-1], self.cores[-1] * factor))

    def to_train(self) -> TensorTrain:
        """The same train with dense cores; mode functions and bond indices in ascending charge."""
        cores = []
        for k in range(self.d):
            starts = [first_functions(b) for b in (self.bonds[k], self.modes[k], self.bonds[k + 1])]
            dense = np.zeros([rank(b) for b in (self.bonds[k], self.modes[k], self.bonds[k + 1])])
            for (l, c), block in self.blocks(k).items():
                i, j, m = starts[0][l], starts[2][c], starts[1][taken(c, l)]
                dense[i : i + block.shape[0], m : m + block.shape[1], j : j + block.shape[2]] = block
            cores.append(dense)
        return TensorTrain(tuple(cores))


def first_functions(bond: Bond) -> dict[int, int]:
    starts, total = {}, 0
    for charge, dim in bond:
        starts[charge] = total
        total += dim
    return starts


def product_state(modes: ModeCharges, functions: Sequence[int]) -> SectorTrain:
    """The product of one basis function a mode (indices in ascending-charge order); all ranks one."""
    charge, bonds, cores = 0, [((0, 1),)], []
    for mode, index in zip(modes, functions):
        at = 0
        while index >= mode[at][1]:
            index -= mode[at][1]
            at += 1
        charge = added(charge, mode[at][0])
        bonds.append(((charge, 1),))
        core = np.zeros(mode[at][1])
        core[index] = 1.0
        cores.append(core)
    return SectorTrain(modes, tuple(bonds), tuple(cores))


def split_right(
    core: np.ndarray, left: Bond, mode: Bond, right: Bond
) -> tuple[np.ndarray, Bond, dict[int, np.ndarray]]:
    """QR of a core: left-orthogonal flat core, its (possibly smaller) right bond, and the factor R of each charge."""
    blocks = views(core, left, mode, right)
    q_of, r_of, bond = {}, {}, []
    for c, _ in right:
        keys = [key for key in blocks if key[1] == c]
        if not keys:
            continue
        stacked = np.concatenate([blocks[key].reshape(-1, blocks[key].shape[2]) for key in keys])
        q, r = np.linalg.qr(stacked)
        bond.append((c, q.shape[1]))
        r_of[c] = r
        start = 0
        for key in keys:
            a, n, _ = blocks[key].shape
            q_of[key] = q[start : start + a * n]
            start += a * n
    new_right = tuple(bond)
    flat = [q_of[l, c].ravel() for l, c, *_ in layout(left, mode, new_right)[0]]
    return (np.concatenate(flat) if flat else np.zeros(0)), new_right, r_of


def absorb_left(
    factors: dict[int, np.ndarray], new_left: Bond, core: np.ndarray, left: Bond, mode: Bond, right: Bond
) -> np.ndarray:
    """factors[l] (new r_l, r_l) times the core: the flat core behind the bond ``new_left``."""
    blocks = views(core, left, mode, right)
    flat = []
    for l, c, _, _, n, b in layout(new_left, mode, right)[0]:
        block = blocks[l, c]
        flat.append((factors[l] @ block.reshape(block.shape[0], n * b)).ravel())
    return np.concatenate(flat) if flat else np.zeros(0)


def mirror_core(core: np.ndarray, left: Bond, mode: Bond, right: Bond) -> np.ndarray:
    """The core read from right to left: blocks of shape (r_c, n, r_l) between the bonds turned."""
    blocks = views(core, left, mode, right)
    order = layout(turned(right), mode, turned(left))[0]
    return np.concatenate([blocks[negated(l), negated(c)].transpose(2, 1, 0).ravel() for c, l, *_ in order])


def mirrored(x: SectorTrain) -> tuple[list[Bond], list[np.ndarray]]:
    """Bonds and cores of the train read from right to left."""
    cores = [mirror_core(x.cores[k], x.bonds[k], x.modes[k], x.bonds[k + 1]) for k in range(x.d)]
    return [turned(bond) for bond in x.bonds[::-1]], cores[::-1]


def _orthogonalise_cores(bonds: list[Bond], modes: Sequence[Bond], cores: list[np.ndarray], last: int) -> None:
    """Left-orthogonalise cores 0..last-1 in place, the remaining factor pushed into core ``last``."""
    for k in range(last):
        core, bond, factors = split_right(cores[k], bonds[k], modes[k], bonds[k + 1])
        cores[k] = core
        cores[k + 1] = absorb_left(factors, bond, cores[k + 1], bonds[k + 1], modes[k + 1], bonds[k + 2])
        bonds[k + 1] = bond


def right_orthogonal(x: SectorTrain) -> SectorTrain:
    """The same train with cores 1..d-1 right-orthogonal; the norm is in the first core."""
    bonds, cores = mirrored(x)
    modes = x.modes[::-1]
    _orthogonalise_cores(bonds, modes, cores, x.d - 1)
    flipped = SectorTrain(modes, tuple(bonds), tuple(cores))
    back_bonds, back = mirrored(flipped)
    return SectorTrain(x.modes, tuple(back_bonds), tuple(back))


def truncate(x: SectorTrain, max_rank: int, tol: float = 0.0) -> tuple[SectorTrain, np.ndarray]:
    """Round a train: at every bond the largest singular values over all charges are kept.

    At most ``max_rank`` of them, fewer where the discarded ones stay below ``tol ||x|| / sqrt(d-1)``. Returns the
    train (left-orthogonal) and the discarded weight (squared, relative) at each bond. Cost O(d n r^3).
    """
    x = right_orthogonal(x)
    norm = frobenius(x.cores[0])
    bonds, cores = list(x.bonds), list(x.cores)
    discarded = np.zeros(x.d - 1)
    if norm == 0.0:
        return x, discarded
    budget = tol * tol / max(x.d - 1, 1)
    for k in range(x.d - 1):
        core, bond, factors = split_right(cores[k], bonds[k], x.modes[k], bonds[k + 1])
        svds = {c: np.linalg.svd(factors[c], full_matrices=False) for c, _ in bond}
        values = np.concatenate([s for _, s, _ in svds.values()]) / norm  # first, as squares may underflow
        order = np.argsort(-values, kind="stable")  # of equal values, those that the rank has room for
        tail = np.append(np.cumsum((values[order] ** 2)[::-1])[::-1], 0.0)
        keep = max(1, min(max_rank, int(np.argmax(tail <= budget))))
        discarded[k] = tail[keep]
        charges = np.repeat(list(svds), [len(s) for _, s, _ in svds.values()])[order[:keep]]
        kept = {c: int(np.count_nonzero(charges == c)) for c in svds}
        new_bond = tuple((c, kept[c]) for c, _ in bond if kept[c])
        blocks = views(core, bonds[k], x.modes[k], bond)
        cores[k] = np.concatenate(
            [
                (blocks[l, c].reshape(-1, blocks[l, c].shape[2]) @ svds[c][0][:, : kept[c]]).ravel()
                for l, c, *_ in layout(bonds[k], x.modes[k], new_bond)[0]
            ]
        )
        carry = {c: svds[c][1][: kept[c], None] * svds[c][2][: kept[c]] for c, _ in new_bond}
        cores[k + 1] = absorb_left(carry, new_bond, cores[k + 1], bonds[k + 1], x.modes[k + 1], bonds[k + 2])
        bonds[k + 1] = new_bond
    return SectorTrain(x.modes, tuple(bonds), tuple(cores)), discarded


def overlap_step(left: dict[int, np.ndarray], y: Link, x: Link, mode: Bond) -> dict[int, np.ndarray]:
    """Overlap environment (r_y, r_x) of each charge behind one core; y, x: (flat core, near bond, far bond)."""
    ys, xs = views(y[0], y[1], mode, y[2]), views(x[0], x[1], mode, x[2])
    new: dict[int, np.ndarray] = {}
    for (l, c), xb in xs.items():
        yb = ys.get((l, c))
        if yb is None or l not in left:
            continue
        part = (left[l] @ xb.reshape(xb.shape[0], -1)).reshape(-1, xb.shape[2])
        term = yb.reshape(-1, yb.shape[2]).T @ part
        new[c] = new[c] + term if c in new else term
    return new


def inner(y: SectorTrain, x: SectorTrain) -> float:
    """<y|x>; zero between different charges. Cost O(d n r^3)."""
    if y.charge != x.charge:
        return 0.0
    left = {0: np.ones((1, 1))}
    for k in range(x.d):
        bra, ket = (y.cores[k], y.bonds[k], y.bonds[k + 1]), (x.cores[k], x.bonds[k], x.bonds[k + 1])
        left = overlap_step(left, bra, ket, x.modes[k])
        if not left:
            return 0.0
    return float(left[x.charge][0, 0])


def linear_combination(trains: Sequence[SectorTrain], weights: Sequence[float]) -> SectorTrain:
    """sum_j weights[j] trains[j] (equal charges), ranks added, not rounded."""
    if len({(x.charge, x.modes) for x in trains}) != 1:
        raise ValueError("linear_combination: trains of one charge and one basis are needed")
    first = trains[0]
    if len(trains) == 1:
        return first.scaled(float(weights[0]))
    d, bonds = first.d, [first.bonds[0]]
    for k in range(1, d):
        dims: dict[int, int] = {}
        for x in trains:
            for c, r in x.bonds[k]:
                dims[c] = dims.get(c, 0) + r
        bonds.append(tuple(sorted(dims.items())))
    bonds.append(first.bonds[d])
    cores = []
    at: list[dict[int, int]] = [{0: 0} for _ in trains]
    for k in range(d):
        core = np.zeros(layout(bonds[k], first.modes[k], bonds[k + 1])[1])
        target = views(core, bonds[k], first.modes[k], bonds[k + 1])
        used: dict[int, int] = {}
        for j, x in enumerate(trains):
            right = {c: (used.get(c, 0) if k < d - 1 else 0) for c, _ in x.bonds[k + 1]}
            for (l, c), block in x.blocks(k).items():
                i, o = at[j][l], right[c]
                value = block * weights[j] if k == d - 1 else block
                target[l, c][i : i + block.shape[0], :, o : o + block.shape[2]] += value
            for c, r in x.bonds[k + 1]:
                used[c] = used.get(c, 0) + r
            at[j] = right
        cores.append(core)
    return SectorTrain(first.modes, tuple(bonds), tuple(cores))


def random_train(
    modes: ModeCharges, charge: int, max_rank: int, weights: Sequence[np.ndarray], rng: np.random.Generator
) -> SectorTrain:
    """A random train of one charge: Gaussian entries, each mode function scaled by its weight; norm one.

    ``weights[k]``: (n_k,) in ascending charge. About ``max_rank`` is shared evenly by the charges of a bond. Raises
    ValueError where no product of mode functions has the charge.
    """
    d = len(modes)
    left: list[set[int]] = [{0}]
    right: list[set[int]] = [{charge}]
    for k in range(d):
        left.append({added(l, m) for l in left[-1] for m, _ in modes[k]})
        right.append({taken(c, m) for c in right[-1] for m, _ in modes[d - 1 - k]})
    bonds: list[Bond] = []
    for k in range(d + 1):
        charges = sorted(left[k] & right[d - k])
        if not charges:
            raise ValueError(f"random_train: no product of the mode functions has charge {charge}")
        bonds.append(tuple((c, 1 if k in (0, d) else max(1, max_rank // len(charges))) for c in charges))
    cores = []
    for k in range(d):
        core = rng.standard_normal(layout(bonds[k], modes[k], bonds[k + 1])[1])
        at = first_functions(modes[k])
        for (l, c), block in views(core, bonds[k], modes[k], bonds[k + 1]).items():
            m = taken(c, l)
            block *= weights[k][at[m] : at[m] + block.shape[1]][None, :, None]
        cores.append(core)
    x = right_orthogonal(SectorTrain(modes, tuple(bonds), tuple(cores)))
    return x.scaled(1.0 / np.sqrt(inner(x, x)))
