"""Outputs of Gaussian with freq=anharm: the field they were written from, and every refusal."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import gaussian_files as files
import numpy as np
import pytest

from problems.errors import ProblemError
from problems.quantum.hamiltonians.force_field.geometry import rotation_of
from problems.quantum.hamiltonians.force_field.molecule import DEBYE
from problems.quantum.readers import gaussian_fchk, gaussian_log
from problems.quantum.readers.formats import format_of, read

FOUR = (3100.0, 1800.0, 1500.0, 1250.0, 1000.0, 700.0)
# numbered as by representations: a', then a''
BENT4 = files.made(files.BENT4, (3100.0, 1500.0, 1250.0, 700.0, 1800.0, 1000.0), seed=3)


def derivative(terms, modes):
    return terms.get(modes, 0.0) * math.prod(math.factorial(m) for m in Counter(modes).values())


def loaded(tmp_path, text, name="made.log"):
    (tmp_path / name).write_text(text)
    return read(tmp_path / name)


def faults(tmp_path, text):
    (tmp_path / "bad.log").write_text(text)
    with pytest.raises(ProblemError) as caught:
        gaussian_log.read(tmp_path / "bad.log")
    return [message for _, message in caught.value.faults]


@pytest.mark.parametrize("sixteen", [False, True])
@pytest.mark.parametrize("molecule", [files.made(), BENT4])
def test_field_and_rotation_are_those_it_was_written_from(tmp_path, molecule, sixteen):
    found = loaded(tmp_path, files.output(molecule, sixteen=sixteen), "made.out")
    assert format_of(tmp_path / "made.out") == "gaussian_log"
    assert found.field.frequencies == pytest.approx(molecule.frequencies)
    for modes, phi in molecule.phi.items():
        assert derivative(found.field.terms, modes) == pytest.approx(phi, abs=1e-5), modes
    assert len(found.field.terms) == len(molecule.phi)
    wanted = rotation_of(molecule.geometry, molecule.vectors)
    np.testing.assert_allclose(found.rotation.inertia, wanted.inertia, atol=1e-4)
    np.testing.assert_allclose(found.rotation.derivatives, wanted.derivatives, atol=1e-5)
    # the sign of all zeta together is free; zeta below 1e-3 are printed as zero
    np.testing.assert_allclose(found.rotation.zeta, -wanted.zeta, atol=1e-3)


def test_it_is_the_field_of_the_checkpoint_file(tmp_path):
    """Both of one molecule, within the digits printed; signs included."""
    molecule = files.made(files.BENT4, FOUR, seed=8)
    (tmp_path / "made.fchk").write_text(files.checkpoint(molecule))
    one, other = gaussian_fchk.read(tmp_path / "made.fchk"), loaded(tmp_path, files.output(molecule))
    assert one.field.terms.keys() == other.field.terms.keys()
    for modes, c in one.field.terms.items():
        assert other.field.terms[modes] == pytest.approx(c, abs=2e-4)
    for ours, theirs in zip(one.dipole.components, other.dipole.components, strict=True):
        for k in range(6):
            assert theirs[k,] == pytest.approx(ours[k,], abs=1e-5)
    np.testing.assert_allclose(one.vectors, other.vectors, atol=1e-4)


def test_the_dipole_of_the_archive_belongs_to_the_numbered_modes(tmp_path):
    found = loaded(tmp_path, files.output(BENT4))
    for axis in range(3):
        assert found.dipole.components[axis][()] == pytest.approx(DEBYE * BENT4.dipole[()][axis])
        for k in range(6):
            assert found.dipole.components[axis][k,] == pytest.approx(DEBYE * BENT4.dipole[k,][axis], abs=1e-5)
    without = loaded(tmp_path, files.output(BENT4, archive=False))
    assert without.dipole is None and without.rotation is not None


@pytest.mark.parametrize(
    "geometry, frequencies",
    [(files.BENT4, (3100.0, 1500.0, 700.0, 700.0, 700.0, 900.0)), (files.LINEAR, (2100.0, 900.0, 525.0, 525.0))],
)
def test_degenerate_modes_of_the_archive_are_turned_to_the_numbered_ones(tmp_path, geometry, frequencies):
    molecule = files.made(geometry, frequencies, seed=2)
    found = loaded(tmp_path, files.output(molecule))
    np.testing.assert_allclose(found.vectors, molecule.vectors, atol=2e-3)
    for axis in range(3):
        for k in range(len(frequencies)):
            assert found.dipole.components[axis][k,] == pytest.approx(DEBYE * molecule.dipole[k,][axis], abs=1e-3)


def test_representations_follow_the_equivalency_table(tmp_path):
    names = ("A'", "A'", "A'", "A'", 'A"', 'A"')
    symmetric = {modes: c for modes, c in BENT4.phi.items() if sum(k > 3 for k in modes) % 2 == 0}
    found = loaded(tmp_path, files.output(replace(BENT4, phi=symmetric), names))
    assert found.irreps == names and found.point_group == "C1"


def test_representations_of_the_electrons_alone_are_left_out(tmp_path):
    """Water with one deuterium is said to be C2v: cubic constants of one b2 quantum say it is not."""
    found = loaded(tmp_path, files.output(files.made(), ("B2", "A1", "A1")))
    assert found.irreps == () and found.point_group == ""
    assert any("not of these isotopes" in note for note in found.notes)


def test_printed_transitions(tmp_path):
    printed = {one.quanta: one for one in loaded(tmp_path, files.output(files.made())).printed}
    assert printed[1, 0, 0].harmonic == 3900.0 and printed[1, 0, 0].anharmonic == 3850.0
    assert printed[0, 1, 0].intensities == (20.0, 18.0)
    assert printed[2, 0, 0].anharmonic is not None and printed[2, 0, 0].intensities == (None, 0.5)
    assert printed[1, 1, 0].harmonic == 7600.0 and printed[1, 1, 0].anharmonic is None  # stars


def test_an_output_that_is_cut_short_is_told_in_one_line_or_noted(tmp_path):
    lines = files.output(BENT4).splitlines()
    end = next(k for k, line in enumerate(lines) if "4th derivatives larger" in line)
    for count in [*range(3, end, 7), end]:
        (told,) = faults(tmp_path, "\n".join(lines[:count]) + "\n")
        assert told.startswith(f"bad.log:{count}:1: ") and "cut short" in told, (count, told)
    for count in range(end + 1, len(lines), 9):
        notes = loaded(tmp_path, "\n".join(lines[:count]) + "\n").notes
        assert any("Normal termination" in note for note in notes)


@pytest.mark.parametrize(
    "change, words",
    [
        (("QUADRATIC FORCE", "QUADRATIC FARCE"), "freq=anharm is needed"),
        (("  3  3  3  ", "  3  3  x  "), "expected 3 modes and FI, k, K"),
        (("  3  3  3  ", "  3  3  9  "), "mode 9 is out of range"),
        (("  3  3  3  ", "  1  1  1  "), "is listed twice"),
        ((" 10 3rd derivatives", " 11 3rd derivatives"), "11 3rd derivatives announced"),
        (("Frequencies --   1600.0000", "Frequencies --   1500.0000"), "parts of different outputs?"),
        (("  3  3    ", "  4  4    "), "no harmonic frequency of mode 3"),
        (("     1600.00000", "    -1600.00000"), "imaginary frequencies (1600.0i cm-1)"),
    ],
)
def test_a_fault_is_told_with_its_place(tmp_path, change, words):
    text = files.output(files.made())
    assert change[0] in text
    told = faults(tmp_path, text.replace(*change, 1))
    assert any(words in message and message.split(":")[1].isdecimal() for message in told), told


def test_tables_of_another_molecule_or_unit_are_refused(tmp_path):
    one, other = files.output(files.made()), files.output(files.made(frequencies=(3800.0, 3500.0, 1500.0), seed=1))
    cubic, quartic = ":  CUBIC", ":  QUARTIC"
    mixed = one[: one.index(cubic)] + other[other.index(cubic) : other.index(quartic)] + one[one.index(quartic) :]
    assert "is not K" in faults(tmp_path, mixed)[0]
    table = one[one.index(cubic) : one.index(quartic)]
    rows = [line for line in table.splitlines() if line[:11].replace(" ", "").isdecimal()]
    swapped = rows[0][:11] + rows[0][-23:] + rows[0][11:27]
    assert "is not K" in faults(tmp_path, one.replace(rows[0], swapped))[0]


def test_foreign_and_unfinished_outputs(tmp_path):
    (told,) = faults(tmp_path, "an ORCA output\n")
    assert told.startswith("bad.log:1:1: ") and "not an output of Gaussian" in told
    banner = " Entering Gaussian System, Link 0=g16\n"
    (told,) = faults(tmp_path, banner + " SCF Done\n Error termination via Lnk1e\n")
    assert told.startswith("bad.log:3:1: ") and "ended with an error" in told
    (told,) = faults(tmp_path, banner + " Normal termination of Gaussian 16\n")
    assert "freq=anharm is needed" in told
    # the optimisation before it ended, the run of the frequencies did not
    (told,) = faults(tmp_path, banner + " Normal termination of Gaussian 16\n" + banner + 30 * " SCF Done\n")
    assert told.startswith("bad.log:33:1: ") and "cut short" in told
    (tmp_path / "other.log").write_text("something else\n")
    assert not gaussian_log.reads(tmp_path / "other.log") and not gaussian_log.reads(tmp_path / "none.log")


def test_the_last_of_several_runs_is_taken(tmp_path):
    first = files.output(files.made(frequencies=(3800.0, 3500.0, 1500.0), seed=1))
    assert loaded(tmp_path, first + files.output(files.made())).field.frequencies[0] == 3900.0


def test_fortran_exponents_and_stars(tmp_path):
    text = files.output(files.made())
    row = next(line for line in text.splitlines() if line.startswith("    3  3  3  "))
    value = row.split()[3]
    exponents = text.replace(row, row.replace(value, f"{float(value) / 100.0:.7f}D+02"))
    assert derivative(loaded(tmp_path, exponents).field.terms, (2, 2, 2)) == pytest.approx(float(value), abs=2e-5)
    (told,) = faults(tmp_path, text.replace(row, row.replace(value, "*" * len(value))))
    assert "FI must be a number" in told


def test_axes_that_no_orientation_has(tmp_path):
    """Rotated coordinates: the inertia is then that of its own derivatives."""
    text = files.output(BENT4)
    start = text.index("Standard orientation")
    end = text.index("Harmonic frequencies")
    turned = replace(BENT4.geometry, positions=BENT4.geometry.positions[:, [1, 2, 0]])
    other = files.output(replace(BENT4, geometry=turned))
    block = other[other.index("Standard orientation") : other.index("Harmonic frequencies")]
    found = loaded(tmp_path, text[:start] + block + text[end:])
    wanted = rotation_of(BENT4.geometry, BENT4.vectors)
    np.testing.assert_allclose(found.rotation.inertia, wanted.inertia, rtol=1e-4, atol=1e-3)
    assert found.dipole is None and any("no orientation" in note for note in found.notes)
