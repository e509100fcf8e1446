"""The run folder: never overwritten, whole files or none."""

import json
from datetime import datetime

import numpy as np
import pytest

from ttsuite.runs.record import Record, RecordError, plain

NOW = datetime(2024, 5, 6, 7, 8, 9)


def test_two_runs_of_one_second_get_two_folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folders = [Record.create("job", NOW).folder.as_posix() for _ in range(3)]
    assert folders == [f"results/runs/job-20240506-070809{end}" for end in ("", "-2", "-3")]


def test_a_folder_with_anything_in_it_is_refused(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(RecordError, match="not empty"):
        Record.create("job", NOW, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    with pytest.raises(RecordError, match="is a file"):
        Record.create("job", NOW, tmp_path / "mine.txt")
    with pytest.raises(RecordError, match="cannot create"):
        Record.create("job", NOW, tmp_path / "mine.txt" / "below")


def test_an_empty_or_new_folder_is_taken_once(tmp_path):
    (tmp_path / "empty").mkdir()
    for name in ("empty", "new/below"):
        assert Record.create("job", NOW, tmp_path / name).folder == tmp_path / name
        with pytest.raises(RecordError, match="not empty"):
            Record.create("job", NOW, tmp_path / name)


def test_a_failed_write_leaves_the_old_file(tmp_path):
    record = Record(tmp_path)
    record.write("a/b.txt", "old")

    def broken(path):
        path.write_text("half")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        record.write_with("a/b.txt", broken)
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b.txt"]
    assert (tmp_path / "a" / "b.txt").read_text() == "old"


def test_json_is_strict_and_arrays_are_lists(tmp_path):
    data = {"a": np.arange(2), "b": (np.float64(1.5), float("nan")), "c": {1: np.array([np.inf])}, "d": np.True_}
    assert plain(data) == {"a": [0, 1], "b": [1.5, None], "c": {"1": [None]}, "d": True}
    Record(tmp_path).write_json("x.json", data)
    assert json.loads((tmp_path / "x.json").read_text()) == plain(data)
    with pytest.raises(TypeError):
        Record(tmp_path).write_json("y.json", {"a": object()})


def test_csv_and_log(tmp_path):
    record = Record(tmp_path)
    record.write_csv("t.csv", ["a", "b"], [[1, "x, y"]])
    assert (tmp_path / "t.csv").read_text() == 'a,b\n1,"x, y"\n'
    record.append_line("log.jsonl", {"a": 1})
    record.append_line("log.jsonl", {"a": np.nan})
    assert [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()] == [{"a": 1}, {"a": None}]
