"""Environments of <y|A|x> and the local operator between them, for block-sparse trains.

An environment is a dict (ket charge, operator charge w) -> array (R_w, r_bra, r_ket); the bra charge is their
sum. Everything is *oriented*: seen from the left the first environment A is the left one, seen from the right
(``side`` 1, cores mirrored) it is the right one, and one code path serves both (solvers.sectors.operator). The far
environment was made from the other end, its charges as seen from there.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from solvers.kernels import local as kernels
from solvers.sectors.group import Bond, added, taken, turned_keys, turned_pairs
from solvers.sectors.operator import Plan, SectorOperator
from solvers.sectors.train import SectorTrain, layout, views

Environment = dict[tuple[int, int], np.ndarray]
Core = tuple[np.ndarray, Bond, Bond]  # a flat core with its near and its far bond, oriented
# by the far charge b' of the bra: the near charges of the rows, and {(b, w): (rows, R_w, r_b)}
Halves = dict[int, tuple[list[int], dict[tuple[int, int], np.ndarray]]]


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
    """The far environment, its charges turned to those of the plan, as the stacked right factors of the product with
    S."""
    parts = []
    for entries in plan.far.values():
        for b, w, _, _ in entries:
            parts.append(far[b, w].transpose(0, 2, 1).ravel())
    return np.concatenate(parts) if parts else np.zeros(1)


def _half(operator: SectorOperator, k: int, side: int, plan: Plan, near: Environment, x: np.ndarray) -> np.ndarray:
    """The array S of the plan: the operator applied to ``x``, all but the product with the far environment."""
    s = np.empty(max(plan.s_size, 1))
    kernels.half_apply(
        x,
        plan.table,
        plan.index,
        operator.sites[k][side].matrices,
        combine(operator, k, side, plan, near),
        s,
        np.empty(plan.xp_size),
        np.empty(plan.tmp_size),
    )
    return s


def advance(operator: SectorOperator, k: int, side: int, near: Environment, ket: Core, bra: Core) -> Environment:
    """The environment behind core k. ``ket`` and ``bra`` are oriented by ``side``."""
    x, near_bond, far_bond = ket
    y, bra_near, bra_far = bra
    plan = operator.plan(k, side, near_bond, far_bond, bra_near, bra_far)
    s = _half(operator, k, side, plan, near, x)
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

    def __init__(
        self, operator: SectorOperator, k: int, side: int, near: Environment, far: Environment, bonds: Sequence[Bond]
    ) -> None:
        self.operator, self.k, self.side = operator, k, side
        self.bonds = bonds
        self.plan = operator.plan(k, side, *bonds, *bonds)
        self.near, self.far_environment = near, turned_pairs(far)
        plan = self.plan
        self.arguments = (
            plan.table,
            plan.index,
            operator.sites[k][side].matrices,
            combine(operator, k, side, plan, near),
            plan.outputs,
            stack_far(plan, self.far_environment),
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
                at = site.offsets[p, taken(b, a)]
                q = np.ones(n) if at < 0 else np.diagonal(site.matrices[at : at + n * n].reshape(n, n))
                block += ((matrix @ near).T @ far[which])[:, None, :] * q[None, :, None]
            out[offset : offset + ra * n * rb] = block.ravel()
        return out

    def minres(
        self, b: np.ndarray, x: np.ndarray, shift: float, steps: int, tol: float, floor: float, model: int
    ) -> int:
        """Solve (A - shift) x = b in place from x; returns the number of products.

        Preconditioner: |diagonal - shift|, and on the ``model`` indices where that is smallest the exact block with the
        absolute values of its shifted eigenvalues (all at least ``floor``).
        """
        distance = np.abs(self.diagonal() - shift)
        if model < self.size:
            selected = np.sort(np.argpartition(distance, model - 1)[:model])
        else:
            selected = np.arange(self.size)
        block = kernels.model_matrix(selected, *self.arguments[:6])
        values, vectors = np.linalg.eigh(0.5 * (block + block.T))
        inverse_block = (vectors / np.maximum(np.abs(values - shift), floor)) @ vectors.T
        inverse = 1.0 / np.maximum(distance, floor)
        return kernels.minres(b, x, shift, inverse, selected, inverse_block, steps, tol, *self.arguments)


def mean_field(
    operator: SectorOperator,
    k: int,
    side: int,
    environment: tuple[Environment, Environment],
    core: np.ndarray,
    bonds: Sequence[Bond],
) -> dict[int, np.ndarray]:
    """The effective operator on the near bond, the rest averaged over ``core`` : {charge: (r, r)}.

    ``environment``: the pair (near, far); its eigenvectors are the gauge in which the local operator is most diagonal.
    """
    near, far = environment[0], turned_pairs(environment[1])
    site = operator.sites[k][side]
    blocks = views(core, bonds[0], operator.modes[k], bonds[1])
    norm = float(core @ core) or 1.0  # a core of zeros has no mean field
    total: np.ndarray | None = None
    for p, w, w2, which, matrix in site.combinations:
        if w:
            continue
        value = np.zeros(len(which))
        for (a, b), x in blocks.items():
            y = blocks.get((a, added(b, w2)))
            at = site.offsets.get((p, taken(b, a)))
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


def site_energies(
    operator: SectorOperator,
    k: int,
    side: int,
    near: Environment,
    far: Environment,
    density: dict[int, np.ndarray],
    bond: Bond,
) -> dict[tuple[int, int], np.ndarray]:
    """Diagonal of the operator on near bond and mode, the far bond averaged over ``density`` {b: (r_b, r_b)}.

    Returns {(a, a + m): (r_a, n_m)} for every charge m of the mode.
    """
    site, far = operator.sites[k][side], turned_pairs(far)
    found = {(a, added(a, m)): np.zeros((r, n)) for a, r in bond for m, n in operator.modes[k]}
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
                found[a, added(a, m)] += np.outer(diagonal, q)
    return found


def half_product(
    operator: SectorOperator, k: int, side: int, near: Environment, ket: Core, bra_near: Bond, bra_far: Bond
) -> Halves:
    """The operator applied up to core k, the far environment left open."""
    x, near_bond, far_bond = ket
    plan = operator.plan(k, side, near_bond, far_bond, bra_near, bra_far)
    s = _half(operator, k, side, plan, near, x)
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
    return {(a, w): np.matmul(gauge[added(a, w)].T, np.matmul(e, gauge[a])) for (a, w), e in environment.items()}


def rotate_core(
    core: np.ndarray,
    near: dict[int, np.ndarray],
    far: dict[int, np.ndarray],
    bonds: Sequence[Bond],
    mode: Bond,
    back: bool,
) -> np.ndarray:
    """The core in the rotated bases of both bonds (``back``: out of them), the far one as seen from its end."""
    far = turned_keys(far)
    out = np.empty_like(core)
    target = views(out, bonds[0], mode, bonds[1])
    for (a, b), x in views(core, bonds[0], mode, bonds[1]).items():
        u, v = (near[a], far[b].T) if back else (near[a].T, far[b])
        target[a, b][:] = np.matmul((u @ x.reshape(x.shape[0], -1)).reshape(x.shape), v)
    return out


def sandwich(operator: SectorOperator, y: SectorTrain, x: SectorTrain) -> float:
    """<y|A|x> of two trains of the same charge, meeting where the operator is widest. Cost O(d R r^3 n)."""
    near: Environment = {(0, 0): np.ones((1, 1, 1))}
    for k in range(operator.d):
        near = advance(
            operator, k, 0, near, (x.cores[k], x.bonds[k], x.bonds[k + 1]), (y.cores[k], y.bonds[k], y.bonds[k + 1])
        )
    return float(near[x.charge, 0][0, 0, 0])
