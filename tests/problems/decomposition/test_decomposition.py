"""Kind decomposition: keys and what is said of wrong ones, results, verdicts, known tensors, certificate."""

import numpy as np
import pytest

from problems.decomposition.certify import interval, within_bounds
from problems.decomposition.figures import parsed
from problems.decomposition.known import integer_deviation, known_terms, matrix_multiplication
from problems.decomposition.model import DecompositionProblem
from problems.decomposition.tensors import made_arrays
from problems.families import family
from solvers.formats.hierarchical.tree import text
from ttsuite.study.config import ConfigError, make_study

W = {"model": "w_state", "modes": 3}


def study(tensor, solver=None, **problem):
    return make_study({"problem": {"kind": "decomposition", "tensor": tensor, **problem}, "solver": solver or {}})


def solved(tensor, solver=None, seed=0, **more):
    made = study(tensor, solver, **more)
    part = family("decomposition").numerics
    prepared = part.prepare(made.problem, made.solver)
    return made, part.solve(prepared, executor=None, seed=seed, callback=None, checkpoint=None)


@pytest.mark.parametrize(("n", "terms"), [(2, 7), (3, 23)])
def test_the_known_sums_multiply_matrices_exactly(n, terms):
    factors = known_terms(n)
    assert [factor.shape for factor in factors] == [(n * n, terms)] * 3
    assert integer_deviation(factors, matrix_multiplication(n)) == 0
    factors[0][0, 0] += 1
    assert integer_deviation(factors, matrix_multiplication(n)) > 0
    assert known_terms(4) is None


def test_two_terms_of_the_w_tensor_are_degenerate_and_three_are_exact():
    made, found = solved(W, {"terms": [2, 3], "starts": 1, "accuracy": 1e-10})
    sums = {one.ranks[0]: one for one in found.approximations if one.format == "cp"}
    assert (sums[2].verdict, sums[3].verdict) == ("degenerate", "converged") and found.status.name == "CONVERGED"
    assert min(start.congruence for start in sums[2].starts) < -0.9 and "border rank" in found.warnings[0]
    table = family("decomposition").known.comparison_table(made.problem, made.solver, found)
    assert [row[2] for row in table.rows] == ["3 terms", "2 terms: degenerate, as it must be"]
    assert solved(W, {"terms": 2, "starts": 1})[1].status.name == "DEGENERATE"


def test_every_format_is_within_the_accuracy_and_its_bound():
    _, found = solved(
        {"model": "random_train", "shape": [3, 4, 3, 2], "width": 2, "noise": 1e-3},
        {"accuracy": 0.01, "starts": 1, "terms": 4},
    )
    for one in found.approximations:
        assert one.error <= (0.01 if one.format != "cp" or one.verdict == "converged" else 1.0)
        assert one.bound is None or one.error <= one.bound + 1e-13
    assert {one.format for one in found.approximations} == {"tt", "ht", "tucker", "cp"}
    assert len(found.conversions) == 12 and all(one.width <= one.allowed for one in found.conversions if not one.why)


@pytest.mark.parametrize(
    ("tensor", "how", "odd_even", "theorem"),
    [
        ({"model": "random_train", "shape": [3] * 8, "width": 2}, "generic", 54, 16),
        ({"model": "example", "modes": 6, "size": 3, "width": 2}, "exact", 8, 8),
        ({"model": "random_cp", "shape": [3] * 6, "width": 4}, "generic", 4, 0),
        ({"model": "function", "function": "inverse_sum", "shape": [5, 5, 5]}, "numerical", 4, 0),
    ],
)
def test_ranks_of_unfoldings_are_exact_generic_or_numerical(tensor, how, odd_even, theorem):
    _, found = solved(tensor, {"accuracy": 1e-5}, formats=["tt"])
    known = found.unfoldings[0]
    assert (known.how, known.odd_even, known.theorem) == (how, odd_even, theorem)


