"""Rotation and Coriolis terms of a vibrating molecule that does not rotate (J = 0), as a sum of products.

    H_rot = 1/2 sum_ab pi_a mu_ab pi_b - 1/8 sum_a mu_aa,    pi_a = sum_kl zeta^a_kl sqrt(w_l / w_k) q_k p_l

(Watson, Mol. Phys. 15, 479 (1968), eq. 58), with the inverse inertia tensor expanded in Q_k = q_k / sqrt(w_k):

    mu = I^-1 - sum_k I^-1 a_k I^-1 Q_k + 3/4 sum_kl I^-1 a_k I^-1 a_l I^-1 Q_k Q_l,    a_k = dI/dQ_k.

Of a linear molecule mu is a number times the unit matrix across the axis, there is no term -1/8 sum mu_aa, and the
terms are 1/2 mu (pi_x^2 + pi_y^2) (Watson, Mol. Phys. 19, 465 (1970)): the same formulas, I^-1 being that of the two
moments there are. a_k of bends vanish across the axis, and those of stretches commute with pi: sum_l zeta^x_kl a_l = 0.
States of angular momentum l about the axis have J >= |l|; what H gives of them is the origin of B (J (J + 1) - l^2).

As zeta_kk = 0, p_l stands where its q_l cannot be: pi_a = sum_l p_l f^a_l with f^a_l free of q_l, and so
H_rot = 1/2 sum_ls p_l A_ls(q) p_s with A_ls = sum_ab f^a_l mu_ab f^b_s. With D = d/dq every monomial of A becomes

    l = s:   -1/2 (D q_l^a D) ...               l != s:   -(S_a)_l (S_b)_s + (ab/4) q_l^(a-1) q_s^(b-1) ...,

S_a = (q^a D + D q^a) / 2, times the powers of the other modes: real, each product symmetric by itself.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

# hbar^2 / (h c) in cm-1 amu Angstrom^2, CODATA 2018: mu_aa = INVERSE_INERTIA / I_aa = 2 B_a, and
# Q = q sqrt(INVERSE_INERTIA / w) in amu^1/2 Angstrom
INVERSE_INERTIA = 33.71525838328
LINEAR = 1e-6  # of the largest moment of inertia: a smaller one is that of a linear molecule
UNEQUAL = 1e-4  # of the moment of inertia of a linear molecule: what printed digits leave between the two
MOST_POWER = 4  # of q in one mode, in mu of second order

# what one mode contributes to a product: (a, 0) for q^a, (a, 1) for S_a, (a, 2) for D q^a D
Factor = tuple[int, int]
Factors = tuple[tuple[int, Factor], ...]  # modes, from 0 and ascending, and their factors
PARTS: tuple[Factor, ...] = (*((a, 1) for a in range(MOST_POWER)), *((a, 2) for a in range(MOST_POWER - 1)))


@dataclass(frozen=True, eq=False)
class Rotation:
    """Inertia at equilibrium and what couples the vibrations to the rotation.

    Attributes
    ----------
    inertia : (3, 3) of the equilibrium, amu Angstrom^2.
    zeta : (3, d, d) Coriolis constants, zeta[a, k, l] = -zeta[a, l, k].
    derivatives : (d, 3, 3) dI/dQ_k at equilibrium in amu^1/2 Angstrom, or None where they are not known.
    shift : (d,): all these are of the point q = -shift, and H_rot is a function of q + shift; None where it is zero.

    Raises ValueError for shapes that differ, for values that are not finite, for an inertia that is not positive and
    for zeta that is not antisymmetric.
    """

    inertia: np.ndarray
    zeta: np.ndarray
    derivatives: np.ndarray | None = None
    shift: np.ndarray | None = None

    def __post_init__(self) -> None:
        d = self.zeta.shape[-1]
        given = [self.inertia, self.zeta, *[x for x in (self.derivatives, self.shift) if x is not None]]
        if self.inertia.shape != (3, 3) or self.zeta.shape != (3, d, d):
            raise ValueError("inertia must be of shape (3, 3), zeta of shape (3, modes, modes)")
        if self.derivatives is not None and self.derivatives.shape != (d, 3, 3):
            raise ValueError(f"derivatives of the inertia must be of shape ({d}, 3, 3)")
        if not all(np.isfinite(x).all() for x in given):
            raise ValueError("inertia, zeta and derivatives must be finite")
        if not np.array_equal(self.zeta, -self.zeta.transpose(0, 2, 1)):
            raise ValueError("zeta must be antisymmetric")
        moments = np.linalg.eigvalsh(self.inertia)
        if moments[0] < -LINEAR * moments[-1] or moments[-1] <= 0.0:
            raise ValueError("the inertia must be positive")
        if self.linear and moments[-1] - moments[1] > UNEQUAL * moments[-1]:
            raise ValueError("one moment of inertia is zero: those of a linear molecule, the other two, must be equal")

    @property
    def linear(self) -> bool:
        """Whether the molecule is linear: one moment of inertia vanishes."""
        moments = np.linalg.eigvalsh(self.inertia)
        return bool(moments[0] <= LINEAR * moments[-1])

    @property
    def constants(self) -> np.ndarray:
        """Rotational constants in cm-1, (3,), of the principal axes, falling; infinite for the axis of a linear one."""
        moments = np.linalg.eigvalsh(self.inertia)
        with np.errstate(divide="ignore"):
            return np.where(moments > LINEAR * moments[-1], 0.5 * INVERSE_INERTIA / moments, np.inf)


def expanded(rotation: Rotation, frequencies: np.ndarray, order: int) -> list[np.ndarray]:
    """mu in cm-1 to ``order`` 0, 1 or 2 in q: arrays (3, 3), (3, 3, d), (3, 3, d, d), the last symmetric in each pair.

    Those of a linear molecule are of the two axes across it. They are functions of q + shift.

    Raises ValueError for an order above 0 where the derivatives are not known.
    """
    moments, axes = np.linalg.eigh(rotation.inertia)
    across = moments > LINEAR * moments[-1]
    inverse = (axes[:, across] / moments[across]) @ axes[:, across].T
    found = [INVERSE_INERTIA * inverse]
    if order == 0:
        return found
    if rotation.derivatives is None:
        raise ValueError("the derivatives of the inertia are not known")
    slopes = rotation.derivatives * np.sqrt(INVERSE_INERTIA / frequencies)[:, None, None]  # dI/dq
    first = np.einsum("ab,kbc,cd->adk", inverse, slopes, inverse)
    found.append(-INVERSE_INERTIA * first)
    if order == 2:
        second = np.einsum("ab,kbc,cdl->adkl", inverse, slopes, first)
        second = 0.5 * (second + second.transpose(0, 1, 3, 2))
        second = 0.5 * (second + second.transpose(1, 0, 2, 3))
        found.append(0.75 * INVERSE_INERTIA * second)
    return found


def watson_terms(
    rotation: Rotation, frequencies: np.ndarray, order: int
) -> tuple[Mapping[Factors, float], Mapping[tuple[int, ...], float]]:
    """H_rot with mu to ``order`` in q: products with momenta, and a function of q as sorted modes -> coefficient.

    The latter holds the pseudo-potential and what the order of q and p leaves; its key ``()`` is a constant. In cm-1.
    Cost O(d^(4 + order)) numbers. Raises ValueError as ``expanded``.
    """
    mu = expanded(rotation, frequencies, order)
    coupling, d = _coupling(rotation, frequencies), len(frequencies)
    if rotation.shift is not None:  # index d stands for the constant in q + shift
        wider = np.hstack([np.eye(d), rotation.shift[:, None]])
        mu = [np.tensordot(m, wider, (2, 0)) if m.ndim == 3 else m for m in mu]
        mu = [np.einsum("abkl,ki,lj->abij", m, wider, wider) if m.ndim == 4 else m for m in mu]
        coupling = coupling @ wider
    found: dict[Factors, float] = defaultdict(float)
    potential: dict[tuple[int, ...], float] = defaultdict(float)
    for of_order in mu:
        for left in range(d):
            half = np.tensordot(coupling[:, left], of_order, (0, 0))  # k, b, (m, n)
            half = np.moveaxis(half, 1, 0)
            for right in range(left, d):
                whole = np.tensordot(half, coupling[:, right], (0, 0))
                for modes, value in _monomials(whole, d).items():
                    _add(found, potential, left, right, Counter(modes), value)
    for of_order in [] if rotation.linear else mu:
        for modes, value in _monomials(np.einsum("aa...->...", of_order), d).items():
            potential[modes] -= value / 8.0
    return MappingProxyType(_clean(found)), MappingProxyType(_clean(potential))


def _coupling(rotation: Rotation, frequencies: np.ndarray) -> np.ndarray:
    """(3, d, d) of pi_a = sum_l p_l f^a_l, f^a_l = sum_k coupling[a, l, k] (q + shift)_k."""
    root = np.sqrt(frequencies)
    return np.einsum("akl,k,l->alk", rotation.zeta, 1.0 / root, root)


def _monomials(tensor: np.ndarray, d: int) -> dict[tuple[int, ...], float]:
    """A polynomial given by a tensor of coefficients, as sorted modes -> coefficient; index d stands for no mode."""
    found: dict[tuple[int, ...], float] = defaultdict(float)
    for place in np.argwhere(tensor):
        found[tuple(sorted(int(k) for k in place if k < d))] += float(tensor[tuple(place)])
    return found


def _add(
    found: dict[Factors, float],
    potential: dict[tuple[int, ...], float],
    left: int,
    right: int,
    powers: Counter[int],
    value: float,
) -> None:
    """1/2 (p_l A p_s + p_s A p_l) of the monomial A = value q^powers, or 1/2 p_l A p_l, into both."""
    rest = {k: (p, 0) for k, p in powers.items() if k not in (left, right) and p}
    if left == right:
        found[_key(rest | {left: (powers[left], 2)})] -= 0.5 * value
        return
    a, b = powers[left], powers[right]
    found[_key(rest | {left: (a, 1), right: (b, 1)})] -= value
    if a and b:
        less = powers - Counter((left, right))
        potential[tuple(sorted(less.elements()))] += 0.25 * a * b * value


def _key(factors: Mapping[int, Factor]) -> Factors:
    return tuple(sorted(factors.items()))


def _clean(found: Mapping) -> dict:
    return {key: value for key, value in found.items() if value}


def momentum_matrices(q: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """The matrices of PARTS, (len(PARTS), n, n), of coordinate and derivative matrices in a larger space, uncut."""
    powers = [np.eye(len(q))]
    for _ in range(MOST_POWER):
        powers.append(powers[-1] @ q)
    return np.array(
        [0.5 * (powers[a] @ slope + slope @ powers[a]) if n == 1 else slope @ powers[a] @ slope for a, n in PARTS]
    )


def of_powers(modes: tuple[int, ...]) -> Factors:
    """The product of the coordinates of ``modes`` (sorted, with repetition)."""
    return tuple((k, (power, 0)) for k, power in sorted(Counter(modes).items()))


def odd_in(factors: Factors, d: int) -> np.ndarray:
    """(d,) whether a product is odd in each mode."""
    odd = np.zeros(d, dtype=np.int64)
    for k, (power, momenta) in factors:
        odd[k] = (power + momenta) % 2
    return odd


def first_order(rotation: Rotation, frequencies: np.ndarray, quanta: np.ndarray) -> np.ndarray:
    """<H_rot> with mu at equilibrium in harmonic states, cm-1: ``quanta`` (states, d) -> (states,).

    sum_a B_a sum_(k<l) zeta_kl^2 [(w_k/w_l + w_l/w_k) (v_k + 1/2) (v_l + 1/2) - 1/2] - 1/4 sum_a B_a for diagonal mu;
    without the last term for a linear molecule.
    """
    mu = expanded(rotation, frequencies, 0)[0]
    v = np.asarray(quanta, dtype=float) + 0.5
    ratio = frequencies[:, None] / frequencies[None, :]
    weight = np.einsum("akl,ab,bkl->kl", rotation.zeta, 0.5 * mu, rotation.zeta)
    pairs = np.einsum("kl,kl,sk,sl->s", weight, 0.5 * (ratio + ratio.T), v, v)
    if rotation.shift is not None:
        constant = _coupling(rotation, frequencies) @ rotation.shift
        pairs = pairs + v @ (0.5 * np.einsum("al,ab,bl->l", constant, mu, constant))
    watson = 0.0 if rotation.linear else float(np.trace(mu)) / 8.0
    return pairs - 0.25 * float(weight.sum()) - watson
