"""What the YAML keys of a completion accept, and where they and the file of samples put the blame."""

import copy
import subprocess
import sys

import numpy as np
import pytest

from problems.completion.samples import read_csv
from problems.errors import ProblemError
from ttsuite.study.config import ConfigError, load_study, make_study

GOOD = {
    "problem": {
        "kind": "completion",
        "samples": {"function": "inverse_sum", "shape": [10, 10, 10], "fraction": 0.3},
    },
    "solver": {"max_rank": 3, "accuracy": 1e-3},
}


def changed(**entries):
    """GOOD with entries at dotted paths (dots written as __) replaced."""
    data = copy.deepcopy(GOOD)
    for path, value in entries.items():
        *parents, last = path.split("__")
        entry = data
        for parent in parents:
            entry = entry[parent]
        entry[last] = value
    return data


def csv(folder, rows, header="i1,i2,value", name="entries.csv"):
    path = folder / name
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def some_rows(shape=(6, 5), count=30, seed=0):
    rng = np.random.default_rng(seed)
    indices = np.stack(np.unravel_index(rng.permutation(np.prod(shape))[:count], shape), axis=1)
    return [",".join(map(str, index)) + f",{float(1.0 / (1.0 + index.sum()))!r}" for index in indices]


def test_a_good_one_and_its_defaults():
    study = make_study(GOOD)
    problem = study.problem
    assert problem.shape == (10, 10, 10) and problem.known == 300 and problem.tests == 700
    assert problem.fitted == 285 and problem.test_fraction == 0.1 and problem.files == {}
    assert make_study(changed(problem__samples__shape=[60, 60, 60])).problem.tests == 20_000


def test_a_rank_chosen_automatically_has_two_samples_a_parameter():
    data = changed(problem__samples__shape=[20] * 4, problem__samples__fraction=0.025)
    del data["solver"]["max_rank"]
    assert make_study(data).solver.max_rank == 6  # 1572 parameters, 3800 samples
    data["problem"]["samples"]["fraction"] = 0.002
    assert make_study(data).solver.max_rank == 1


def test_a_file_is_found_beside_the_configuration(tmp_path):
    folder = tmp_path / "deep"
    folder.mkdir()
    path = csv(folder, ["# a comment", "", *some_rows()])
    study_file = folder / "study.yaml"
    study_file.write_text(
        "problem: {kind: completion, samples: entries.csv, test_fraction: 0.5}\nsolver: {max_rank: 1}\n"
    )
    problem = load_study(study_file)[0].problem
    assert problem.file == path.resolve() and problem.files == {"samples": path.resolve()}
    assert problem.shape == (6, 5) and problem.known == 30 and problem.tests == 15 and problem.fitted == 10


@pytest.mark.parametrize(
    "entries, key, message",
    [
        ({"problem__samples__function": "inverse"}, "problem.samples.function", "inverse_sum"),
        ({"problem__samples__shape": [10]}, "problem.samples.shape", "at least two numbers"),
        ({"problem__samples__shape": [10, 1]}, "problem.samples.shape", "each at least 2"),
        ({"problem__samples__shape": [10, 2.0]}, "problem.samples.shape", "each at least 2"),
        ({"problem__samples__fraction": 1.0}, "problem.samples.fraction", "less than 1"),
        ({"problem__samples__fraction": 0.995}, "problem.samples.fraction", "only 5 entries are left"),
        ({"problem__samples__shape": [200] * 4}, "problem.samples.fraction", "more than fit"),
        ({"problem__samples__seed": 1}, "problem.samples.seed", ""),
        ({"problem__samples": 5}, "problem.samples", ""),
        ({"problem__samples": "entries.txt"}, "problem.samples", "ends in .csv"),
        ({"problem__samples": "nowhere.csv"}, "problem.samples", "no such file"),
        ({"problem__test_fraction": 0.0}, "problem.test_fraction", "greater than 0"),
        ({"solver__max_rank": 0}, "solver.max_rank", "at least 1"),
        ({"solver__max_rank": 9}, "solver.max_rank", "give max_rank 4 or less"),
        ({"solver__accuracy": 1.0}, "solver.accuracy", "less than 1"),
        ({"problem__samples__fraction": 0.02}, "solver.max_rank", "give more samples"),
    ],
)
def test_refusals_name_their_key(entries, key, message):
    with pytest.raises(ConfigError) as caught:
        make_study(changed(**entries))
    problems = caught.value.problems
    assert len(problems) == 1 and problems[0].key == key and message in problems[0].message


@pytest.mark.parametrize(
    "rows, header, message",
    [
        (["0,0,1.0"], "i,j,value", "entries.csv:1:1: the header must read i1,i2,...,id,value"),
        (["0,1.0"], "i1,value", "entries.csv:1:1: the header must read"),
        (["0,0,1.0", "0,1"], None, "entries.csv:3:1: expected 3 columns"),
        (["0,0,1.0", "0.5,1,1.0"], None, "entries.csv:3:1: i1 must be a whole number from 0, found '0.5'"),
        (["0,x,1.0"], None, "entries.csv:2:2: i2 must be a whole number"),
        (["0,0,1.0", "1,-1,1.0"], None, "entries.csv:3:2: i2 is negative (-1): indices count from 0"),
        (["0,0,1.0", "0,1,nan"], None, "entries.csv:3:3: value must be finite"),
        (["0,0,1.0", "0,1,1e999"], None, "entries.csv:3:3: value must be finite"),
        (["0,0,one"], None, "entries.csv:2:3: value must be a number, found 'one'"),
        (["0,0,1.0", "# again", "0,0,2.0"], None, "entries.csv:4:3: entry (0, 0) is 2, but 1 in line 2"),
        (["0,0,1.0", "2,0,1.0"], None, "entries.csv: no sample has i1 = 1, though i1 goes up to 2"),
        (["0,0,1.0", "0,999999999999,1.0"], None, "entries.csv: no sample has i2 = 1,"),
        (["0,0,0.0", "0,1,0"], None, "all values are zero"),
        ([], None, "no samples"),
    ],
)
def test_files_are_refused_by_line(tmp_path, rows, header, message):
    path = csv(tmp_path, rows, header or "i1,i2,value")
    with pytest.raises(ProblemError) as caught:
        read_csv(path)
    assert message in str(caught.value) and "\n" not in str(caught.value)
    assert caught.value.key == "problem.samples"


def test_equal_repetitions_are_one_sample(tmp_path):
    entries = read_csv(csv(tmp_path, ["0,0,1.5", "1,0,2.5", "0,0,1.50"]))
    np.testing.assert_array_equal(entries.indices, [[0, 0], [1, 0]])
    np.testing.assert_array_equal(entries.values, [1.5, 2.5])


def test_too_few_samples_in_a_file(tmp_path):
    csv(tmp_path, some_rows())
    data = changed(problem__samples="entries.csv", problem__test_fraction=0.4)
    with pytest.raises(ConfigError, match="rank 3 has"):
        make_study(data, tmp_path)
    with pytest.raises(ConfigError, match="only 3 entries are left to measure the error"):
        make_study(changed(problem__samples="entries.csv"), tmp_path)


def test_a_configuration_is_checked_without_the_numerics():
    code = (
        "import sys; from ttsuite.study.config import make_study; "
        f"make_study({GOOD!r}); "
        "print([name for name in ('numba', 'scipy', 'matplotlib') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