@pytest.mark.parametrize("scale", [1e200, 1e-200, 1.0])
def test_files_of_any_scale(scale, tmp_path):
    rng = np.random.default_rng(0)
    array = scale * np.einsum("ir,jr,kr->ijk", *[rng.standard_normal((n, 2)) for n in (3, 4, 5)])
    np.savez(tmp_path / "a.npz", a=array, b=np.full((3, 2), scale))
    _, found = solved(str(tmp_path / "a.npz"), {"starts": 2})
    assert found.status.name == "CONVERGED" and found.names == ["a", "b"]
    assert max(one.error for one in found.approximations if one.verdict in ("", "converged")) <= 1e-6


@pytest.mark.parametrize(
    ("tensor", "more", "key", "said"),
    [
        ({"model": "w_stat", "modes": 3}, {}, "problem.tensor.model", "w_state"),
        ({"model": "example", "modes": 3, "size": 2, "width": 2}, {}, "problem.tensor.modes", "even"),
        ({"model": "random_train", "shape": [3], "width": 2}, {}, "problem.tensor.shape", "at least two numbers"),
        ({"model": "random_cp", "shape": [300] * 8, "width": 2}, {}, "problem.tensor.shape", "entries"),
        ("a.csv", {}, "problem.tensor", ".safetensors"),
        (W, {"formats": ["tt", "train"]}, "problem.formats", "tt, ht, tucker, cp"),
        (W, {"formats": []}, "problem.formats", "must be a list"),
        (W, {"tree": "((1 2) 4)"}, "problem.tree", "modes 1 to 3"),
        (W, {"tree": "(1 2"}, "problem.tree", "pairs of pairs"),
        (W, {"names": "conv*"}, "problem.names", "leave it out"),
    ],
)
def test_wrong_keys_are_told_with_their_place(tensor, more, key, said):
    with pytest.raises(ConfigError) as refused:
        study(tensor, **more)
    assert key in str(refused.value) and said in str(refused.value), refused.value


@pytest.mark.parametrize("terms", [0, [], [1, 0], 300, "few", True, [2.5]])
def test_wrong_numbers_of_terms(terms):
    with pytest.raises(ConfigError, match=r"solver\.terms"):
        study(W, {"terms": terms})


def test_faults_of_the_file_and_of_the_keys_are_told_together(tmp_path):
    np.save(tmp_path / "s.npy", np.array([["a"]]))
    with pytest.raises(ConfigError) as refused:
        study(str(tmp_path / "s.npy"), {"accuracy": 2.0, "terms": 0})
    assert [word in str(refused.value) for word in ("not numbers", "solver.accuracy", "solver.terms")] == [True] * 3


def test_an_array_that_no_format_shortens_is_told(tmp_path):
    np.save(tmp_path / "a.npy", np.random.default_rng(0).standard_normal((6, 5, 4)))
    _, found = solved(str(tmp_path / "a.npy"), formats=["tt", "ht"])
    assert "keep the array" in found.warnings[0]


def test_trees_are_read():
    made = study(W, tree="((1 3) 2)").problem
    assert isinstance(made, DecompositionProblem) and made.pairs(3, "w_state") == ((0, 2), 1)
    assert study(W, tree="train").problem.pairs(3, "w_state") == (0, (1, 2))
    assert parsed(text(((0, 2), 1))) == ((0, 2), 1)


def test_the_bounds_of_the_certificate_hold_and_see_a_wrong_error():
    tensor = {"model": "function", "function": "inverse_sum", "shape": [5, 6, 4]}
    made, found = solved(tensor, {"accuracy": 1e-3, "starts": 1})
    results = found.results()
    within = within_bounds(made.problem, results, 0)["errors"]
    np.testing.assert_allclose(within, results["errors"], atol=1e-9)
    tt = results["parts"].index("function tt")
    wrong = {**results, "errors": [0.5 if k == tt else e for k, e in enumerate(results["errors"])]}
    assert within_bounds(made.problem, wrong, 0)["errors"][tt] < 0.01
    low, high = interval(made_arrays(made.problem, 0)["function"], "tt", [1, 1])
    assert 0.0 < low <= high < 1.0
