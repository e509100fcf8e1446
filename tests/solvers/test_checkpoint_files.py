"""The files a computation continues from: whole or refused, the one before kept, each for its own question."""

import numpy as np
import pytest

from solvers import checkpoint as files


def test_round_trip(tmp_path):
    rng = np.random.default_rng(1)
    arrays = {"a": rng.standard_normal((3, 2)), "b": np.array([1 + 2j]), "c": np.array(["x", "yy"])}
    data = {"numbers": [1, 2.5, np.nan], "array": np.array([[1, 2]]), "random": files.random_state(rng)}
    expected = rng.random(3)
    files.write(tmp_path / "x.npz", arrays, data)
    found, read = files.read(tmp_path / "x.npz")
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
    assert read["numbers"][:2] == [1, 2.5] and np.isnan(read["numbers"][2])
    np.testing.assert_array_equal(read["array"], [[1, 2]])
    other = np.random.default_rng(7)
    files.restore(other, read["random"])
    np.testing.assert_array_equal(other.random(3), expected)
    with pytest.raises(TypeError):
        files.write(tmp_path / "y.npz", {"o": np.array([{}], dtype=object)}, {})
    assert not (tmp_path / "y.npz").exists()


def test_every_flipped_byte_is_found_or_harmless(tmp_path):
    file = tmp_path / "x.npz"
    files.write(file, {"a": np.arange(20.0)}, {"b": 1})
    content = file.read_bytes()
    for place in range(0, len(content), 7):
        flipped = bytearray(content)
        flipped[place] ^= 0x10
        file.write_bytes(flipped)
        try:
            arrays, data = files.read(file)
        except files.CheckpointError as error:
            assert "\n" not in str(error)
        else:  # a byte of the archive that says nothing
            np.testing.assert_array_equal(arrays["a"], np.arange(20.0))
            assert data == {"b": 1}


def test_the_file_before_is_used_where_the_newest_is_missing_or_damaged(tmp_path):
    file = tmp_path / "x.npz"
    keep = files.Checkpoint(file)
    for number in (1, 2):
        keep.save(lambda number=number: ({}, {"number": number}), last=True)
    assert keep.load()[1]["number"] == 2
    file.write_bytes(b"damaged")
    assert keep.load()[1]["number"] == 1 and not file.exists()
    assert keep.load()[1]["number"] == 1
    keep.save(lambda: ({}, {"number": 3}), last=True)
    assert keep.load()[1]["number"] == 3 and files.read(files.previous(file))[1]["number"] == 1


def test_a_question_is_recognised_to_rounding(tmp_path):
    x = np.random.default_rng(3).standard_normal(50)
    keep = files.Checkpoint(tmp_path / "x.npz", files.Question([x], ["a"]))
    keep.save(lambda: ({}, {}), last=True)
    near = files.Question([x * (1 + 1e-15)], ["a"])
    assert files.Checkpoint(tmp_path / "x.npz", near).load() is not None
    for other in (files.Question([x + 1e-6], ["a"]), files.Question([x], ["b"]), files.Question([x[::-1]], ["a"])):
        with pytest.raises(files.CheckpointError, match="another computation"):
            files.Checkpoint(tmp_path / "x.npz", other).load()


def test_writing_is_rare_unless_a_stop_is_asked_for(tmp_path):
    keep, made = files.Checkpoint(tmp_path / "x.npz"), []

    def content():
        made.append(1)
        return {"a": np.zeros(1000)}, {}

    keep.save(content)
    keep._cost = 100.0
    keep.save(content)
    assert len(made) == 1
    (tmp_path / files.STOP).touch()
    keep.save(content)
    assert len(made) == 2


def test_a_journal_finds_what_was_computed(tmp_path):
    book = files.Journal(tmp_path / "solves.npz")
    for i in range(3):
        book.put(np.array([[float(i)]]), np.full((1, 4), i))
        book.flush()
    again = files.Journal(tmp_path / "solves.npz")
    np.testing.assert_array_equal(again.get(np.array([[2.0]])), np.full((1, 4), 2))
    assert again.get(np.array([[3.0]])) is None
    (tmp_path / "solves-2.npz").write_bytes(b"damaged")
    left = files.Journal(tmp_path / "solves.npz")
    assert left.get(np.array([[1.0]])) is None and left.get(np.array([[2.0]])) is not None
    left.put(np.array([[1.0]]), np.full((1, 4), 1))
    left.flush()
    assert files.Journal(tmp_path / "solves.npz").get(np.array([[1.0]])) is not None
