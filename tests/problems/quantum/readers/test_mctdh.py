"""Operator files of MCTDH: units, scales and parameters of what maps, and a line for what does not."""

from __future__ import annotations

import numpy as np
import pytest

from problems.errors import ProblemError
from problems.quantum.hamiltonians.force_field.geometry import ELECTRONS, HARTREE
from problems.quantum.readers import mctdh

HEAD = "OP_DEFINE-SECTION\nend-op_define-section\nPARAMETER-SECTION\n"
MIDDLE = "end-parameter-section\nHAMILTONIAN-SECTION\nmodes | x | y\n"
TAIL = "end-hamiltonian-section\nHAMILTONIAN-SECTION_other\nmodes | x\nexp[1.0] |1 sin\nend-hamiltonian-section\n"
PLAIN = "1.0 |1 KE\n1.0 |2 KE\n0.5*k |1 q^2\n0.5*k |2 q^2\n"


def written(tmp_path, rows: str, parameters: str = "k = 1.0d-4\n", end: str = "end-operator\n"):
    path = tmp_path / "two.op"
    path.write_text(HEAD + parameters + MIDDLE + rows + TAIL + end)
    return path


def test_masses_units_and_powers_make_dimensionless_modes(tmp_path):
    parameters = "mass_x = 2.0, AMU # heavy\nw = 0.2, ev\nb = 1000.0, cm-1\nf = mass_x*w^2\nc = -3.0*b/2.0/4.0\n"
    rows = "1.0 | KE | 1\n b | 1 | KE\n0.5*f | q^2 | 1\n0.5*b | 1 | q^2\nc |1 q^2 |2 q\n -c |2 q^3\n"
    field = mctdh.read(written(tmp_path, rows, parameters)).field
    w = 0.2 / 27.211386245988 * HARTREE
    np.testing.assert_allclose(field.frequencies, [w, 1000.0], rtol=1e-12)
    square = 1.0 / (2.0 * ELECTRONS * w / HARTREE)  # of the length of x
    assert field.terms[0, 0, 1] == pytest.approx(-375.0 * square)
    assert field.terms[1, 1, 1] == pytest.approx(375.0) and len(field.terms) == 2


def test_second_derivatives_rules_and_both_signs_of_comments_are_read(tmp_path):
    rows = "usediag\n-----------\n-0.5*k |1 dq^2 ! as KE\nk |2 KE # and\n0.5*k |1 q^2\n0.5*k |2 q^2\n\nk*PI |1 q^3\n"
    field = mctdh.read(written(tmp_path, rows)).field
    np.testing.assert_allclose(field.frequencies, 1e-4 * HARTREE, rtol=1e-12)
    assert dict(field.terms) == pytest.approx({(0, 0, 0): np.pi * 1e-4 * HARTREE})


def test_a_well_that_opens_downwards_keeps_its_sign(tmp_path):
    rows = PLAIN.replace("0.5*k |1 q^2", "-0.5*k |1 q^2\nk |1 q^4\nk |1 q |2 q\nk |1 1")
    terms = mctdh.read(written(tmp_path, rows)).field.terms
    w = 0.01 * HARTREE
    assert terms[0, 0] == pytest.approx(-w) and terms[0, 1] == pytest.approx(w)
    assert terms[0, 0, 0, 0] == pytest.approx(HARTREE) and len(terms) == 3


@pytest.mark.parametrize(
    "rows, told",
    [
        (PLAIN + "1.0 |1 sin[q]\n", "the operator 'sin[q]' does not map"),
        (PLAIN + "1.0 |1 q*dq |2 q\n", "the operator 'q*dq' does not map"),
        (PLAIN + "1.0 |1 KE |2 q^2\n", "hangs on coordinates does not map"),
        (PLAIN + "1.0 |3 q\n", "expected a mode of 1 to 2 and its operator, found '3 q'"),
        (PLAIN + "a+k |1 q\n", "'a+k' is neither a number nor a parameter"),
        (PLAIN + "k/0.0 |1 q\n", "'0.0' is neither a number nor"),
        (PLAIN + "k^0.5 |1 q\n", "'k^0.5' is neither a number nor"),
        (PLAIN + "1.0 |1 q^7\n", "at most 6 coordinates"),
        (PLAIN.replace("1.0 |2 KE\n", ""), "mode y has no kinetic energy"),
        (PLAIN.replace("0.5*k |2 q^2\n", ""), "mode y has no term of q^2"),
    ],
)
def test_what_does_not_map_is_told_with_its_line(tmp_path, rows, told):
    with pytest.raises(ProblemError) as caught:
        mctdh.read(written(tmp_path, rows))
    assert any(told in message and message.startswith("two.op:") for _, message in caught.value.faults), caught.value


@pytest.mark.parametrize(
    "change, told",
    [
        (("modes | x | y", "modes | el | x"), "two.op:7:1: electronic states"),
        (("k = 1.0d-4", "k = 1.0d-4, furlong"), "two.op:4:1: expected name = value, unit"),
        (("k = 1.0d-4", "k : 1.0d-4"), "two.op:4:1: expected name = value"),
        (("modes | x | y", ""), "no row of modes"),
        (("end-operator", "LABELS-SECTION\nv = exp[1]\nend-labels-section\nend-operator"), "functions of coordinates"),
        (("end-operator", ""), "no end-operator: is the file cut short?"),
    ],
)
def test_what_is_no_operator_of_one_state_is_refused(tmp_path, change, told):
    path = written(tmp_path, PLAIN)
    path.write_text(path.read_text().replace(*change, 1))
    with pytest.raises(ProblemError) as caught:
        mctdh.read(path)
    assert any(told in message for _, message in caught.value.faults), caught.value
