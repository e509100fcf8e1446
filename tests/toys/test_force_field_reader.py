"""A reader of one file that a package brings by an entry point: its files are force fields like any other."""

import numpy as np
import pytest
from installed import TOYS, installed

from problems.quantum.readers.formats import GROUP, format_of, formats, reader
from ttsuite import resume, run
from ttsuite.actions.run import load
from ttsuite.command.cli import main
from ttsuite.runs.layout import CONFIGURATION_FILE

TOY = "toy force field\nomega 1000 1500\nphi 1 1 2 -120\nphi 1 1 1 1 60\nphi 2 2 2 2 40\n"
CSV = "order,modes,coefficient_cm-1\n2,1-1,1000\n2,2-2,1500\n3,1-1-2,-120\n4,1-1-1-1,60\n4,2-2-2-2,40\n"
STUDY = "problem:\n  kind: vibrational\n  force_field: {file: FILE}\nsolver: {n_states: 4, workers: 1}\n"
ENTRIES = {"toy": "force_field_reader", "csv": "force_field_reader", "automatic": "force_field_reader"}


class Stop:
    """A listener that stops a run where it first tells something."""

    def started(self, study, folder):
        return

    def passed(self, state):
        raise KeyboardInterrupt

    def ended(self, report):
        return


@pytest.fixture
def study(tmp_path):
    with installed(tmp_path / "site", {"force_field_reader.py": TOYS / "force_field_reader.py"}, {GROUP: ENTRIES}):
        yield written(tmp_path, "field.toy", TOY)


def written(folder, name, content, study=STUDY):
    """A configuration, and the file of its field beside it."""
    (folder / name).write_text(content)
    file = folder / f"{name.partition('.')[2]}.yaml"
    file.write_text(study.replace("FILE", name))
    return file


def test_it_is_one_file_of_40_lines():
    assert len((TOYS / "force_field_reader.py").read_text().splitlines()) <= 40


def test_it_is_there_where_it_is_installed(study):
    assert formats()[-1] == "toy" and formats().count("csv") == 1
    assert reader("csv").__name__ == "problems.quantum.readers.table"  # no name is taken away
    assert format_of(study.parent / "field.toy") == "toy"


def test_without_its_entry_point_it_is_not(tmp_path, capsys):
    file = written(tmp_path, "field.toy", TOY)
    assert "toy" not in formats() and main(["validate", str(file)]) == 2
    told = capsys.readouterr().err
    assert "toy.yaml:3:23: problem.force_field.file: field.toy:1:1: the file is of none of the known" in told


@pytest.mark.parametrize("given", ["{file: field.toy}", "{file: field.toy, format: toy}"])
def test_it_is_validated_and_dry_run(study, given, capsys):
    study.write_text(STUDY.replace("{file: FILE}", given))
    assert main(["validate", str(study)]) == 0
    assert main(["run", "--dry-run", str(study)]) == 0 and "operator TT-ranks" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "content", "told"),
    [
        (
            "{file: field.toy}",
            TOY.replace("1 1 2 -120", "1 1 two -120"),
            "3:23: problem.force_field.file: field.toy:3: ",
        ),
        ("{file: none.toy}", TOY, "3:23: problem.force_field.file: no such file"),
        ("{file: field.toy, format: csv}", TOY, "3:23: problem.force_field.file: field.toy:1:1: the header must read"),
        ("{file: field.toy, format: tot}", TOY, "3:42: problem.force_field.format: must be one of automatic, csv, "),
        ("{file: field.toy, formt: toy}", TOY, "3:34: problem.force_field.formt: unknown key (did you mean format?)"),
        ("{format: toy}", TOY, "problem.force_field.file: missing"),
        ("{file: field.toy}", "omega 1000\n", "3:23: problem.force_field.file: field.toy:1:1: the file is of none of"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(study, given, content, told, capsys):
    study.write_text(STUDY.replace("{file: FILE}", given))
    (study.parent / "field.toy").write_text(content)
    assert main(["validate", str(study)]) == 2
    assert told in capsys.readouterr().err


def test_it_runs_to_the_levels_of_the_same_field_in_a_table(study, tmp_path):
    table = written(tmp_path, "field.csv", CSV)
    levels = [np.array(run(file, out=tmp_path / file.stem).report["results"]["energies"]) for file in (study, table)]
    assert np.array_equal(*levels)


def test_it_is_kept_with_the_run_and_the_run_goes_on(study, tmp_path):
    stopped = run(study, out=tmp_path / "run", listener=Stop())
    assert stopped.status == "interrupted" and (tmp_path / "run" / "field.toy").read_text() == TOY
    (tmp_path / "field.toy").unlink()
    assert resume(tmp_path / "run").status == "finished"
    assert "file: field.toy" in (tmp_path / "run" / CONFIGURATION_FILE).read_text()
    assert len(load(tmp_path / "run").result().energies) == 4


def test_a_wave_packet_moves_on_it(study, tmp_path):
    study.write_text(
        "problem:\n  kind: wave_packet\n  model: force_field\n  force_field: {file: field.toy}\n"
        "  initial: {type: gaussian, centre: 0.5}\nsolver: {t_final: 0.002, accuracy: 1.0e-3, workers: 1}\n"
    )
    done = run(study, out=tmp_path / "run")
    assert done.status == "finished" and (done.folder / "field.toy").exists()
