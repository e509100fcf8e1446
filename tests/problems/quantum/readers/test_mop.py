"""Force fields of SINDO and MidasCpp: coefficients of monomials in hartree, and every refusal."""

from __future__ import annotations

import math

import numpy as np
import pytest

from problems.errors import ProblemError
from problems.quantum.readers import mop
from problems.quantum.readers.formats import format_of, read
from problems.quantum.readers.table import read_csv

HARTREE = 219474.6313632  # cm-1
PHI = {(1, 1, 2): -410.5, (2, 2, 2): 96.25, (1, 1, 1, 1): 60.0, (1, 2, 2, 2): -7.5, (1, 1, 2, 2): 33.0}
FREQUENCIES = (1650.25, 980.5)


def text(forces: str = "") -> str:
    """The file of these constants: phi over the factorials of its modes, last index first as SINDO has some of them."""
    rows = [f" {w / HARTREE:.22e}" for w in FREQUENCIES]
    found = [f"SCALING FREQUENCIES N_FRQS={len(rows)}", *rows, "DALTON_FOR_MIDAS CCSD(T)/cc-pVTZ"]
    found += [f" {0.5 * w / HARTREE:.22e}    {k}    {k}" for k, w in enumerate(FREQUENCIES, start=1)]
    for modes, phi in PHI.items():
        multiplicity = math.prod(math.factorial(modes.count(k)) for k in set(modes))
        found.append(f"{phi / multiplicity / HARTREE:.22e}" + "".join(f"{k:5d}" for k in reversed(modes)))
    return "\n".join(found) + "\n" + forces


def test_it_is_the_field_of_the_table(tmp_path):
    (tmp_path / "two.mop").write_text(text())
    rows = ["order,modes,coefficient_cm-1", *(f"2,{k}-{k},{w}" for k, w in enumerate(FREQUENCIES, start=1))]
    rows += [f"{len(modes)},{'-'.join(map(str, modes))},{phi}" for modes, phi in PHI.items()]
    (tmp_path / "two.csv").write_text("\n".join(rows) + "\n")
    assert format_of(tmp_path / "two.mop") == "mop"
    molecule, table = read(tmp_path / "two.mop"), read_csv(tmp_path / "two.csv")
    assert molecule.rotation is None and molecule.notes == ()
    np.testing.assert_allclose(molecule.field.frequencies, table.frequencies, rtol=1e-14)
    assert dict(molecule.field.terms) == pytest.approx(dict(table.terms), rel=1e-13)
    assert "CCSD(T)/cc-pVTZ" in molecule.field.name


def test_forces_couplings_and_fortran_exponents_are_read(tmp_path):
    path = tmp_path / "two.mop"
    path.write_text(text("1.0d-04 2\n 2.0D-05 1 2\n 3.0D-05 1 1\n").replace("e-0", "D-0"))
    terms = mop.read(path).field.terms
    assert terms[1,] == pytest.approx(1e-4 * HARTREE) and terms[0, 1] == pytest.approx(2e-5 * HARTREE)
    assert terms[0, 0] == pytest.approx(3e-5 * HARTREE)  # what the monomial has beyond the frequency


@pytest.mark.parametrize(
    "change, place, words",
    [
        (("SCALING", "SCALED"), ":1:1", "the first line must read"),
        (("N_FRQS=2", "N_FRQS=3"), ":4:1", "frequency must be a number"),
        (("N_FRQS=2", "N_FRQS=1"), ":3:1", "expected DALTON_FOR_MIDAS"),
        (("    1    1\n", "    1    3\n"), ":5:3", "a mode must be one of 1 to 2, found '3'"),
        (("    1    1\n", "    1    0\n"), ":5:3", "found '0'"),
        (("    1    1\n", "    1    x\n"), ":5:3", "found 'x'"),
        (("    1    1\n", "\n"), ":5:1", "a monomial of 1 to 6 modes"),
        ((" 7.51", "-7.51"), ":2:1", "must be positive"),  # 1650.25 cm-1 are 7.51e-3 hartree
    ],
)
def test_a_fault_is_told_with_its_place(tmp_path, change, place, words):
    path = tmp_path / "bad.mop"
    assert change[0] in text()
    path.write_text(text().replace(*change, 1))
    with pytest.raises(ProblemError) as caught:
        mop.read(path)
    told = [message for _, message in caught.value.faults]
    assert any(message.startswith(f"bad.mop{place}: ") and words in message for message in told), told


def test_a_truncated_file_is_refused(tmp_path):
    path = tmp_path / "cut.mop"
    for lines, words in ((0, "the first line"), (2, "must be a number"), (3, "expected DALTON"), (6, "cut short")):
        path.write_text("\n".join(text().splitlines()[:lines]))
        with pytest.raises(ProblemError, match=words):
            mop.read(path)
    assert not mop.reads(tmp_path / "none.mop")
