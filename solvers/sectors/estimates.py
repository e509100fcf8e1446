"""A-posteriori error estimates of the energy of one low-rank state.

With the state in mixed canonical form at a bond, the part of the residual (H - E)x that two neighbouring
cores could still take up is P_L (H x) P_R, P the projectors on the complements of the kept bases (the
two-site variance of Hubig, Haegeman, Schollwoeck, Phys. Rev. B 97, 045125 (2018), eq. 12). Each of its elements lowers
the energy by |X_ij|^2 / (e_i + e_j - E) to second order, e the mean-field energies of the complement functions; the
estimate is the sum over bonds and over the one-site complements. What lies farther apart than two cores is not seen;
the many-state method calibrates the estimate against what its own passes gain.

Cost: about 6 operator products a core. Indices as in solvers.sectors.environments.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from solvers.sectors.environments import (
    Environment,
    LocalOperator,
    advance,
    half_product,
    mean_field,
    rotate,
    site_energies,
)
from solvers.sectors.group import Bond
from solvers.sectors.operator import SectorOperator
from solvers.sectors.train import (
    ModeCharges,
    SectorTrain,
    absorb_left,
    layout,
    mirror_core,
    right_orthogonal,
    split_right,
    views,
)

Factors = dict[int, np.ndarray]  # the centre matrix on a bond, by charge
Energies = dict[tuple[int, int], np.ndarray]  # mean-field energies (r, n) by near charge and charge of the bond
_Half = tuple[Environment, np.ndarray, Energies, Bond, Bond]  # environment, core, energies, near bond, bond


def _right_environments(operator: SectorOperator, x: SectorTrain) -> list[Environment]:
    """Environments from the right of a train, index k: behind cores k..d-1."""
    d = x.d
    found: list[Environment] = [{} for _ in range(d + 1)]
    found[d] = {(x.charge, 0): np.ones((1, 1, 1))}
    for k in range(d - 1, -1, -1):
        core = (mirror_core(x.cores[k], x.bonds[k], x.modes[k], x.bonds[k + 1]), x.bonds[k + 1], x.bonds[k])
        found[k] = advance(operator, k, 1, found[k + 1], core, core)
    return found


def rank_error(operator: SectorOperator, x: SectorTrain, floor: float) -> tuple[float, float, float, float]:
    """(energy still to be gained, squared norm of the two-site residual, Rayleigh quotient, and squared norm of the
    residual that single cores could still take up: what the iteration left undone at these ranks).

    ``floor``: the smallest energy denominator allowed (the smallest excitation energy of the problem).
    """
    x = right_orthogonal(x)
    norm = float(np.sqrt(x.cores[0] @ x.cores[0]))
    cores = list(x.cores)
    bonds = list(x.bonds)
    cores[0] = cores[0] / norm
    d = x.d
    right = _right_environments(operator, SectorTrain(x.modes, tuple(bonds), tuple(cores)))
    energy = float(right[0][0, 0][0, 0, 0])
    left: Environment = {(0, 0): np.ones((1, 1, 1))}
    one_site = two_site = norm2 = undone2 = 0.0
    for k in range(d - 1):
        core, bond, factors = split_right(cores[k], bonds[k], x.modes[k], bonds[k + 1])
        near_l, near_r = bonds[k], bonds[k + 2]
        # gauge of the outer bonds in which the effective operators are diagonal
        env_l, u_core, diag_l = _half(operator, k, 0, left, core, (near_l, bond), right[k + 1], factors, bonds[k + 1])
        v_core = mirror_core(cores[k + 1], bonds[k + 1], x.modes[k + 1], near_r)
        left_next = advance(operator, k, 0, left, (core, near_l, bond), (core, near_l, bond))
        transposed = {c: f.T for c, f in factors.items()}
        env_r, v_core, diag_r = _half(
            operator, k + 1, 1, right[k + 2], v_core, (near_r, bonds[k + 1]), left_next, transposed, bond
        )
        one, two, n2, u2 = _bond_error(
            operator,
            k,
            (env_l, u_core, diag_l, near_l, bond),
            (env_r, v_core, diag_r, near_r, bonds[k + 1]),
            factors,
            energy,
            floor,
        )
        one_site, two_site, norm2, undone2 = one_site + one, two_site + two, norm2 + n2, undone2 + u2
        cores[k + 1] = absorb_left(factors, bond, cores[k + 1], bonds[k + 1], x.modes[k + 1], near_r)
        cores[k], bonds[k + 1], left = core, bond, left_next
    local = LocalOperator(operator, d - 1, 0, left, right[d], (bonds[d - 1], bonds[d]))
    undone = local @ cores[d - 1] - energy * cores[d - 1]
    return one_site + two_site, norm2, energy, undone2 + float(undone @ undone)


def _half(
    operator: SectorOperator,
    k: int,
    side: int,
    near: Environment,
    core: np.ndarray,
    bonds: tuple[Bond, Bond],
    far: Environment,
    factors: Factors,
    far_bond: Bond,
) -> tuple[Environment, np.ndarray, Energies]:
    """Rotate the outer bond of one side into its mean-field gauge; energies of its (a, n) functions."""
    weighted = _weighted(core, bonds, operator.modes[k], factors, far_bond)
    gauge = {
        a: np.linalg.eigh(0.5 * (h + h.T))[1]
        for a, h in mean_field(operator, k, side, (near, far), weighted, (bonds[0], far_bond)).items()
    }
    env = rotate(near, gauge)
    rotated = np.concatenate(
        [
            (gauge[a].T @ block.reshape(block.shape[0], -1)).ravel()
            for (a, _), block in views(core, bonds[0], operator.modes[k], bonds[1]).items()
        ]
    )
    density = {c: f.T @ f for c, f in factors.items()}
    return env, rotated, site_energies(operator, k, side, env, far, density, bonds[0])


def _weighted(core: np.ndarray, bonds: tuple[Bond, Bond], mode: Bond, factors: Factors, far_bond: Bond) -> np.ndarray:
    """The core times the centre matrix: the state between the near bond and the far environment."""
    blocks = views(core, bonds[0], mode, bonds[1])
    return np.concatenate(
        [
            (blocks[a, b].reshape(-1, blocks[a, b].shape[2]) @ factors[b]).ravel()
            for a, b, *_ in layout(bonds[0], mode, far_bond)[0]
        ]
    )


def _bond_error(
    operator: SectorOperator, k: int, left: _Half, right: _Half, factors: Factors, energy: float, floor: float
) -> tuple[float, float, float, float]:
    """What one bond adds to the one-site and two-site estimates, and to the squared norms of both residuals."""
    env_l, u, diag_l, near_l, bond_l = left
    env_r, v, diag_r, near_r, bond_r = right
    reach = _reachable(near_l, operator.modes[k], near_r, operator.modes[k + 1])
    s_l = half_product(operator, k, 0, env_l, (u, near_l, bond_l), near_l, reach)
    s_r = half_product(operator, k + 1, 1, env_r, (v, near_r, bond_r), near_r, reach)
    u_blocks = views(u, near_l, operator.modes[k], bond_l)
    v_blocks = views(v, near_r, operator.modes[k + 1], bond_r)
    one = two = norm2 = undone2 = 0.0
    for c, _ in reach:
        if c not in s_l or c not in s_r:
            continue
        rows_l, parts_l = s_l[c]
        rows_r, parts_r = s_r[c]
        total = np.zeros((sum(diag_l[a, c].size for a in rows_l), sum(diag_r[a, c].size for a in rows_r)))
        for (b, w), block in parts_l.items():
            other = parts_r.get((b, w))
            if other is None or b not in factors:
                continue
            half = np.matmul(block, factors[b])
            total += half.reshape(len(half), -1) @ other.reshape(len(other), -1).T
        u_c, v_c = _stack(u_blocks, rows_l, c), _stack(v_blocks, rows_r, c)
        e_l = np.concatenate([diag_l[a, c].ravel() for a in rows_l]) - energy
        e_r = np.concatenate([diag_r[a, c].ravel() for a in rows_r]) - energy
        if u_c is not None:
            total = total - u_c @ (u_c.T @ total)
        if v_c is not None:
            kept = total @ v_c
            total = total - kept @ v_c.T
            undone2 += float(np.sum(kept**2))
            one += float(np.sum(kept**2 / np.maximum(e_l, floor)[:, None]))
        square = total**2
        norm2 += float(square.sum())
        two += float(np.sum(square / np.maximum(e_l[:, None] + e_r[None, :], floor)))
    return one, two, norm2, undone2


def _stack(blocks: dict[tuple[int, int], np.ndarray], rows: Sequence[int], c: int) -> np.ndarray | None:
    """The kept basis of one charge of a bond, rows in the order of ``rows``; None where it has no function."""
    found = [blocks[a, c].reshape(-1, blocks[a, c].shape[2]) for a in rows if (a, c) in blocks]
    return np.concatenate(found) if found else None


def _reachable(near_l: Bond, mode_l: Bond, near_r: Bond, mode_r: Bond) -> Bond:
    from_left = {a ^ m for a, _ in near_l for m, _ in mode_l}
    return tuple((c, 1) for c in sorted(from_left & {a ^ m for a, _ in near_r for m, _ in mode_r}))


def pad(x: SectorTrain, modes: ModeCharges) -> SectorTrain:
    """The same train in a basis with more functions of each charge (zeros appended)."""
    cores = []
    for k in range(x.d):
        size = layout(x.bonds[k], modes[k], x.bonds[k + 1])[1]
        core = np.zeros(size)
        target = views(core, x.bonds[k], modes[k], x.bonds[k + 1])
        for key, block in x.blocks(k).items():
            target[key][:, : block.shape[1], :] = block
        cores.append(core)
    return SectorTrain(modes, x.bonds, tuple(cores))
