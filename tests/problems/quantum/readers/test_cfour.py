"""Runs of CFOUR: a random molecule written in their layout is read back, whichever file names the folder."""

from __future__ import annotations

from math import factorial

import field_layouts as layouts
import numpy as np
import pytest

from problems.errors import ProblemError
from problems.quantum.hamiltonians.force_field.geometry import ANGSTROM, Geometry, normal_modes, rotation_of
from problems.quantum.hamiltonians.force_field.molecule import DEBYE
from problems.quantum.readers import cfour
from problems.quantum.readers.formats import beside, file_of, format_of, read
from ttsuite.actions.import_file import import_file
from ttsuite.runs.job import configuration
from ttsuite.runs.record import Record
from ttsuite.study.config import load_study

D = 3
W, PHI = layouts.random_derivatives(11, D)
RNG = np.random.default_rng(5)
ATOMS = Geometry(("O", "H", "H"), np.array([16.0, 1.0, 2.0]), RNG.normal(size=(3, 3)))
AXES = np.linalg.eigh(ATOMS.inertia)[1]
TURNED = Geometry(ATOMS.symbols, ATOMS.masses, ATOMS.centred @ AXES)
ROTATION = rotation_of(TURNED, normal_modes(TURNED, np.diag(RNG.uniform(1.0, 2.0, 9))).vectors)
MU = RNG.normal(size=(3, D)) * 0.05, RNG.normal(size=(3, D, D)) * 0.01


def folder(tmp_path, unit: float = 1.0):
    """A run of the molecule above, its dipole in atomic units or, with ``unit`` 2.54, in debye."""
    run = tmp_path / "water"
    run.mkdir(exist_ok=True)
    for name, order in (("cubic", 3), ("quartic", 4)):
        rows = [(modes, x) for modes, x in PHI.items() if len(modes) == order]
        (run / name).write_text("".join("".join(f"{k + 6:5d}" for k in m) + f"  {x:20.10f}\n" for m, x in rows))
    text = ""
    for axis in range(3):
        text += f"  Coriolis Zeta matrix for IXYZ=                     {axis + 1} :\n    2    1   0.0000000000\n"
        for k in range(D):
            text += "".join(f"{k + 7:5d}{m + 7:5d}  {ROTATION.zeta[axis, k, m]:.15f}\n" for m in range(k))
    (run / "corioliszeta").write_text(text)
    places = [(a, b, k) for k in range(D) for a in range(3) for b in range(3)]
    slopes = ROTATION.derivatives / ANGSTROM
    (run / "didQ").write_text(
        "".join(f"{a + 1:5d}{b + 1:5d}{k + 7:5d}  {slopes[k, a, b]:.15f}\n" for a, b, k in places)
    )
    for c, name in enumerate(("dipolex", "dipoley", "dipolez")):
        first = [f"{k + 7:5d}    0    0  {unit * MU[0][c, k]:.12f}\n" for k in range(D)]
        second = [
            f"{k + 7:5d}{m + 7:5d}    0  {unit * (MU[1][c, k, m] + MU[1][c, m, k]) / 2.0:.12f}\n"
            for k in range(D)
            for m in range(D)
        ]
        (run / name).write_text("".join(first + second))
    strengths = 2.506643 * np.array(W) * 0.5 * DEBYE**2 * (MU[0] ** 2).sum(axis=0)
    lines = ["  * CFOUR Coupled-Cluster techniques for Computational Chemistry *", "  Input from ZMAT file", "***"]
    lines += ["a water", "   The full molecular point group is Cs  ."]
    lines += [f"  {irrep:>9s}  {w:12.4f}   1.0000   VIBRATION" for irrep, w in zip(("A'", "A''", "A'"), W)]
    lines += ["   Be, B0 AND B-B0 SHIFTS FOR SINGLY EXCITED VIBRATIONAL STATES (CM-1)", "  ----"]
    lines += ["    Be  " + "  ".join(f"{16.85762919164 / ROTATION.inertia[a, a]:.12f}" for a in range(3))]
    lines += ["     HARMONIC AND FUNDAMENTAL FREQUENCIES (cm-1) AND INTENSITIES (km/mol)", "  Mode Frequency"]
    for k, w in enumerate(W):
        lines.append(f"   {k + 7}  {w:.4f}  {w - 30:.4f}  -30.0000  {strengths[k]:.4f}  1.0  0.1")
    lines += ["-----", "     All levels with up to three quanta", "  8 7 0 0 0  2 1 0 0 0  5000.125  0.75  5100.250000"]
    (run / "anharm.out").write_text("\n".join(lines) + "\n")
    return run


