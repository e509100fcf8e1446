"""Bases, operators, boundedness and the whole solution of force fields against dense diagonalisation."""

from __future__ import annotations

from itertools import combinations_with_replacement
from math import factorial
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from problems.errors import ProblemError
from problems.quantum.hamiltonians.force_field import basis, operators
from problems.quantum.hamiltonians.force_field.field import ForceField, coupled_oscillators, henon_heiles
from problems.quantum.hamiltonians.force_field.primitives import Primitive, position_powers
from problems.quantum.kinds.vibrational import VibrationalProblem
from problems.quantum.readers.shipped import load_force_field
from problems.quantum.tasks.spectrum.keys import SpectrumSolver
from problems.quantum.tasks.spectrum.solve import prepare, solve
from solvers.solution import Status

PUBLISHED_RANKS = [1, 5, 9, 14, 21, 25, 26, 24, 18, 15, 8, 5, 1]


def dense_levels(field: ForceField, n: int, count: int) -> np.ndarray:
    """Levels in the full product of n harmonic functions a mode; an independent construction."""
    powers = position_powers(n)
    d = field.d
    total = sparse.csr_array((n**d, n**d))

    def product(matrices: dict[int, np.ndarray]) -> sparse.csr_array:
        found = sparse.csr_array(np.eye(1))
        for k in range(d):
            found = sparse.kron(found, matrices.get(k, np.eye(n)), format="csr")
        return found

    for k in range(d):
        total = total + product({k: field.frequencies[k] * np.diag(np.arange(n) + 0.5)})
    for modes, c in field.terms.items():
        total = total + c * product({k: powers[modes.count(k)] for k in set(modes)})
    return np.linalg.eigvalsh(total.toarray())[:count]


def random_field(seed: int, d: int, order: int) -> ForceField:
    """A bounded random field: strong diagonal even terms, weaker couplings of every order."""
    rng = np.random.default_rng(seed)
    w = rng.uniform(400.0, 1800.0, d)
    terms: dict[tuple[int, ...], float] = {}
    for n in range(3, order + 1):
        for modes in combinations_with_replacement(range(d), n):
            if len(set(modes)) == 1:
                size = 0.012 * w[modes[0]] if n % 2 == 0 else 0.02 * w[modes[0]] * rng.standard_normal()
                terms[modes] = size / (1 if n < 5 else 8)
            elif rng.random() < 0.5:
                terms[modes] = 0.02 / 4 ** (n - 3) * np.sqrt(w[modes[0]] * w[modes[-1]]) * rng.standard_normal()
    return ForceField("random", "cm-1", w, terms)


def write_csv(field: ForceField, path: Path) -> Path:
    rows = ["order,modes,coefficient_cm-1"]
    rows += [f"2,{k + 1}-{k + 1},{w!r}" for k, w in enumerate(field.frequencies.tolist())]
    for modes, c in field.terms.items():
        multiplicity = np.prod([factorial(modes.count(k)) for k in set(modes)])
        rows.append(f"{len(modes)},{'-'.join(str(k + 1) for k in modes)},{float(c * multiplicity)!r}")
    path.write_text("\n".join(rows) + "\n")
    return path


def run(field, n_states: int, accuracy: float = 0.01, **keys):
    problem = VibrationalProblem.model_validate({"kind": "vibrational", "force_field": field, **keys})
    return solve(prepare(problem, SpectrumSolver(n_states=n_states, accuracy=accuracy)))


@pytest.mark.parametrize(("seed", "d", "order", "n"), [(1, 3, 4, 13), (2, 3, 6, 14), (4, 2, 6, 30), (6, 1, 4, 40)])
def test_a_field_nobody_listed(tmp_path: Path, seed: int, d: int, order: int, n: int) -> None:
    field = random_field(seed, d, order)
    result = run(str(write_csv(field, tmp_path / "field.csv")), 12)
    reference = dense_levels(field, n, 12)
    coarse = dense_levels(field, n - 2, 12)
    settled = np.abs(reference - coarse) < 1e-3  # of the reference itself
    errors = np.abs(result.energies - reference)[settled]
    assert settled.sum() >= 4 and result.status is Status.CONVERGED
    assert errors.max() <= 0.01
    assert np.mean(errors <= result.error_estimates[settled] + 2e-3) >= 0.95


def test_the_basis_part_tells_what_a_small_basis_costs() -> None:
    field = {"model": "henon_heiles", "dimension": 2, "coupling": 0.111803}
    small = run(field, 4, 1e-9, basis={"type": "harmonic", "functions": 8})
    exact = dense_levels(henon_heiles(2, 0.111803), 24, 4)
    true = small.energies - exact
    assert np.all(true > 0) and true.max() > 1e-6
    assert np.all(small.basis_errors >= 0.3 * true) and np.all(small.basis_errors <= 20 * true)
    np.testing.assert_allclose(small.energies, dense_levels(henon_heiles(2, 0.111803), 8, 4), atol=1e-9)


