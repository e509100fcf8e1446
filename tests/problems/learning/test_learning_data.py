"""What rows are read from, and where a file puts the blame."""

import numpy as np
import pytest

from problems.errors import ProblemError
from problems.learning.data import digits, planted, read_arrays, read_table, tictactoe

HEAD = "size,colour,label"
ROWS = [f"{k}.5,{'red' if k % 3 else 'blue'},{'yes' if k % 2 else 'no'}" for k in range(12)]


def table(tmp_path, rows, header=HEAD, data=None):
    path = tmp_path / "table.csv"
    path.write_bytes(data if data is not None else "\n".join([header, *rows]).encode())
    return path


def read(path, target="", categorical=(), task="automatic"):
    return read_table(path, target, categorical, task)


def test_numbers_categories_and_classes(tmp_path):
    found = read(table(tmp_path, ["# a comment", "", *ROWS]))
    assert found.names == ("size", "colour") and found.categories == (0, 2) and found.classes == ("no", "yes")
    assert found.rows[:2].tolist() == [[0.5, 0.0], [1.5, 1.0]] and found.targets[:2].tolist() == [0, 1]
    assert read(table(tmp_path, ROWS), target="size").classes == ()
    assert read(table(tmp_path, [f"{k},{k % 4},{k % 2}" for k in range(40)]), categorical=("colour",)).categories == (
        0,
        4,
    )


@pytest.mark.parametrize(
    "change, where",
    [
        (lambda rows: [*rows[:3], "nan,red,no", *rows[3:]], "table.csv:5:1: size must be a finite number, found 'nan'"),
        (lambda rows: [*rows, "wide,red,no"], "table.csv:14:1: size must be a finite number, found 'wide'"),
        (lambda rows: [*rows, "1.0,,no"], "table.csv:14:2: colour is empty"),
        (lambda rows: [*rows, "1.0,red"], "table.csv:14:1: expected 3 columns, found 2"),
        (lambda rows: [*rows, "1.0,red,maybe"], "table.csv:14:3: class 'maybe' of label is seen once"),
        (lambda rows: [f"1.0,{row.split(',', 1)[1]}" for row in rows], "table.csv:2:1: size is 1.0 in every row"),
        (
            lambda rows: [row.replace("no", "yes") for row in rows],
            "table.csv:2:3: the target label is 'yes' in every row",
        ),
        (lambda rows: rows[:4], "table.csv: 4 rows"),
    ],
)
def test_faults_have_their_place(tmp_path, change, where):
    with pytest.raises(ProblemError) as refused:
        read(table(tmp_path, change(ROWS)))
    assert where in str(refused.value) and "\n" not in str(refused.value)


def test_all_faults_at_once(tmp_path):
    with pytest.raises(ProblemError) as refused:
        read(table(tmp_path, [*ROWS, "inf,red,no", "1.0,,no"]))
    assert "table.csv:14:1" in str(refused.value) and "table.csv:15:2" in str(refused.value)


def test_other_encodings_are_told_with_their_place(tmp_path):
    text = "\n".join([HEAD, *ROWS, "1.0,grün,no"])
    with pytest.raises(ProblemError, match=r"table.csv:14:7: not UTF-8 text"):
        read(table(tmp_path, [], data=text.encode("latin1")))


def test_names_that_are_not_there(tmp_path):
    path = table(tmp_path, ROWS)
    with pytest.raises(ProblemError, match="has no column 'lable'"):
        read(path, target="lable")
    with pytest.raises(ProblemError, match="has no field 'weight'"):
        read(path, categorical=("weight",))
    with pytest.raises(ProblemError, match="no such file"):
        read(tmp_path / "none.csv")


@pytest.mark.parametrize(
    "arrays, message",
    [
        ({"images": np.array([["a"]] * 12), "targets": np.arange(12)}, r"must be \(N, rows, columns\)"),
        ({"rows": np.full((12, 1), "a"), "targets": np.arange(12) % 2}, "must be numbers, found <U1"),
        ({"rows": np.r_[np.nan, np.arange(11.0)][:, None], "targets": np.arange(12) % 2}, r"NaN .* \(0, 0\)"),
        ({"rows": np.zeros((12, 2)), "targets": np.arange(12) % 2}, "all entries are equal"),
        ({"rows": np.eye(12), "targets": np.zeros(12, dtype=int)}, "one class alone"),
        ({"rows": np.eye(12)}, "give images"),
        ({"rows": np.array([None] * 12), "targets": np.arange(12)}, "objects"),
    ],
)
def test_arrays_are_checked(tmp_path, arrays, message):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(ProblemError, match=message):
        read_arrays(tmp_path / "a.npz", "automatic")


def test_images_of_a_file(tmp_path):
    np.savez(tmp_path / "a.npz", images=np.arange(48.0).reshape(12, 2, 2), targets=np.arange(12) % 2)
    found = read_arrays(tmp_path / "a.npz", "automatic")
    assert found.image == (2, 2) and found.rows.shape == (12, 4) and found.classes == ("0", "1")
    (tmp_path / "b.npz").write_bytes(b"none")
    with pytest.raises(ProblemError, match="no npz file"):
        read_arrays(tmp_path / "b.npz", "automatic")


def test_boards_are_those_of_the_game():
    boards = tictactoe()
    assert len(boards.targets) == 958 and boards.targets.sum() == 626
    assert len(np.unique(boards.rows, axis=0)) == 958


def test_planted_products_are_what_they_are_called():
    data = planted(6, 2, 3, 500, 0.0, 1)
    assert set(np.unique(data.rows)) == {-1.0, 1.0} and set(np.unique(data.targets)) <= {-3.0, -1.0, 1.0, 3.0}
    noisy = planted(6, 2, 3, 500, 0.5, 1)
    assert np.std(noisy.targets - data.targets) == np.float64(0.5 * data.targets.std()) or np.isclose(
        np.std(noisy.targets - data.targets), 0.5 * data.targets.std(), rtol=0.1
    )


def test_digits_are_those_of_the_sizes_told():
    from problems.supervised.model import SupervisedProblem

    found, told = digits(), SupervisedProblem(kind="supervised", data="digits").sizes
    assert (told.rows, told.fields) == found.rows.shape and told.image == found.image
    assert told.classes == len(found.classes) and found.rows.max() == 1.0