@pytest.mark.parametrize("unit", [1.0, DEBYE])
@pytest.mark.parametrize("name", ["cubic", "didQ", "anharm.out", ""])
def test_any_file_or_the_folder_names_the_run(tmp_path, name, unit):
    path = file_of(folder(tmp_path, unit) / name)
    assert format_of(path) == "cfour" and len(beside(path)) == 7
    found = read(path)
    np.testing.assert_array_equal(found.field.frequencies, W)
    assert layouts.derivatives_of(found.field) == pytest.approx(PHI, abs=1e-9)
    np.testing.assert_allclose(found.rotation.inertia, ROTATION.inertia, atol=1e-9)
    np.testing.assert_allclose(found.rotation.zeta, ROTATION.zeta, atol=1e-14)
    np.testing.assert_allclose(found.rotation.derivatives, ROTATION.derivatives, atol=1e-13)
    for c in range(3):
        for k in range(D):
            assert found.dipole.components[c][k,] == pytest.approx(DEBYE * MU[0][c, k], abs=1e-10)
            for m in range(k, D):
                slope = (MU[1][c, k, m] + MU[1][c, m, k]) / 2.0 / (factorial(2) if k == m else 1)
                assert found.dipole.components[c][k, m] == pytest.approx(DEBYE * slope, abs=1e-10)
    assert found.irreps == ("A'", "A''", "A'") and found.point_group == "Cs" and found.field.name == "a water"
    assert found.printed[1].anharmonic == pytest.approx(W[1] - 30.0) and found.printed[1].intensities[1] == 1.0
    assert found.printed[-1].quanta == (1, 2, 0) and found.printed[-1].anharmonic == 5000.125
    assert found.notes == ()


def test_what_is_missing_or_of_another_molecule_is_told(tmp_path):
    run = folder(tmp_path)
    (run / "quartic").unlink()
    rows = [line.split() for line in (run / "didQ").read_text().splitlines()]
    (run / "didQ").write_text("".join(f"{a} {b} {k} {1.1 * float(x):.12f}\n" for a, b, k, x in rows))
    (run / "cubic").write_text((run / "cubic").read_text() + "    8    7    7   4000.0\n")
    (run / "anharm.out").write_text((run / "anharm.out").read_text().replace("-30.0000  ", "-30.0000  9"))
    found = read(run)
    assert found.rotation.derivatives is None
    told = " ".join(found.notes)
    for words in ("no file quartic", "differ by up to", "not of this molecule", "atomic units are taken"):
        assert words in told
    (run / "corioliszeta").unlink()
    assert read(run).rotation is None


@pytest.mark.parametrize(
    "name, change, told",
    [
        ("cubic", ("    7    7    7", "    7    7"), "cubic:1:1: expected 3 whole numbers"),
        ("cubic", ("    7    7    7", "    7    7    6"), "cubic:1:3: a mode must be one of 7 to 9, found 6"),
        ("corioliszeta", ("    8    7", "    8    x"), "corioliszeta:3:1: expected two modes"),
        ("corioliszeta", ("IXYZ=                     3", "IXYZ=                     2"), "fewer than three axes"),
        ("didQ", ("    1    1    7", "    4    1    7"), "didQ:1:1: an axis must be 1, 2 or 3"),
        ("dipolex", ("    7    0    0  ", "    7    0    0  0.1x"), "dipolex:1:4: value must be a number"),
        ("anharm.out", ("FUNDAMENTAL FREQ", "FUNDAMENTALS"), "cubic: no output of an anharmonic run"),
        ("anharm.out", ("   8  ", "   9  "), "anharm.out:15:1: expected mode 8"),
    ],
)
def test_a_fault_is_told_with_its_file_and_place(tmp_path, name, change, told):
    run = folder(tmp_path)
    text = (run / name).read_text()
    assert change[0] in text
    (run / name).write_text(text.replace(*change, 1))
    with pytest.raises(ProblemError) as caught:
        cfour.read(run / "cubic")
    assert any(told in message for _, message in caught.value.faults), caught.value


def test_an_output_of_any_name_is_found_and_one_of_a_harmonic_run_is_not(tmp_path):
    run = folder(tmp_path)
    text = (run / "anharm.out").read_text()
    (run / "anharm.out").write_text(text.partition("     HARMONIC")[0])
    (run / "last_output.txt").write_text(text)
    assert len(read(run).printed) == 4
    assert {file.name for file in beside(run / "cubic")} >= {"last_output.txt", "quartic"}


def test_a_file_without_the_others_and_a_folder_without_a_run_are_refused(tmp_path):
    run = folder(tmp_path)
    (run / "anharm.out").unlink()
    with pytest.raises(ProblemError, match="no output of an anharmonic run"):
        read(run)
    (run / "cubic").unlink()
    (run / "quartic").unlink()
    with pytest.raises(ProblemError, match="folder water has none"):
        read(run)


def test_a_folder_is_imported_with_its_rotation_and_dipole(tmp_path):
    done = import_file(folder(tmp_path), tmp_path / "out")
    assert {"field.csv", "rotation.csv", "dipole.csv", "printed.csv"} <= {path.name for path in done.paths}
    problem = load_study(done.configuration)[0].problem
    assert layouts.derivatives_of(problem.vibrations) == pytest.approx(PHI, rel=1e-9)
    np.testing.assert_allclose(problem.coriolis.derivatives, ROTATION.derivatives, atol=1e-9)


def test_the_folder_of_a_run_holds_every_file_that_was_read(tmp_path):
    source, kept = folder(tmp_path), tmp_path / "run"
    kept.mkdir()
    file = tmp_path / "study.yaml"
    file.write_text("problem: {kind: vibrational, force_field: {file: water}}\nsolver: {n_states: 2, workers: 1}\n")
    study = load_study(file)[0]
    data = configuration(study, Record(kept))
    assert data["problem"]["force_field"]["file"] == "cubic"
    assert {path.name for path in kept.iterdir()} == {path.name for path in source.iterdir()}
    before = read(source).rotation.inertia
    for path in source.iterdir():
        path.unlink()
    np.testing.assert_array_equal(read(kept / "cubic").rotation.inertia, before)
