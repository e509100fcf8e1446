"""What report, tables and figures say about a made-up result with known numbers."""

import json
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from orbital_free_cases import made_up

from problems.orbital_free_dft import presentation
from problems.orbital_free_dft.figures import figures, grids
from problems.orbital_free_dft.references import agreements, columns, compared, comparison_table, reference_of
from problems.orbital_free_dft.result import COMPONENTS, OrbitalFreeResult
from ttsuite.study.config import make_study

ENERGY = -0.9139150985  # of the atom below
KNOWN = dict(zip(COMPONENTS, (0.2720001621, 0.2551631015, -1.8186138014, 0.6606266543, -0.2830912150, 0.0, 0.0)))


def study(**keys):
    problem = {"kind": "orbital_free_dft", "functional": "TFDW", "box": 20.0, "levels": [4, 5]} | keys
    return make_study({"problem": problem, "solver": {}})


@pytest.fixture(scope="module")
def atom():
    case = study(atoms=[{"charge": 2, "position": [0.0, 0.0, 0.0], "smearing": 1.0}])
    return case, made_up(ENERGY, components=KNOWN | {"hartree": KNOWN["hartree"] + 1e-4})


@pytest.fixture(scope="module")
def cluster():
    case = study(lattice={"charge": 4, "smearing": 1.0, "shape": [2, 2, 2], "spacing": 4.0}, box=24.0)
    return case, made_up(-34.76, electrons=32.0, box=24.0, radial=False)


def test_results_have_the_keys_of_the_contract(atom):
    _, result = atom
    found = result.results()
    assert {
        "energy",
        "energy_error",
        "extrapolated_energy",
        "components",
        "chemical_potential",
        "virial",
        "sum_rule",
        "min_density",
        "ranks",
        "grid_points_per_axis",
        "density_megabytes",
        "by_level",
    } <= set(found)
    assert set(found["components"]) == set(COMPONENTS)
    assert found["energy"] == result.levels[-1].energy and found["grid_points_per_axis"] == 32
    assert found["ranks"] == list(result.density.ranks)
    assert [level["grid_points_per_axis"] for level in found["by_level"]] == [16, 32]
    assert found["by_level"][1]["energy"] == found["energy"]
    assert not any("seconds" in level for level in found["by_level"])  # results can be compared between runs
    json.dumps(found, default=np.ndarray.tolist)


def test_references_measure_the_deviations(atom):
    case, result = atom
    entries = {entry.name: entry.told() for entry in agreements(case.problem, result)}
    assert list(entries) == ["extrapolated_energy", "energy", "components", "chemical_potential"]
    assert all({"name", "count", "max_abs_deviation", "mean_abs_deviation"} <= set(entry) for entry in entries.values())
    assert entries["extrapolated_energy"]["max_abs_deviation"] == pytest.approx(1e-6, rel=1e-6)
    spacing = 20.0 / 32
    assert entries["energy"]["max_abs_deviation"] == pytest.approx(0.01 * spacing**2, rel=1e-9)
    assert entries["components"]["count"] == 7
    assert entries["components"]["max_abs_deviation"] == pytest.approx(1e-4, rel=1e-9)
    assert entries["components"]["mean_abs_deviation"] == pytest.approx(1e-4 / 7, rel=1e-9)


def test_a_cluster_is_compared_by_its_electrostatic_sum(cluster):
    case, result = cluster
    rows = {name: (value, error, true) for _, name, value, error, true in compared(case.problem, result)}
    assert "Hartree" not in rows and "chemical potential" not in rows
    value, error, true = rows["external + Hartree + nuclear"]
    parts = result.finest.components
    assert value == parts["external"] + parts["hartree"] + parts["nuclear"]
    assert error == pytest.approx(3e-3) and true == -42.62109038
    table = comparison_table(case.problem, case.solver, result)
    assert "periodic box" in table.note
    assert dict(presentation.headline(case.problem, case.solver, result))[
        "extrapolated energy less the reference"
    ].endswith("0.00022 a nucleus")


def test_tables_and_headline(atom):
    case, result = atom
    tables = presentation.tables(case.problem, case.solver, result)
    assert [table.title for table in tables] == ["Grids", "Energy", "Parts of the error"]
    comparison = comparison_table(case.problem, case.solver, result)
    assert all(len(row) == len(table.columns) for table in [*tables, comparison] for row in table.rows)
    assert str(comparison.rows[0][-1]) == "1.0 × 10⁻⁶" and comparison.rows[5][0] == "Hartree"
    assert str(comparison.rows[5][-1]) == "0.00010"
    assert "errors include: mesh, descent, rank, box" in tables[1].note
    assert "power 2" in tables[0].note
    facts = dict(presentation.headline(case.problem, case.solver, result))
    assert facts["energy, extrapolated"] == "−0.9139141(20) hartree"
    assert "nucleus of charge 2 (smeared with a = 1)" in facts["problem"]
    assert all(text for section in presentation.sections(case.problem, result) for _, text in section.facts)
    assert list(result.trains()) == ["density", "orbital"]
    assert 'report, (density, orbital) = ttsuite.load("run")' in result.loading("run")[1]