def of_oscillators(d: int, coupling: float) -> float:
    """The exact lowest level of coupled oscillators."""
    w = np.sqrt(np.arange(1, d + 1) / 2.0)
    b = np.diag(w) + coupling * (1 - np.eye(d))
    return 0.5 * float(np.sqrt(np.linalg.eigvalsh(np.sqrt(w)[:, None] * b * np.sqrt(w)[None, :])).sum())


@pytest.mark.parametrize(("d", "functions", "accuracy"), [(12, 1, 0.01), (5, 2, 1e-5), (4, [2, 1, 3, 1], 1e-4)])
def test_few_functions_that_two_modes_leave_at_once(d: int, functions, accuracy: float) -> None:
    """No mode alone gains anything: q_i q_j makes pairs of quanta."""
    field = {"model": "coupled_oscillators", "dimension": d, "coupling": 0.1}
    result = run(field, 1, accuracy, basis={"functions": functions})
    true = result.energies[0] - of_oscillators(d, 0.1)
    assert true > accuracy
    assert true <= result.error_estimates[0] <= 5 * true
    assert result.status is Status.BASIS_LIMIT and not result.state_converged.any()


def test_few_functions_that_are_enough() -> None:
    result = run({"model": "coupled_oscillators", "dimension": 5, "coupling": 0.1}, 1, 1e-3, basis={"functions": 3})
    assert result.status is Status.CONVERGED
    assert result.energies[0] - of_oscillators(5, 0.1) <= result.error_estimates[0] <= 1e-4


@pytest.mark.parametrize(("seed", "functions"), [(4, [3, 2]), (7, [2, 4]), (8, 3)])
def test_few_functions_of_a_field_nobody_listed(tmp_path: Path, seed: int, functions) -> None:
    field = random_field(seed, 2, 4)
    keys = {"basis": {"type": "harmonic" if seed == 7 else "contracted", "functions": functions}}
    result = run(str(write_csv(field, tmp_path / "field.csv")), 2, 1e-3, **keys)
    true = result.energies - dense_levels(field, 30, 2)
    assert np.all(true > 1e-3) and not result.state_converged.any() and result.status is Status.BASIS_LIMIT
    assert np.all(true <= result.error_estimates) and np.all(result.error_estimates <= 10 * true)


def test_a_state_that_lies_outside_is_not_converged(tmp_path: Path) -> None:
    """More of it is left out than second order can tell, whatever the accuracy."""
    w = np.array([100.0, 140.0])
    field = ForceField("skew", "cm-1", w, {(k,) * n: c * w[k] for k in range(2) for n, c in ((3, 0.5), (4, 0.2))})
    keys = {"basis": {"type": "harmonic", "functions": 1}}
    result = run(str(write_csv(field, tmp_path / "field.csv")), 1, 300.0, **keys)
    (look,) = [c for c in result.checked if c.what == "functions left out"]
    assert not look.passed and result.status is Status.BASIS_LIMIT


def test_coupled_oscillators_to_many_digits() -> None:
    result = run({"model": "coupled_oscillators", "dimension": 4, "coupling": 0.1}, 12, 1e-9)
    w = np.sqrt(np.arange(1, 5) / 2.0)
    b = np.diag(w) + 0.1 * (1 - np.eye(4))
    omega = np.sqrt(np.linalg.eigvalsh(np.sqrt(w)[:, None] * b * np.sqrt(w)[None, :]))
    quanta = np.array(np.meshgrid(*[np.arange(8)] * 4, indexing="ij")).reshape(4, -1)
    exact = np.sort((quanta + 0.5).T @ omega)[:12]
    np.testing.assert_allclose(result.energies, exact, rtol=0, atol=1e-9)
    assert result.status is Status.CONVERGED and set(result.symmetry) == {"+", "-"}


def test_parities_are_the_null_space_of_the_exponents() -> None:
    acetonitrile = load_force_field("acetonitrile")
    generators = basis.parity_generators(acetonitrile)
    assert [list(np.flatnonzero(g) + 1) for g in generators] == [[6, 8, 10, 12]]
    assert basis.parity_generators(coupled_oscillators(5, 0.1)).tolist() == [[1] * 5]
    assert len(basis.parity_generators(ForceField("free", "cm-1", np.ones(4), {}))) == 4
    for g in basis.parity_generators(random_field(3, 4, 4)):
        raise AssertionError(f"this field conserves no parity, found {g}")


def test_the_operator_of_acetonitrile_has_the_published_ranks() -> None:
    problem = VibrationalProblem.model_validate(
        {"kind": "vibrational", "force_field": "acetonitrile", "mode_order": "frequency"}
    )
    prepared = prepare(problem, SpectrumSolver(n_states=4))
    assert list(prepared.space.operator.ranks) == PUBLISHED_RANKS
    assert prepared.space.mode_numbers == [11, 12, 4, 9, 10, 3, 7, 8, 2, 1, 5, 6]
    assert any("unbounded below far out" in w for w in prepared.space.warnings)


