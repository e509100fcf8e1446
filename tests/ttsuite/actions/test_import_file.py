"""A file of another program becomes a folder that can be run; nothing is overwritten."""

from __future__ import annotations

import gaussian_files as files
import pytest

from problems.errors import ProblemError
from problems.quantum.hamiltonians.force_field.geometry import rotation_of
from ttsuite.actions.import_file import NOTES, ImportRefused, import_file
from ttsuite.command.cli import main
from ttsuite.study.config import load_study


@pytest.mark.parametrize("name, text", [("made.fchk", files.checkpoint), ("made.log", files.output)])
def test_what_is_written_is_a_study(tmp_path, name, text):
    (tmp_path / name).write_text(text(files.made()))
    done = import_file(tmp_path / name, tmp_path / "out")
    assert {path.name for path in done.paths} == {path.name for path in (tmp_path / "out").iterdir()}
    study, _ = load_study(done.configuration)
    problem = study.problem
    assert problem.kinetic == "watson" and problem.vibrations.frequencies == pytest.approx([3900.0, 3700.0, 1600.0])
    assert abs(problem.coriolis.zeta).max() == pytest.approx(
        abs(rotation_of(files.WATER, files.made().vectors).zeta).max(), abs=1e-5
    )
    notes = (tmp_path / "out" / NOTES).read_text()
    assert ("first order only" in notes) == (name == "made.log")
    assert "anharmonic constants to order 4" in done.facts


def test_a_linear_molecule_runs_with_its_rotation_terms(tmp_path):
    (tmp_path / "ocs.fchk").write_text(files.checkpoint(files.made(files.LINEAR, (2100.0, 900.0, 530.0, 520.0))))
    done = import_file(tmp_path / "ocs.fchk", tmp_path / "out")
    problem = load_study(done.configuration)[0].problem
    assert problem.kinetic == "watson" and problem.coriolis.linear


def test_nothing_is_overwritten_and_nothing_written_of_a_bad_file(tmp_path):
    (tmp_path / "made.fchk").write_text(files.checkpoint(files.made()))
    import_file(tmp_path / "made.fchk", tmp_path / "out")
    before = (tmp_path / "out" / "field.csv").read_bytes()
    with pytest.raises(ImportRefused, match="nothing is overwritten"):
        import_file(tmp_path / "made.fchk", tmp_path / "out")
    assert (tmp_path / "out" / "field.csv").read_bytes() == before
    (tmp_path / "cut.fchk").write_text(files.checkpoint(files.made())[:4000])
    with pytest.raises(ProblemError, match=r"cut\.fchk:"):
        import_file(tmp_path / "cut.fchk", tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_the_command(tmp_path, capsys):
    file, out = tmp_path / "made 1.log", tmp_path / "out"
    file.write_text(files.output(files.made()))
    assert main(["import", str(file), "--out", str(out)]) == 0
    told = capsys.readouterr().out
    assert "made 1.log (gaussian_log): 3 modes" in told and f"ttsuite run {out / 'made_1.yaml'}" in told.replace(
        "\n", " "
    )
    assert main(["import", str(file), "--out", str(out)]) == 2
    assert "nothing is overwritten" in " ".join(capsys.readouterr().err.split())
    for arguments, words in (
        ([str(tmp_path / "none.log")], "no such file"),
        ([str(file), "--format", "mop"], "SCALING FREQUENCIES"),
        ([str(file), "--format", "nonsense"], "must be one of automatic"),
    ):
        assert main(["import", *arguments, "--out", str(tmp_path / "new")]) == 2
        err = capsys.readouterr().err
        assert words in " ".join(err.split()) and "Traceback" not in err
    assert not (tmp_path / "new").exists()
