"""A start for the block eigensolvers: low-energy bases of the right parts, grown site by site.

First a product state is made self-consistent (each mode in the lowest eigenvector of its mean field). Then, from the
last site on, each basis of the right part is enlarged by one mode and cut back to the lowest eigenvectors of the
operator averaged over that product state on the left: Wilson's renormalisation (Rev. Mod. Phys. 47, 773 (1975)) with
a mean field in place of the environment. Cost O(d (n r)^3), r the rank kept.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from solvers.kernels import local as kernels
from solvers.sectors.environments import Environment, LocalOperator, advance
from solvers.sectors.group import Bond, added, negated, taken, turned
from solvers.sectors.operator import SectorOperator, Site
from solvers.sectors.train import SectorTrain, absorb_left, layout, mirror_core, mirrored, split_right, views

SCF_SWEEPS = 4


def _mean_field_step(
    operator: SectorOperator, k: int, side: int, weights: np.ndarray, state: tuple[int, np.ndarray]
) -> np.ndarray:
    """Averages of the operator's bond indices of charge zero, moved over site k in ``state`` (mode charge, vector)."""
    m, v = state
    site = operator.sites[k][side]
    new = np.zeros(site.widths.get(0, 0))
    for p, w, w2, which, matrix in site.combinations:
        if w == 0 and w2 == 0 and (p, m) in site.offsets:
            new[which] += (matrix @ weights) * float(v @ _block(site, p, m, len(v)) @ v)
    return new


def _block(site: Site, p: int, m: int, n: int) -> np.ndarray:
    at = site.offsets[p, m]
    return np.eye(n) if at < 0 else site.matrices[at : at + n * n].reshape(n, n)


def mean_field_weights(operator: SectorOperator) -> list[np.ndarray]:
    """<product state| operator left of bond k |product state> for every bond, the state made self-consistent."""
    d = operator.d
    states = [(mode[0][0], np.eye(mode[0][1])[0]) for mode in operator.modes]
    left = [np.ones(1)] + [np.zeros(0)] * d
    right = [np.zeros(0)] * d + [np.ones(1)]
    for _ in range(SCF_SWEEPS):
        for k in range(d - 1, 0, -1):
            right[k] = _mean_field_step(operator, k, 1, right[k + 1], states[k])
        for k in range(d):
            site = operator.sites[k][0]
            lowest = np.inf
            for m, n in operator.modes[k]:
                h = np.zeros((n, n))
                for p, w, w2, which, matrix in site.combinations:
                    if w == 0 and w2 == 0 and (p, m) in site.offsets:
                        h += float(right[k + 1][which] @ (matrix @ left[k])) * _block(site, p, m, n)
                values, vectors = np.linalg.eigh(0.5 * (h + h.T))
                if values[0] < lowest:
                    lowest, states[k] = values[0], (m, vectors[:, 0])
            left[k + 1] = _mean_field_step(operator, k, 0, left[k], states[k])
    return left


def reachable_charges(operator: SectorOperator, charge: int) -> list[set[int]]:
    """The charges each of the d+1 bonds can carry in a train of total charge ``charge``."""
    left = [{0}]
    for mode in operator.modes:
        left.append({added(l, m) for l in left[-1] for m, _ in mode})
    right = [{charge}]
    for mode in reversed(operator.modes):
        right.append({taken(r, m) for r in right[-1] for m, _ in mode})
    return [a & b for a, b in zip(left, reversed(right))]


def low_energy_bases(operator: SectorOperator, charge: int, rank: int) -> tuple[list[Bond], list[np.ndarray]]:
    """Bonds and cores (core 0 is zero) of right-orthogonal bases of about ``rank`` low-energy vectors a bond."""
    d = operator.d
    left = mean_field_weights(operator)
    reach = reachable_charges(operator, charge)
    bonds: list[Bond] = [*[((0, 1),)] * d, ((charge, 1),)]
    cores: list[np.ndarray] = [np.zeros(0)] * d
    environment: Environment = {(negated(charge), 0): np.ones((1, 1, 1))}
    for k in range(d - 1, 0, -1):
        near, mode = turned(bonds[k + 1]), operator.modes[k]
        solved = {}
        for before in sorted(reach[k]):
            l = negated(before)
            far: Environment = {(before, 0): left[k].reshape(-1, 1, 1)}
            local = LocalOperator(operator, k, 1, environment, far, (near, ((l, 1),)))
            if local.size:
                h = kernels.model_matrix(np.arange(local.size), *local.arguments[:6])
                solved[l] = np.linalg.eigh(0.5 * (h + h.T))
        energies = np.sort(np.concatenate([values for values, _ in solved.values()]))
        limit = energies[min(rank, len(energies)) - 1]
        kept = {l: max(1, int(np.sum(values <= limit))) for l, (values, _) in solved.items()}
        far_bond = tuple((l, min(kept[l], 2 * rank)) for l in sorted(kept))
        parts = {}
        for l, count in far_bond:
            for (c, _), block in views(np.arange(len(solved[l][0])), near, mode, ((l, 1),)).items():
                parts[c, l] = solved[l][1][block.ravel(), :count]
        core = np.concatenate([parts[c, l].ravel() for c, l, *_ in layout(near, mode, far_bond)[0]])
        oriented = (core, near, far_bond)
        environment = advance(operator, k, 1, environment, oriented, oriented)
        cores[k] = mirror_core(core, near, mode, far_bond)
        bonds[k] = turned(far_bond)
    return bonds, cores


