"""The YAML keys of kind vibrational."""

import pytest
from pydantic import ValidationError

from problems.errors import ProblemError
from problems.quantum.kinds.vibrational import VibrationalProblem, complete
from problems.quantum.tasks.spectrum.keys import SpectrumSolver

CHAIN = {"model": "henon_heiles", "dimension": 4}


def problem(**keys):
    return VibrationalProblem.model_validate({"kind": "vibrational", "force_field": CHAIN} | keys)


def test_defaults():
    made = problem()
    assert (made.mode_order, made.basis.type, made.basis.functions) == (
        "automatic",
        "contracted",
        "automatic",
    )
    assert made.force_field.coupling == 0.111803 and made.field.d == 4 and made.references == []
    solver = complete(made, SpectrumSolver(n_states=3))
    assert (solver.accuracy, solver.method, solver.max_rank) == (1e-6, "automatic", "automatic")


def test_the_default_accuracy_depends_on_the_unit():
    acetonitrile = problem(force_field="acetonitrile")
    assert complete(acetonitrile, SpectrumSolver(n_states=3)).accuracy == 0.01
    assert complete(problem(), SpectrumSolver(n_states=3, accuracy=0.01)).accuracy == 0.01
    assert acetonitrile.references[0].judge and acetonitrile.files == {}


def test_models_of_quadratic_order_have_exact_references():
    made = problem(force_field={"model": "coupled_oscillators", "dimension": 6, "coupling": 0.1})
    assert [reference.name for reference in made.references] == ["exact"]


def test_a_file_is_found_beside_the_configuration(tmp_path):
    (tmp_path / "own.csv").write_text("order,modes,coefficient_cm-1\n2,1-1,100\n")
    data = {"kind": "vibrational", "force_field": "own.csv"}
    made = VibrationalProblem.model_validate(data, context={"directory": tmp_path})
    assert made.field.name == "own" and made.files == {"force_field": tmp_path / "own.csv"}


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"mode_order": [1, 2, 3]}, "each of the modes 1 to 4 once"),
        ({"mode_order": [0, 1, 2, 3]}, "each of the modes 1 to 4 once"),
        ({"mode_order": [1, 1, 2, 3]}, "each of the modes 1 to 4 once"),
        ({"mode_order": "random"}, "automatic, frequency or a list"),
        ({"basis": {"functions": [3, 3]}}, "needs 4 numbers"),
        ({"basis": {"functions": 0}}, "at least 1"),
        ({"basis": {"functions": 2.5}}, "integer"),
        ({"basis": {"functions": True}}, "integer"),
        ({"basis": {"functions": []}}, "integer"),
        ({"force_field": "acetonitril"}, "did you mean acetonitrile"),
        ({"force_field": "none.csv"}, "no such file"),
        ({"force_field": {"model": "henon_heiles", "dimension": 0}}, "greater than or equal to 1"),
        ({"force_field": {"model": "coupled_oscillators", "dimension": 4, "coupling": 5.0}}, "unbounded"),
    ],
)
def test_refusals(keys, words):
    with pytest.raises(ValidationError, match=words):
        problem(**keys)


@pytest.mark.parametrize("keys", [{"n_states": 0}, {"n_states": 3, "accuracy": 0.0}, {"n_states": 3, "workers": 0}])
def test_solver_refusals(keys):
    with pytest.raises(ValidationError):
        SpectrumSolver.model_validate(keys)


def test_more_states_than_functions_is_refused():
    small = problem(basis={"functions": 2})
    assert complete(small, SpectrumSolver(n_states=16)).n_states == 16
    with pytest.raises(ProblemError, match="only 16 functions") as caught:
        complete(small, SpectrumSolver(n_states=17))
    assert caught.value.key == "solver.n_states"
