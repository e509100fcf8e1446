"""What a report says about an orbital-free calculation: headline, tables, sections. Energies in hartree, lengths in
bohr; signed deviations are this run less the reference."""

from __future__ import annotations

from collections import Counter

import numpy as np

from problems.effort import megabytes
from problems.orbital_free_dft.keys import OrbitalFreeProblem, OrbitalFreeSolver
from problems.orbital_free_dft.references import reference_of
from problems.orbital_free_dft.result import COMPONENTS, NAMES, OrbitalFreeResult
from problems.report_parts import Section, Table, error_contents, work
from solvers.measured import Cell, Measured, bound, numeral

FORMATS = {"tucker": "Tucker tensors", "quantics": "quantics trains", "dense": "dense arrays"}
SHOWN = 10  # significant digits of an energy whose error is not estimated
LAPLACIANS = {"spectral": "sine-spectral Laplacian", "differences": "7-point differences"}


def headline(
    problem: OrbitalFreeProblem, solver: OrbitalFreeSolver, result: OrbitalFreeResult
) -> list[tuple[str, str]]:
    """The few numbers a reader wants first, as (what, value)."""
    finest, known = result.finest, reference_of(problem)
    largest = Measured(finest.max_density, digits=3)
    facts = [
        ("problem", f"{problem.functional}, {system(problem)}, electrons: {problem.count:g}, box {problem.box:g} bohr"),
        ("method", f"{FORMATS[result.format]}, {LAPLACIANS[result.laplacian]}, {_grids(result)} points an axis"),
        ("energy, extrapolated", str(Measured(result.extrapolated_energy, result.extrapolated_error, "hartree"))),
        ("energy, finest grid", str(Measured(finest.energy, result.energy_error, "hartree"))),
    ]
    if known is not None:
        deviation, count = result.extrapolated_energy - known.energy, len(problem.sites)
        each = f", {bound(deviation / count)} a nucleus" if count > 1 else ""
        facts.append(("extrapolated energy less the reference", f"{bound(deviation)} hartree{each}"))
    return [
        *facts,
        ("chemical potential", str(Measured(finest.chemical_potential, result.chemical_potential_error, "hartree"))),
        ("virial residual", f"{bound(finest.virial)} hartree, expected within {bound(result.virial_error)}"),
        ("sum rule residual", f"{bound(finest.sum_rule)} hartree"),
        (
            "smallest density",
            f"{bound(finest.min_density)} of at most {largest} per bohr^3",
        ),
        (
            "density stored in",
            f"{megabytes(result.density_megabytes)}, TT-ranks up to {max(finest.ranks)}; one array "
            f"would take {megabytes(8e-6 * float(finest.points) ** 3)}",
        ),
    ]


def tables(problem: OrbitalFreeProblem, solver: OrbitalFreeSolver, result: OrbitalFreeResult) -> list[Table]:
    """The energy on every grid, its parts, and where its error comes from."""
    of_finest = (result.energy_error, result.chemical_potential_error)
    known = [of_finest if level is result.finest else (None, None) for level in result.levels]
    grids: list[dict[str, Cell]] = [
        {
            "points an axis": Measured(level.points),
            "spacing (bohr)": Measured(level.spacing, digits=4),
            "energy (hartree)": Measured(level.energy, error, digits=SHOWN),
            "chemical potential (hartree)": Measured(level.chemical_potential, potential_error, digits=SHOWN),
            "virial (hartree)": bound(level.virial),
            "sum rule (hartree)": bound(level.sum_rule),
            "smallest density (per bohr^3)": bound(level.min_density),
            "largest TT-rank": Measured(max(level.ranks)),
            "Tucker ranks": _tucker(level.tucker_ranks),
            "steps": Measured(level.steps),
            "time (s)": Measured(round(level.seconds, 1)),
        }
        for level, (error, potential_error) in zip(result.levels, known)
    ]
    if not any(level.tucker_ranks for level in result.levels):
        grids = [{name: cell for name, cell in row.items() if name != "Tucker ranks"} for row in grids]
    values = [(NAMES[name], result.finest.components[name], result.component_errors[name]) for name in COMPONENTS] + [
        ("energy, finest grid", result.finest.energy, result.energy_error),
        ("energy, extrapolated", result.extrapolated_energy, result.extrapolated_error),
    ]
    energies: list[list[Cell]] = [[name, Measured(value, error)] for name, value, error in values]
    errors: list[list[Cell]] = [[name, bound(value)] for name, value in result.error_parts.items()]
    (contents,) = {error_contents(found) for found in result.quantities(result.results())}
    rule = "Extrapolation: the error is taken to fall faster than any power of the spacing."
    if result.order is not None:
        rule = f"Extrapolation: with the power {result.order} of the spacing."
    return [
        Table(
            list(grids[0]),
            [list(row.values()) for row in grids],
            note="Errors are estimated on the finest grid. Virial and sum rule: residuals, zero for the exact ground "
            f"state. TT-rank: of the density as a quantics train. {rule}",
            title="Grids",
        ),
        Table(
            ["part", "value (hartree)"],
            energies,
            (0,),
            f"On the finest grid. 0.46041(82) is 0.46041 ± 0.00082; {contents}. The self energy of smeared nuclei is "
            "left out.",
            "Energy",
        ),
        Table(["part", "error estimate (hartree)"], errors, (0,), "On the finest grid.", "Parts of the error"),
    ]


def sections(problem: OrbitalFreeProblem, result: OrbitalFreeResult) -> list[Section]:
    """The system, the discretisation and the work, as short lists of facts."""
    finest = result.finest
    described = [
        ("functional", f"{problem.functional}, von Weizsaecker factor {problem.weizsacker:g}"),
        ("held by", system(problem)),
        ("electrons", f"{problem.count:g}"),
        ("net charge", f"{problem.sites.charge - problem.count:g}"),
        ("electrons within a tenth of the box of its faces", str(bound(finest.boundary_charge))),
    ]
    discretisation = [
        ("box", f"{problem.box:g} bohr an edge, zero on the faces"),
        ("grids", f"{_grids(result)} points an axis, cell-centred"),
        ("spacings", ", ".join(numeral(level.spacing) for level in result.levels) + " bohr"),
        ("grid points in all", str(Measured(finest.points**3))),
        ("descent in", f"{FORMATS[result.format]}, {LAPLACIANS[result.laplacian]}"),
        ("Tucker ranks of the orbital", _tucker(finest.tucker_ranks)),
        ("TT-ranks of the density", ", ".join(map(str, finest.ranks))),
        ("relative error of the stored density", str(bound(result.density_error))),
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
