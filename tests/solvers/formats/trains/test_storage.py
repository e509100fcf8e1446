"""Saving and loading: exact round trips, and every kind of bad file refused in one line."""

import io
import json
import os
import zipfile

import numpy as np
import pytest

from solvers.formats.trains.construct import kronecker_sum, random_train
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.storage import load_trains, save_trains


@pytest.fixture
def saved(tmp_path):
    rng = np.random.default_rng(0)
    h = kronecker_sum([rng.standard_normal((3, 3)) for _ in range(4)])
    trains = {
        "state/0": random_train((3, 4, 5), 3, rng).orthogonalise(1),
        "Zustand ä": random_train((2, 2), 2, rng, np.complex128),
        "H": h,
        "plain": TTOperator(h.cores),
    }
    path = tmp_path / "trains.npz"
    save_trains(path, trains)
    return path, trains


def refused(path):
    with pytest.raises(ValueError) as caught:
        load_trains(path)
    message = str(caught.value)
    assert message.count("\n") == 0
    assert os.fspath(path) in message
    return message


def test_round_trip_is_exact(saved):
    path, trains = saved
    loaded = load_trains(path)
    assert list(loaded) == list(trains)
    for name, train in trains.items():
        back = loaded[name]
        assert type(back) is type(train)
        assert back.dtype == train.dtype
        assert all(np.array_equal(p, q) for p, q in zip(back.cores, train.cores, strict=True))
    assert loaded["state/0"].centre == 1
    assert loaded["Zustand ä"].centre is None
    assert loaded["plain"].factors is None
    for given, back in zip(trains["H"].factors, loaded["H"].factors, strict=True):
        assert all(np.array_equal(p, q) for p, q in zip(given, back, strict=True))


def test_overwriting_is_atomic_and_leaves_no_temporary_file(saved, monkeypatch):
    path, trains = saved
    before = path.read_bytes()

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        save_trains(path, {"other": trains["H"]})
    assert path.read_bytes() == before
    monkeypatch.undo()
    save_trains(path, {})
    assert load_trains(path) == {}
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    with pytest.raises(TypeError, match="names and trains"):
        save_trains(path, {"array": np.ones(3)})
    with pytest.raises(OSError):
        save_trains(path.parent / "missing" / "x.npz", {})


def test_truncated_or_damaged_files_are_refused(saved, tmp_path):
    path, _ = saved
    data = path.read_bytes()
    bad = tmp_path / "bad.npz"
    for length in (0, 1, 10, len(data) // 2, len(data) - 1):
        bad.write_bytes(data[:length])
        refused(bad)
    # every stored byte is checked: change one inside the compressed data of each entry in turn
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    positions = [e.header_offset + 30 + len(e.filename) + e.compress_size // 2 for e in entries]
    assert len(positions) > 10
    for position in positions:
        changed = bytearray(data)
        changed[position] ^= 0xFF
        bad.write_bytes(changed)
        refused(bad)
    for content in (b"not a zip file at all", b"\x93NUMPY garbage"):
        bad.write_bytes(content)
        refused(bad)
    with pytest.raises(FileNotFoundError):
        load_trains(tmp_path / "missing.npz")


def write(path, manifest, **arrays):
    arrays["manifest"] = np.frombuffer(json.dumps(manifest).encode(), dtype=np.uint8)
    np.savez(path, **arrays)


def test_foreign_contents_are_refused(tmp_path):
    path = tmp_path / "x.npz"
    entry = {"name": "x", "kind": "train", "cores": 1, "centre": None}
    good = {"version": 1, "trains": [entry]}
    write(path, good, **{"0.core.0": np.ones((1, 2, 1))})
    assert load_trains(path)["x"].ranks == (1, 1)
    write(path, good, **{"0.core.0": np.full((1, 2, 1), None)})
    assert "allow_pickle" in refused(path)
    write(path, {**good, "version": 2}, **{"0.core.0": np.ones((1, 2, 1))})
    assert "version 2" in refused(path)
    write(path, good, **{"0.core.0": np.full((1, 2, 1), np.nan)})
    assert "NaN" in refused(path)
    write(path, good, **{"0.core.0": np.ones((1, 2, 2))})
    assert "rank" in refused(path)
    write(path, good)
    assert "0.core.0" in refused(path)
    write(path, [])
    refused(path)
    np.savez(path, a=np.ones(3))
    assert "manifest" in refused(path)
    buffer = io.BytesIO()
    np.save(buffer, np.ones(3))
    path.write_bytes(buffer.getvalue())
    assert "not an npz archive" in refused(path)
