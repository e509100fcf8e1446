"""A TT operator in block-sparse form, and the tables by which compiled kernels apply one core of it.

Charges of the operator bonds follow from those of the mode functions. Everything is *oriented*: a core is described
once seen from the left (side 0) and once from the right (side 1); ``best_side(k)`` is the one in which fewer
combinations of operator indices are needed. Index letters as in solvers.kernels.local.
"""

from __future__ import annotations

import uuid
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from solvers.formats.trains.operator import TTOperator
from solvers.kernels import local as kernels
from solvers.sectors.group import Bond, added, negated, taken
from solvers.sectors.train import ModeCharges, layout


@dataclass(frozen=True)
class Site:
    """One operator core seen from one side."""

    # (p, w_from, w_to, rows of w_to, matrix (rows, R_from)); p-sorted
    combinations: tuple[tuple[int, int, int, np.ndarray, np.ndarray], ...]
    widths: dict[int, int]  # R_w of the far bond
    matrices: np.ndarray  # flat storage of the blocks of every Q_p
    offsets: dict[tuple[int, int], int]  # (p, mode charge) -> offset, -1 where the block is the identity
    charges: tuple[int, ...]  # of Q_p


@dataclass(frozen=True)
class Plan:
    """Tables of one local product for given ket and bra bonds (see solvers.kernels.local)."""

    table: np.ndarray
    index: np.ndarray
    combined: tuple[tuple[int, int, int], ...]  # (combination, ket charge, offset)
    combined_size: int
    s_size: int
    xp_size: int
    tmp_size: int
    s_blocks: tuple[tuple[int, int, int, int, int, int], ...]  # (a', b', offset, r_a', n, K)
    far: dict[int, tuple[tuple[int, int, int, int], ...]]  # b' -> (b, w, column, r_b)
    far_size: int
    outputs: np.ndarray
    x_size: int
    y_size: int


class SectorOperator:
    """A real TT operator that conserves the charges of ``modes``; refuses one that does not (ValueError)."""

    def __init__(self, operator: TTOperator, modes: ModeCharges) -> None:
        if np.issubdtype(operator.dtype, np.complexfloating):
            raise ValueError("the eigensolvers take real symmetric operators; this one is complex")
        self.modes = modes
        self.d = len(modes)
        self.ranks = [int(r) for r in operator.ranks]
        factors = [operator.factors_at(k) for k in range(self.d)]
        mode_charge = [np.concatenate([np.full(n, m) for m, n in mode]) for mode in modes]
        q_charges = [[_matrix_charge(q, mode_charge[k]) for q in factors[k][1]] for k in range(self.d)]
        self.bond_charges = _bond_charges([f[0] for f in factors], q_charges)
        self.sites: list[tuple[Site, Site]] = []
        for k, (coefficients, matrices) in enumerate(factors):
            near, far = self.bond_charges[k], self.bond_charges[k + 1]
            flat, offsets = _matrix_blocks(matrices, q_charges[k], modes[k])
            self.sites.append(
                (
                    _site(coefficients, q_charges[k], near, far, flat, offsets),
                    _site(coefficients.transpose(0, 2, 1), q_charges[k], _negated(far), _negated(near), flat, offsets),
                )
            )
        self.key = uuid.uuid4().hex  # by which a worker process recognises an operator it already has
        self._plans: OrderedDict[tuple, Plan] = OrderedDict()

    def __getstate__(self) -> dict:
        return {**self.__dict__, "_plans": OrderedDict()}

    def best_side(self, k: int) -> int:
        counts = [sum(len(c[3]) for c in self.sites[k][side].combinations) for side in (0, 1)]
        return int(counts[1] < counts[0])

    def plan(self, k: int, side: int, near: Bond, far: Bond, bra_near: Bond, bra_far: Bond) -> Plan:
        key = (k, side, near, far, bra_near, bra_far)
        plan = self._plans.get(key)
        if plan is None:
            plan = _build_plan(self.sites[k][side], near, self.modes[k], far, bra_near, bra_far)
            self._plans[key] = plan
            if len(self._plans) > 1500:
                self._plans.popitem(last=False)
        return plan


def _matrix_charge(matrix: np.ndarray, charge: np.ndarray) -> int:
    i, j = np.nonzero(matrix)
    found = {taken(int(a), int(b)) for a, b in {*zip(charge[i], charge[j])}}
    if len(found) > 1:
        raise ValueError("the operator does not conserve the charges given: a one-mode matrix mixes them")
    return found.pop() if found else 0


def _negated(charges: np.ndarray) -> np.ndarray:
    return np.array([negated(int(c)) for c in charges], dtype=np.int64)


def _bond_charges(coefficients: list[np.ndarray], q_charges: list[list[int]]) -> list[np.ndarray]:
    bonds = [np.zeros(1, dtype=np.int64)]
    for c, charges in zip(coefficients, q_charges):
        p, a, b = np.nonzero(c)
        target = np.array([added(charges[i], int(bonds[-1][j])) for i, j in zip(p, a)], dtype=np.int64)
        found = np.zeros(c.shape[2], dtype=np.int64)
        found[b] = target
        if np.any(found[b] != target):
            raise ValueError("the operator does not conserve the charges given")
        bonds.append(found)
    if bonds[-1][0] != 0:
        raise ValueError("the operator does not conserve the charges given: its total charge is not zero")
    return bonds


