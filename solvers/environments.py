"""Environments of <y|A|x> and the local operator between them, for block-sparse trains.

An environment is a dict (ket charge, operator charge w) -> array (R_w, r_bra, r_ket); the bra charge is their
exclusive or. Everything is *oriented*: seen from the left the first environment A is the left one, seen from the
right (``side`` 1, cores mirrored) it is the right one, and one code path serves both. ``best_side(k)`` is the
orientation in which fewer combinations of operator indices are needed. Index letters as in solvers.kernels.local.
"""

from __future__ import annotations

import uuid
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from solvers.kernels import local as kernels
from solvers.trains.operator import TTOperator
from solvers.trains.sectors import Bond, ModeCharges, layout, views

Environment = dict[tuple[int, int], np.ndarray]
TRIVIAL: Environment = {(0, 0): np.ones((1, 1, 1))}


@dataclass(frozen=True)
class _Site:
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
    """A TT operator that conserves the charges of ``modes``; refuses one that does not (ValueError)."""

    def __init__(self, operator: TTOperator, modes: ModeCharges) -> None:
        self.modes = modes
        self.d = len(modes)
        self.ranks = [int(r) for r in operator.ranks]
        factors = [operator.factors_at(k) for k in range(self.d)]
        mode_charge = [np.concatenate([np.full(n, m) for m, n in mode]) for mode in modes]
        q_charges = [[_matrix_charge(q, mode_charge[k]) for q in factors[k][1]] for k in range(self.d)]
        self.bond_charges = _bond_charges([f[0] for f in factors], q_charges)
        self.sites: list[tuple[_Site, _Site]] = []
        for k, (coefficients, matrices) in enumerate(factors):
            near, far = self.bond_charges[k], self.bond_charges[k + 1]
            flat, offsets = _matrix_blocks(matrices, q_charges[k], modes[k])
            self.sites.append(
                (
                    _site(coefficients, q_charges[k], near, far, flat, offsets),
                    _site(coefficients.transpose(0, 2, 1), q_charges[k], far, near, flat, offsets),
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
            if len(self._plans) > 4000:
                self._plans.popitem(last=False)
        return plan


def _matrix_charge(matrix: np.ndarray, charge: np.ndarray) -> int:
    i, j = np.nonzero(matrix)
    found = np.unique(charge[i] ^ charge[j])
    if len(found) > 1:
        raise ValueError("the operator does not conserve the charges given: a one-mode matrix mixes them")
    return int(found[0]) if len(found) else 0


def _bond_charges(coefficients: list[np.ndarray], q_charges: list[list[int]]) -> list[np.ndarray]:
    bonds = [np.zeros(1, dtype=np.int64)]
    for c, charges in zip(coefficients, q_charges):
        p, a, b = np.nonzero(c)
        target = np.array(charges, dtype=np.int64)[p] ^ bonds[-1][a]
        found = np.zeros(c.shape[2], dtype=np.int64)
        found[b] = target
        if np.any(found[b] != target):
            raise ValueError("the operator does not conserve the charges given")
        bonds.append(found)
    if bonds[-1][0] != 0:
        raise ValueError("the operator does not conserve the charges given: its total charge is not zero")
    return bonds


def _matrix_blocks(matrices: np.ndarray, charges: list[int], mode: Bond):
    """All blocks of the one-mode matrices in one flat array, and where each begins (-1: the identity)."""
    starts, total = {}, 0
    for m, n in mode:
        starts[m] = (total, total + n)
        total += n
    flat, offsets, size = [], {}, 0
    for p, (matrix, q) in enumerate(zip(matrices, charges)):
        for m, n in mode:
            if (m ^ q) not in starts:
                continue
            block = matrix[slice(*starts[m ^ q]), slice(*starts[m])]
            if q == 0 and np.array_equal(block, np.eye(n)):
                offsets[p, m] = -1
                continue
            offsets[p, m] = size
            flat.append(block.ravel())
            size += block.size
    return (np.ascontiguousarray(np.concatenate(flat)) if flat else np.zeros(1)), offsets


def _site(coefficients, q_charges, near, far, flat, offsets) -> _Site:
    combinations = []
    near_of = {int(w): np.flatnonzero(near == w) for w in np.unique(near)}
    far_of = {int(w): np.flatnonzero(far == w) for w in np.unique(far)}
    for p, q in enumerate(q_charges):
        for w, alphas in near_of.items():
            if (w ^ q) not in far_of:
                continue
            matrix = coefficients[p][np.ix_(alphas, far_of[w ^ q])].T
            rows = np.flatnonzero(np.any(matrix != 0, axis=1))
            if len(rows):
                combinations.append((p, w, w ^ q, rows, np.ascontiguousarray(matrix[rows])))
    return _Site(tuple(combinations), {w: len(a) for w, a in far_of.items()}, flat, offsets, tuple(q_charges))


def _build_plan(site: _Site, near: Bond, mode: Bond, far: Bond, bra_near: Bond, bra_far: Bond) -> Plan:
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
            width = site.widths.get(b ^ b2, 0)
            if width:
                columns[b2][b] = column
                parts.append((b, b ^ b2, column, rb))
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
    rows, index, combined, combined_at = [], [], [], {}
    combined_size, xp_size, tmp_size, index_at = 0, 1, 1, {}
    x_blocks, x_size = layout(near, mode, far)
    for a, b, x_offset, ra, n, rb in x_blocks:
        last_p = -1
        for c, (p, w, w2, which, _) in enumerate(site.combinations):
            a2, b2 = a ^ w, b ^ w2
            if a2 not in bra_a or b2 not in bra_b or (p, a ^ b) not in site.offsets:
                continue
            if c not in index_at:
                index_at[c] = len(index)
                index.extend(which)
            if (c, a) not in combined_at:
                combined_at[c, a] = combined_size
                combined.append((c, a, combined_size))
                combined_size += len(which) * bra_a[a2] * ra
            n2 = functions[a2 ^ b2]
            rows.append(
                (x_offset, ra, n, rb, site.offsets[p, a ^ b], n2, combined_at[c, a], len(which), bra_a[a2])
                + (s_offset[a2, b2], widths[b2], columns[b2][b], index_at[c], int(p != last_p))
            )
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


def combine(operator: SectorOperator, k: int, side: int, plan: Plan, near: Environment) -> np.ndarray:
    """The near environment combined with the operator coefficients, flat, as the plan lays it out."""
    site = operator.sites[k][side]
    out = np.zeros(max(plan.combined_size, 1))
    for c, a, offset in plan.combined:
        _, w, _, which, matrix = site.combinations[c]
        block = near.get((a, w))
        if block is None:
            continue
        size = len(which) * block.shape[1] * block.shape[2]
        np.matmul(matrix, block.reshape(block.shape[0], -1), out=out[offset : offset + size].reshape(len(which), -1))
    return out


def stack_far(plan: Plan, far: Environment) -> np.ndarray:
    """The far environment as the stacked right factors of the product with S."""
    parts = []
    for b2, entries in plan.far.items():
        for b, w, _, _ in entries:
            parts.append(far[b, w].transpose(0, 2, 1).ravel())
    return np.concatenate(parts) if parts else np.zeros(1)


def advance(operator: SectorOperator, k: int, side: int, near: Environment, ket, bra) -> Environment:
    """The environment behind core k. ``ket`` and ``bra``: (flat core, near bond, far bond), oriented by ``side``."""
    x, near_bond, far_bond = ket
    y, bra_near, bra_far = bra
    plan = operator.plan(k, side, near_bond, far_bond, bra_near, bra_far)
    s = np.empty(max(plan.s_size, 1))
    combined = combine(operator, k, side, plan, near)
    kernels.half_apply(
        x, plan.table, plan.index, operator.sites[k][side].matrices, combined, s, np.empty(plan.xp_size),
        np.empty(plan.tmp_size),
    )  # fmt: skip
    new: Environment = {}
    y_offset = {(a, b): (o, rb) for a, b, o, _, _, rb in layout(bra_near, operator.modes[k], bra_far)[0]}
    widths = operator.sites[k][side].widths
    for a2, b2, offset, ra2, n, width in plan.s_blocks:
        o, rb2 = y_offset[a2, b2]
        block = y[o : o + ra2 * n * rb2].reshape(ra2 * n, rb2)
        product = block.T.conj() @ s[offset : offset + ra2 * n * width].reshape(ra2 * n, width)
        for b, w, column, rb in plan.far[b2]:
            term = product[:, column : column + widths[w] * rb].reshape(rb2, widths[w], rb).transpose(1, 0, 2)
            if (b, w) in new:
                new[b, w] += term
            else:
                new[b, w] = np.ascontiguousarray(term)
    return new


class LocalOperator:
    """The operator between two environments, as a linear map on one flat core (ket and bra bonds equal)."""

    def __init__(self, operator: SectorOperator, k: int, side: int, near: Environment, far: Environment, bonds) -> None:
        self.operator, self.k, self.side = operator, k, side
        self.bonds = bonds
        self.plan = operator.plan(k, side, *bonds, *bonds)
        self.near, self.far_environment = near, far
        plan = self.plan
        self.arguments = (
            plan.table,
            plan.index,
            operator.sites[k][side].matrices,
            combine(operator, k, side, plan, near),
            plan.outputs,
            stack_far(plan, far),
            np.empty(max(plan.s_size, 1)),
            np.empty(plan.xp_size),
            np.empty(plan.tmp_size),
        )

    @property
    def size(self) -> int:
        return self.plan.x_size

    def __matmul__(self, x: np.ndarray) -> np.ndarray:
        y = np.zeros(self.size)
        kernels.apply(x, y, *self.arguments)
        return y

    def diagonal(self) -> np.ndarray:
        """The diagonal of the local operator, flat; cost of one product at most."""
        site = self.operator.sites[self.k][self.side]
        out = np.zeros(self.size)
        for a, b, offset, ra, n, rb in layout(self.bonds[0], self.operator.modes[self.k], self.bonds[1])[0]:
            block = np.zeros((ra, n, rb))
            near = np.einsum("waa->wa", self.near[a, 0])
            far = np.einsum("waa->wa", self.far_environment[b, 0])
            for p, w, w2, which, matrix in site.combinations:
                if w or w2 or site.charges[p]:
                    continue
                at = site.offsets[p, a ^ b]
                q = np.ones(n) if at < 0 else np.diagonal(site.matrices[at : at + n * n].reshape(n, n))
                block += ((matrix @ near).T @ far[which])[:, None, :] * q[None, :, None]
            out[offset : offset + ra * n * rb] = block.ravel()
        return out

    def minres(self, b: np.ndarray, x: np.ndarray, shift: float, steps: int, tol: float, floor: float, model: int) -> int:
        """Solve (A - shift) x = b in place from x; returns the number of products.

        Preconditioner: |diagonal - shift|, and on the ``model`` indices where that is smallest the exact block with the
        absolute values of its shifted eigenvalues (all at least ``floor``).
        """
        distance = np.abs(self.diagonal() - shift)
        selected = np.sort(np.argpartition(distance, model - 1)[:model]) if 0 < model < self.size else np.arange(self.size)
        block = kernels.model_matrix(selected, *self.arguments[:6])
        values, vectors = np.linalg.eigh(0.5 * (block + block.T))
        inverse_block = (vectors / np.maximum(np.abs(values - shift), floor)) @ vectors.T
        inverse = 1.0 / np.maximum(distance, floor)
        return kernels.minres(b, x, shift, inverse, selected, inverse_block, steps, tol, *self.arguments)


def mean_field(
    operator: SectorOperator, k: int, side: int, environment: tuple[Environment, Environment], core, bonds
) -> dict[int, np.ndarray]:
    """The effective operator on the near bond, the rest averaged over ``core`` : {charge: (r, r)}.

    ``environment``: the pair (near, far); its eigenvectors are the gauge in which the local operator is most diagonal.
    """
    near, far = environment
    site = operator.sites[k][side]
    blocks = views(core, bonds[0], operator.modes[k], bonds[1])
    norm = float(core @ core)
    total: np.ndarray | None = None
    for p, w, w2, which, matrix in site.combinations:
        if w:
            continue
        value = np.zeros(len(which))
        for (a, b), x in blocks.items():
            y = blocks.get((a, b ^ w2))
            at = site.offsets.get((p, a ^ b))
            if y is None or at is None or (b, w2) not in far:
                continue
            n2, n = y.shape[1], x.shape[1]
            qx = x if at < 0 else np.matmul(site.matrices[at : at + n2 * n].reshape(n2, n), x)
            density = y.reshape(-1, y.shape[2]).T @ qx.reshape(-1, x.shape[2])
            value += far[b, w2][which].reshape(len(which), -1) @ density.ravel()
        term = value @ matrix
        total = term if total is None else total + term
    found = {}
    for a, r in bonds[0]:
        e = near.get((a, 0))
        effective = total @ e.reshape(len(e), -1) if total is not None and e is not None else np.zeros(r * r)
        found[a] = effective.reshape(r, r) / norm
    return found


def site_energies(operator: SectorOperator, k: int, side: int, near: Environment, far: Environment, density, bond: Bond):
    """Diagonal of the operator on near bond and mode, the far bond averaged over ``density`` {b: (r_b, r_b)}.

    Returns {(a, a ^ m): (r_a, n_m)} for every charge m of the mode.
    """
    site = operator.sites[k][side]
    found = {(a, a ^ m): np.zeros((r, n)) for a, r in bond for m, n in operator.modes[k]}
    for p, w, w2, which, matrix in site.combinations:
        if w or w2 or site.charges[p]:
            continue
        weights = np.zeros(len(which))
        for b, rho in density.items():
            if (b, 0) in far:
                weights += far[b, 0][which].reshape(len(which), -1) @ rho.ravel()
        combination = weights @ matrix
        for a, _ in bond:
            diagonal = combination @ np.einsum("waa->wa", near[a, 0])
            for m, n in operator.modes[k]:
                at = site.offsets[p, m]
                q = np.ones(n) if at < 0 else np.diagonal(site.matrices[at : at + n * n].reshape(n, n))
                found[a, a ^ m] += np.outer(diagonal, q)
    return found


def half_product(operator: SectorOperator, k: int, side: int, near: Environment, ket, bra_near: Bond, bra_far: Bond):
    """The operator applied up to core k: {b': (rows a', {(b, w): (rows, R_w, r_b)})}, far environment left open."""
    x, near_bond, far_bond = ket
    plan = operator.plan(k, side, near_bond, far_bond, bra_near, bra_far)
    s = np.empty(max(plan.s_size, 1))
    combined = combine(operator, k, side, plan, near)
    kernels.half_apply(
        x, plan.table, plan.index, operator.sites[k][side].matrices, combined, s, np.empty(plan.xp_size),
        np.empty(plan.tmp_size),
    )  # fmt: skip
    widths = operator.sites[k][side].widths
    rows: dict[int, list[int]] = {}
    stacked: dict[int, list[np.ndarray]] = {}
    for a2, b2, offset, ra2, n, width in plan.s_blocks:
        rows.setdefault(b2, []).append(a2)
        stacked.setdefault(b2, []).append(s[offset : offset + ra2 * n * width].reshape(ra2 * n, width))
    found = {}
    for b2, parts in stacked.items():
        whole = np.concatenate(parts)
        found[b2] = (
            rows[b2],
            {
                (b, w): whole[:, column : column + widths[w] * rb].reshape(len(whole), widths[w], rb)
                for b, w, column, rb in plan.far[b2]
            },
        )
    return found


def rotate(environment: Environment, gauge: dict[int, np.ndarray]) -> Environment:
    """The environment in the bond basis of the columns of ``gauge``."""
    return {
        (a, w): np.ascontiguousarray(np.matmul(gauge[a ^ w].T, np.matmul(e, gauge[a]))) for (a, w), e in environment.items()
    }


def rotate_core(core: np.ndarray, near: dict[int, np.ndarray], far: dict[int, np.ndarray], bonds, mode: Bond, back: bool):
    """The core in the rotated bases of both bonds (``back``: out of them)."""
    out = np.empty_like(core)
    target = views(out, bonds[0], mode, bonds[1])
    for (a, b), x in views(core, bonds[0], mode, bonds[1]).items():
        u, v = (near[a], far[b].T) if back else (near[a].T, far[b])
        target[a, b][:] = np.matmul((u @ x.reshape(x.shape[0], -1)).reshape(x.shape), v)
    return out


def sandwich(operator: SectorOperator, y, x) -> float:
    """<y|A|x> of two trains of the same charge, meeting where the operator is widest. Cost O(d R r^3 n)."""
    near: Environment = {(0, 0): np.ones((1, 1, 1))}
    for k in range(operator.d):
        near = advance(
            operator, k, 0, near, (x.cores[k], x.bonds[k], x.bonds[k + 1]), (y.cores[k], y.bonds[k], y.bonds[k + 1])
        )
    return float(near[x.charge, 0][0, 0, 0])
