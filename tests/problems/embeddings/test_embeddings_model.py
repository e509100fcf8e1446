"""What the YAML keys of embeddings accept, and where they and the files of text put the blame."""

import re
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sparse
from planted_text import written

import configs
from problems.embeddings.counts import planted_problem, read_counts
from problems.embeddings.text import corpus, tokens
from problems.errors import ProblemError
from ttsuite.study.config import ConfigError, load_study, make_study

WORDS = ("ant bee cat dog elk fox gnu hen " * 60).encode()
PLANTED = {"shape": [12, 10], "rank": 2, "amplitude": 1.0, "alpha": 0.3}


def study(folder, problem, solver=None):
    given = {"kind": "embeddings", **problem}
    for key in ("text", "counts", "similarity"):
        if isinstance(given.get(key), str):
            given[key] = str(folder / given[key])
    return make_study({"problem": given, "solver": {"vector_size": 3, **(solver or {})}})


def refused(folder, problem, solver=None):
    with pytest.raises(ConfigError) as found:
        study(folder, problem, solver)
    lines = [line for line in str(found.value).splitlines() if line.strip()]
    return lines[-1]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.txt").write_bytes(WORDS)
    return tmp_path


def test_a_text_is_cut_into_words_and_blocks(folder):
    (folder / "b.txt").write_text("\ufeffDon't stop, CAFÉ 12 stop-go_go!", encoding="utf-8")
    assert tokens(folder / "b.txt", "utf-8", True, "k") == ("don't", "stop", "café", "stop", "go", "go")
    found = corpus((folder / "a.txt", folder / "b.txt"), "utf-8", True, 2, 100, ("k", "k"))
    assert found.words[:8] == tuple("ant bee cat dog elk fox gnu hen".split()) and set(found.words[8:]) == {
        "go",
        "stop",
    }
    assert found.total == 486 and len(found.ids) == 484
    assert found.n_blocks == 6 and list(found.blocks[-4:]) == [5] * 4 and found.blocks[479] == 4


def test_the_keys_of_a_text(folder):
    made = study(folder, {"text": "a.txt", "block": 20})
    assert made.problem.shape == (8, 8) and made.problem.divisible
    assert made.problem.files == {"text.0": folder / "a.txt"}


@pytest.mark.parametrize(
    ("content", "problem", "said"),
    [
        (b"first line\nsome caf\xe9 here", {}, r"b.txt:2:9: byte 0xe9 is not utf-8 text.*latin-1"),
        ("words".encode("utf-16"), {}, r"b.txt:1:1: .*utf-16"),
        (b"", {}, r"b.txt:1:1: the file is empty"),
        (b"12 34 ...", {}, r"b.txt:1:1: the file has no words"),
        (b"one " * 50, {}, "one word is there 5 times"),
        (b"one two three", {}, "no word is there 5 times"),
        (WORDS, {"block": 400}, "1 blocks of 400 words, fewer than 10: give at most 48"),
        (WORDS, {"queries": ["cow"], "block": 20}, "no vector for cow"),
        (WORDS, {"encoding": "utf-9"}, "must be an encoding"),
    ],
)
def test_texts_that_cannot_be_used_are_one_line(folder, content, problem, said):
    (folder / "b.txt").write_bytes(content)
    line = refused(folder, {"text": "b.txt", **problem})
    assert re.search(said, line), line


def test_all_that_is_wrong_with_the_rest(folder):
    (folder / "pairs.csv").write_text("word1,word2,score\nant,bee,x\n")
    (folder / "same.csv").write_text("word1,word2,score\nant,bee,1\nant,cat,1\n")
    assert "pairs.csv:2:3: score must be a number, found 'x'" in refused(
        folder, {"text": "a.txt", "block": 20, "similarity": "pairs.csv"}
    )
    assert "two different scores" in refused(folder, {"text": "a.txt", "block": 20, "similarity": "same.csv"})
    assert "one of text and counts" in refused(folder, {})
    assert "one of text and counts" in refused(folder, {"text": "a.txt", "counts": PLANTED})
    assert "at most 8" in refused(folder, {"text": "a.txt", "block": 20}, {"vector_size": 9})
    assert "no such file" in refused(folder, {"text": "none.txt"})
    assert "named twice" in refused(folder, {"text": [str(folder / "a.txt"), str(folder / "x" / "a.txt")]})


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("ant,bee,nan", "c.csv:2:3: count must be finite, found nan"),
        ("ant,bee,-3", "c.csv:2:3: count is -3"),
        ("ant,bee,many", "c.csv:2:3: count must be a number, found 'many'"),
        ("ant,bee", r"c.csv:2:1: expected 3 columns"),
        ("ant,bee,1", "two words and two contexts"),
        ("ant,bee,0\nfox,cat,0", "all counts are zero"),
    ],
)
def test_counts_that_are_none_are_one_line(folder, rows, said):
    (folder / "c.csv").write_text(f"word,context,count\n{rows}\n")
    assert said in refused(folder, {"counts": "c.csv"})


def test_sparse_matrices_are_read_and_refused(folder):
    table = sparse.csr_array(np.array([[0.0, 2.0, 1.0], [3.0, 0.0, 0.0]]))
    sparse.save_npz(folder / "c.npz", table)
    found = read_counts(folder / "c.npz", "utf-8")
    assert found.words == ("0", "1") and len(found.contexts) == 3 and found.values.sum() == 6.0 and found.whole
    table.data[1] = np.nan
    sparse.save_npz(folder / "nan.npz", table)
    assert "count [0, 2] is nan" in refused(folder, {"counts": "nan.npz"})
    np.savez(folder / "other.npz", a=np.array(["x", "y"]))
    assert "no sparse matrix" in refused(folder, {"counts": "other.npz"})
    (folder / "broken.npz").write_bytes(b"no archive")
    assert "cannot be read" in refused(folder, {"counts": "broken.npz"})


def test_the_planted_maximum_is_that_of_the_listed_formula():
    given, exact = planted_problem((60, 50), 3, 1.5, 0.37, 1e5)
    assert exact == pytest.approx(-145212.6701534147, rel=1e-14) and given.bound == pytest.approx(exact, rel=1e-13)
    _, other = planted_problem((120, 100), 6, 2.0, 0.11, 1e5)
    assert other == pytest.approx(-156927.17122241494, rel=1e-14)


def test_the_shipped_text_is_what_the_generator_writes():
    folder = Path(configs.__file__).parent / "embeddings"
    text, pairs = written()
    assert (folder / "planted-text.txt").read_text(encoding="utf-8") == text
    assert (folder / "planted-pairs.csv").read_text(encoding="utf-8") == pairs
    assert load_study(folder / "planted-text.yaml")[0].problem.shape == (124, 124)


def test_a_problem_error_has_a_key():
    with pytest.raises(ProblemError) as found:
        tokens.__wrapped__(Path("/none"), "utf-8", True, "problem.text")
    assert found.value.key == "problem.text"
