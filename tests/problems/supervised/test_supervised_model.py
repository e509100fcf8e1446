"""What the YAML keys of rows with a target accept, and where they put the blame."""

import pytest

from ttsuite.study.config import ConfigError, make_study

BOARDS = {"kind": "supervised", "data": {"model": "tictactoe"}}
DIGITS = {"kind": "supervised", "data": "digits"}
NUMBERS = {"kind": "supervised", "data": {"model": "interactions"}}


def made(problem, **solver):
    return make_study({"problem": problem, "solver": solver})


def test_defaults_depend_on_the_rows():
    assert made(BOARDS).solver.model == "interactions" and made(DIGITS).solver.model == "tt"
    assert made(BOARDS).solver.against == ("linear", "boosting", "neighbours", "svm")
    assert made(DIGITS).solver.rank == 8 and "nearest" in made(DIGITS).solver.against
    assert made({**BOARDS, "study": {"label_noise": [0.4, 0.0]}}).solver.against[0] == "nearest"
    assert made({**BOARDS, "study": {"label_noise": [0.4, 0]}}).problem.levels == (0.0, 0.4)
    assert made(BOARDS, rank=[2, 4], ridge=[0.1]).solver.rank == (2, 4)
    assert made({**DIGITS, "test": 500}).problem.held(1797) == 500 and made(BOARDS).problem.held(958) == 287


@pytest.mark.parametrize(
    "problem, solver, key",
    [
        ({**BOARDS, "data": "boards.txt"}, {}, "problem.data"),
        ({**BOARDS, "data": "none.csv"}, {}, "problem.data"),
        ({**NUMBERS, "data": {"model": "interactions", "fields": 3, "order": 4}}, {}, "problem.data.order"),
        ({**NUMBERS, "data": {"model": "interactions", "fields": 900, "rows": 10**6}}, {}, "problem.data.rows"),
        ({**NUMBERS, "study": {"label_noise": [0.1]}}, {}, "problem.study.label_noise"),
        ({**BOARDS, "study": {"label_noise": [1.5]}}, {}, "problem.study.label_noise"),
        ({**BOARDS, "study": {"label_noise": [0.5, 0.5]}}, {}, "problem.study.label_noise"),
        ({**BOARDS, "test": 957}, {}, "problem.test"),
        ({**BOARDS, "splits": 1}, {}, "problem.splits"),
        ({**DIGITS, "patch": [3, 2]}, {}, "problem.patch"),
        (NUMBERS, {"model": "tt"}, "solver.model"),
        (DIGITS, {"rank": [2, 4]}, "solver.rank"),
        (BOARDS, {"ridge": 0.0}, "solver.ridge"),
        (BOARDS, {"rank": 1.5}, "solver.rank"),
        (BOARDS, {"against": ["linear", "lasso"]}, "solver.against"),
        (BOARDS, {"patch_dropout": 1.0}, "solver.patch_dropout"),
    ],
)
def test_impossible_keys_are_refused(problem, solver, key):
    with pytest.raises(ConfigError) as refused:
        made(problem, **solver)
    assert key in str(refused.value), str(refused.value)


def test_the_place_in_a_table_stands_behind_that_in_the_configuration(tmp_path):
    rows = [f"{k},a,{k % 2}" for k in range(12)]
    (tmp_path / "t.csv").write_text("\n".join(["x,y,z", *rows]))
    with pytest.raises(ConfigError, match=r"problem\.data: t\.csv:2:2: y is 'a' in every row"):
        made({"kind": "supervised", "data": str(tmp_path / "t.csv")})
