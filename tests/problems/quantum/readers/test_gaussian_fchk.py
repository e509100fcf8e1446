"""Formatted checkpoint files of Gaussian: the field they were written from, and every refusal."""

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
from problems.quantum.readers import gaussian_fchk
from problems.quantum.readers.formats import format_of, read

FOUR = (3100.0, 1800.0, 1500.0, 1250.0, 1000.0, 700.0)
BENT4 = files.made(files.BENT4, FOUR, seed=3)


def derivative(terms, modes):
    return terms.get(modes, 0.0) * math.prod(math.factorial(m) for m in Counter(modes).values())


def loaded(tmp_path, text, name="made.fchk"):
    (tmp_path / name).write_text(text)
    return read(tmp_path / name)


def faults(tmp_path, text):
    (tmp_path / "bad.fchk").write_text(text)
    with pytest.raises(ProblemError) as caught:
        gaussian_fchk.read(tmp_path / "bad.fchk")
    return [message for _, message in caught.value.faults]


@pytest.mark.parametrize("molecule", [files.made(), BENT4, files.made(files.LINEAR, (2100.0, 900.0, 525.0, 525.0))])
def test_field_rotation_and_properties_are_those_it_was_written_from(tmp_path, molecule):
    found = loaded(tmp_path, files.checkpoint(molecule))
    np.testing.assert_allclose(found.field.frequencies, molecule.frequencies, rtol=1e-8)
    for modes, phi in molecule.phi.items():
        assert derivative(found.field.terms, modes) == pytest.approx(phi, abs=2e-4), modes
    assert len(found.field.terms) == len(molecule.phi)
    wanted = rotation_of(molecule.geometry, molecule.vectors)
    np.testing.assert_allclose(found.rotation.inertia, wanted.inertia, atol=1e-6)
    np.testing.assert_allclose(found.rotation.zeta, wanted.zeta, atol=1e-6)
    np.testing.assert_allclose(found.rotation.derivatives, wanted.derivatives, atol=1e-6)
    for axis in range(3):
        for modes, value in molecule.dipole.items():
            assert derivative(found.dipole.components[axis], modes) == pytest.approx(DEBYE * value[axis], abs=1e-7)
    assert found.dipole.order == 3 and found.polarisability.order == 2
    packed = [0, 1, 3, 2, 4, 5]  # xx xy xz yy yz zz of Gaussian's xx xy yy xz yz zz
    for modes, value in molecule.polarisability.items():
        ours = [derivative(component, modes) for component in found.polarisability.components]
        np.testing.assert_allclose(ours, 0.529177210903**3 * value[packed], atol=1e-7)


def test_modes_are_counted_by_falling_frequency(tmp_path):
    shuffled = files.reordered(BENT4, (3, 0, 5, 1, 4, 2))
    assert loaded(tmp_path, files.checkpoint(shuffled)).field.frequencies == pytest.approx(FOUR)


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_signs_of_the_displacements_are_found_or_taken(tmp_path, told, seed):
    signs = tuple(np.random.default_rng(seed).choice([-1, 1], 6))
    found = loaded(tmp_path, files.checkpoint(BENT4, signs, displacements=told))
    # with the displacements in the file, the signs of the modes are theirs
    s = np.array(signs if told else (1,) * 6)
    for modes, phi in BENT4.phi.items():
        assert derivative(found.field.terms, modes) == pytest.approx(phi * np.prod(s[list(modes)]), abs=2e-4), modes
    for modes, value in BENT4.dipole.items():
        told_value = derivative(found.dipole.components[0], modes)
        assert told_value == pytest.approx(DEBYE * value[0] * np.prod(s[list(modes)]), abs=1e-7), modes


def test_modes_without_a_dipole_get_their_sign_from_the_cubic_constants(tmp_path):
    dark = {modes: 0.0 * value if 1 in modes else value for modes, value in BENT4.dipole.items()}
    molecule = replace(BENT4, dipole=dark)
    found = loaded(tmp_path, files.checkpoint(molecule, (1, -1, 1, 1, -1, 1)))
    for modes, phi in molecule.phi.items():
        assert derivative(found.field.terms, modes) == pytest.approx(phi, abs=2e-4), modes


def test_degenerate_modes_are_those_that_were_displaced(tmp_path):
    """The listed pair may be any turn of it; the constants are those of the displacements."""
    pair = files.made(files.BENT4, (3100.0, 1800.0, 1500.0, 1250.0, 700.0, 700.0), seed=5)
    lines = files.checkpoint(pair, displacements=True)
    cosine, sine = math.cos(0.4), math.sin(0.4)
    turned = pair.vectors.copy()
    turned[4], turned[5] = (
        cosine * pair.vectors[4] + sine * pair.vectors[5],
        cosine * pair.vectors[5] - sine * pair.vectors[4],
    )
    other = files.checkpoint(replace(pair, vectors=turned), displacements=True)

    def record(text, name):
        start = text.index(name)
        end = text.find("\nAnharmonic displacements", start)
        return text[start : end if end > 0 else None]

    mixed = lines.replace(record(lines, "Vib-Modes"), record(other, "Vib-Modes"))
    found = loaded(tmp_path, mixed)
    for modes, phi in pair.phi.items():
        assert derivative(found.field.terms, modes) == pytest.approx(phi, abs=2e-4), modes
    without = mixed[: mixed.index("Anharmonic displacements")]
    assert ["other modes than those of this file were displaced" in text for text in faults(tmp_path, without)] == [
        True
    ]


