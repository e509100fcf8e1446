"""Files of INTDER and SPECTRO and tables of Cartesian derivatives: one molecule, and every refusal."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from pair_potential import WATER, derivatives, packed

from problems.errors import ProblemError
from problems.quantum.kinds.vibrational import VibrationalProblem
from problems.quantum.readers import cartesian_table, spectro
from problems.quantum.readers.formats import format_of, read
from ttsuite import run
from ttsuite.runs.layout import CONFIGURATION_FILE
from ttsuite.study.config import ConfigError, load_study

SYMBOLS, POSITIONS = WATER
TENSORS = derivatives(POSITIONS)
FILES = {"fort.15", "fort.30", "fort.40", "spectro.in"}
NUMBERS = {"O": 8, "H": 1}
INTDER = "# INTDER ####\n    3    3    3    4\nSTRE     1    2\nSTRE     1    3\nBEND     2    1    3\n    0\n"


def three_a_line(values: list[float], first: str = "") -> str:
    cells = [f"{value:20.10f}" for value in values]
    return first + "\n".join("".join(cells[k : k + 3]) for k in range(0, len(cells), 3)) + "\n"


def spectro_in(option: int = 1, weight: str = "", dummies: int = 0) -> str:
    lines = ["# SPECTRO ########", f"    1{option:5d}    2    1", "    0    0", "# GEOM ######", "   3   1"]
    lines += [f"{NUMBERS[s]:5.2f}" + "".join(f"{v:20.10f}" for v in r) for s, r in zip(SYMBOLS, POSITIONS)]
    lines += [f" 0.00        1.1111111111        0.0000000000        {k}.0" for k in range(dummies)]
    return "\n".join([*lines, "# WEIGHT #####", "    3", weight]) + "\n"


@pytest.fixture
def folder(tmp_path):
    write(tmp_path, "fort.")
    (tmp_path / "spectro.in").write_text(spectro_in())
    return tmp_path


def write(path, stem, header=""):
    (path / f"{stem}15").write_text(three_a_line(list(TENSORS[0].ravel()), header))
    (path / f"{stem}30").write_text(three_a_line(packed(TENSORS[1]), header))
    (path / f"{stem}40").write_text(three_a_line(packed(TENSORS[2]), header))


def table(elements: str = "", comment: str = "") -> str:
    rows = [comment, "kind,indices,value", elements]
    rows += [f"x,{n},{v:.10f}" for n, v in enumerate(POSITIONS.ravel(), start=1)]
    for order, tensor in zip((2, 3, 4), TENSORS):
        for index in np.ndindex(tensor.shape):
            if all(a >= b for a, b in pairwise(index)) and abs(tensor[index]) > 1e-12:
                rows.append(f"d{order},{'-'.join(str(n + 1) for n in index)},{tensor[index]:.10f}")
    return "\n".join(row for row in rows if row) + "\n"


@pytest.mark.parametrize("name", ["fort.15", "fort.30", "fort.40", "spectro.in"])
def test_any_of_the_files_names_them_all(folder, name):
    assert format_of(folder / name) == "spectro"
    found = spectro.read(folder / name)
    assert found.symbols == SYMBOLS and found.positions == pytest.approx(POSITIONS)
    for tensor, exact in zip(found.derivatives, TENSORS):
        assert tensor == pytest.approx(exact, abs=1e-10)
    assert found.notes == () and {p.name for p in spectro.beside(folder / name)} | {name} == FILES
    assert read(folder / name).field.source == folder / name and read(folder).field.source == folder / "fort.15"


def test_the_table_is_the_same_molecule(folder):
    (folder / "water.csv").write_text(table(comment="# water: atoms O H H, in bohr"))
    assert format_of(folder / "water.csv") == "cartesian"
    one, other = read(folder / "fort.15"), read(folder / "water.csv")
    assert one.field.terms == other.field.terms
    assert one.rotation is not None and np.array_equal(one.rotation.zeta, other.rotation.zeta)


def test_masses_make_isotopologues_and_rows_of_elements_and_masses_name_atoms(folder):
    (folder / "hdo.csv").write_text(table("element,1,O\nelement,2,D\nmass,3,1.00782503190"))
    one, other = read(folder / "fort.15", masses={2: 2.01410177784}), read(folder / "hdo.csv")
    assert one.field.terms == other.field.terms and one.geometry.masses[1] > 2.0
    (folder / "bare.csv").write_text(table())
    with pytest.raises(ProblemError, match="masses of atoms 1, 2, 3 are not known"):
        read(folder / "bare.csv")
    assert read(folder / "bare.csv", masses={1: 15.99491462, 2: 1.0078250319, 3: 1.0078250319}).field.d == 3


def test_weights_count_where_the_options_say_so(folder):
    heavy = "    2     2.014102\n    3     2.014102"
    (folder / "spectro.in").write_text(spectro_in(-1, heavy))
    assert spectro.read(folder / "fort.15").masses[1] == 2.014102
    (folder / "spectro.in").write_text(spectro_in(1, heavy, dummies=2))
    unused = spectro.read(folder / "fort.15")
    assert unused.masses[1] < 2.0 and "other masses of atoms 2, 3" in unused.notes[0]


def test_intder_names_its_files_otherwise(tmp_path):
    write(tmp_path, "w.", header="    3   24\n")
    rows = "\n".join("".join(f"{v:18.10f}" for v in r) for r in POSITIONS)
    (tmp_path / "w.freq.in").write_text(f"{INTDER}{rows}\n        O16          H1          H2\n")
    found = read(tmp_path / "w.15")
    assert found.geometry.symbols == SYMBOLS and found.geometry.masses[2] > 2.0
    assert read(tmp_path / "w.freq.in").field.terms == found.field.terms
    dummies = f"{rows}\n   1.1111   0.0   0.0\n   0.0   1.1111   0.0"  # points that are no atoms
    (tmp_path / "w.freq.in").write_text(f"{INTDER}{dummies}\n        O16          H1          H2\n")
    assert read(tmp_path / "w.15").geometry.symbols == SYMBOLS


def test_no_quartic_file_is_said_no_geometry_refused(folder):
    (folder / "fort.40").unlink()
    assert any("order 4 are not known" in note for note in read(folder / "fort.15").notes)
    (folder / "spectro.in").unlink()
    with pytest.raises(ProblemError, match="no geometry beside it"):
        read(folder / "fort.15")


def test_one_bad_triangle_is_said_with_its_line(folder):
    cut = np.tril(TENSORS[0])
    cut[:4, :4] = TENSORS[0][:4, :4]
    (folder / "fort.15").write_text(three_a_line(list(cut.ravel())))
    notes = read(folder / "fort.15").notes
    assert any(note.startswith("fort.15:") and "lower triangle" in note for note in notes)


@pytest.mark.parametrize(
    "file, change, told",
    [
        ("fort.15", lambda t: t[:-200], "fort.15:24:1: 3 atoms have 81 derivatives of order 2, found"),
        ("fort.30", lambda t: t + t, "found 330: is it of another molecule?"),
        ("fort.40", lambda t: t[:-60], "fort.40:165:1: 3 atoms have 495 derivatives of order 4, found 492"),
        ("fort.30", lambda t: t.replace("0.0", "o.0", 1), "fort.30:1:1: derivative must be a number"),
        ("fort.40", lambda t: "  5   495\n" + t, "fort.40:1:1: of 5 atoms, the input has 3"),
        ("spectro.in", lambda t: t.replace("# GEOM", "# GEUM"), "no section # GEOM"),
        ("spectro.in", lambda t: t.replace("   3   1\n", "   4   1\n"), "spectro.in:5:1: GEOM says 4 atoms"),
        ("spectro.in", lambda t: t.replace(" 8.00", "150.0"), "spectro.in:6:1: no element of atomic number 150"),
        ("spectro.in", lambda t: t.replace(" 1.4310000000", " 1.43x"), "spectro.in:7:3: coordinate must be a number"),
        ("spectro.in", lambda t: t.replace(" 1.4310000000", " 1.9310000000"), "not those of this geometry"),
    ],
)
def test_a_file_that_is_not_right_is_refused_with_its_place(folder, file, change, told):
    text = (folder / file).read_text()
    (folder / file).write_text(change(text))
    assert change(text) != text
    with pytest.raises(ProblemError) as caught:
        read(folder / "fort.15")
    assert any(told in line for _, line in caught.value.faults), caught.value.faults


@pytest.mark.parametrize(
    "row, told",
    [
        ("d2,1-1,abc", "d2 must be a number"),
        ("d3,1-1,0.1", "d3 needs 3 numbers, as in 1-1-2"),
        ("d5,1-1-1-1-1,0.1", "kind must be x, element, mass, d2, d3, d4"),
        ("d2,2-99,0.1", "coordinate 99 is out of range: rows x give coordinates 1 to 9"),
        ("element,1,Qq", "no element is called 'Qq'"),
        ("element,4,H", "atom 4 is out of range"),
        ("mass,1,-2", "a mass must be positive"),
        ("x,1,7.0", "contradicts"),
        ("x,11,7.0", "numbered without a gap"),
        ("d2,1", "expected three columns"),
    ],
)
def test_a_row_that_is_not_right_is_refused_with_its_place(tmp_path, row, told):
    path = tmp_path / "bad.csv"
    path.write_text(f"{table()}{row}\n")
    with pytest.raises(ProblemError) as caught:
        cartesian_table.read(path)
    assert any(told in line and line.startswith("bad.csv") for _, line in caught.value.faults), caught.value.faults


def test_masses_need_cartesian_derivatives(tmp_path):
    (tmp_path / "one.csv").write_text("order,modes,coefficient_cm-1\n2,1-1,1000\n")
    with pytest.raises(
        ProblemError, match="all second, third and fourth derivatives in Cartesian coordinates"
    ) as caught:
        read(tmp_path / "one.csv", masses={1: 2.0})
    assert caught.value.faults[0][0] == "problem.force_field.masses"


def test_a_run_keeps_the_files_and_its_isotopologue(folder):
    study = folder / "hdo.yaml"
    study.write_text(
        "problem:\n  kind: vibrational\n  force_field: {file: fort.15, masses: {3: 2.0141}}\n  kinetic: watson2\n"
        "  basis: {type: harmonic, functions: 6}\nsolver: {n_states: 2, accuracy: 0.1, workers: 1}\n"
    )
    done = run(study, out=folder / "run")
    assert FILES <= {path.name for path in done.folder.iterdir()}
    again = load_study(done.folder / CONFIGURATION_FILE)[0].problem
    assert again.molecule.geometry.masses[2] == 2.0141 and again.coriolis is not None


@pytest.mark.parametrize(
    "masses, told",
    [("{4: 2.0}", "no atom 4: the atoms are 1 to 3"), ("{1: -2.0}", "greater than 0"), ("{H: 2.0}", "integer")],
)
def test_masses_that_cannot_be_are_refused(folder, masses, told):
    study = folder / "hdo.yaml"
    field = f"{{file: fort.15, masses: {masses}}}"
    study.write_text(f"problem: {{kind: vibrational, force_field: {field}}}\nsolver: {{n_states: 2}}\n")
    with pytest.raises(ConfigError) as caught:
        load_study(study)
    assert "problem.force_field.masses" in str(caught.value) and told in str(caught.value)


def test_a_table_of_derivatives_needs_no_format(folder):
    (folder / "water.csv").write_text(table(comment="# atoms O H H"))
    named = VibrationalProblem(kind="vibrational", force_field=str(folder / "water.csv"), kinetic="watson2")
    assert named.field.d == 3 and named.coriolis is not None
    (folder / "water.csv").write_text(table(comment="# atoms O H H") + "d2,1-1,x\n")
    with pytest.raises(ValueError, match="d2 must be a number"):
        VibrationalProblem(kind="vibrational", force_field=str(folder / "water.csv"))


def test_what_changed_is_read_again(folder):
    before = read(folder / "fort.15").field
    assert read(folder / "fort.15").field is before or read(folder / "fort.15").field.terms == before.terms
    (folder / "spectro.in").write_text(spectro_in(-1, "    2     2.014102"))
    assert read(folder / "fort.15").field.terms != before.terms
