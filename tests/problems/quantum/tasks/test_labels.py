"""Names, symmetries, weights, simpler treatments and lines of states, against dense vectors and group theory."""

import numpy as np
import pytest

from problems.quantum.hamiltonians.force_field.basis import harmonic_functions
from problems.quantum.hamiltonians.force_field.effective import Effective
from problems.quantum.hamiltonians.force_field.operators import operator, product_terms
from problems.quantum.kinds.vibrational import VibrationalProblem
from problems.quantum.tasks.spectrum.figures import figures
from problems.quantum.tasks.spectrum.keys import SpectrumSolver
from problems.quantum.tasks.spectrum.labels import written
from problems.quantum.tasks.spectrum.polyads import polyads
from problems.quantum.tasks.spectrum.presentation import headline, tables
from problems.quantum.tasks.spectrum.solve import prepare, solve
from problems.quantum.tasks.spectrum.symmetries import symmetry_of
from solvers.measured import Measured
from ttsuite.runs.record import plain
from ttsuite.runs.result_file import load_result, save_result
from ttsuite.study.config import ConfigError, make_study

# the three modes of water, to fourth order, of public derivatives (Gaussian's HOH_freq.log of McCoyGroup/Psience)
WATER = """order,modes,coefficient_cm-1
2,1-1,3937.52464
2,2-2,3803.29958
2,3-3,1622.30303
3,1-1-2,-1813.7967
3,1-1-3,-254.69741
3,2-2-2,-1830.38899
3,2-3-3,292.28043
3,3-3-3,258.7102
4,1-1-1-1,760.45022
4,1-1-2-2,763.20749
4,1-1-3-3,-369.96087
4,2-2-2-2,769.13715
4,2-2-3-3,-301.62311
4,3-3-3-3,60.0
"""
LINES = """assignment,measured,uncertainty
nu2,1560.5,0.1
2nu2,3070,
0-1-0,3640,
5nu1,9999,
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("water")
    (path / "water.csv").write_text(WATER)
    (path / "lines.csv").write_text(LINES)
    return path


def study(folder, **more):
    """The same as a study, whose faults are told as a user sees them."""
    keys = {"kind": "vibrational", "force_field": "water.csv", **more}
    return make_study({"problem": keys, "solver": {"n_states": 2}}, folder)


def problem(folder, **more):
    keys = {"kind": "vibrational", "force_field": "water.csv", "basis": {"functions": 7}, **more}
    return VibrationalProblem.model_validate(keys, context={"directory": folder})


@pytest.fixture(scope="module")
def water(folder):
    given = problem(folder, names=["nu3(b2)", "nu1(a1)", "nu2(a1)"], compare={"measured": "lines.csv"})
    return given, solve(prepare(given, SpectrumSolver(n_states=8, accuracy=1.0, workers=1)))


def test_names_symmetries_and_lines_of_water(water):
    _, result = water
    labels = result.labels
    assert labels.names[:4] == ["0", "nu2", "2nu2", "nu1"] and labels.symmetry[:4] == ["A1"] * 4
    b2 = [i for i, symmetry in enumerate(result.symmetry) if symmetry == "-"]
    assert b2 and [labels.symmetry[i] for i in b2] == ["B2"] * len(b2)
    assert all(("nu3" in labels.names[i]) for i in b2)
    measured = labels.measured
    assert [one.state for one in measured.lines] == [1, 2, 3, None] and measured.count == 3
    differences = np.array([1560.5, 3070.0, 3640.0]) - result.excitations[1:4]
    assert measured.rms == pytest.approx(np.sqrt(np.mean(differences**2)))
    assert measured.mean == pytest.approx(differences.mean())
    assert measured.max_abs == pytest.approx(np.abs(differences).max())
    assert measured.unmatched == ["5nu1 9999 (line 5)"]


def test_weights_are_those_of_the_vectors(water):
    given, result = water
    # the vectors themselves, in the mean-field functions
    for state, told in zip(result.states, result.labels.configurations):
        full = np.abs(state.full()) ** 2
        assert abs(told[0].weight) == pytest.approx(full.max(), abs=1e-6) and told[0].weight > 0.0
        assert sum(abs(one.weight) for one in told) <= 1.0 + 1e-9
    # in harmonic functions: what the dense Hamiltonian in them says
    field = given.field
    bases = harmonic_functions(field, [9] * 3, np.zeros(3, dtype=np.int64))
    vectors = np.linalg.eigh(operator(product_terms(field, bases, [0, 1, 2])).full())[1]
    for i in range(3):
        expected = np.sort(vectors[:, i] ** 2)[::-1][:2]
        told = [abs(one.weight) for one in result.labels.harmonic_configurations[i][:2]]
        np.testing.assert_allclose(told, expected, atol=1e-2)


def test_simpler_treatments(water):
    given, result = water
    labels = result.labels
    np.testing.assert_allclose(labels.harmonic[:4], [0.0, 1622.30303, 3244.60606, 3803.29958])
    sums = Effective(given.field, None, ())
    bottom = sums.matrix([(0, 0, 0)])[0, 0]
    assert labels.vpt2[1] == pytest.approx(sums.matrix([(0, 0, 1)])[0, 0] - bottom, abs=1e-6)
    assert labels.zero_points["vpt2"] == pytest.approx(bottom, abs=1e-6)
    # a mean field is a variational product: above the exact ground state, below the harmonic functions' mean
    assert result.energies[0] < labels.zero_points["vscf"] < result.energies[0] + 60.0
    assert np.abs(labels.vscf - result.excitations).max() < 250.0


def test_everything_is_told(water, tmp_path):
    given, result = water
    solver = SpectrumSolver(n_states=8, accuracy=1.0)
    found = plain(result.results())["labels"]
    assert found["names"][1] == "nu2" and found["measured"]["lines"][0]["state"] == 1
    levels, beside, *_ = tables(given, solver, result)
    assert levels.rows[1][levels.columns.index("assignment")] == "ν₂"
    assert "measured − computed" in beside.columns and all(len(row) == len(beside.columns) for row in beside.rows)
    for column, places in (("VPT2", 2), ("VSCF", 2), ("harmonic", 2), ("measured (", 0), ("measured −", 2)):
        place = next(n for n, name in enumerate(beside.columns) if name.startswith(column))
        texts = [str(row[place]) for row in beside.rows if isinstance(row[place], Measured) and not row[place].error]
        assert texts and {len(text.partition(".")[2]) for text in texts} == {places}, column
    facts = dict(headline(given, solver, result))
    assert "zero-point energy" in facts and "1 not matched: 5nu1" in facts["measured − computed"]
    _, header, rows = result.csv_table()
    assert rows[1][header.index("name")] == "nu2" and float(rows[1][header.index("measured")]) == 1560.5
    assert "measured" in [picture.name for picture in figures(given, solver, result)]
    save_result(tmp_path / "result.npz", result, result.trains())
    again = load_result(tmp_path / "result.npz", tmp_path / "states.npz", [type(result)])
    assert again.labels.names == result.labels.names and again.labels.measured.rms == result.labels.measured.rms


def test_wrong_representations_are_said(water, folder):
    given, _ = water
    field = given.field
    charges = np.zeros(3, dtype=np.int64)
    right = symmetry_of(field.frequencies, None, charges, [], ["B2", "A1", "A1"], "C2V")
    wrong = symmetry_of(field.frequencies, None, charges, [], ["A1", "B2", "A1"], "C2V")
    assert right.breaks(field) == 0 and wrong.breaks(field) == 3  # phi_112, phi_222 and phi_233


def test_without_names_modes_are_those_of_the_field(folder):
    (folder / "bare.csv").write_text("measured\n1560\n3070\n")
    given = problem(folder, compare={"measured": "bare.csv"}, basis={"functions": 5})
    labels = solve(prepare(given, SpectrumSolver(n_states=3, accuracy=1.0, workers=1))).labels
    assert labels.names == ["0", "nu3", "2nu3"] and labels.symmetry == [""] * 3
    assert [(one.state, one.by) for one in labels.measured.lines] == [(1, "order"), (2, "order")]


def test_a_threefold_axis_tells_a1_a2_and_e():
    """Henon-Heiles in two dimensions: each energy once for A1 and A2, twice for E; l of the shells."""
    given = VibrationalProblem(
        kind="vibrational",
        force_field={"model": "henon_heiles", "dimension": 2, "coupling": 0.08},
        basis={"functions": 14},
    )
    result = solve(prepare(given, SpectrumSolver(n_states=10, accuracy=1e-4, workers=1)))
    labels = result.labels
    assert labels.names == [
        "0",
        *["nu1"] * 2,
        "2nu1^0",
        *["2nu1^2"] * 2,
        *["3nu1^1"] * 2,
        *labels.names[8:],
    ]
    assert set(labels.names[8:]) == {"3nu1^3"} and sorted(labels.symmetry[8:]) == ["A1", "A2"]
    assert labels.symmetry[:8] == ["A1", "E", "E", "A1", "E", "E", "E", "E"]
    assert written("2nu1^0") == "2ν₁⁰"
    # VPT2 of the degenerate shells keeps the order and is close
    np.testing.assert_allclose(labels.vpt2, result.excitations, atol=5e-3)


def test_polyads_give_the_levels_back():
    turn = np.array([[2.0, 1.0, 2.0], [-2.0, 2.0, 1.0], [1.0, 2.0, -2.0]]) / 3.0
    levels = np.array([10.0, 12.0, 15.0])
    coefficients = [{"a": turn[i, 0], "b": turn[i, 1], "c": turn[i, 2], "d": 1e-3} for i in range(3)]
    (block,) = polyads([*coefficients, {"e": 1.0}], np.append(levels, 40.0), [0] * 4)
    np.testing.assert_allclose(np.linalg.eigvalsh(block.matrix), levels)
    assert block.states == [0, 1, 2] and block.share == pytest.approx(1.0)
    assert polyads(coefficients, levels, [0, 1, 2]) == []


def test_names_that_a_field_makes_itself_are_checked_beforehand(folder):
    """Acetonitrile has eight names for twelve modes: partners share one."""
    (folder / "names.csv").write_text("assignment,measured\n2nu8^0,717\nnu9,100\nnu7 + v12,100\n")
    keys = {"kind": "vibrational", "force_field": "acetonitrile", "compare": {"measured": "names.csv"}}
    with pytest.raises(ConfigError) as error:
        make_study({"problem": keys, "solver": {"n_states": 2}}, folder)
    faults = str(error.value)
    assert "names.csv:3:1: there is no mode nu9" in faults and "names.csv:4:1: there is no mode nu12" in faults
    assert "names.csv:2" not in faults


@pytest.mark.parametrize(
    "text, expected",
    [
        ("assignment,measured\nnu9,100\n", "lines.csv:2:1: there is no mode nu9"),
        ("assignment,measured\nnu1,fast\n", "lines.csv:2:2: measured must be a number"),
        ("assignment,measured\n0-1,100\n", "lines.csv:2:1: quanta of each of the 3 modes"),
        ("assignment,measured\nnu1++,100\n", "lines.csv:2:1: an assignment reads like"),
        ("assignment,measured\n2nu1^1,100\n", "lines.csv:2:1: 2 quanta of nu1 cannot have l = 1"),
        ("a,b\nnu1,100\n", "lines.csv:1:1: the header must read"),
        ("assignment,measured\nnu1,-3\n", "lines.csv:2:2: a level above"),
        ("", "lines.csv: empty"),
    ],
)
def test_faults_of_lines(folder, text, expected):
    (folder / "bad").mkdir(exist_ok=True)
    (folder / "bad" / "lines.csv").write_text(text)
    with pytest.raises(ConfigError) as error:
        study(folder, names=["nu3", "nu1", "nu2"], compare={"measured": "bad/lines.csv"})
    assert expected in str(error.value)


@pytest.mark.parametrize(
    "names, expected",
    [
        (["nu1", "nu2"], "needs 3 names"),
        ({4: "nu1"}, "there is no mode 4"),
        (["nu1", "nu1", "nu1"], "more than the two modes"),
        (["nu1", "2", "nu3"], "the name of mode 2 must read like"),
        ({"a": "nu1"}, "called by their numbers"),
        ("nu1", "must be a list of names"),
    ],
)
def test_faults_of_names(folder, names, expected):
    with pytest.raises(ConfigError, match=expected):
        study(folder, names=names)
