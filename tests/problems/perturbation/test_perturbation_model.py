"""What the YAML keys of perturbations accept, and where they put the blame."""

import numpy as np
import pytest

from problems.perturbation.attacks import methods
from problems.perturbation.model import layers_of
from ttsuite.study.config import ConfigError, make_study

DIGITS = {"kind": "perturbation", "data": "digits"}


def made(problem, **solver):
    return make_study({"problem": problem, "solver": solver})


def test_defaults_depend_on_the_learner():
    study = made(DIGITS)
    assert study.solver.model == "network" and study.solver.against == ("random", "gradient", "deepfool")
    assert layers_of(study.solver) == ("layer 1", "layer 2", "layer 3", "logits")
    assert layers_of(made(DIGITS, model="linear").solver) == ("logits",)
    scores = made(DIGITS, model="ht").solver
    assert layers_of(scores) == ("layer 1", "logits") and scores.rank == 8
    study = made({**DIGITS, "q": [10, 2], "eps": [0.2, 0.1], "layers": "logits"}, against=["gradient"])
    assert study.problem.eps == (0.1, 0.2) and study.problem.q == (10.0, 2.0)
    names = [method.name for method in methods(study.problem, study.solver)]
    assert names == ["logits, q = 10", "logits, q = 2", "mean gradient"]


@pytest.mark.parametrize(
    "problem, solver, key, said",
    [
        ({"eps": [0.1, -0.1]}, {}, "problem.eps", "numbers above zero"),
        ({"eps": 0.0}, {}, "problem.eps", "numbers above zero"),
        ({"eps": [0.1, 0.1]}, {}, "problem.eps", "different"),
        ({"q": 0.5}, {}, "problem.q", "numbers from 1 to 1000"),
        ({"q": "ten"}, {}, "problem.q", "numbers from 1 to 1000"),
        ({"layers": ["layer 4"]}, {}, "problem.layers", "network): layer 1, layer 2, layer 3, logits"),
        ({"layers": ["layer 2"]}, {"model": "tt"}, "problem.layers", "(tt): layer 1, logits"),
        ({"layers": [1]}, {}, "problem.layers", "list of names"),
        ({}, {"model": "boosting"}, "solver.model", "boosting has no gradients"),
        ({}, {"model": "svm"}, "solver.model", "network, linear, linear-strong, interactions, tt, ht, cp"),
        ({}, {"model": "lasso"}, "solver.model", "must be one of"),
        ({}, {"hidden": []}, "solver.hidden", "none: model linear"),
        ({}, {"against": ["random", "noise"]}, "solver.against", "automatic or a list of random, gradient, deepfool"),
        ({}, {"rank": [2, 4], "model": "tt"}, "solver.rank", "one number"),
        ({"patch": [3, 2]}, {"model": "tt"}, "problem.patch", "do not fill"),
        ({"data": {"model": "tictactoe"}}, {}, "problem.data", "every field is a category"),
        ({"data": {"model": "interactions"}}, {}, "problem.data", "the target is a number"),
        ({"test": 1796}, {}, "problem.test", "would judge"),
        ({"study": {"label_noise": [0.1]}}, {}, "problem.study", "unknown key"),
    ],
)
def test_impossible_keys_are_refused_in_one_line(problem, solver, key, said):
    with pytest.raises(ConfigError) as refused:
        made({**DIGITS, **problem}, **solver)
    assert f"{key}: " in str(refused.value) or key in str(refused.value)
    assert said in str(refused.value) and "\n" not in str(refused.value), str(refused.value)


def test_a_table_has_as_many_free_entries_as_columns_of_numbers(tmp_path):
    rows = [f"{k}.5,{'red' if k % 3 else 'blue'},{'yes' if k % 2 else 'no'}" for k in range(12)]
    (tmp_path / "t.csv").write_text("\n".join(["size,colour,label", *rows]))
    assert made({"kind": "perturbation", "data": str(tmp_path / "t.csv")}).problem.free == 1
    np.savez(tmp_path / "a.npz", images=np.arange(48.0).reshape(12, 2, 2), targets=np.arange(12) % 2)
    assert made({"kind": "perturbation", "data": str(tmp_path / "a.npz")}).problem.free == 4
