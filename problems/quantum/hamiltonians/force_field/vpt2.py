"""Vibrational levels to second order (VPT2), resonances taken out.

With phi the full derivatives of third and fourth order and w the frequencies (Nielsen, Rev. Mod. Phys. 23, 90 (1951);
Barone, J. Chem. Phys. 122, 014108 (2005)), G(v) = sum_k w_k v_k + sum_(k<=l) x_kl [(v_k+1/2)(v_l+1/2) - 1/4] above the
ground state,

    x_kk = phi_kkkk/16 - 1/16 sum_l phi_kkl^2 [2/w_l + (1/2)/(2w_k+w_l) - (1/2)/(2w_k-w_l)],
    x_kl = phi_kkll/4 - sum_m phi_kkm phi_llm/(4w_m) + sum_a B_a zeta_kl^2 (w_k/w_l + w_l/w_k)
           - 1/8 sum_m phi_klm^2 [1/(w_m+w_k+w_l) + 1/(w_m-w_k-w_l) + 1/(w_m+w_l-w_k) + 1/(w_m+w_k-w_l)].

A fraction is left out where it is resonant (deperturbed): |w_k - w_i - w_j| below ``NEAR`` and what the second order
would get wrong, phi_iik^4/(256 D^3) or phi_ijk^4/(64 D^3), above ``RESONANT`` (Martin, Lee, Taylor, Francois, J. Chem.
Phys. 103, 2589 (1995)).

Of degenerate pairs the quanta are shared by several products of one energy: their effective Hamiltonian to second
order, by sums over states, is diagonalised (module effective).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from problems.quantum.hamiltonians.force_field.field import ForceField
from problems.quantum.hamiltonians.force_field.rotation import INVERSE_INERTIA, Rotation

NEAR = 200.0  # cm-1
RESONANT = 1.0  # cm-1
MOST_MODES = 120  # arrays of d^3 numbers
OFF = 1e-8  # of the smallest frequency: a smaller force, or coupling of second order, is none


@dataclass(frozen=True)
class Fermi:
    """w_i + w_j near w_k, modes from 0; ``distance`` w_i + w_j - w_k, ``constant`` phi_ijk, in the field's unit."""

    i: int
    j: int
    k: int
    distance: float
    constant: float

    def touches(self, quanta: Sequence[int]) -> bool:
        """Whether a state with these quanta is coupled to another by it."""
        first = quanta[self.i] >= 2 if self.i == self.j else quanta[self.i] >= 1 and quanta[self.j] >= 1
        return first or quanta[self.k] >= 1


@dataclass(frozen=True, eq=False)
class Vpt2:
    """``frequencies`` (d,), ``x`` (d, d) symmetric, ``zero_point`` energy and the ``resonances`` taken out."""

    frequencies: np.ndarray
    x: np.ndarray
    zero_point: float
    resonances: tuple[Fermi, ...]

    def levels(self, quanta: np.ndarray) -> np.ndarray:
        """Energies above the ground state of ``quanta`` (states, d) -> (states,)."""
        v = np.asarray(quanta, dtype=float)
        return v @ self.frequencies + self._bilinear(v + 0.5) - self._bilinear(np.full((1, v.shape[1]), 0.5))

    def _bilinear(self, n: np.ndarray) -> np.ndarray:
        triangle = np.triu(self.x)
        return np.einsum("sk,kl,sl->s", n, triangle, n)


def unfit(field: ForceField) -> str:
    """Why a field has no such expansion; empty where it has."""
    smallest = OFF * float(field.frequencies.min())
    if any(len(modes) == 1 and abs(c) > smallest for modes, c in field.terms.items()):
        return "the field is not expanded about its minimum"
    if any(len(modes) == 2 and abs(c) > smallest for modes, c in field.terms.items()):
        return "the modes of the field are coupled in second order"
    if field.d > MOST_MODES:
        return f"the field has more than {MOST_MODES} modes"
    return ""


def derivatives(field: ForceField) -> tuple[np.ndarray, np.ndarray]:
    """phi_ijk (d, d, d), symmetric, and phi_iijj (d, d), with phi_iiii on the diagonal."""
    d = field.d
    cubic, quartic = np.zeros((d, d, d)), np.zeros((d, d))
    for modes, c in field.terms.items():
        powers = Counter(modes)
        phi = c * math.prod(math.factorial(n) for n in powers.values())
        if len(modes) == 3:
            i, j, k = modes
            for place in {(i, j, k), (i, k, j), (j, i, k), (j, k, i), (k, i, j), (k, j, i)}:
                cubic[place] = phi
        elif len(modes) == 4 and all(n % 2 == 0 for n in powers.values()):
            quartic[modes[0], modes[-1]] = quartic[modes[-1], modes[0]] = phi
    return cubic, quartic


