"""A force field named by a plain string: shipped, or a file of any known format."""

from __future__ import annotations

import gaussian_files as files
import pytest

from problems.errors import ProblemError
from problems.quantum.hamiltonians.force_field.keys import load, locate, molecule_of


def test_files_of_every_format_by_their_path(tmp_path):
    (tmp_path / "made.fchk").write_text(files.checkpoint(files.made()))
    (tmp_path / "made.log").write_text(files.output(files.made()))
    (tmp_path / "one.csv").write_text("order,modes,coefficient_cm-1\n2,1-1,1000\n3,1-1-1,5\n")
    assert locate("acetonitrile", tmp_path) == "acetonitrile"
    for name, d in (("made.fchk", 3), ("made.log", 3), ("one.csv", 1)):
        path = locate(name, tmp_path)
        assert load(path).d == d and (molecule_of(path).rotation is not None) == (d == 3)


@pytest.mark.parametrize(
    "text, words",
    [
        ("acetonitril", "did you mean acetonitrile?"),
        ("mode.log", "did you mean made.log?"),
        ("folder/none.log", "no such file"),
        ("a" * 3000, "nor is there a file of that name"),
        ("nonsense", "shipped: "),
    ],
)
def test_a_name_that_is_none_is_told_with_what_comes_close(tmp_path, text, words):
    (tmp_path / "made.log").write_text("x")
    with pytest.raises(ProblemError) as caught:
        locate(text, tmp_path)
    ((key, message),) = caught.value.faults
    assert key == "problem.force_field" and words in message


def test_a_fault_in_the_file_blames_the_key_and_tells_the_line(tmp_path):
    (tmp_path / "made.log").write_text(files.output(files.made()).replace("CUBIC FORCE", "CUBIC FARCE"))
    with pytest.raises(ProblemError) as caught:
        load(locate("made.log", tmp_path))
    ((key, message),) = caught.value.faults
    assert key == "problem.force_field" and message.startswith("made.log:") and "cut short" in message
