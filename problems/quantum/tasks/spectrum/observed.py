"""What the states of a molecule show: infrared and Raman intensities, hot bands at a temperature, and their profile.

1. moments from the ground state to all states, and what they lack; 2. the same without the highest power of the dipole;
3. from every further state that is populated; 4. intensities, lines, profile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from problems.keys import AUTOMATIC
from problems.published import published
from problems.quantum.hamiltonians.force_field.molecule import Surface
from problems.quantum.hamiltonians.force_field.moments import operator
from problems.quantum.hamiltonians.force_field.property_keys import Observed, Spectrum
from problems.quantum.hamiltonians.space import Space
from problems.quantum.tasks.spectrum.intensities import (
    SHARE,
    Levels,
    Moments,
    about_mean,
    bands_of,
    double_harmonic,
    emission,
    infrared,
    moments_from,
    partition_function,
    populations,
    raman,
    with_overlap,
)
from problems.quantum.tasks.spectrum.profile import grid, profile
from problems.words import cut_short
from solvers.formats.trains.tensor_train import TensorTrain

UNPOPULATED = 0.005  # of the molecules in computed states: the highest states with so few start no lines
COARSE = 0.3  # of a width: points further apart than that do not draw a line
MISSED = 0.02  # of the molecules: where more of them start no lines, the report warns
PARTNER = 4.0  # times the error of the last state: a level nearer than that may be its degenerate partner
FAINT = 1e-7  # of the strongest line: fainter ones are not listed


@dataclass(frozen=True, eq=False, kw_only=True)
class Lines:
    """Transitions at a temperature, (m,) each, by falling intensity: states, wavenumbers in cm-1, intensities in km/mol
    and the errors of both."""

    lower: np.ndarray = published()
    upper: np.ndarray = published()
    positions: np.ndarray = published()
    position_errors: np.ndarray = published()
    strengths: np.ndarray = published()
    strength_errors: np.ndarray = published()


@dataclass(frozen=True, eq=False, kw_only=True)
class Drawn:
    """The spectrum as it is drawn: settings, whether the range was given, wavenumbers (m,) in cm-1, and S (m,) in
    km/mol per cm-1."""

    title: str
    shape: str
    fwhm: float
    chosen: bool
    wavenumbers: np.ndarray
    values: np.ndarray


@dataclass(frozen=True, eq=False, kw_only=True)
class Intensities:
    """Of n states: intensities from the ground state at T = 0 in km/mol, and the lines at ``temperature``.

    ``bands``: states that are told together, because they are degenerate; ``moments``: <n|mu|0> in D, (n, 3);
    ``order_changes``: what the highest power of the dipole contributes, (n,), NaN of a linear one; ``harmonic``: of the
    fundamentals, mechanically and electrically harmonic, or None where modes are no normal modes; ``lower_states``: how
    many the lines start from, and ``covered``, the share of the molecules in them.
    """

    order: int = published()
    bands: list[list[int]] = published()
    moments: np.ndarray = published()
    integrated: np.ndarray = published()
    integrated_errors: np.ndarray = published()
    order_changes: np.ndarray = published()
    harmonic: np.ndarray | None = published()
    temperature: float = published()
    partition_function: float = published()
    partition_error: float = published()
    lower_states: int = published()
    covered: float = published()
    lines: Lines = published()
    drawn: Drawn


@dataclass(frozen=True, eq=False, kw_only=True)
class Raman:
    """Raman activities of n states from the ground state in A^4/u; ``bands``: as of ``Intensities``."""

    order: int = published()
    bands: list[list[int]] = published()
    activities: np.ndarray = published()
    activity_errors: np.ndarray = published()


@dataclass(frozen=True, eq=False)
class Seen:
    """Intensities and Raman activities, each None where the property is not known, and what a reader must know."""

    intensities: Intensities | None
    raman: Raman | None
    remarks: tuple[str, ...]


def seen_in(
    space: Space, asked: Observed | None, states: Sequence[TensorTrain], levels: Levels, accuracy: float
) -> Seen:
    """What the states of a space show, as they are shown (``Space.shown``).

    Cost: states times populated states times that of a matrix element (``Property.element``).
    """
    if asked is None:
        return Seen(None, None, ())
    states = [x.round(SHARE * lack) if lack > 0.0 else x for x, lack in zip(states, levels.lacking)]
    bands = bands_of(levels.energies, levels.errors, accuracy)
    intensities, raman = None, None
    if asked.dipole is not None:
        of_modes = [np.asarray(energies) for energies in space.terms.energies]
        intensities = _absorption(asked.dipole, asked, space, states, levels, bands, of_modes)
    if asked.polarisability is not None:
        raman = _scattering(asked.polarisability, space, states, levels, bands)
    said = [] if intensities is None else remarks(intensities, levels)
    if levels.gap is not None and levels.gap <= min(PARTNER * levels.errors[-1], 2.0 * accuracy):
        names = cut_short(bands[-1], len(bands[-1]))
        said.append(f"the list of states ends within a degenerate band: the intensities of {names} are those of a part")
    return Seen(intensities, raman, tuple(said))


def _scattering(
    alpha: Surface, space: Space, states: Sequence[TensorTrain], levels: Levels, bands: list[list[int]]
) -> Raman:
    excitations, n = levels.energies - levels.energies[0], len(levels.energies)
    moving = operator(with_overlap(alpha), space.functions, space.order)
    known = np.zeros((n, n, len(alpha.components) + 1))
    ground = moments_from(0, moving, states, levels, levels.mixing(bands), known)
    activities, errors = _with_energies(raman(excitations, ground), excitations, levels.errors, 0)
    return Raman(order=alpha.order, bands=bands, activities=activities, activity_errors=errors)


def _absorption(
    dipole: Surface,
    asked: Observed,
    space: Space,
    states: Sequence[TensorTrain],
    levels: Levels,
    bands: list[list[int]],
    modes: Sequence[np.ndarray],
) -> Intensities:
    """``modes``: levels of every mode alone, for the partition function."""
    spectrum, frequencies = asked.spectrum, asked.frequencies
    energies, errors, n = levels.energies, levels.errors, len(levels.energies)
    excitations = energies - energies[0]
    mixing = levels.mixing(bands)
    # 1. from the ground state
    moving = operator(with_overlap(dipole), space.functions, space.order)
    known = np.zeros((n, n, len(dipole.components) + 1))
    ground = moments_from(0, moving, states, levels, mixing, known)
    strength, strength_errors = _with_energies(infrared(excitations, ground), excitations, errors, 0)
    # 2. without the highest power
    changes = np.full(n, np.nan)
    if dipole.order > 1:
        less = operator(with_overlap(dipole.truncated(dipole.order - 1)), space.functions, space.order)
        lower = about_mean(less.elements(states, states[0]), 0)
        changes = strength - infrared(excitations, Moments(lower, np.zeros_like(lower)))[0]
    # 3. and from the others
    q, q_error = partition_function(excitations, modes, spectrum.temperature)
    share = populations(excitations, q, spectrum.temperature)
    populated = 1 + int(np.sum(np.cumsum(share)[:-1] < (1.0 - UNPOPULATED) * np.sum(share)))
    found = [ground, *(moments_from(i, moving, states, levels, mixing, known) for i in range(1, populated))]
    # 4. lines and profile
    lines = _lines(found, levels, share, q_error / q, spectrum)
    return Intensities(
        order=dipole.order,
        bands=bands,
        moments=ground.values,
        integrated=strength,
        integrated_errors=strength_errors,
        order_changes=changes,
        harmonic=None if frequencies is None else double_harmonic(frequencies, dipole.slopes(len(frequencies))),
        temperature=spectrum.temperature,
        partition_function=q,
        partition_error=q_error,
        lower_states=populated,
        covered=float(np.sum(share[:populated])),
        lines=lines,
        drawn=_drawn(asked.title, lines, spectrum),
    )


def _with_energies(
    found: tuple[np.ndarray, np.ndarray], positions: np.ndarray, errors: np.ndarray, lower: int
) -> tuple[np.ndarray, np.ndarray]:
    """Intensities and their errors, to which those of the wavenumber are added."""
    values, of_moments = found
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(positions > 0.0, (errors + errors[lower]) / positions, 0.0)
    return values, of_moments + values * relative


def _lines(found: Sequence[Moments], levels: Levels, share: np.ndarray, relative: float, spectrum: Spectrum) -> Lines:
    """All transitions upwards from the populated states that are not too faint."""
    energies, errors = levels.energies, levels.errors
    rows = []
    for i, moments in enumerate(found):
        above = np.arange(i + 1, len(energies))
        positions = energies - energies[i]
        values, value_errors = _with_energies(infrared(positions, moments), positions, errors, i)
        weight = share[i] * emission(positions, spectrum.temperature)
        rows.append(
            np.array(
                [
                    np.full(len(above), i),
                    above,
                    positions[above],
                    (errors + errors[i])[above],
                    (weight * values)[above],
                    (weight * (value_errors + relative * values))[above],
                ]
            )
        )
    table = np.concatenate(rows, axis=1)
    strongest = float(np.max(table[4], initial=0.0))
    table = table[:, (table[4] > FAINT * strongest) & (table[2] > 0.0)]
    table = table[:, np.argsort(-table[4], kind="stable")]
    return Lines(
        lower=table[0].astype(np.int64),
        upper=table[1].astype(np.int64),
        positions=table[2],
        position_errors=table[3],
        strengths=table[4],
        strength_errors=table[5],
    )


def _drawn(title: str, lines: Lines, spectrum: Spectrum) -> Drawn:
    asked = None if spectrum.range == AUTOMATIC else spectrum.range
    x = grid(lines.positions, spectrum.fwhm, asked)
    values = profile(x, lines.positions, lines.strengths, spectrum.shape, spectrum.fwhm)
    return Drawn(
        title=title, shape=spectrum.shape, fwhm=spectrum.fwhm, chosen=asked is not None, wavenumbers=x, values=values
    )


def remarks(found: Intensities, levels: Levels) -> list[str]:
    """What a reader of the spectrum must know: what is missing from it."""
    said = []
    if 1.0 - found.covered > MISSED:
        said.append(
            f"at {found.temperature:g} K the lines start from states that hold {100.0 * found.covered:.0f} % of the "
            "molecules: the hot bands of the others are missing; ask for more states"
        )
    end, highest = float(found.drawn.wavenumbers[-1]), float(levels.energies[-1] - levels.energies[0])
    if found.drawn.chosen and levels.gap is not None and end > highest + levels.gap:
        said.append(
            f"the spectrum is drawn to {end:g} cm-1, but no level above {highest:.0f} cm-1 was computed: the bands of "
            f"those from {highest + levels.gap:.0f} cm-1 on are missing; ask for more states"
        )
    if (found.drawn.wavenumbers[1] - found.drawn.wavenumbers[0]) > COARSE * found.drawn.fwhm:
        said.append(
            f"the profile has {len(found.drawn.wavenumbers)} points, too few for lines of {found.drawn.fwhm:g} cm-1: "
            "give a narrower range or a larger fwhm"
        )
    return said
