"""The same random field in the layouts of all programs is the same field, and what is no such file is refused."""

from __future__ import annotations

import field_layouts as layouts
import numpy as np
import pytest

from problems.errors import ProblemError
from problems.quantum.readers.formats import format_of, formats, read, reader
from ttsuite.command.cli import main

W, PHI = layouts.random_derivatives(3, 4)
SHORT, FEW = layouts.random_derivatives(7, 3)  # what a molecule of three atoms can have
THREE = {modes: x for modes, x in PHI.items() if len(set(modes)) < 4}
PAIRS = {modes: x for modes, x in FEW.items() if layouts.in_pairs(modes)}
FILES = {
    "csv": ("field.csv", layouts.csv_text(W, PHI), W, PHI),
    "mop": ("field.mop", layouts.mop_text(W, PHI), W, PHI),
    "mop, newer": ("newer.mop", layouts.new_mop_text(W, PHI), W, PHI),
    "vhci": ("field.inp", layouts.vhci_text(W, PHI), W, PHI),
    "qcmaquis": ("integral_file", layouts.qcmaquis_text(W, PHI), W, PHI),
    "mctdh": ("field.op", layouts.mctdh_text(W, PHI), W, PHI),
    "qumvia": ("field.qqv", layouts.qumvia_text(W, PHI), W, THREE),
    "hs": ("001.hs", layouts.hs_text(W, PHI), W, THREE),
    "pyvpt2": ("result.json", layouts.pyvpt2_text(SHORT, FEW, 3), SHORT, PAIRS),
    "pyvpt2, nested": ("nested.json", layouts.pyvpt2_text(SHORT, FEW, 3, flat=False), SHORT, PAIRS),
}
FOREIGN = {
    "empty": b"",
    "blank": b"\n\n\n",
    "binary": bytes(range(256)) * 8,
    "prose.txt": b"This is a letter.\nIt has 3 lines,\nand 4 5 6 numbers.\n",
    "matrix.dat": b"1.0 2.0 3.0\n4.0 5.0 6.0\n7.0 8.0 9.0\n",
    "cubic": b"x^3 - 1 = 0\n",
    "other.json": b'{"omega": [1, 2]}',
    "half.json": b'{"phi_ijk": [1, "phi_iijj": 2',
    "plain.out": b"                       * O   R   C   A *\n|  1> ! B3LYP def2-SVP OPT\n",
}


@pytest.mark.parametrize("layout", FILES)
def test_it_is_found_and_read_exactly(tmp_path, layout):
    name, text, w, phi = FILES[layout]
    path = tmp_path / name
    path.write_text(text)
    assert format_of(path) == layout.partition(",")[0]
    field = read(path).field
    np.testing.assert_allclose(field.frequencies, w, rtol=1e-12)
    found = layouts.derivatives_of(field)
    assert found.keys() == {modes for modes, x in phi.items() if x}
    assert found == pytest.approx({modes: x for modes, x in phi.items() if x}, rel=1e-11, abs=1e-10)
    assert field.source == path and field.unit == "cm-1" and not field.rotation