def joined(
    trains: Sequence[SectorTrain], bases: tuple[list[Bond], list[np.ndarray]]
) -> tuple[list[Bond], list[np.ndarray], np.ndarray]:
    """One set of right-orthogonal cores for several trains of one charge and the right bases of ``low_energy_bases``.

    Returns bonds, cores and the block core (m, size) at site 0, which holds train j in row j exactly: the direct sum,
    orthogonalised from the right. Cost O(d n (sum of ranks)^3).
    """
    modes, d = trains[0].modes, trains[0].d
    flipped = [mirrored(x) for x in trains]
    base_bonds, base = bases
    flipped_base = [mirror_core(base[k], base_bonds[k], modes[k], base_bonds[k + 1]) for k in range(d - 1, 0, -1)]
    chains = [*flipped, ([turned(bond) for bond in base_bonds[::-1]], flipped_base)]
    back = modes[::-1]
    bonds: list[Bond] = [flipped[0][0][0]]
    cores: list[np.ndarray] = []
    for k in range(d - 1):
        near, mode = bonds[-1], back[k]
        far_dims: dict[int, int] = {}
        for b, _ in chains:
            for c, r in b[k + 1]:
                far_dims[c] = far_dims.get(c, 0) + r
        far = tuple(sorted(far_dims.items()))
        cores.append(_direct_sum([(b[k], c[k], b[k + 1]) for b, c in chains], near, mode, far, first=k == 0))
        bonds.append(far)
    last, end = bonds[-1], flipped[0][0][-1]
    size = layout(last, back[-1], end)[1]
    rows = np.zeros((len(trains), size))
    start = dict.fromkeys((c for c, _ in last), 0)
    for row, (own_bonds, own) in zip(rows, flipped):
        target = views(row, last, back[-1], end)
        for key, block in views(own[d - 1], own_bonds[d - 1], back[-1], end).items():
            target[key][start[key[0]] : start[key[0]] + len(block)] = block
        for charge, r in own_bonds[d - 1]:
            start[charge] += r
    for k in range(d - 1):
        cores[k], bond, factors = split_right(cores[k], bonds[k], back[k], bonds[k + 1])
        far_side = back[k + 1]
        if k + 1 < d - 1:
            cores[k + 1] = absorb_left(factors, bond, cores[k + 1], bonds[k + 1], far_side, bonds[k + 2])
        else:
            rows = np.array([absorb_left(factors, bond, row, bonds[k + 1], far_side, end) for row in rows])
        bonds[k + 1] = bond
    bonds.append(end)
    new_cores = [np.zeros(0)]
    for k in range(d - 2, -1, -1):
        new_cores.append(mirror_core(cores[k], bonds[k], back[k], bonds[k + 1]))
    block = np.array([mirror_core(row, bonds[-2], back[-1], end) for row in rows])
    return [turned(bond) for bond in bonds[::-1]], new_cores, block


def _direct_sum(
    parts: Sequence[tuple[Bond, np.ndarray, Bond]], near: Bond, mode: Bond, far: Bond, first: bool
) -> np.ndarray:
    """Block-diagonal core of the given (near, core, far); at the first site the near index is shared."""
    core = np.zeros(layout(near, mode, far)[1])
    target = views(core, near, mode, far)
    at_near: dict[int, int] = {}
    at_far: dict[int, int] = {}
    for b, c, e in parts:
        for (l, r), block in views(c, b, mode, e).items():
            i = 0 if first else at_near.get(l, 0)
            j = at_far.get(r, 0)
            target[l, r][i : i + block.shape[0], :, j : j + block.shape[2]] = block
        for l, dim in b:
            at_near[l] = at_near.get(l, 0) + dim
        for r, dim in e:
            at_far[r] = at_far.get(r, 0) + dim
    return core
