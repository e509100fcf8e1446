"""What is wrong in a user's file: every fault at once, a line each, with its place, in every kind that reads rows."""

import numpy as np
import pytest

from problems.errors import ProblemError
from problems.tables import SHOWN, FileFaults, decoded, raise_all, rows_of
from ttsuite.study.config import ConfigError, make_study

ROWS = [f"{k}.5,{'red' if k % 3 else 'blue'},a,{'yes' if k % 2 else 'no'}" for k in range(12)]
TABLE = ["size,colour,same,label", *ROWS, "nan,red,a,no", "1.0,,a,no", "1.0,red,a,maybe"]
OF_TABLE = [
    "table.csv:2:3: same is 'a' in every row: a constant tells nothing, leave the column out",
    "table.csv:14:1: size must be a finite number, found 'nan': fill it, or leave the row out",
    "table.csv:15:2: colour is empty: give it a category of its own, such as unknown",
    "table.csv:16:4: class 'maybe' of label is seen once: it cannot be learned and judged",
]


def told(problem, solver=None):
    """The lines of a refusal, each without the key, which is the same in all."""
    with pytest.raises(ConfigError) as refused:
        make_study({"problem": problem, "solver": solver or {}})
    lines = str(refused.value).split("\n")
    assert len(lines) == len(refused.value.problems) and not any(";" in line for line in lines)
    return [line.partition(": ")[2] for line in lines]


def written(folder, name, lines, encoding="utf-8"):
    (folder / name).write_bytes("\n".join(lines).encode(encoding))
    return str(folder / name)


@pytest.mark.parametrize("kind", ["supervised"])
def test_a_table(tmp_path, kind):
    assert sorted(told({"kind": kind, "data": written(tmp_path, "table.csv", TABLE)})) == sorted(OF_TABLE)


@pytest.mark.parametrize("kind", ["supervised"])
def test_images(tmp_path, kind):
    file = str(tmp_path / "images.npz")
    images = np.arange(48.0).reshape(12, 2, 2)
    images[3, 0, 1] = np.nan
    np.savez(file, images=images, targets=np.r_[np.zeros(11), np.inf])
    lines = told({"kind": kind, "data": file})
    assert lines == [
        "images.npz[images]: NaN or infinity, the first at (3, 0, 1)",
        "images.npz[targets]: NaN or infinity, the first at 11",
    ]
    np.savez(file, images=np.full((12, 2, 2), "a"), targets=np.r_[np.zeros(11, dtype=int), 1])
    lines = told({"kind": kind, "data": file})
    assert lines[0] == "images.npz[images]: must be numbers, found <U1" and "class '1' of targets" in lines[1]


def test_names_of_columns(tmp_path):
    file = written(tmp_path, "table.csv", TABLE[:13])
    with pytest.raises(ConfigError) as refused:
        make_study(
            {"problem": {"kind": "supervised", "data": file, "target": "lable", "categorical": ["a"]}, "solver": {}}
        )
    assert [problem.key for problem in refused.value.problems] == ["problem.target", "problem.categorical"]


def test_samples(tmp_path):
    rows = ["i1,i2,value", "0,0,1.0", "-1,x,1.0", "0,0,2.0", "0,1", "1,1,nan"]
    assert told({"kind": "completion", "samples": written(tmp_path, "s.csv", rows)}, {"max_rank": 1}) == [
        "s.csv:3:1: i1 is negative (-1): indices count from 0",
        "s.csv:3:2: i2 must be a whole number from 0, found 'x'",
        "s.csv:4:3: entry (0, 0) is 2, but 1 in line 2",
        "s.csv:5:1: expected 3 columns (i1,i2,value), found 2",
        "s.csv:6:3: value must be finite, found nan",
    ]


def test_counts_texts_and_lists(tmp_path):
    counts = written(tmp_path, "c.csv", ["word,context,count", "ant,bee,many", "ant,cat,-3", "ant,cat"])
    assert told({"kind": "embeddings", "counts": counts}) == [
        "c.csv:2:3: count must be a number, found 'many'",
        "c.csv:3:3: count is -3: how often a pair was seen is not negative",
        "c.csv:4:1: expected 3 columns (word,context,count), found 2",
    ]
    text = written(tmp_path, "t.txt", ["some café"], "latin-1")
    pairs = written(tmp_path, "p.csv", ["word1,word2,score", "ant,bee,x"])
    with pytest.raises(ConfigError) as refused:
        make_study({"problem": {"kind": "embeddings", "text": [text], "similarity": [pairs]}, "solver": {}})
    assert {problem.key for problem in refused.value.problems} == {"problem.text", "problem.similarity"}


def test_arrays(tmp_path):
    file = str(tmp_path / "a.npz")
    np.savez(file, a=np.full((3, 3), np.nan), b=np.zeros((3, 3)), c=np.full((3, 3), "x"), d=np.eye(3))
    lines = told({"kind": "decomposition", "tensor": file, "names": "*"})
    assert len(lines) == 3
    assert lines[0].startswith("a.npz: a has NaN") and lines[1].startswith("a.npz: b is zero")
    assert lines[2].startswith("a.npz: c has entries of type")


def test_many_faults_are_counted():
    faults = FileFaults("f.csv", "problem.data")
    for line in range(SHOWN + 3):
        faults.add("wrong", line)
    with pytest.raises(ProblemError) as refused:
        faults.raise_any()
    lines = str(refused.value).split("\n")
    assert len(lines) == SHOWN + 1 and lines[0] == "f.csv:0:1: wrong" and lines[-1] == "f.csv: and 3 more faults"


def test_checks_are_all_made():
    def wrong(text):
        raise ProblemError(text, f"problem.{text}")

    with pytest.raises(ProblemError) as refused:
        raise_all([lambda: wrong("a"), lambda: None, lambda: wrong("b")])
    assert refused.value.faults == (("problem.a", "a"), ("problem.b", "b")) and refused.value.key == "problem.a"


def test_text_in_another_encoding_has_its_place(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes("a,b\n1,grün".encode("latin-1"))
    with pytest.raises(ProblemError, match=r"^t\.csv:2:5: not UTF-8 text: save it as UTF-8 \(iconv -f latin-1"):
        list(rows_of(path, "problem.data"))
    assert decoded(path, "problem.data", "latin-1") == "a,b\n1,grün"
    assert list(rows_of(path, "problem.data", "latin-1")) == [(1, ["a", "b"]), (2, ["1", "grün"])]