@pytest.mark.parametrize("layout", FILES)
def test_a_part_of_a_file_is_refused_with_its_place_or_is_none(tmp_path, layout):
    """Cut after any line: a field of fewer constants only where the layout tells neither their number nor an end."""
    name, text, *_ = FILES[layout]
    lines = text.splitlines(keepends=True)
    silent = 0
    for n in sorted({*range(0, len(lines), max(1, len(lines) // 12)), len(lines) - 1}):
        path = tmp_path / name
        path.write_text("".join(lines[:n]) if len(lines) > 1 else text[: len(text) // 2])
        try:
            read(path, layout.partition(",")[0])
        except ProblemError as error:
            assert all(message.startswith(name) for _, message in error.faults)
        else:
            silent += 1
    assert not silent or layout in ("csv", "mop", "qcmaquis", "hs")


@pytest.mark.parametrize("layout", FILES)
def test_a_number_that_is_none_is_told_with_line_and_column(tmp_path, layout):
    name, text, *_ = FILES[layout]
    path = tmp_path / name
    for bad in ("twelve", "nan", "1e999"):
        lines = text.splitlines()
        at = len(lines) - (4 if layout in ("mctdh", "mop, newer") else 1)
        cells = lines[at].replace(",", " , ").split() if layout == "csv" else lines[at].split()
        if layout.startswith("pyvpt2"):
            lines[at] = lines[at].replace('"omega": [0.0', f'"omega": ["{bad}"')
        elif layout in ("qcmaquis", "mop", "mop, newer", "mctdh"):
            lines[at] = " ".join([bad, *cells[1:]])
        else:
            lines[at] = " ".join([*cells[:-1], bad]).replace(" , ", ",")
        path.write_text("\n".join(lines) + "\n")
        with pytest.raises(ProblemError) as caught:
            read(path, layout.partition(",")[0])
        place = "[omega]" if layout.startswith("pyvpt2") else f":{at + 1}:"
        assert any(f"{name}{place}" in message for _, message in caught.value.faults), caught.value


@pytest.mark.parametrize("name", FOREIGN)
def test_a_foreign_file_is_refused_by_every_reader_in_words(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(FOREIGN[name])
    with pytest.raises(ProblemError, match=r"none of the known formats|no JSON"):
        format_of(path)
        read(path)
    for one in formats():
        with pytest.raises(ProblemError) as caught:
            read(path, one)
        assert all(message.startswith(name) for _, message in caught.value.faults)


@pytest.mark.parametrize("layout", FILES)
def test_no_reader_takes_the_file_of_another(tmp_path, layout):
    name, text, *_ = FILES[layout]
    path = tmp_path / name
    path.write_text(text)
    own = layout.partition(",")[0]
    assert [one for one in formats() if reader(one).reads(path)] == [own]
    for one in formats():
        if one != own:
            with pytest.raises(ProblemError) as caught:
                read(path, one)
            assert all(message.startswith(name) for _, message in caught.value.faults)


@pytest.mark.parametrize("mark, encoding", [("\ufeff", "utf-8"), ("", "latin-1")])
def test_titles_and_line_ends_of_any_machine_are_read(tmp_path, mark, encoding):
    text = layouts.vhci_text(W, PHI).replace("made up", "M\u00fcller\u0085s field").replace("\n", "\r\n")
    path = tmp_path / "field.inp"
    path.write_bytes((mark + text).encode(encoding))
    found = read(path)
    assert "M\u00fcller" in found.field.name
    assert layouts.derivatives_of(found.field) == pytest.approx(PHI, rel=1e-11)


def test_a_foreign_file_ends_with_one_line_and_code_2(tmp_path, capsys):
    (tmp_path / "half.inp").write_text("\n".join(layouts.vhci_text(W, PHI).splitlines()[:9]))
    file = tmp_path / "half.yaml"
    file.write_text("problem: {kind: vibrational, force_field: {file: half.inp}}\nsolver: {n_states: 2}\n")
    assert main(["validate", str(file)]) == 2
    told = capsys.readouterr().err
    assert "problem.force_field.file: half.inp:9:1: expected mode 2" in told


def test_validate_tells_every_fault_of_a_table_and_of_the_rotation_beside_it(tmp_path, capsys):
    rows = "2,1-1,1000\n2,2-2,abc\n3,1-1,5\n3,1-1-9,5\n4,1-1-1-1,nan\n4,1-1-2-2,1\n4,2-2-1-1,2\n"
    (tmp_path / "bad.csv").write_text("order,modes,coefficient_cm-1\n" + rows)
    (tmp_path / "rot.csv").write_text("quantity,axis1,axis2,mode1,mode2,value\nI0_amu_A2,x,x,,,few\nzeta,w,,1,2,0.1\n")
    file = tmp_path / "bad.yaml"
    file.write_text(
        "problem: {kind: vibrational, force_field: {file: bad.csv}, rotation: rot.csv, kinetic: watson}\n"
        "solver: {n_states: 2}\n"
    )
    assert main(["validate", str(file)]) == 2
    told = capsys.readouterr().err
    for place in (
        "bad.csv:3:3",
        "bad.csv:4:2",
        "bad.csv:5:2",
        "bad.csv:6:3",
        "bad.csv:8:2",
        "rot.csv:2:6",
        "rot.csv:3:2",
    ):
        assert f"{place}: " in told, told


def test_pyvpt2_gives_rotation_geometry_and_fundamentals(tmp_path):
    (tmp_path / "result.json").write_text(FILES["pyvpt2"][1])
    found = read(tmp_path / "result.json")
    np.testing.assert_allclose(found.rotation.constants, [12.0, 9.0, 5.0])
    assert found.rotation.zeta[1, 0, 1] == 0.25 and np.count_nonzero(found.rotation.zeta) == 2
    assert found.geometry.symbols == ("H",) * 3 and "pairs" in found.notes[0]
    assert [row.quanta for row in found.printed] == [(1, 0, 0), (0, 1, 0), (0, 0, 1)]
    assert found.printed[1].anharmonic == pytest.approx(0.96 * SHORT[1])
