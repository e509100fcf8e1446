"""What a report says about an orbital-free calculation: results, comparison, tables, headline numbers.

Energies in hartree, lengths in bohr. Signed deviations are this run less the reference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from problems.agreement import Deviation
from problems.effort import megabytes
from problems.orbital_free_dft.references import ELECTROSTATIC, GroundState, parts, references_of
from problems.orbital_free_dft.result import COMPONENTS, LevelResult
from problems.report_parts import Quantity, Section, Table

if TYPE_CHECKING:
    from problems.orbital_free_dft.keys import OrbitalFreeProblem, OrbitalFreeSolver
    from problems.orbital_free_dft.result import OrbitalFreeResult

NAMES = {
    "weizsacker": "von Weizsaecker",
    "thomas_fermi": "Thomas-Fermi",
    "external": "external",
    "hartree": "Hartree",
    "exchange": "exchange",
    "correlation": "correlation",
    "nuclear": "nuclear repulsion",
    "electrostatic": "external + Hartree + nuclear",
}
FORMATS = {"tucker": "Tucker tensors", "quantics": "quantics trains", "dense": "dense arrays"}
LAPLACIANS = {"spectral": "sine-spectral Laplacian", "differences": "7-point differences"}


def results(result: OrbitalFreeResult) -> dict[str, Any]:
    """The ``results`` of report.json, in hartree and bohr; where a list has one entry a grid, coarse comes first."""
    finest = result.finest
    return {
        "energy": finest.energy,
        "energy_error": result.energy_error,
        "extrapolated_energy": result.extrapolated_energy,
        "extrapolated_error": result.extrapolated_error,
        "components": dict(finest.components),
        "component_errors": dict(result.component_errors),
        "chemical_potential": finest.chemical_potential,
        "chemical_potential_error": result.chemical_potential_error,
        "virial": finest.virial,
        "virial_error": result.virial_error,
        "sum_rule": finest.sum_rule,
        "min_density": finest.min_density,
        "max_density": finest.max_density,
        "density_error": result.density_error,
        "ranks": list(finest.ranks),
        "tucker_ranks": list(finest.tucker_ranks),
        "grid_points_per_axis": finest.points,
        "density_megabytes": result.density_megabytes,
        "by_level": [_level(level) for level in result.levels],
        "error_parts": dict(result.error_parts),
        "order": result.order,
        "electrons": result.electrons,
        "boundary_charge": finest.boundary_charge,
        "format": result.format,
        "laplacian": result.laplacian,
        "radial": None if result.radial is None else {"r": result.radial[0], "density": result.radial[1]},
        "profiles": [
            {"axis": p.axis, "through": list(p.through), "position": p.position, "density": p.density}
            for p in result.profiles
        ],
        "counts": dict(result.counts),
    }


def _level(level: LevelResult) -> dict[str, Any]:
    return {
        "level": level.level,
        "grid_points_per_axis": level.points,
        "spacing": level.spacing,
        "energy": level.energy,
        "errors": dict(level.errors),
        "components": dict(level.components),
        "chemical_potential": level.chemical_potential,
        "virial": level.virial,
        "sum_rule": level.sum_rule,
        "min_density": level.min_density,
        "max_density": level.max_density,
        "ranks": list(level.ranks),
        "tucker_ranks": list(level.tucker_ranks),
        "steps": level.steps,
        "evaluations": level.evaluations,
        "boundary_charge": level.boundary_charge,
        "converged": level.converged,
    }


def reference_of(problem: OrbitalFreeProblem) -> GroundState | None:
    """The independent ground state of this problem, or None."""
    known = references_of(problem)
    return known[0] if known else None


def compared(problem: OrbitalFreeProblem, result: OrbitalFreeResult) -> list[tuple[str, str, float, float, float]]:
    """Everything that has a reference: key, name, value of the finest grid, its error estimate, reference."""
    known = reference_of(problem)
    if known is None:
        return []
    finest, errors = result.finest, result.component_errors
    found = [
        (
            "extrapolated_energy",
            "energy, extrapolated",
            result.extrapolated_energy,
            result.extrapolated_error,
            known.energy,
        ),
        ("energy", "energy, finest grid", finest.energy, result.energy_error, known.energy),
    ]
    values = parts(finest.components)
    for name, value in known.components.items():
        error = sum(errors[part] for part in (ELECTROSTATIC if name == "electrostatic" else (name,)))
        found.append(("components", NAMES[name], values[name], error, value))
    if known.chemical_potential is not None:
        value, error = finest.chemical_potential, result.chemical_potential_error
        found.append(("chemical_potential", "chemical potential", value, error, known.chemical_potential))
    return found


def quantities(results: Mapping[str, Any]) -> list[Quantity]:
    """What two runs are compared by, from the ``results`` of report.json: the energy, its parts, the potential."""
    told = [
        ("energy, extrapolated", results["extrapolated_energy"], results["extrapolated_error"]),
        ("energy, finest grid", results["energy"], results["energy_error"]),
        ("chemical potential", results["chemical_potential"], results["chemical_potential_error"]),
    ]
    errors = results["component_errors"]
    told += [(NAMES[name], value, errors.get(name)) for name, value in results["components"].items()]
    keys, values, estimates = ([entry[i] for entry in told] for i in range(3))
    return [
        Quantity("energies", "hartree", "part", keys, np.array(values, dtype=float), np.array(estimates, dtype=float))
    ]


def references(problem: OrbitalFreeProblem, result: OrbitalFreeResult) -> list[dict[str, Any]]:
    """The ``references`` of report.json: one entry a kind of quantity, the extrapolated energy first."""
    known, rows = reference_of(problem), compared(problem, result)
    entries = []
    for key in dict.fromkeys(row[0] for row in rows):
        assert known is not None
        summary = Deviation.of(np.array([value - true for name, _, value, _, true in rows if name == key]))
        if summary is not None:
            entries.append(
                {
                    "name": key,
                    "label": f"{key.replace('_', ' ')} of the {known.label}",
                    "source": known.source,
                    "accuracy": known.accuracy,
                    "count": summary.count,
                    "max_abs_deviation": summary.max_abs,
                    "mean_abs_deviation": summary.mean_abs,
                }
            )
    return entries


def comparison_table(problem: OrbitalFreeProblem, solver: OrbitalFreeSolver, result: OrbitalFreeResult) -> Table | None:
    """This run beside the independent ground state, with the estimates made without it."""
    known = reference_of(problem)
    if known is None:
        return None
    rows = []
    for _, name, value, error, true in compared(problem, result):
        digits = _digits(min(error, abs(value - true)) or error) if value or true else 1
        rows.append([name, f"{value:.{digits}f}", f"{error:.1e}", f"{true:.{digits}f}", f"{value - true:+.1e}"])
    note = (
        f"Hartree. Reference: {known.label}; {known.source}; its energy is good to {known.accuracy:.0e} hartree here."
    )
    if "electrostatic" in known.components:
        note += " Its electrostatic parts depend on the periodic box, only their sum does not."
    return Table(["quantity", "this run", "error estimate", "reference", "deviation"], rows, (0,), note)


def tables(problem: OrbitalFreeProblem, solver: OrbitalFreeSolver, result: OrbitalFreeResult) -> list[Table]:
    """The energy on every grid, its parts, and where its error comes from."""
    digits = _digits(min(result.extrapolated_error, result.energy_error))
    grids = []
    for level in result.levels:
        grids.append(
            [
                f"2^{level.level}",
                f"{level.spacing:.4g}",
                f"{level.energy:.{digits}f}",
                f"{level.chemical_potential:.{digits}f}",
                f"{level.virial:+.1e}",
                f"{level.sum_rule:+.1e}",
                f"{level.min_density:.1e}",
                str(max(level.ranks)),
                _tucker(level.tucker_ranks),
                str(level.steps),
                f"{level.seconds:.1f}",
            ]
        )
    finest = result.finest
    energies = [
        [NAMES[name], f"{finest.components[name]:.{digits}f}", f"{result.component_errors[name]:.1e}"]
        for name in COMPONENTS
    ]
    energies += [
        ["energy, finest grid", f"{finest.energy:.{digits}f}", f"{result.energy_error:.1e}"],
        ["energy, extrapolated", f"{result.extrapolated_energy:.{digits}f}", f"{result.extrapolated_error:.1e}"],
    ]
    errors = [[name, f"{value:.1e}"] for name, value in result.error_parts.items()]
    rule = "Extrapolation: the error is taken to fall faster than any power of the spacing."
    if result.order is not None:
        rule = f"Extrapolation: with the power {result.order} of the spacing."
    return [
        Table(
            [
                "points an axis",
                "spacing",
                "energy",
                "chemical potential",
                "virial",
                "sum rule",
                "smallest density",
                "largest TT-rank",
                "Tucker ranks",
                "steps",
                "seconds",
            ],
            grids,
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


def csv_table(problem: OrbitalFreeProblem, result: OrbitalFreeResult) -> tuple[str, list[str], list[list[Any]]]:
    """Name, header and rows of energies.csv, at full precision: a row a grid and quantity, the extrapolation last."""
    known = reference_of(problem)
    true: dict[str, float] = {}
    if known is not None:
        true = {"energy": known.energy} | known.components
        if known.chemical_potential is not None:
            true["chemical_potential"] = known.chemical_potential
    estimates = result.component_errors | {
        "energy": result.energy_error,
        "chemical_potential": result.chemical_potential_error,
    }
    rows: list[list[Any]] = []

    def add(level: int | str, points: int | str, name: str, value: float, error: float | None) -> None:
        estimate = "" if error is None else f"{error:.3e}"
        reference = [repr(true[name]), f"{value - true[name]:.3e}"] if name in true else ["", ""]
        rows.append([level, points, name, repr(float(value)), estimate, *reference])

    for level in result.levels:
        values = {
            "energy": level.energy,
            **parts(level.components),
            "chemical_potential": level.chemical_potential,
            "virial": level.virial,
            "sum_rule": level.sum_rule,
            "min_density": level.min_density,
        }
        for name, value in values.items():
            add(level.level, level.points, name, value, estimates.get(name) if level is result.finest else None)
    add("extrapolated", "", "energy", result.extrapolated_energy, result.extrapolated_error)
    header = ["level", "points", "quantity", "value", "error_estimate", "reference", "deviation"]
    return "energies.csv", header, rows


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
    facts += [
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
    return facts


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
    work = [(name.replace("_", " "), str(count)) for name, count in result.counts.items()]
    return [Section("System", described), Section("Discretisation", discretisation), Section("Work", work)]


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


def _digits(error: float) -> int:
    """Decimals that show an error with one digit to spare."""
    return int(np.clip(np.ceil(-np.log10(max(abs(error), 1e-12))) + 1, 4, 10))


def _with_error(value: float, error: float) -> str:
    return f"{value:.{_digits(error)}f} hartree, error estimate {error:.1e}"


def trains(result: OrbitalFreeResult) -> dict[str, Any]:
    """Name -> quantics train of states.npz: density and orbital on the finest grid, axes in sequence."""
    return {"density": result.density, "orbital": result.orbital}


def loading(folder: str) -> tuple[str, str]:
    """How to load the density: a heading and three lines of Python."""
    code = f'import ttsuite\nreport, (density, orbital) = ttsuite.load("{folder}")\n'
    return "Loading the density", code + 'print(report["results"]["energy"], density.ranks, orbital.ranks)'
