"""Dipoles and polarisabilities in CSV files: full derivatives in, coefficients of monomials out."""

from __future__ import annotations

from pathlib import Path

import pytest

from problems.errors import ProblemError
from problems.quantum.readers.property_table import DIPOLE, POLARISABILITY, read_property

TABLE = """# a comment
order,modes,axis,value
0,,z,-0.5
1,1,y,0.25
2,2-1,y,-0.125
2,2-2,z,0.5
3,1-1-2,x,2
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "dipole.csv"
    path.write_text(text)
    return path


def test_derivatives_become_coefficients(tmp_path):
    x, y, z = read_property(written(tmp_path, TABLE), 2, DIPOLE, "key").components
    atomic = 2.541746473  # debye
    assert x == {(0, 0, 1): pytest.approx(atomic * 2 / 2)}  # 3 of 3! permutations
    assert y == {(0,): pytest.approx(atomic * 0.25), (0, 1): pytest.approx(-atomic * 0.125)}
    assert z == {(): pytest.approx(-atomic * 0.5), (1, 1): pytest.approx(atomic * 0.25)}


def test_units_of_the_header(tmp_path):
    debye = read_property(written(tmp_path, TABLE.replace("value", "value_D")), 2, DIPOLE, "key")
    assert (debye.unit, debye.components[1][(0,)], debye.order) == ("D", 0.25, 3)
    text = "order,modes,axis,value\n1,1,xx,2\n1,1,yz,1\n"
    alpha = read_property(written(tmp_path, text), 1, POLARISABILITY, "key")
    assert alpha.unit == "A3" and alpha.components[0][(0,)] == pytest.approx(2 * 0.529177210903**3)
    assert alpha.components[4][(0,)] == pytest.approx(0.529177210903**3)
    cubic = read_property(written(tmp_path, text.replace("value", "value_A3")), 1, POLARISABILITY, "key")
    assert cubic.components[0][(0,)] == 2.0


@pytest.mark.parametrize(
    "change, words",
    [
        (
            ("order,modes,axis,value", "order,modes,value"),
            "dipole.csv:2:1: the header must read order,modes,axis",
        ),
        (("1,1,y,0.25", "1,3,y,0.25"), "dipole.csv:4:2: mode 3 is out of range: the force field has modes 1 to 2"),
        (("1,1,y,0.25", "1,1,w,0.25"), "dipole.csv:4:3: axis must be one of x, y, z, found 'w'"),
        (("1,1,y,0.25", "1,1-2,y,0.25"), "dipole.csv:4:2: order 1 needs 1 modes, found 2"),
        (("1,1,y,0.25", "1,1,y,nan"), "dipole.csv:4:4: value must be finite"),
        (("1,1,y,0.25", "9,1,y,0.25"), "dipole.csv:4:1: order must be a number from 0 to 6"),
        (("1,1,y,0.25", "1,1,y"), "dipole.csv:4:1: expected 4 columns"),
        (("1,1,y,0.25", "1,a,y,1"), "dipole.csv:4:2: modes must read like 1-1-3"),
        (("2,2-2,z,0.5", "2,1-2,y,0.5"), "dipole.csv:6:2: 1-2 of y contradicts -0.125 given before \\(line 5\\)"),
        (("2,2-2,z,0.5", "0,,z,-0.5"), "the value at equilibrium of z is listed twice \\(line 3\\)"),
        ((TABLE, "order,modes,axis,value\n0,,z,1\n"), "no derivatives"),
        ((TABLE, "\n"), "empty: expected the header"),
    ],
)
def test_faults(tmp_path, change, words):
    with pytest.raises(ProblemError, match=words):
        read_property(written(tmp_path, TABLE.replace(*change)), 2, DIPOLE, "key")


def test_every_fault_is_told(tmp_path):
    text = TABLE.replace("1,1,y,0.25", "1,1,q,0.25").replace("2,2-2,z,0.5", "2,2-7,z,x")
    with pytest.raises(ProblemError) as error:
        read_property(written(tmp_path, text), 2, DIPOLE, "key")
    assert [text.partition(": ")[0] for _, text in error.value.faults] == [
        "dipole.csv:4:3",
        "dipole.csv:6:4",
        "dipole.csv:6:2",
    ]
