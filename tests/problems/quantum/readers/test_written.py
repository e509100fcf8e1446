"""The CSV files of a molecule: read again they are the molecule."""

from __future__ import annotations

from dataclasses import replace

import gaussian_files as files
import numpy as np
import pytest

from problems.errors import ProblemError
from problems.quantum.hamiltonians.force_field.field import ForceField
from problems.quantum.hamiltonians.force_field.molecule import Molecule
from problems.quantum.readers import gaussian_fchk
from problems.quantum.readers.rotation_table import read_rotation
from problems.quantum.readers.table import read_csv
from problems.quantum.readers.written import tables_of


@pytest.fixture(scope="module")
def molecule(tmp_path_factory):
    path = tmp_path_factory.mktemp("made") / "made.fchk"
    path.write_text(files.checkpoint(files.made()))
    return gaussian_fchk.read(path)


def test_field_and_rotation_read_again(tmp_path, molecule):
    tables = tables_of(molecule)
    for name, text in tables.items():
        (tmp_path / name).write_text(text)
    field = read_csv(tmp_path / "field.csv")
    np.testing.assert_allclose(field.frequencies, molecule.field.frequencies, rtol=1e-11)
    assert dict(field.terms) == pytest.approx(dict(molecule.field.terms), rel=1e-11)
    rotation = read_rotation(tmp_path / "rotation.csv", 3, "key")
    np.testing.assert_allclose(rotation.inertia, molecule.rotation.inertia, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(rotation.zeta, molecule.rotation.zeta, rtol=1e-10)
    np.testing.assert_allclose(rotation.derivatives, molecule.rotation.derivatives, rtol=1e-10)


def test_dipole_rows(molecule):
    rows = tables_of(molecule)["dipole.csv"].splitlines()
    assert rows[0] == "order,modes,axis,value_D" and rows[1].startswith("0,,x,")
    found = {tuple(row.split(",")[1:3]): float(row.split(",")[3]) for row in rows[1:]}
    assert found["1-1-2", "y"] == pytest.approx(2.0 * molecule.dipole.components[1][0, 0, 1])  # a full derivative
    assert tables_of(molecule)["polarisability.csv"].startswith("order,modes,axis,value_A3\n0,,xx,")


def test_a_second_order_term_becomes_part_of_its_frequency(tmp_path):
    """The same Hamiltonian: the potential at the same Q, with Q = q / sqrt(w)."""
    field = ForceField("a", "cm-1", np.array([1000.0, 2000.0]), {(0, 0): 100.0, (0, 0, 1): 30.0, (0, 1): 7.0})
    (tmp_path / "field.csv").write_text(tables_of(Molecule(field))["field.csv"])
    other = read_csv(tmp_path / "field.csv")
    assert other.frequencies[0] == pytest.approx(np.sqrt(1000.0 * 1200.0))
    points = np.random.default_rng(0).standard_normal((5, 2))
    scale = np.sqrt(other.frequencies / field.frequencies)
    np.testing.assert_allclose(field.potential(points), other.potential(points * scale), rtol=1e-10)
    with pytest.raises(ProblemError, match="imaginary"):
        tables_of(Molecule(replace(field, terms={(0, 0): -600.0})))


def test_what_a_table_cannot_hold_is_refused():
    field = ForceField("a", "cm-1", np.array([1000.0]), {}, rotation={((0, (1, 2)),): 3.0})
    with pytest.raises(ProblemError, match="products with momenta"):
        tables_of(Molecule(field))
    with pytest.raises(ProblemError, match="are in cm-1"):
        tables_of(Molecule(replace(field, rotation={}, unit="model units")))