def test_small_constants_are_left_out_as_in_the_output(tmp_path):
    phi = {**BENT4.phi, (0, 1, 2): 0.02, (0, 0, 1, 2): 0.001}
    terms = loaded(tmp_path, files.checkpoint(replace(BENT4, phi=phi))).field.terms
    assert (0, 1, 2) not in terms and (0, 0, 1, 2) not in terms and (0, 0, 1, 1) in terms


def test_what_the_field_does_not_know_is_noted(tmp_path):
    notes = loaded(tmp_path, files.checkpoint(BENT4)).notes
    assert len(notes) == 1 and "none of its 15 constants of four different modes" in notes[0]
    text = files.checkpoint(files.made())
    c = text.index("Cartesian Gradient")
    zero, force = "  0.00000000E+00", "  1.00000000E-03"
    pushed = text[:c] + text[c:].replace(2 * zero, zero + force, 1)
    (note,) = loaded(tmp_path, pushed).notes
    assert "not quite a minimum" in note


def test_exponents_of_three_digits_and_titles_in_any_encoding(tmp_path):
    text = files.checkpoint(files.made())
    start = text.index("Polarizability num derivs")
    (tmp_path / "odd.fchk").write_bytes(text.replace("made", "Wasserstoffbrücke", 1).encode("latin-1"))
    assert format_of(tmp_path / "odd.fchk") == "gaussian_fchk"
    number = text[start:].split("\n")[1].split()[0]
    changed = text[:start] + text[start:].replace(number, "1.00000000-308", 1)
    assert (2,) not in loaded(tmp_path, changed).polarisability.components[0]


def test_a_file_that_is_cut_short_is_told_in_one_line(tmp_path):
    lines = files.checkpoint(files.made(), displacements=True).splitlines()
    last = next(k for k, line in enumerate(lines) if line.startswith("Anharmonic displacements"))
    for count in [*range(3, last, 5), *range(last + 1, len(lines))]:
        (told,) = faults(tmp_path, "\n".join(lines[:count]) + "\n")
        assert told.startswith(f"bad.fchk:{count}:1: ") and "cut short" in told, (count, told)


@pytest.mark.parametrize(
    "change, words",
    [
        (("Cartesian 3rd/4th derivatives ", "Cartesian 5th/6th derivatives "), "freq=anharm"),
        (("Number of atoms ", "Number of atomz "), "no record 'Number of atoms'"),
        (("Dipole Derivatives  ", "Dipole Derivativez  "), "no record 'Dipole Derivatives'"),
        (("  0.00000000E+00", "  0.0000000xE+00"), "must be a number"),
        (("  0.00000000E+00", "             NaN"), "must be finite"),
        (("R   N=           9\n", "R   N=           8\n"), "must have 9 numbers"),
    ],
)
def test_a_fault_is_told_with_its_place(tmp_path, change, words):
    text = files.checkpoint(files.made())
    assert change[0] in text
    told = faults(tmp_path, text.replace(*change, 1))
    assert all(message.startswith("bad.fchk:") for message in told)
    assert any(words in message and message.split(":")[1].isdecimal() for message in told), told


def test_saddle_points_and_parts_of_different_molecules_are_refused(tmp_path):
    text = files.checkpoint(files.made())
    listed = text.index("Vib-E2")
    saddle = text[:listed] + text[listed:].replace("  1.60000000E+03", " -1.60000000E+03", 1)
    (told,) = faults(tmp_path, saddle)
    assert "imaginary frequencies (1600.0i cm-1)" in told
    other = text[:listed] + text[listed:].replace("  1.60000000E+03", "  1.60100000E+03", 1)
    (told,) = faults(tmp_path, other)
    assert "parts of different molecules or isotopes" in told
    heavy = replace(files.WATER, masses=np.array([15.99491, 2.0141, 1.00783]))
    deuterated = files.checkpoint(replace(files.made(), geometry=heavy))
    at, end = text.index("Vib-AtMass"), deuterated.index("Vib-AtMass")
    (told,) = faults(tmp_path, text[:at] + deuterated[end : deuterated.index("Vib-E2")] + text[listed:])
    assert "different molecules or isotopes" in told


@pytest.mark.parametrize(
    "record, words",
    [
        ("Cartesian 3rd/4th derivatives", "do not agree"),
        ("Dipole Moment num derivs", "the dipole at the displacements"),
        ("Dipole Derivatives num derivs", "do not agree with each other"),
        ("Dipole Derivatives", "the dipole at the displacements"),
        ("Current cartesian coordinates", "move or turn the molecule"),
    ],
)
def test_a_record_of_another_file_is_found(tmp_path, record, words):
    bent = replace(
        files.WATER, positions=files.WATER.positions @ np.array([[1.0, 0, 0], [0, 0.96, 0.28], [0, -0.28, 0.96]])
    )

    def parts(text):
        lines = text.splitlines()
        start = next(k for k, line in enumerate(lines) if line[:40].strip() == record)
        end = next(k for k in range(start + 1, len(lines)) if line_of_record(lines[k]))
        return lines, start, end

    lines, start, end = parts(files.checkpoint(files.made()))
    others, begin, stop = parts(files.checkpoint(files.made(bent, seed=4)))
    (told,) = faults(tmp_path, "\n".join([*lines[:start], *others[begin:stop], *lines[end:]]) + "\n")
    assert words in told and told.split(":")[1].isdecimal()


def line_of_record(line):
    return len(line) > 44 and line[43] in "IR" and line[40:43] == "   "
