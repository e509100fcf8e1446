"""True residual norms ||A x_j - e_j x_j|| of states that share all cores but one, to full precision.

The train of the residual is never formed: at each bond the columns of [A x, x] (operator applied to the cores behind
it, and these cores) are replaced by the triangular factor of their QR decomposition, an isometry away from the
residual. From both ends these factors meet at the core that holds the states, where the subtraction is done, so
nothing is squared and the norm is exact to about machine precision times ||A x||. (<x|A^2|x> - e^2 loses half the
digits.) QR of the interfaces: Oseledets, SIAM J. Sci. Comput. 33, 2295 (2011), algorithm 2.
Cost O(d n (R r)^3) for all states together, and one product with bonds of dimension (R+1) r a state.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from solvers.formats.trains.factorisations import triangular_factor
from solvers.kernels import local as kernels
from solvers.sectors.environments import Environment, combine, stack_far
from solvers.sectors.group import Bond, added, negated, taken, turned, turned_keys, turned_pairs
from solvers.sectors.operator import SectorOperator
from solvers.sectors.train import SectorTrain, mirror_core, views

Own = dict[int, np.ndarray]  # charge -> (q, r): the interface of x itself in the orthonormal frame
Interface = tuple[Environment, Own, Bond]


def _interface(
    operator: SectorOperator, k: int, side: int, behind: Interface, core: np.ndarray, near: Bond, far: Bond
) -> Interface:
    """The triangular factor of the interface [A x, x] moved over core k (flat, oriented by ``side``)."""
    environment, own, frame = behind
    mode = operator.modes[k]
    functions = dict(mode)
    charges = {added(a, m) for a, _ in frame for m, _ in mode}
    reach = tuple((c, 1) for c in sorted(charges))
    plan = operator.plan(k, side, near, far, frame, reach)
    s = np.empty(max(plan.s_size, 1))
    kernels.half_apply(
        core,
        plan.table,
        plan.index,
        operator.sites[k][side].matrices,
        combine(operator, k, side, plan, environment),
        s,
        np.empty(plan.xp_size),
        np.empty(plan.tmp_size),
    )
    applied = {(a, c): s[o : o + r * n * w].reshape(r * n, w) for a, c, o, r, n, w in plan.s_blocks}
    blocks = views(core, near, mode, far)
    widths, far_dims = operator.sites[k][side].widths, dict(far)
    new: Environment = {}
    new_own: Own = {}
    bond = []
    for c in sorted(charges):
        columns = plan.far.get(c, ())
        width = sum(widths[w] * rb for _, w, _, rb in columns)
        stacked = []
        for a, r in frame:
            n = functions.get(taken(c, a), 0)
            if not n:
                continue
            part = np.zeros((r * n, width + far_dims.get(c, 0)))
            if (a, c) in applied:
                part[:, :width] = applied[a, c]
            if (a, c) in blocks and a in own:
                x = blocks[a, c]
                part[:, width:] = (own[a] @ x.reshape(x.shape[0], -1)).reshape(r * n, -1)
            stacked.append(part)
        matrix = np.concatenate(stacked)
        if matrix.shape[1] == 0:
            continue
        twin = _twin(matrix, columns, c, width, widths)
        factor = triangular_factor(np.asfortranarray(matrix[:, :width] if twin else matrix))
        if twin:
            factor = np.concatenate([factor, factor[:, twin]], axis=1)
        bond.append((c, len(factor)))
        for b, w, column, rb in columns:
            piece = factor[:, column : column + widths[w] * rb].reshape(len(factor), widths[w], rb)
            new[b, w] = np.ascontiguousarray(piece.transpose(1, 0, 2))
        if c in far_dims:
            new_own[c] = np.ascontiguousarray(factor[:, width:])
    return new, new_own, tuple(bond)


def _twin(
    matrix: np.ndarray, columns: Sequence[tuple[int, int, int, int]], c: int, width: int, widths: dict[int, int]
) -> slice | None:
    """The columns of A x that are those of x (the bond index behind which A is still the identity), if any."""
    own = matrix[:, width:]
    size = float(np.abs(own).max(initial=0.0))
    for b, w, column, rb in columns:
        if b == c and w == 0 and own.shape[1] == rb:
            for at in range(column, column + widths[w] * rb, rb):
                if np.abs(matrix[:, at : at + rb] - own).max(initial=0.0) <= 1e-14 * size:
                    return slice(at, at + rb)
    return None


def block_residuals(
    operator: SectorOperator,
    bonds: Sequence[Bond],
    cores: Sequence[np.ndarray],
    centre: int,
    rows: np.ndarray,
    energies: Sequence[float] | np.ndarray,
) -> np.ndarray:
    """||A x_j - e_j x_j|| of the states in ``rows`` (m, size of core ``centre``) between the shared ``cores``.

    ``bonds``, ``cores`` as in SectorTrain (``cores[centre]`` is not read); no orthogonality is assumed.
    """
    d = operator.d
    one = np.ones((1, 1, 1))
    charge = negated(bonds[-1][0][0])
    left: Interface = ({(0, 0): one}, {0: one[0]}, ((0, 1),))
    right: Interface = ({(charge, 0): one}, {charge: one[0]}, ((charge, 1),))
    for k in range(centre):
        left = _interface(operator, k, 0, left, cores[k], bonds[k], bonds[k + 1])
    for k in range(d - 1, centre, -1):
        core = mirror_core(cores[k], bonds[k], operator.modes[k], bonds[k + 1])
        right = _interface(operator, k, 1, right, core, turned(bonds[k + 1]), turned(bonds[k]))
    mode = operator.modes[centre]
    ket = (bonds[centre], bonds[centre + 1])
    bra, own = (left[2], turned(right[2])), turned_keys(right[1])
    plan = operator.plan(centre, 0, *ket, *bra)
    near, far = dict(left[0]), turned_pairs(right[0])
    for entries in plan.far.values():
        for b, w, _, rb in entries:
            if (b, w) not in far:
                far[b, w] = np.zeros((operator.sites[centre][0].widths[w], dict(bra[1])[added(b, w)], rb))
    arguments = (
        plan.table,
        plan.index,
        operator.sites[centre][0].matrices,
        combine(operator, centre, 0, plan, near),
        plan.outputs,
        stack_far(plan, far),
        np.empty(max(plan.s_size, 1)),
        np.empty(plan.xp_size),
        np.empty(plan.tmp_size),
    )
    norms = np.empty(len(rows))
    for j, (row, energy) in enumerate(zip(rows, energies)):
        residual = np.zeros(plan.y_size)
        kernels.apply(np.ascontiguousarray(row), residual, *arguments)
        target = views(residual, bra[0], mode, bra[1])
        for (a, b), x in views(row, ket[0], mode, ket[1]).items():
            if a not in left[1] or b not in own:
                continue
            y = (left[1][a] @ x.reshape(x.shape[0], -1)).reshape(-1, x.shape[2]) @ own[b].T
            target[a, b] -= energy * y.reshape(target[a, b].shape)
        norms[j] = np.linalg.norm(residual)
    return norms


def residual_norm(operator: SectorOperator, x: SectorTrain, energy: float) -> float:
    """||A x - energy x|| of one train; relative to ||x|| = 1 where x is normalised."""
    centre = x.d // 2
    return float(block_residuals(operator, x.bonds, x.cores, centre, x.cores[centre][None, :], [energy])[0])
