"""What a report says about an orbital-free calculation: headline, tables, sections.

Energies in hartree, lengths in bohr. Signed deviations are this run less the reference.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from problems.effort import megabytes
from problems.orbital_free_dft.keys import OrbitalFreeProblem, OrbitalFreeSolver
from problems.orbital_free_dft.references import DIGITS, reference_of
from problems.orbital_free_dft.result import COMPONENTS, NAMES, OrbitalFreeResult
from problems.report_parts import Section, Table, work
from problems.words import decimals

FORMATS = {"tucker": "Tucker tensors", "quantics": "quantics trains", "dense": "dense arrays"}
LAPLACIANS = {"spectral": "sine-spectral Laplacian", "differences": "7-point differences"}


def headline(
    problem: OrbitalFreeProblem, solver: OrbitalFreeSolver, result: OrbitalFreeResult
) -> list[tuple[str, str]]:
    """The few numbers a reader wants first, as (what, value)."""
    finest, known = result.finest, reference_of(problem)
    facts = [
        ("problem", f"{problem.functional}, {system(problem)}, electrons: {problem.count:g}, box {problem.box:g} bohr"),
        ("method", f"{FORMATS[result.format]}, {LAPLACIANS[result.laplacian]}, {_grids(result)} points an axis"),
        ("energy, extrapolated", _with_error(result.extrapolated_energy, result.extrapolated_error)),
        ("energy, finest grid", _with_error(finest.energy, result.energy_error)),
    ]
    if known is not None:
        deviation, count = result.extrapolated_energy - known.energy, len(problem.sites)
        each = f", {deviation / count:+.1e} a nucleus" if count > 1 else ""
        facts.append(("extrapolated energy less the reference", f"{deviation:+.1e} hartree{each}"))
    return [
        *facts,
        ("chemical potential", _with_error(finest.chemical_potential, result.chemical_potential_error)),
        ("virial residual", f"{finest.virial:+.1e} hartree, expected within {result.virial_error:.1e}"),
        ("sum rule residual", f"{finest.sum_rule:+.1e} hartree"),
        ("smallest density", f"{finest.min_density:.1e} of at most {finest.max_density:.3g} per bohr^3"),
        (
            "density stored in",
            f"{megabytes(result.density_megabytes)}, TT-ranks up to {max(finest.ranks)}; one array "
            f"would take {megabytes(8e-6 * float(finest.points) ** 3)}",
        ),
    ]


def tables(problem: OrbitalFreeProblem, solver: OrbitalFreeSolver, result: OrbitalFreeResult) -> list[Table]:
    """The energy on every grid, its parts, and where its error comes from."""
    digits = decimals(min(result.extrapolated_error, result.energy_error), 1, *DIGITS)
    grids = [
        {
            "points an axis": f"2^{level.level}",
            "spacing": f"{level.spacing:.4g}",
            "energy": f"{level.energy:.{digits}f}",
            "chemical potential": f"{level.chemical_potential:.{digits}f}",
            "virial": f"{level.virial:+.1e}",
            "sum rule": f"{level.sum_rule:+.1e}",
            "smallest density": f"{level.min_density:.1e}",
            "largest TT-rank": str(max(level.ranks)),
            "Tucker ranks": _tucker(level.tucker_ranks),
            "steps": str(level.steps),
            "seconds": f"{level.seconds:.1f}",
        }
        for level in result.levels
    ]
    values = [(NAMES[name], result.finest.components[name], result.component_errors[name]) for name in COMPONENTS] + [
        ("energy, finest grid", result.finest.energy, result.energy_error),
        ("energy, extrapolated", result.extrapolated_energy, result.extrapolated_error),
    ]
    energies = [[name, f"{value:.{digits}f}", f"{error:.1e}"] for name, value, error in values]
    errors = [[name, f"{value:.1e}"] for name, value in result.error_parts.items()]
    rule = "Extrapolation: the error is taken to fall faster than any power of the spacing."
    if result.order is not None:
        rule = f"Extrapolation: with the power {result.order} of the spacing."
    return [
        Table(
            list(grids[0]),
            [list(row.values()) for row in grids],
            note="Hartree, bohr. Virial and sum rule: residuals, zero for the exact ground state. TT-rank: of the "
            f"density as a quantics train. {rule}",
            title="Grids",
        ),
        Table(
            ["part", "value", "error estimate"],
            energies,
            (0,),
            "Hartree, on the finest grid. The self energy of smeared nuclei is left out.",
            "Energy",
        ),
        Table(["error of the energy", "estimate"], errors, (0,), "Hartree, on the finest grid.", "Parts of the error"),
    ]


def sections(problem: OrbitalFreeProblem, result: OrbitalFreeResult) -> list[Section]:
    """The system, the discretisation and the work, as short lists of facts."""
    finest = result.finest
    described = [
        ("functional", f"{problem.functional}, von Weizsaecker factor {problem.weizsacker:g}"),
        ("held by", system(problem)),
        ("electrons", f"{problem.count:g}"),
        ("net charge", f"{problem.sites.charge - problem.count:g}"),
        ("electrons within a tenth of the box of its faces", f"{finest.boundary_charge:.1e}"),
    ]
    discretisation = [
        ("box", f"{problem.box:g} bohr an edge, zero on the faces"),
        ("grids", f"{_grids(result)} points an axis, cell-centred"),
        ("spacings", ", ".join(f"{level.spacing:.4g}" for level in result.levels) + " bohr"),
        ("grid points in all", f"{float(finest.points) ** 3:.3g}"),
        ("descent in", f"{FORMATS[result.format]}, {LAPLACIANS[result.laplacian]}"),
        ("Tucker ranks of the orbital", _tucker(finest.tucker_ranks)),
        ("TT-ranks of the density", ", ".join(map(str, finest.ranks))),
        ("relative error of the stored density", f"{result.density_error:.1e}"),
    ]
    return [Section("System", described), Section("Discretisation", discretisation), work(result.counts)]


def system(problem: OrbitalFreeProblem) -> str:
    """What holds the electrons, in words: nuclei by kind, trap."""
    sites = problem.sites
    words = []
    for (charge, smearing), count in Counter(zip(sites.charges.tolist(), sites.smearings.tolist())).items():
        kind = "a point" if np.isinf(smearing) else f"smeared with a = {smearing:g}"
        many = "one nucleus" if count == 1 else f"{count} nuclei"
        words.append(f"{many} of charge {charge:g} ({kind if count == 1 else kind.replace('a point', 'points')})")
    if problem.displaced and problem.lattice is not None:
        words[-1] += f", displaced by up to {problem.lattice.displacement:g} bohr"
    if problem.trap is not None:
        words.append(f"a trap with omega = {problem.trap.omega:g}")
    return " and ".join(words)


def _grids(result: OrbitalFreeResult) -> str:
    return ", ".join(f"2^{level.level}" for level in result.levels)


def _tucker(ranks: tuple[int, ...]) -> str:
    return " x ".join(map(str, ranks)) or "none"


def _with_error(value: float, error: float) -> str:
    return f"{value:.{decimals(error, 1, *DIGITS)}f} hartree, error estimate {error:.1e}"