def _matrix_blocks(
    matrices: np.ndarray, charges: list[int], mode: Bond
) -> tuple[np.ndarray, dict[tuple[int, int], int]]:
    """All blocks of the one-mode matrices in one flat array, and where each begins (-1: the identity)."""
    starts, total = {}, 0
    for m, n in mode:
        starts[m] = (total, total + n)
        total += n
    flat, offsets, size = [], {}, 0
    for p, (matrix, q) in enumerate(zip(matrices, charges)):
        for m, n in mode:
            if added(m, q) not in starts:
                continue
            block = matrix[slice(*starts[added(m, q)]), slice(*starts[m])]
            if q == 0 and np.array_equal(block, np.eye(n)):
                offsets[p, m] = -1
                continue
            offsets[p, m] = size
            flat.append(block.ravel())
            size += block.size
    return (np.ascontiguousarray(np.concatenate(flat)) if flat else np.zeros(1)), offsets


def _site(
    coefficients: np.ndarray,
    q_charges: list[int],
    near: np.ndarray,
    far: np.ndarray,
    flat: np.ndarray,
    offsets: dict[tuple[int, int], int],
) -> Site:
    combinations = []
    near_of = {int(w): np.flatnonzero(near == w) for w in np.unique(near)}
    far_of = {int(w): np.flatnonzero(far == w) for w in np.unique(far)}
    for p, q in enumerate(q_charges):
        for w, alphas in near_of.items():
            beyond = added(w, q)
            if beyond not in far_of:
                continue
            matrix = coefficients[p][np.ix_(alphas, far_of[beyond])].T
            rows = np.flatnonzero(np.any(matrix != 0, axis=1))
            if len(rows):
                combinations.append((p, w, beyond, rows, np.ascontiguousarray(matrix[rows])))
    return Site(tuple(combinations), {w: len(a) for w, a in far_of.items()}, flat, offsets, tuple(q_charges))


def _build_plan(site: Site, near: Bond, mode: Bond, far: Bond, bra_near: Bond, bra_far: Bond) -> Plan:
    functions, bra_a, bra_b = dict(mode), dict(bra_near), dict(bra_far)
    # S blocks: rows (a', m'), columns (b, alpha', b) for every ket b reachable from b'
    columns: dict[int, dict[int, int]] = {}
    widths: dict[int, int] = {}
    far_of: dict[int, tuple] = {}
    far_offset: dict[int, int] = {}
    far_size = 0
    for b2, rb2 in bra_far:
        column, parts, columns[b2] = 0, [], {}
        for b, rb in far:
            width = site.widths.get(taken(b2, b), 0)
            if width:
                columns[b2][b] = column
                parts.append((b, taken(b2, b), column, rb))
                column += width * rb
        widths[b2], far_of[b2], far_offset[b2] = column, tuple(parts), far_size
        far_size += column * rb2
    y_blocks, y_size = layout(bra_near, mode, bra_far)
    s_blocks, s_offset, s_size, outputs = [], {}, 0, []
    for a2, b2, offset, ra2, n, rb2 in y_blocks:
        k = widths[b2]
        if k == 0:
            continue
        s_blocks.append((a2, b2, s_size, ra2, n, k))
        s_offset[a2, b2] = s_size
        outputs.append((s_size, ra2 * n, k, far_offset[b2], rb2, offset))
        s_size += ra2 * n * k
    rows: list[tuple[int, ...]] = []
    index: list[int] = []
    combined: list[tuple[int, int, int]] = []
    combined_at: dict[tuple[int, int], int] = {}
    index_at: dict[int, int] = {}
    combined_size, xp_size, tmp_size = 0, 1, 1
    x_blocks, x_size = layout(near, mode, far)
    for a, b, x_offset, ra, n, rb in x_blocks:
        last_p, m = -1, taken(b, a)
        for c, (p, w, w2, which, _) in enumerate(site.combinations):
            a2, b2 = added(a, w), added(b, w2)
            if a2 not in bra_a or b2 not in bra_b or (p, m) not in site.offsets:
                continue
            if c not in index_at:
                index_at[c] = len(index)
                index.extend(which)
            if (c, a) not in combined_at:
                combined_at[c, a] = combined_size
                combined.append((c, a, combined_size))
                combined_size += len(which) * bra_a[a2] * ra
            n2 = functions[taken(b2, a2)]
            block = (x_offset, ra, n, rb, site.offsets[p, m], n2, combined_at[c, a], len(which), bra_a[a2])
            rows.append((*block, s_offset[a2, b2], widths[b2], columns[b2][b], index_at[c], int(p != last_p)))
            last_p = p
            xp_size = max(xp_size, ra * n2 * rb)
            tmp_size = max(tmp_size, len(which) * bra_a[a2] * n2 * rb)
    return Plan(
        np.array(rows, dtype=np.int64).reshape(-1, kernels.TABLE_COLUMNS),
        np.array(index, dtype=np.int64),
        tuple(combined),
        combined_size,
        s_size,
        xp_size,
        tmp_size,
        tuple(s_blocks),
        far_of,
        far_size,
        np.array(outputs, dtype=np.int64).reshape(-1, 6),
        x_size,
        y_size,
    )
