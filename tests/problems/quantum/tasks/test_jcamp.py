"""JCAMP-DX files, read back by a parser of its own that takes nothing the standard does not allow."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from problems.quantum.tasks.spectrum.jcamp import jcamp

NEEDED = ["TITLE", "JCAMP-DX", "DATA TYPE", "ORIGIN", "OWNER", "XUNITS", "YUNITS", "XFACTOR", "YFACTOR", "FIRSTX"]
NEEDED += ["LASTX", "NPOINTS", "FIRSTY", "XYDATA", "END"]
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(E[+-]?\d+)?")


def parsed(text: str) -> tuple[dict[str, str], np.ndarray, np.ndarray]:
    """Records, abscissae and ordinates of a file in AFFN form; AssertionError for what is against the standard."""
    assert text.isascii() and text.endswith("\r\n")
    lines = text.split("\r\n")[:-1]
    assert max(map(len, lines)) <= 80 and lines[0].startswith("##TITLE=") and lines[-1] == "##END="
    records: dict[str, str] = {}
    label, rows = "", []
    for line in lines:
        found = re.fullmatch(r"##([A-Z][A-Z0-9 /-]*|\$[A-Z]+)=(.*)", line)
        if found:
            label = found[1]
            assert label == "COMMENT" or label not in records, label
            records[label] = found[2]
        elif label == "XYDATA":
            rows.append(line.split(" "))
        else:
            records[label] += f" {line}"
    assert list(records)[1] == "JCAMP-DX" and set(NEEDED) <= set(records)
    assert records["XYDATA"] == "(X++(Y..Y))" and records["END"] == ""
    assert all(NUMBER.fullmatch(cell) for row in rows for cell in row)
    step = (float(records["LASTX"]) - float(records["FIRSTX"])) / (int(records["NPOINTS"]) - 1)
    x, y = [], []
    for first, *ordinates in rows:
        at = float(records["FIRSTX"]) + step * len(y)
        assert abs(float(first) * float(records["XFACTOR"]) - at) <= 0.01 * step  # the check of the abscissae
        y += [int(cell) * float(records["YFACTOR"]) for cell in ordinates]
    assert len(y) == int(records["NPOINTS"])
    assert float(records["FIRSTY"]) == pytest.approx(y[0]) and float(records["MAXY"]) == pytest.approx(max(y))
    x = float(records["FIRSTX"]) + step * np.arange(len(y))
    return records, x, np.array(y)


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    count=st.integers(2, 120),
    size=st.sampled_from([1e-12, 1.0, 1e7]),
    step=st.sampled_from([0.01, 0.3, 25.0]),
)
def test_what_is_written_is_read_back(seed, count, size, step):
    rng = np.random.default_rng(seed)
    x, y = 400.0 + step * np.arange(count), size * rng.random(count)
    records, given_x, given_y = parsed(jcamp("water", x, y, "km/mol per cm-1"))
    assert records["XUNITS"] == "1/CM" and records["DATA TYPE"] == "INFRARED SPECTRUM"
    assert np.allclose(given_x, x, atol=1e-3 * step) and np.allclose(given_y, y, rtol=0, atol=1e-9 * y.max())


def test_a_spectrum_of_nothing_and_a_title_of_anything():
    x = np.linspace(0.0, 10.0, 11)
    title = "H₂O ##END= $$ " + "long " * 40
    records, _, y = parsed(jcamp(title, x, np.zeros(11), "units", ("a note",)))
    assert not y.any() and records["TITLE"].startswith("H?O #END= $ long")