def test_what_two_runs_are_compared_by(atom):
    _, result = atom
    told = json.loads(json.dumps(result.results(), default=np.ndarray.tolist))
    (found,) = OrbitalFreeResult.quantities(told)
    assert (found.name, found.unit) == ("energies", "hartree")
    assert found.keys[:4] == ["energy, extrapolated", "energy, finest grid", "chemical potential", "von Weizsaecker"]
    expected = [result.extrapolated_energy, result.finest.energy, result.finest.chemical_potential]
    np.testing.assert_array_equal(found.values, [*expected, *result.finest.components.values()])
    errors = [result.extrapolated_error, result.energy_error, result.chemical_potential_error]
    np.testing.assert_array_equal(found.errors, [*errors, *result.component_errors.values()])
    assert told["radial"]["r"] == result.radial[0].tolist() and told["profiles"][1]["axis"] == "z"


def test_energies_csv_has_every_grid_at_full_precision(atom):
    case, result = atom
    name, header, rows = result.csv_table(columns(case.problem, result))
    assert name == "energies.csv" and all(len(row) == len(header) for row in rows)
    finest = {row[2]: row for row in rows if row[0] == 5}
    assert float(finest["energy"][3]) == result.finest.energy
    assert header[5] == "unit" and finest["energy"][5] == "hartree" and finest["min_density"][5] == "bohr-3"
    assert float(finest["energy"][6]) == ENERGY and float(finest["hartree"][7]) == pytest.approx(1e-4)
    assert set(COMPONENTS) < set(finest) and finest["virial"][6:] == ["", ""]
    assert [row[4] for row in rows if row[0] == 4] == [""] * len(finest)  # estimates are of the finest grid
    assert rows[-1][0] == "extrapolated" and float(rows[-1][3]) == result.extrapolated_energy


def test_a_problem_without_reference():
    case = study(trap={"omega": 0.3}, electrons=2.5, atoms=[{"charge": 1, "position": [0, 0, 1.0]}])
    result = made_up(1.0, electrons=2.5)
    assert agreements(case.problem, result) == []
    assert comparison_table(case.problem, case.solver, result) is None
    assert result.csv_table(columns(case.problem, result))[2][0][6:] == ["", ""]
    text = presentation.system(case.problem)
    assert text == "one nucleus of charge 1 (a point) and a trap with omega = 0.3"
    assert next(picture.name for picture in figures(case.problem, case.solver, result)) == "slice"
    moved = study(lattice={"charge": 4, "smearing": 1.0, "shape": [2, 1, 1], "spacing": 4.0, "displacement": 0.4})
    assert presentation.system(moved.problem).endswith("(smeared with a = 1), displaced by up to 0.4 bohr")


def test_figures_show_the_numbers(atom):
    case, result = atom
    pictures = {
        picture.name: picture.figure for picture in figures(case.problem, case.solver, result) if not picture.text
    }
    assert list(pictures) == ["slice", "profiles", "radial", "ranks", "descent"]  # two grids are a sentence
    _r, density = result.radial
    line, centre = pictures["radial"].axes[0].lines
    np.testing.assert_allclose(line.get_ydata()[:5], density[:5])
    assert centre.get_ydata()[0] == pytest.approx(0.2332385173**2)
    pictures["grids"] = grids(result, reference_of(case.problem), case.solver.accuracy)
    own, reference, *_ = pictures["grids"].axes[0].lines
    energies = np.array([level.energy for level in result.levels])
    np.testing.assert_allclose(own.get_ydata(), np.abs(energies - result.extrapolated_energy))
    np.testing.assert_allclose(reference.get_ydata(), np.abs(energies - ENERGY))
    first = pictures["descent"].axes[0].lines[0].get_ydata()
    np.testing.assert_allclose(first[:8] / first[0], 10.0 ** (-0.7 * np.arange(8)), rtol=1e-2)
    assert np.isnan(first[11])
    bonds = pictures["ranks"].axes[0].lines[0]
    assert tuple(bonds.get_ydata()) == result.density.ranks[1:-1] and list(bonds.get_xdata())[-1] == 14
    for figure in pictures.values():
        assert all(axes.get_xlabel() and axes.get_ylabel() for axes in figure.axes if axes.get_label() != "<colorbar>")
        FigureCanvasAgg(figure).draw()


def test_figures_without_radial_or_history_and_with_negative_density(cluster):
    case, result = cluster
    plane = replace(result.plane, density=result.plane.density - 1e-3)
    pictures = figures(case.problem, case.solver, replace(result, plane=plane, history=[]))
    assert [picture.name for picture in pictures] == ["slice", "profiles", "ranks", "grids"]
    for picture in pictures:
        if not picture.text:
            FigureCanvasAgg(picture.figure).draw()