def principal(rotation: Rotation) -> list[tuple[float, np.ndarray]]:
    """Constant B in cm-1 and zeta (d, d) of each principal axis but that of a linear molecule, which has none."""
    moments, axes = np.linalg.eigh(rotation.inertia)
    first = 1 if rotation.linear else 0
    return [(0.5 * INVERSE_INERTIA / moments[n], np.tensordot(axes[:, n], rotation.zeta, 1)) for n in range(first, 3)]


def coriolis(rotation: Rotation) -> np.ndarray:
    """sum_a B_a (zeta^a_kl)^2 of every two modes, (d, d), cm-1, over the principal axes."""
    return sum((b * zeta**2 for b, zeta in principal(rotation)), np.zeros(rotation.zeta.shape[1:]))


def fermi(field: ForceField, cubic: np.ndarray) -> tuple[Fermi, ...]:
    """Resonances of first order, the strongest first. Cost O(d^3)."""
    w, scale = field.frequencies, _in_wavenumbers(field)
    found = []
    for i, j, k in zip(*np.nonzero(cubic)):
        if i > j or k in (i, j):
            continue
        distance, phi = float(w[i] + w[j] - w[k]), float(cubic[i, j, k])
        if abs(distance) > NEAR * scale:
            continue
        size = phi**4 / (256.0 if i == j else 64.0)
        if size > RESONANT * scale * abs(distance) ** 3:
            found.append((size / max(abs(distance), 1e-9 * scale) ** 3, Fermi(int(i), int(j), int(k), distance, phi)))
    return tuple(one for _, one in sorted(found, key=lambda entry: -entry[0]))


def vpt2(field: ForceField, rotation: Rotation | None = None) -> Vpt2:
    """Anharmonic constants of a field in normal coordinates; ``rotation``: with the Coriolis part.

    Terms of order 5 and above do not enter. Cost O(d^3). Raises ValueError where ``unfit`` has a reason.
    """
    if reason := unfit(field):
        raise ValueError(reason)
    w = field.frequencies
    cubic, quartic = derivatives(field)
    resonances = fermi(field, cubic)
    # 1. one over w_k - w_i - w_j and its like, zero where resonant
    gaps = w[:, None, None] - w[None, :, None] - w[None, None, :]  # [m, k, l]
    for one in resonances:
        gaps[one.k, one.i, one.j] = gaps[one.k, one.j, one.i] = np.inf
    difference = 1.0 / np.where(gaps == 0.0, np.inf, gaps)
    added = 1.0 / (w[:, None, None] + w[None, :, None] + w[None, None, :])
    # 2. constants of two modes; [k, l, m] of the last: 1/(m - k - l) + 1/(m + l - k) + 1/(m + k - l)
    within = difference.transpose(1, 2, 0) - difference.transpose(0, 1, 2) - difference.transpose(1, 0, 2)
    same = np.einsum("kkm->km", cubic)
    x = quartic / 4.0 - np.einsum("km,lm,m->kl", same, same, 0.25 / w)
    x -= np.einsum("klm,klm->kl", cubic**2, added + within) / 8.0
    if rotation is not None:
        x += coriolis(rotation) * (w[:, None] / w[None, :] + w[None, :] / w[:, None])
    # 3. of one mode
    k_k_l = np.einsum("lkk->kl", difference)  # 1 / (w_l - 2 w_k)
    fractions = 2.0 / w[None, :] + 0.5 / (2.0 * w[:, None] + w[None, :]) + 0.5 * k_k_l
    np.fill_diagonal(x, np.diag(quartic) / 16.0 - np.einsum("kl,kl->k", same**2, fractions) / 16.0)
    return Vpt2(w, x, _zero_point(w, cubic, quartic, rotation), resonances)


def _zero_point(w: np.ndarray, cubic: np.ndarray, quartic: np.ndarray, rotation: Rotation | None) -> float:
    """The ground state to second order, its Coriolis part to first."""
    total = 0.5 * float(w.sum())
    total += float(np.diag(quartic).sum()) / 32.0 + float(np.triu(quartic, 1).sum()) / 16.0
    # V3 |0>: one quantum in j, and three in i, j, k
    single = np.einsum("iij->j", cubic) / (4.0 * math.sqrt(2.0))
    total -= float(np.sum(single**2 / w))
    total -= float(np.sum(cubic**2 / (w[:, None, None] + w[None, :, None] + w[None, None, :]))) / 48.0
    if rotation is not None:
        weight = np.triu(coriolis(rotation), 1)
        ratio = w[:, None] / w[None, :]
        total += float(np.sum(weight * (0.25 * (ratio + ratio.T) - 0.5)))
        if not rotation.linear:
            total -= 0.25 * sum(b for b, _ in principal(rotation))
    return total


def _in_wavenumbers(field: ForceField) -> float:
    """What 1 cm-1 is in the unit of a field: in model units, of a molecule whose mean frequency is 1500 cm-1."""
    return 1.0 if field.unit == "cm-1" else float(field.frequencies.mean()) / 1500.0
