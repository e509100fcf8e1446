"""Intensities of the transitions between computed states, each with the error that the states leave in it.

Infrared, integrated over the band, per mole, from i to f at the temperature T (at T = 0: from the ground state alone)

    I = (2 pi^2 N_A / 3 eps_0 h c) nu |<f|mu|i>|^2 p_i (1 - exp(-h c nu / k T)),     p_i = exp(-h c E_i / k T) / Q

(Bunker and Jensen, Molecular Symmetry and Spectroscopy (1998), ch. 14). Raman scattering activity from the ground
state, of the mean a and the anisotropy g of <f|alpha|0> (Long, The Raman Effect (2002), ch. 5),

    S = (45 a^2 + 7 g^2) nu / (h / 8 pi^2 c): in the harmonic limit 45 a'^2 + 7 g'^2 of the derivatives along Q.

Errors. A state that lacks the rank part e of its energy lacks |d|^2 = e/D of its norm, D the mean distance of what it
lacks, |r|^2/e from its residual; by the inequality of Schwarz <0|mu|d> is at most |d| times what mu carries out of the
computed states, (<0|mu^2|0> - sum_m <0|mu|m>^2)^(1/2). States m and n whose energies both err mix by (e_m e_n)^(1/2) /
|E_m - E_n| (the effective Hamiltonian of second order in what is left out). States within their errors of each other
mix freely: the sum of their intensities does not change, and it alone is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from problems.quantum.hamiltonians.force_field.molecule import Surface
from problems.quantum.hamiltonians.force_field.moments import CLOSE, Property
from solvers.formats.trains.tensor_train import TensorTrain

INFRARED = 2.50664320288  # km/mol of 1 D^2 cm-1: 2 pi^2 N_A / (3 eps_0 h c), CODATA 2018
RAMAN = 16.85762919164  # cm-1 amu A^2: h / (8 pi^2 c), CODATA 2018
BOLTZMANN = 0.6950348004861  # cm-1/K, CODATA 2018
SPREAD = 4.0  # the mean distance of what a state lacks over the one that counts: see the test of random fields
EXCITED = 2.0  # the moment of a state of a few quanta over that of the ground state: (2v + 1)^(1/2)
SHARE = 0.1  # of what a state lacks: it is rounded to that before moments are taken
ROUNDED = 1e-13  # of the whole moment: what a contraction rounds off


@dataclass(frozen=True, eq=False)
class Levels:
    """Energies (n,) in cm-1, ascending; the rank and basis parts of their errors; residual norms (NaN: not known);
    ``gap``: from the last of them to the next level, which was not computed (None: there is none)."""

    energies: np.ndarray
    rank_errors: np.ndarray
    basis_errors: np.ndarray
    residuals: np.ndarray
    gap: float | None

    @property
    def errors(self) -> np.ndarray:
        """Of the energies, (n,)."""
        return self.rank_errors + np.nan_to_num(self.basis_errors)

    @property
    def apart(self) -> np.ndarray:
        """Distance to the lowest level that was not computed, (n,), never zero."""
        if self.gap is None:
            return np.full(len(self.energies), np.inf)
        return np.maximum(self.energies[-1] - self.energies + self.gap, 1e-12 * max(abs(self.energies[-1]), 1.0))

    @property
    def lacking(self) -> np.ndarray:
        """Norm of what each state lacks, at most one, (n,)."""
        e = self.rank_errors
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = np.where(self.residuals > 0.0, self.residuals**2 / e, 0.0)
            found = np.sqrt(e / np.fmax(mean / SPREAD, self.apart))
        return np.where(e > 0.0, np.fmin(found, 1.0), 0.0)

    def mixing(self, bands: Sequence[Sequence[int]]) -> np.ndarray:
        """Squared share of state m in the error of state n, (n, n): zero within a band, whose sum stays."""
        apart = np.abs(self.energies[:, None] - self.energies[None, :])
        same = np.zeros(apart.shape, dtype=bool)
        for band in bands:
            same[np.ix_(band, band)] = True
        e = self.errors
        with np.errstate(divide="ignore", invalid="ignore"):
            found = np.outer(e, e) / apart**2
        return np.where(same, 0.0, np.fmin(found, 1.0))


def bands_of(energies: np.ndarray, errors: np.ndarray, accuracy: float) -> list[list[int]]:
    """States in ascending order, those together whose levels differ by less than their errors: degenerate ones.

    Never further apart than the accuracy asked for allows, however large the errors are.
    """
    found = [[0]]
    for n in range(1, len(energies)):
        apart = energies[n] - energies[n - 1]
        if apart <= min(errors[n] + errors[n - 1], 2.0 * accuracy):
            found[-1].append(n)
        else:
            found.append([n])
    return found


@dataclass(frozen=True, eq=False)
class Moments:
    """Moments from one state i to all, (n, components), and the errors of that; row i: the mean in i itself."""

    values: np.ndarray
    errors: np.ndarray


def with_overlap(surface: Surface) -> Surface:
    """With one more component, the number one: its elements are the overlaps of the states."""
    return Surface((*surface.components, {(): 1.0}), surface.unit)


def about_mean(elements: np.ndarray, i: int) -> np.ndarray:
    """<f|P - <i|P|i>|i> of elements (n, components + 1) of ``with_overlap``, (n, components); row i is the mean.

    Between orthogonal states the mean is nothing: the overlap that rounding leaves them must not carry it in.
    """
    mean = elements[i, :-1] / elements[i, -1]
    found = elements[:, :-1] - elements[:, -1:] * mean
    found[i] = mean
    return found


def moments_from(
    i: int, moving: Property, states: Sequence[TensorTrain], levels: Levels, mixing: np.ndarray, known: np.ndarray
) -> Moments:
    """Moments from state ``i`` to all states; ``moving``: of ``with_overlap``; ``known`` (n, n, components + 1): its
    elements with lower states, and filled in here.

    Cost: that of ``Property.element`` for every state above, and of ``Property.squared`` once.
    """
    known[i:, i] = moving.elements(states[i:], states[i])
    known[i, i:] = known[i:, i]
    values = about_mean(known[:, i], i)
    whole = np.maximum(moving.squared(states[i])[:-1] - values[i] ** 2, 0.0)
    reached = np.where(np.arange(len(values))[:, None] == i, 0.0, values**2)
    # what the property carries out of the computed states
    outside = np.sqrt(np.maximum(whole - np.sum(reached, axis=0), 0.0) + 2.0 * CLOSE * whole)
    lacking, e = levels.lacking, levels.errors
    out = (1.0 + SHARE) * (lacking + EXCITED * lacking[i]) + np.minimum((e + e[i]) / levels.apart, 1.0)
    others = np.sqrt(mixing @ reached)  # of the final state with those that i leads to
    first = EXCITED * np.sqrt(np.sum(mixing[i]) * whole)  # of i with all
    errors = out[:, None] * outside + others + first + ROUNDED * np.sqrt(whole + values[i] ** 2)
    return Moments(values, errors)


def infrared(position: np.ndarray, moments: Moments) -> tuple[np.ndarray, np.ndarray]:
    """Intensities at T = 0 from one state in km/mol, and what the errors of the moments make of them."""
    scale = INFRARED * np.abs(position)
    m, dm = np.abs(moments.values), moments.errors
    return scale * np.sum(m**2, axis=1), scale * np.sum(2.0 * m * dm + dm**2, axis=1)


def raman(position: np.ndarray, moments: Moments) -> tuple[np.ndarray, np.ndarray]:
    """Raman activities in A^4/u of polarisabilities xx, xy, xz, yy, yz, zz in A^3, and their errors.

    45 a^2 + 7 g^2 = v.W v is a quadratic form of the six components, positive, so that it errs by at most
    2 |W^(1/2) v| |W^(1/2)| |dv| + |W| |dv|^2.
    """
    weight = np.zeros((6, 6))
    diagonal, mixed = [0, 3, 5], [1, 2, 4]
    weight[np.ix_(diagonal, diagonal)] = 5.0 - 3.5 + 10.5 * np.eye(3)  # 45/9 - 7/2, and 7 (3/2) on the diagonal
    weight[mixed, mixed] = 21.0
    form = np.einsum("nc,cd,nd->n", moments.values, weight, moments.values)
    largest, error = float(np.linalg.eigvalsh(weight)[-1]), np.linalg.norm(moments.errors, axis=1)
    scale = np.abs(position) / RAMAN
    return scale * form, scale * (2.0 * np.sqrt(np.maximum(form, 0.0) * largest) * error + largest * error**2)


def partition_function(excitations: np.ndarray, modes: Sequence[np.ndarray], temperature: float) -> tuple[float, float]:
    """Q relative to the ground state, and its error: the computed states, and an estimate of all above.

    ``modes``: levels of every mode alone. All of their sums, beyond the lowest as many as were computed, stand for
    what was not; the error is all of that. Cost O(d n^2).
    """
    if temperature <= 0.0:
        return 1.0, 0.0
    kt = BOLTZMANN * temperature
    computed = float(np.sum(np.exp(-excitations / kt)))
    whole, sums = 1.0, np.zeros(1)
    for levels in modes:
        above = np.sort(levels - np.min(levels))
        beyond = 0.0
        if len(above) > 1:  # the levels go on as the last ones do
            step = np.exp(-(above[-1] - above[-2]) / kt)
            beyond = float(np.exp(-above[-1] / kt) * step / (1.0 - step)) if step < 1.0 else np.inf
        whole *= float(np.sum(np.exp(-above / kt))) + beyond
        sums = np.sort((sums[:, None] + above[None, :]).ravel())[: len(excitations)]
    missing = max(whole - float(np.sum(np.exp(-sums / kt))), 0.0)
    return computed + missing, missing


def populations(excitations: np.ndarray, q: float, temperature: float) -> np.ndarray:
    """The share of the molecules in each state, (n,)."""
    if temperature <= 0.0:
        return (np.arange(len(excitations)) == 0).astype(float)
    return np.exp(-excitations / (BOLTZMANN * temperature)) / q


def emission(position: np.ndarray, temperature: float) -> np.ndarray:
    """1 - exp(-h c nu / k T): what stimulated emission leaves of the absorption."""
    if temperature <= 0.0:
        return np.ones_like(position)
    return -np.expm1(-position / (BOLTZMANN * temperature))


def double_harmonic(frequencies: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    """Intensities of the fundamentals of harmonic modes in km/mol, of slopes (d, 3) in D along q: <0|q|1>^2 = 1/2."""
    return INFRARED * frequencies * 0.5 * np.sum(slopes**2, axis=1)
