"""The radial reference against itself and the stored references, and runs with any lambda against it."""

import csv
import re
from functools import cache

import numpy as np
import pytest
from radial_reference import ground_state

from problems.orbital_free_dft.keys import OrbitalFreeProblem, OrbitalFreeSolver
from problems.orbital_free_dft.model import complete
from problems.orbital_free_dft.references import DATA
from problems.orbital_free_dft.result import COMPONENTS
from problems.orbital_free_dft.solve import prepare, solve
from solvers.solution import Status


def stored():
    with (DATA / "ground_states.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    return [row for row in rows if row["case"] in ("atom", "trap")]


@pytest.mark.parametrize("row", stored()[::5], ids=lambda row: f"{row['functional']} {row['case']} {row['electrons']}")
def test_stored_references(row):
    """Two codes that know nothing of each other."""
    keys = (
        {"omega": float(row["omega"]), "radius": 15.0}
        if row["case"] == "trap"
        else {
            "charge": float(row["charge"]),
            "smearing": float(row["smearing"]) if row["smearing"] else None,
            "radius": 250.0 if row["functional"] == "TFW" else 90.0,
        }
    )
    found = ground_state(row["functional"], float(row["electrons"]), **keys)
    assert found.energy == pytest.approx(float(row["energy"]), abs=2e-9)
    assert abs(found.virial) <= 1e-8
    for name in COMPONENTS:
        assert found.parts[name] == pytest.approx(float(row[name]), abs=2e-7)


@pytest.mark.parametrize("weight", [1.0 / 9.0, 0.5, 2.0])
def test_the_radial_equation_converges(weight):
    one, other = (ground_state("TFDW", 2.5, charge=3.0, weight=weight, ratio=r) for r in (1.5, 1.3))
    assert one.energy == pytest.approx(other.energy, abs=1e-9) and abs(one.virial) <= 1e-8


def run(accuracy, **keys):
    problem = OrbitalFreeProblem(kind="orbital_free_dft", **keys)
    return solve(prepare(problem, complete(problem, OrbitalFreeSolver(accuracy=accuracy))))


@cache
def with_a_cusp(*levels):
    """Hydrogen with lambda = 1/9, on these levels."""
    atoms = [{"charge": 1.0, "position": [0.0, 0.0, 0.0]}]
    asked = list(levels) if len(levels) > 1 else levels[0]
    return run(1.5e-2, functional="TFDW", weizsacker=1.0 / 9.0, atoms=atoms, box=15.0, levels=asked)


@pytest.mark.parametrize("levels", [(5, 6), (6,)])
def test_a_cusp_of_a_small_lambda(levels):
    """Its size is lambda/Z: a grid that would do for lambda = 1 is far too coarse, and says so."""
    truth = ground_state("TFDW", 1.0, charge=1.0, weight=1.0 / 9.0)
    result = with_a_cusp(*levels)
    assert result.status is Status.BASIS_LIMIT and any("cusp" in line for line in result.warnings)
    assert abs(result.extrapolated_energy - truth.energy) <= result.extrapolated_error
    assert abs(result.finest.energy - truth.energy) <= result.energy_error
    for name, value in truth.parts.items():
        assert abs(result.finest.components[name] - value) <= 3.0 * result.component_errors[name]


def test_the_level_that_is_advised_is_enough():
    truth = ground_state("TFDW", 1.0, charge=1.0, weight=1.0 / 9.0)
    (line,) = with_a_cusp(5, 6).warnings
    level = int(re.search(r"give level (\d+)$", line)[1])
    result = with_a_cusp(level)
    assert result.status is Status.CONVERGED and level > 7  # not one level after the other
    assert abs(result.extrapolated_energy - truth.energy) <= result.extrapolated_error


def test_parts_of_a_heavy_smeared_nucleus():
    """What the faces do to attraction and repulsion, ten times what they do to the chemical potential, is covered."""
    truth = ground_state("TFDW", 10.0, charge=10.0, smearing=2.0, radius=80.0)
    atoms = [{"charge": 10.0, "position": [0.0, 0.0, 0.0], "smearing": 2.0}]
    result = run(1e-4, functional="TFDW", atoms=atoms, box=22.0, levels=[5, 6])
    for name, value in truth.parts.items():
        assert abs(result.finest.components[name] - value) <= result.component_errors[name] + 1e-9
    assert abs(result.extrapolated_energy - truth.energy) <= result.extrapolated_error


def test_a_wide_lambda_needs_no_finer_grid():
    """The cusp of lambda = 2 is twice as wide: not refused."""
    truth = ground_state("TFDW", 3.0, charge=3.0, weight=2.0)
    atoms = [{"charge": 3.0, "position": [0.1, 0.0, 0.2]}]
    result = run(5e-2, functional="TFDW", weizsacker=2.0, atoms=atoms, box=30.0, levels=6)
    assert np.isfinite(result.extrapolated_error)
    assert abs(result.extrapolated_energy - truth.energy) <= result.extrapolated_error
