"""certify finds what a run gets wrong and calls right: faults put in on purpose, the judges left alone.

A fault stays in while the routes are taken, as it would in the field, unless the test says otherwise: what finds it
must not share it. Whether the run itself notices is another matter, of the tests of its kind.
"""

import importlib
from pathlib import Path

import numpy as np
import pytest
from faulty import solved_otherwise

from problems.quantum.hamiltonians.terms import operators
from solvers.dynamics import full_vectors as full_states
from solvers.dynamics import second_look
from solvers.eigen import full_vectors, probe, shared_basis, start
from ttsuite.actions.certificate import CONFIRMED, CONTRADICTED

SPIN = {"basis": "spin"}
GLASS = [
    [0.7, {0: "Z", 1: "Z"}],
    [-0.4, {1: "Z", 2: "Z"}],
    [0.3, {0: "Z", 2: "Z"}],
    [0.5, {0: "X"}],
    [0.2, {1: "Z"}],
    [0.1, {2: "X"}],
]


def glass(n_states):
    problem = {"kind": "sum_of_products", "modes": [SPIN] * 3, "terms": GLASS, "task": "spectrum"}
    return {"problem": problem, "n_states": n_states, "accuracy": 1e-8}


def test_a_right_run_is_confirmed(certified):
    outcome, report = certified("exact", **glass(3))
    assert outcome.verdict == CONFIRMED and report["converged"]


@pytest.mark.parametrize("missing", [0, 1])
def test_a_missing_level(certified, monkeypatch, missing):
    def without(result):
        return {"energies": np.append(np.delete(result.energies, missing), result.energies[-1] + 1.0)}

    solved_otherwise(monkeypatch, "sum_of_products", without)
    outcome, report = certified("exact", **glass(3))
    assert report["converged"] and outcome.verdict == CONTRADICTED


def test_a_wrong_operator(certified, monkeypatch):
    """A builder that loses a small term: every method finds the wrong levels, each to all digits."""
    right = operators.sum_of_products_with_error

    def lossy(matrices, terms):
        return right(matrices, [term for term in terms if abs(term[0]) > 0.15])

    monkeypatch.setattr(operators, "sum_of_products_with_error", lossy)
    problem = glass(3)
    problem["problem"]["terms"] = [*GLASS, [0.12, {0: "X", 1: "X"}]]
    outcome, _ = certified("exact", **problem)
    assert outcome.verdict == CONTRADICTED


def spin_glass():
    """Eight spins whose low states are nearly products: sweeps from one mean field rest in the wells they began in."""
    rng, n = np.random.default_rng(3), 8
    couplings = rng.standard_normal((n, n))
    terms = [[round(float(couplings[i, j]), 2), {i: "Z", j: "Z"}] for i in range(n) for j in range(i)]
    terms += [[round(float(0.3 * rng.standard_normal()), 2), {i: "Z"}] for i in range(n)]
    terms += [[0.05, {i: "X"}] for i in range(n)]
    problem = {"kind": "sum_of_products", "modes": [SPIN] * n, "terms": terms, "task": "spectrum"}
    return {"problem": problem, "n_states": 6, "accuracy": 1e-4}


def from_one_mean_field(monkeypatch):
    """Starts of twenty vectors a bond in the mean field of one product, as large spaces without a table had them."""
    nothing = lambda operator, count, rng: (np.zeros((0, operator.d), dtype=np.int64), np.zeros(0))  # noqa: E731
    monkeypatch.setattr(full_vectors, "LARGEST", 0)
    monkeypatch.setattr("problems.quantum.hamiltonians.terms.space.tells_apart", lambda terms: False)
    monkeypatch.setattr(start, "CORNERS", 0)
    monkeypatch.setattr(start, "COLD_RANK", 20)
    for module in (start, probe):
        monkeypatch.setattr(module, "low_products", nothing)


def looked_at_above_alone(monkeypatch):
    """One random start, at a shift between the last level and the buffer."""
    shifts = probe._shifts
    monkeypatch.setattr(probe, "_shifts", lambda many, limit: shifts(many, limit)[:1])
    monkeypatch.setattr(probe, "MOST_STARTS", 1)


def found_in_vain(monkeypatch):
    """What the search finds is neither taken in nor counted."""

    def heedless(many, search, number):
        seen, _ = probe.look(many, search)
        return seen | {"missing_states": 0, "completeness": "searched 1 times"}, []

    monkeypatch.setattr(shared_basis, "searched", heedless)