def test_modals_are_orthonormal_pure_in_parity_and_exact_for_a_harmonic_field() -> None:
    field = coupled_oscillators(3, 0.1)
    charges = basis.mode_charges(basis.parity_generators(field), 3)
    for k, modal in enumerate(basis.modals(field, [8] * 3, charges, [Primitive(24)] * 3)):
        np.testing.assert_allclose(modal.coefficients.T @ modal.coefficients, np.eye(8), atol=1e-12)
        np.testing.assert_allclose(np.sort(modal.energies), field.frequencies[k] * (np.arange(8) + 0.5), atol=1e-11)
        odd = modal.charges[:, None] != modal.charges[None, :]
        assert not np.any(modal.powers[2][odd]) and not np.any(modal.powers[1][~odd])
        assert sorted(modal.labels) == list(range(8))


def test_powers_of_q_are_exact_before_the_cut() -> None:
    nodes, weights = np.polynomial.hermite.hermgauss(40)
    functions = [np.full_like(nodes, np.pi**-0.25)]
    functions.append(np.sqrt(2.0) * nodes * functions[0])
    for v in range(1, 7):
        functions.append(np.sqrt(2.0 / (v + 1)) * nodes * functions[v] - np.sqrt(v / (v + 1)) * functions[v - 1])
    f = np.array(functions)
    for p, matrix in enumerate(position_powers(8)):
        np.testing.assert_allclose(matrix, (f * weights * nodes**p) @ f.T, atol=1e-10)


def test_a_low_barrier_is_refused_and_a_far_one_warned_of(tmp_path: Path) -> None:
    low = ForceField("low", "cm-1", np.array([1000.0]), {(0, 0, 0): -150.0})
    with pytest.raises(ProblemError, match="unbounded below"):
        run(str(write_csv(low, tmp_path / "low.csv")), 6, holes="refuse")
    far = ForceField("far", "cm-1", np.array([1000.0, 1200.0]), {(0, 0, 0, 0): -2.0})
    problem = VibrationalProblem.model_validate(
        {"kind": "vibrational", "force_field": str(write_csv(far, tmp_path / "far.csv"))}
    )
    assert any("far out" in w for w in prepare(problem, SpectrumSolver(n_states=2)).space.warnings)


def test_more_states_than_functions_are_refused() -> None:
    with pytest.raises(ProblemError, match="functions"):
        run({"model": "coupled_oscillators", "dimension": 2, "coupling": 0.1}, 10, basis={"functions": 3})


def test_states_are_indexed_by_quantum_numbers() -> None:
    field = {"model": "coupled_oscillators", "dimension": 3, "coupling": 0.05}
    result = run(field, 5, 1e-6, mode_order=[3, 1, 2])
    assert result.mode_order == [3, 1, 2]
    # the second state is one quantum of mode 1, the softest one: second in this order
    assert result.assignments[0].startswith("1.00[gs]") and "1v1" in result.assignments[1].split(";")[0]
    one = result.states[1].entries(np.array([[0, 1, 0], [0, 0, 0]]))
    assert abs(one[0]) > 0.9 and abs(one[1]) < 1e-6


def test_every_mode_order_gives_the_same_levels() -> None:
    field = {"model": "henon_heiles", "dimension": 3, "coupling": 0.1}
    keys = {"basis": {"type": "harmonic", "functions": 7}}
    first = run(field, 5, 1e-8, **keys).energies
    np.testing.assert_allclose(run(field, 5, 1e-8, mode_order=[2, 3, 1], **keys).energies, first, atol=1e-8)


def test_candidates_for_the_order_are_permutations() -> None:
    for order in operators.mode_orders(random_field(5, 4, 4), "automatic"):
        assert sorted(order) == [0, 1, 2, 3]
    assert operators.mode_orders(random_field(5, 4, 4), (4, 1, 3, 2)) == [[3, 0, 2, 1]]


def test_a_small_basis_that_was_chosen_says_what_it_costs(tmp_path: Path) -> None:
    field = ForceField("small", "cm-1", np.array([1000.0, 1400.0]), {(0, 0, 1): 60.0, (0,) * 4: 2.5, (1,) * 4: 3.3})
    path = str(write_csv(field, tmp_path / "small.csv"))
    exact = run(path, 4).energies
    result = run(path, 4, basis={"functions": 4})
    off = np.abs(result.energies - exact)
    assert result.status is Status.BASIS_LIMIT and np.all(off <= result.error_estimates + 0.01)
    assert np.array_equal(result.state_converged, result.error_estimates <= 0.01) and not result.state_converged.all()
    assert result.agreed  # what is known of the basis is in the errors: nothing contradicts them
    assert any("basis.functions: automatic" in text for text in result.warnings)
    assert not any("passes" in text or "points" in text or "max_rank" in text for text in result.warnings)
