"""Hamiltonians of QCMaquis with momenta: the operator of the file, element by element, is that of the field."""

from __future__ import annotations

from itertools import product
from math import sqrt

import field_layouts as layouts
import numpy as np
import pytest

from problems.errors import ProblemError
from problems.quantum.hamiltonians.force_field.rotation import PARTS, momentum_matrices
from problems.quantum.readers import qcmaquis
from ttsuite.actions.import_file import import_file
from ttsuite.command.cli import main

N, KEPT = 12, 6  # functions a mode; those whose elements no cut touches
B = np.diag(np.sqrt(np.arange(1.0, N)), 1)  # lowers
LADDERS = {1: B.T + B, -1: B.T - B}
Q, SLOPE = (B + B.T) / sqrt(2.0), (B - B.T) / sqrt(2.0)


def of_rows(rows) -> np.ndarray:
    """Sum of products of the operators of each row, for two modes."""
    total = np.zeros((N, N, N, N))
    for value, operators in rows:
        sides = [np.eye(N), np.eye(N)]
        for operator in operators:
            sides[abs(operator) - 1] = sides[abs(operator) - 1] @ LADDERS[1 if operator > 0 else -1]
        total += value * np.einsum("ab,cd->acbd", *sides)
    return total


def of_field(field) -> np.ndarray:
    parts = dict(zip(PARTS, momentum_matrices(Q, SLOPE)))
    powers = [np.linalg.matrix_power(Q, a) for a in range(7)]
    total = np.zeros((N, N, N, N))
    products = [(tuple((k, (m.count(k), 0)) for k in sorted(set(m))), c) for m, c in field.terms.items()]
    for k, w in enumerate(field.frequencies):
        products += [(((k, (2, 0)),), 0.5 * w), (((k, (0, 2)),), -0.5 * w)]
    for key, c in [*products, *field.rotation.items()]:
        sides = [np.eye(N), np.eye(N)]
        for k, (a, n) in key:
            sides[k] = parts[a, n] if n else powers[a]
        total += c * np.einsum("ab,cd->acbd", *sides)
    return total


def text(rows) -> str:
    return "".join(f"{value:.17E} " + " ".join(map(str, [*o, *[0] * (6 - len(o))])) + "\n" for value, o in rows)


def coriolis(rng) -> list[tuple[float, tuple[int, ...]]]:
    """The rows of (sum of q_k p_l)^2 for two modes, times a constant, in every order that a program may write."""
    z = float(rng.normal())
    pi = [(z, (1, -2)), (-z / 1.7, (2, -1))]
    return [(a * b, left + right) for (a, left), (b, right) in product(pi, pi)]


@pytest.mark.parametrize("seed", range(3))
def test_products_with_momenta_are_the_operator_of_the_file(tmp_path, seed):
    rng = np.random.default_rng(seed)
    rows = [(250.0, (1, 1)), (-250.0, (-1, -1)), (410.0, (2, 2)), (-410.0, (-2, -2)), (-31.5, (1, 1, 2))]
    rows += [(12.25, (1, 1, 2, 2)), (0.5, (-1, 2, -1)), (2.5, (1, -1, -1, 1)), (-0.25, (-2, 1, 1, -2)), *coriolis(rng)]
    path = tmp_path / "integrals"
    path.write_text(text(rows))
    assert qcmaquis.reads(path)
    found = qcmaquis.read(path).field
    assert found.rotation and found.frequencies[0] == 1000.0
    part = np.s_[:KEPT, :KEPT, :KEPT, :KEPT]
    expected = of_rows(rows)[part]
    np.testing.assert_allclose(of_field(found)[part], 0.5 * (expected + expected.transpose(2, 3, 0, 1)), atol=1e-9)


@pytest.mark.parametrize(
    "row, told",
    [
        ((1.0, (1, -2)), "not symmetric"),
        ((1.0, (-1, -1, -1, -1)), ":5:1: a product with such momenta of mode 1"),
        ((1.0, (3, 3, 3)), "no kinetic energy of mode 3"),
        ((1.0, ()), ":5:1: a product of 1 to 6 operators"),
    ],
)
def test_what_is_no_hamiltonian_is_refused(tmp_path, row, told):
    path = tmp_path / "integrals"
    path.write_text(text([(250.0, (1, 1)), (-250.0, (-1, -1)), (41.0, (2, 2)), (-41.0, (-2, -2)), row]))
    with pytest.raises(ProblemError) as caught:
        qcmaquis.read(path)
    assert any(told in message for _, message in caught.value.faults), caught.value


def test_its_momenta_take_no_others_beside_them(tmp_path, capsys):
    rows = [(250.0, (1, 1)), (-250.0, (-1, -1)), (410.0, (2, 2)), (-410.0, (-2, -2)), (12.0, (1, 1, 1, 1))]
    (tmp_path / "integrals").write_text(text([*rows, *coriolis(np.random.default_rng(1))]))
    table = "quantity,axis1,axis2,mode1,mode2,value\nB_cm-1,x,x,,,5\nB_cm-1,y,y,,,4\nB_cm-1,z,z,,,3\nzeta,x,,1,2,0.1\n"
    (tmp_path / "rot.csv").write_text(table)
    file = tmp_path / "two.yaml"
    more = ", rotation: rot.csv, kinetic: watson"
    study = "problem: {{kind: vibrational, force_field: {{file: integrals}}{}}}\nsolver: {{n_states: 2}}\n"
    file.write_text(study.format(more))
    assert main(["validate", str(file)]) == 2
    assert "problem.kinetic: the file has products with momenta of its own" in capsys.readouterr().err
    file.write_text(study.format(""))
    assert main(["validate", str(file)]) == 0
    with pytest.raises(ProblemError, match="products with momenta"):
        import_file(tmp_path / "integrals", tmp_path / "out")


def test_without_momenta_it_is_a_force_field(tmp_path):
    w, phi = layouts.random_derivatives(2, 3, 6)
    path = tmp_path / "integrals"
    path.write_text(layouts.qcmaquis_text(w, phi))
    assert layouts.derivatives_of(qcmaquis.read(path).field) == pytest.approx(phi, rel=1e-11)