@pytest.mark.parametrize("fault", [None, looked_at_above_alone, found_in_vain])
def test_starts_and_searches_that_miss_a_state(certified, monkeypatch, fault):
    if fault is None:
        monkeypatch.setattr(full_vectors, "LARGEST", 0)
        monkeypatch.setattr("problems.quantum.hamiltonians.terms.space.tells_apart", lambda terms: False)
    else:
        from_one_mean_field(monkeypatch)
        fault(monkeypatch)
    outcome, report = certified("exact", **spin_glass())
    assert report["converged"] and outcome.verdict == (CONFIRMED if fault is None else CONTRADICTED)


def test_a_state_that_is_listed_twice(certified, monkeypatch):
    """Two trains of one state, and nobody who compares them; the list is one short at its end."""

    def twice(result):
        order = [0, 0, *range(1, len(result.energies) - 1)]
        return {"energies": result.energies[order]}

    solved_otherwise(monkeypatch, "sum_of_products", twice)
    outcome, report = certified("exact", **glass(3))
    assert report["converged"] and outcome.verdict == CONTRADICTED


QUARTIC = "order,modes,coefficient_cm-1\n2,1-1,100\n4,1-1-1-1,2400\n"


def test_a_basis_that_is_too_small(certified, monkeypatch, tmp_path):
    """Eight functions in place of what the accuracy needs, and an error that knows nothing of it."""
    (tmp_path / "quartic.csv").write_text(QUARTIC)
    module = importlib.import_module("problems.quantum.tasks.spectrum.solve")
    prepare = module.prepare

    def short(problem, solver):
        basis = problem.basis.model_copy(update={"type": "harmonic", "functions": 8})
        return prepare(problem.model_copy(update={"basis": basis}), solver)

    monkeypatch.setattr(module, "prepare", short)

    def blind(result):
        return {"error_estimates": result.rank_errors + 1e-9}

    solved_otherwise(monkeypatch, "vibrational", blind)
    problem = {"kind": "vibrational", "force_field": str(tmp_path / "quartic.csv")}
    outcome, report = certified("grid", problem, n_states=4, accuracy=0.01)
    assert report["converged"] and outcome.verdict == CONTRADICTED


PACKET = {
    "kind": "wave_packet",
    "model": "ising",
    "dimension": 4,
    "J": 1.0,
    "h": 0.7,
    "initial": {"type": "product", "state": "up"},
    "observables": ["energy"],
}


@pytest.mark.parametrize("wrong", [False, True])
def test_an_error_of_an_evolution_that_is_too_small(certified, monkeypatch, wrong):
    """The fault is that of one integrator: it is taken out before another is asked."""
    patch = pytest.MonkeyPatch()
    if wrong:
        solved_otherwise(patch, "wave_packet", lambda r: {"autocorrelation": r.autocorrelation + 1e-2})
    try:
        outcome, report = certified(
            "method", PACKET, patch.undo, t_final=1.0, output_step=0.25, accuracy=1e-4, max_rank=4
        )
    finally:
        patch.undo()
    assert report["converged"] and outcome.verdict == (CONTRADICTED if wrong else CONFIRMED)


def test_a_matrix_of_a_small_system_that_is_wrong(certified, monkeypatch):
    """The looks within the run are off, and the route does without the matrix."""
    plain = full_states.sparse_matrix
    monkeypatch.setattr(full_states, "sparse_matrix", lambda operator, most: 1.01 * plain(operator, most))
    monkeypatch.setattr(second_look, "_matrix", lambda driver: second_look.Checked("matrix", "", "", True))
    monkeypatch.setattr(second_look, "LARGEST", 0)
    outcome, report = certified("method", PACKET, t_final=1.0, output_step=0.25, accuracy=1e-4, max_rank=4)
    assert report["converged"] and outcome.verdict == CONTRADICTED


@pytest.mark.parametrize("name", ["problems/exact_levels.py", "problems/quantum/tasks/spectrum/certify.py"])
def test_the_judges_do_not_come_from_the_numerics(name):
    """What computes a direct route imports neither trains nor solvers."""
    text = (Path(__file__).parents[3] / name).read_text(encoding="utf-8")
    assert "import solvers" not in text and "from solvers" not in text
