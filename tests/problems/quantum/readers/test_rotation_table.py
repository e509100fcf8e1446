"""Inertia and Coriolis constants in CSV files: both layouts, and every refusal."""

from __future__ import annotations

import numpy as np
import pytest

from problems.errors import ProblemError
from problems.quantum.readers.rotation_table import LONG, SHORT, read_rotation

KEY = "problem.rotation"
HEAD = ",".join(LONG) + "\n"
INERTIA = "I0_amu_A2,x,x,,,3.4\nI0_amu_A2,y,y,,,1.1\nI0_amu_A2,z,z,,,2.3\n"


def write(tmp_path, text):
    path = tmp_path / "rot.csv"
    path.write_text(text)
    return path


def test_the_long_layout(tmp_path):
    rows = "# note\nzeta,y,,1,3,0.25\nzeta,x,,2,1,-0.5\ndI_dQ_amu1/2_A,y,z,2,,1.5\n"
    found = read_rotation(write(tmp_path, HEAD + INERTIA + "I0_amu_A2,y,z,,,-0.2\n" + rows), 3, KEY)
    np.testing.assert_array_equal(found.inertia, [[3.4, 0, 0], [0, 1.1, -0.2], [0, -0.2, 2.3]])
    assert (found.zeta[1, 0, 2], found.zeta[1, 2, 0], found.zeta[0, 0, 1]) == (0.25, -0.25, 0.5)
    assert np.count_nonzero(found.zeta) == 4
    assert found.derivatives is not None and np.argwhere(found.derivatives).tolist() == [[1, 1, 2], [1, 2, 1]]


def test_the_short_layout_gives_the_inertia_by_constants(tmp_path):
    text = ",".join(SHORT) + "\nB_cm-1,x,,,10\nB_cm-1,y,,,5\nB_cm-1,z,,,4\nzeta,z,1,2,0.1\n"
    found = read_rotation(write(tmp_path, text), 2, KEY)
    np.testing.assert_allclose(np.diag(found.inertia), 16.85762919164 / np.array([10, 5, 4]))
    np.testing.assert_allclose(found.constants, [10, 5, 4])
    assert found.derivatives is None and found.zeta[2, 0, 1] == 0.1


def test_two_constants_are_those_of_a_linear_molecule(tmp_path):
    text = ",".join(SHORT) + "\nB_cm-1,x,,,5\nB_cm-1,z,,,5\nzeta,y,1,2,1\n"
    found = read_rotation(write(tmp_path, text), 2, KEY)
    assert found.linear and found.inertia[1, 1] == 0.0 and found.constants[1:] == pytest.approx(5.0)
    with pytest.raises(ProblemError, match="linear molecule"):
        read_rotation(write(tmp_path, text.replace("z,,,5", "z,,,6")), 2, KEY)


@pytest.mark.parametrize(
    "text, place, words",
    [
        ("", "", "empty"),
        ("quantity,value\n", ":1:1", "the header must read"),
        (HEAD, "", "no inertia"),
        (HEAD + "B_cm-1,x,x,,,5\n", "", "no inertia"),
        (HEAD + INERTIA + "zta,x,,1,2,0.1\n", ":5:1", "quantity must be one of"),
        (HEAD + INERTIA + "zeta,w,,1,2,0.1\n", ":5:2", "must be x, y or z"),
        (HEAD + INERTIA + "zeta,x,y,1,2,0.1\n", ":5:3", "must be empty"),
        (HEAD + INERTIA + "zeta,x,,1,4,0.1\n", ":5:5", "must be one of 1 to 3"),
        (HEAD + INERTIA + "zeta,x,,1,1,0.1\n", ":5:4", "with itself"),
        (HEAD + INERTIA + "zeta,x,,1,2,many\n", ":5:6", "must be a number"),
        (HEAD + INERTIA + "zeta,x,,1,2,nan\n", ":5:6", "finite"),
        (HEAD + INERTIA + "zeta,x,,1,2,0.1\nzeta,x,,2,1,0.1\n", ":6:1", "contradicts"),
        (HEAD + INERTIA + "zeta,x,,1,2\n", ":5:1", "expected 6 columns"),
        (HEAD + INERTIA + "I0_amu_A2,x,y,,,9\n", "", "positive"),
        (HEAD + INERTIA + "B_cm-1,x,x,,,5\nB_cm-1,y,y,,,5\nB_cm-1,z,z,,,5\n", "", "not those of the inertia"),
        (",".join(SHORT) + "\nI0_amu_A2,x,,,5\n", ":2:1", "needs 2 axes"),
    ],
)
def test_a_fault_is_told_with_its_place(tmp_path, text, place, words):
    with pytest.raises(ProblemError) as caught:
        read_rotation(write(tmp_path, text), 3, KEY)
    message = caught.value.faults[0][1]
    assert message.startswith(f"rot.csv{place}: ") and words in message
    assert caught.value.key == KEY


def test_all_faults_at_once(tmp_path):
    text = HEAD + INERTIA + "zeta,x,,1,9,0.1\nspin,x,,1,2,0.1\nzeta,x,,1,2,0.1,7\n"
    with pytest.raises(ProblemError) as caught:
        read_rotation(write(tmp_path, text), 3, KEY)
    assert [text.partition(": ")[0] for _, text in caught.value.faults] == ["rot.csv:5:5", "rot.csv:6:1", "rot.csv:7:1"]
