"""Force fields in CSV files: what a row means, and every refusal."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from problems.errors import ProblemError
from problems.quantum.readers.shipped import load_force_field
from problems.quantum.readers.table import read_csv

HEADER = "order,modes,coefficient_cm-1\n"


def write(tmp_path, text):
    path = tmp_path / "field.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_potential_is_the_taylor_expansion(tmp_path):
    text = HEADER + "2,1-1,3\n2,2-2,5\n3,1-1-2,6\n4,2-2-2-2,48\n6,1-1-1-1-1-1,720\n5,2-1-1-1-1,24\n"
    field = read_csv(write(tmp_path, text))
    x, y = 0.7, -1.3
    expected = 1.5 * x**2 + 2.5 * y**2 + 3 * x * x * y + 2 * y**4 + x**6 + x**4 * y
    assert field.potential(np.array([x, y])) == pytest.approx(expected, rel=1e-14)
    assert field.potential(np.full((3, 2), 0.5)).shape == (3,)


@given(st.lists(st.integers(1, 4), min_size=3, max_size=6), st.floats(-1e4, 1e4), st.randoms())
@settings(max_examples=40, deadline=None)
def test_the_order_of_modes_in_a_row_is_free(tmp_path_factory, modes, phi, random):
    path = tmp_path_factory.mktemp("field") / "field.csv"
    shuffled = list(modes)
    random.shuffle(shuffled)
    frequencies = "".join(f"2,{i}-{i},{100 * i}\n" for i in range(1, 5))
    fields = []
    for row in (modes, shuffled):
        path.write_text(HEADER + frequencies + f"{len(row)},{'-'.join(map(str, row))},{phi!r}\n")
        fields.append(read_csv(path))
    assert fields[0].terms == fields[1].terms
    weight = math.prod(math.factorial(modes.count(mode)) for mode in set(modes))
    assert list(fields[0].terms.values()) == [pytest.approx(phi / weight)]


FREQUENCIES = "2,1-1,100\n2,2-2,200\n"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (HEADER + FREQUENCIES + "3,1-1-3,5\n", 4, "mode 3 is out of range"),
        (HEADER + FREQUENCIES + "3,0-1-1,5\n", 4, "mode 0 is out of range"),
        (HEADER + FREQUENCIES + "3,1-1-2,nan\n", 4, "finite"),
        (HEADER + FREQUENCIES + "3,1-1-2,-inf\n", 4, "finite"),
        (HEADER + FREQUENCIES + "3,1-1-2,1_0\n", 4, "a number"),
        (HEADER + FREQUENCIES + "3,1-1-2,five\n", 4, "a number"),
        (HEADER + FREQUENCIES + "3,1-1-2,5\n# note\n3,2-1-1,5\n", 6, "listed twice"),
        (HEADER + FREQUENCIES + "3,1-1-2,5\n3,1-2-1,6\n", 5, "contradicts 5"),
        (HEADER + FREQUENCIES + "2,2-2,200\n", 4, "listed twice"),
        (HEADER + "2,1-1,-100\n", 2, "must be positive"),
        (HEADER + "2,1-1,0\n", 2, "must be positive"),
        (HEADER + FREQUENCIES + "3,1-1,5\n", 4, "needs 3 modes"),
        (HEADER + FREQUENCIES + "1,3,5\n", 4, "mode 3 is out of range"),
        (HEADER + FREQUENCIES + "2,1-3,5\n", 4, "mode 3 is out of range"),
        (HEADER + FREQUENCIES + "7,1-1-1-1-1-1-1,5\n", 4, "from 1 to 6"),
        (HEADER + FREQUENCIES + "3,1-1-a,5\n", 4, "modes must read"),
        (HEADER + FREQUENCIES + "3,1-1-2\n", 4, "three columns"),
        (HEADER + FREQUENCIES + "3;1-1-2;5\n", 4, "three columns"),
        ("2,1-1,100\n", 1, "header"),
        (HEADER.encode() + b"2,1-1,100\n2,2-2,\xff\n", 3, "UTF-8"),
    ],
)
def test_a_bad_row_is_refused_with_file_and_line(tmp_path, text, line, words):
    with pytest.raises(ProblemError) as caught:
        read_csv(write(tmp_path, text))
    message = str(caught.value)
    assert message.startswith(f"field.csv:{line}:") and words in message and "\n" not in message
    assert caught.value.key == "problem.force_field"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("# only a comment\n", "empty"),
        (HEADER, "no harmonic frequencies"),
        (HEADER + "3,1-1-1,5\n", "no harmonic frequencies"),
        (HEADER + "2,1-1,100\n2,3-3,100\n", "no frequency row for mode 2"),
    ],
)
def test_a_bad_file_is_refused(tmp_path, text, words):
    with pytest.raises(ProblemError, match=words):
        read_csv(write(tmp_path, text))


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ProblemError, match="no such file"):
        load_force_field(tmp_path / "none.csv")


def test_every_fault_is_told_at_once(tmp_path):
    text = HEADER + FREQUENCIES + "3,1-1-2,five\n9,1-1,5\n3,0-1-1,5\n3,1-1-2\n2,2-2,201\n"
    with pytest.raises(ProblemError) as caught:
        read_csv(write(tmp_path, text))
    found = [text.partition(": ")[0] for _, text in caught.value.faults]
    assert found == [f"field.csv:{place}" for place in ("4:3", "5:1", "6:2", "7:1", "8:2")]
    with pytest.raises(ProblemError) as caught:
        read_csv(write(tmp_path, HEADER + "2,1-1,100\n2,4-4,100\n3,1-1-5,2\n1,9,2\n"))
    assert [text.partition(": ")[2][:24] for _, text in caught.value.faults] == [
        "no frequency row for mod",
        "no frequency row for mod",
        "mode 5 is out of range: ",
        "mode 9 is out of range: ",
    ]


def test_forces_and_couplings_of_second_order_are_terms(tmp_path):
    field = read_csv(write(tmp_path, HEADER + FREQUENCIES + "1,2,7\n2,2-1,-3\n"))
    assert dict(field.terms) == {(1,): 7.0, (0, 1): -3.0}
    assert field.potential(np.array([0.5, -2.0])) == pytest.approx(0.5 * 100 * 0.25 + 0.5 * 200 * 4 - 14 + 3)
