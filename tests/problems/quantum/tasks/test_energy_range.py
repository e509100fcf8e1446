"""States asked for by energy: all of them, none twice, and those of a window without the ones below."""

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from problems.errors import ProblemError
from problems.quantum.hamiltonians.force_field.known_levels import normal_mode_levels
from problems.quantum.kinds.sum_of_products import SumOfProductsProblem, complete
from problems.quantum.kinds.vibrational import VibrationalProblem
from problems.quantum.tasks.either.keys import GivenSpectrum
from problems.quantum.tasks.either.solve import prepare as prepare_terms
from problems.quantum.tasks.spectrum import energy_range
from problems.quantum.tasks.spectrum.beside import known_beside
from problems.quantum.tasks.spectrum.certify import routes
from problems.quantum.tasks.spectrum.keys import SpectrumSolver
from problems.quantum.tasks.spectrum.plan import plan
from problems.quantum.tasks.spectrum.presentation import headline, sections, tables
from problems.quantum.tasks.spectrum.solve import prepare, solve
from solvers.solution import Status

WATER = Path(__file__).parents[4] / "configs" / "vibrational" / "water.csv"
FIELD = {"model": "coupled_oscillators", "dimension": 3, "coupling": 0.1}


@pytest.fixture(scope="module")
def oscillators():
    problem = VibrationalProblem.model_validate({"kind": "vibrational", "force_field": FIELD})
    return problem, normal_mode_levels(problem.field, 60)


def run(problem, **keys):
    solver = SpectrumSolver(accuracy=1e-6, workers=1, **keys)
    return solver, solve(prepare(problem, solver))


def chain(sites):
    """An XX chain in a field, spelled out: spins have no one-mode levels that tell products apart."""
    terms = [[1.0, {k: name, k + 1: name}] for k in range(sites - 1) for name in ("Sx", "Sz")]
    terms += [[0.3 + 0.07 * k, {k: "Sz"}] for k in range(sites)]
    return SumOfProductsProblem.model_validate(
        {"kind": "sum_of_products", "task": "spectrum", "modes": [{"basis": "spin", "s": 0.5}] * sites, "terms": terms}
    )


def dense(sites):
    x, z = np.array([[0.0, 0.5], [0.5, 0.0]]), np.diag([0.5, -0.5])

    def at(**own):
        found = np.eye(1)
        for k in range(sites):
            found = np.kron(found, own.get(f"m{k}", np.eye(2)))
        return found

    h = sum(at(**{f"m{k}": m, f"m{k + 1}": m}) for k in range(sites - 1) for m in (x, z))
    return np.linalg.eigvalsh(h + sum((0.3 + 0.07 * k) * at(**{f"m{k}": z}) for k in range(sites)))


def test_all_levels_up_to_an_energy(oscillators):
    problem, exact = oscillators
    _, result = run(problem, up_to=3.1)
    wanted = exact[exact - exact[0] <= 3.1]
    np.testing.assert_allclose(result.energies, wanted, atol=1e-6)
    assert result.status is Status.CONVERGED and result.completeness["asked_up_to"] == 3.1


def test_a_level_at_the_limit_is_in_the_list(oscillators):
    problem, exact = oscillators
    _, result = run(problem, up_to=float(exact[7] - exact[0]))
    assert len(result.energies) == 8


def test_too_low_a_first_guess_is_mended(oscillators, monkeypatch):
    """Sums of one-mode levels that say too little: more states, until one lies above the limit."""
    problem, exact = oscillators
    monkeypatch.setattr(energy_range.EnergyRange, "_first", lambda self, space: 3)
    _, result = run(problem, up_to=2.5)
    assert len(result.energies) == int(np.sum(exact - exact[0] <= 2.5))
    monkeypatch.setattr("problems.quantum.tasks.spectrum.solve.TRIES", 1)
    _, short = run(problem, up_to=2.5)
    assert short.status is not Status.CONVERGED and "ends at" in short.warnings[-1]


@pytest.mark.parametrize("method", ["automatic", "inverse_iteration"])
def test_a_window_has_its_levels_alone(oscillators, method):
    problem, exact = oscillators
    solver, result = run(problem, window=(2.0, 3.0), method=method)
    above = exact - exact[0]
    wanted = exact[(above >= 2.0) & (above <= 3.0)]
    off = np.abs(result.energies - wanted)
    assert result.status is Status.CONVERGED and np.all(off <= np.maximum(result.error_estimates, 1e-9))
    np.testing.assert_allclose(result.excitations, wanted - exact[0], atol=2e-6)
    assert result.completeness["levels_below"] == (int(np.sum(above < 2.0)) if method == "automatic" else None)
    (beside,) = known_beside(problem, result)
    assert np.abs(beside.deviations(result.energies)).max() < 1e-6
    told = dict(headline(problem, solver, result))
    assert told["levels asked for"].startswith("from 2 to 3") and told[problem.lowest].startswith("1.4622070")
    facts = dict(fact for section in sections(problem, result) for fact in section.facts)
    assert "an estimate of the number of levels" in facts
    levels = tables(problem, solver, result)[0]
    assert len(levels.rows) == len(wanted)
    names = [route.name for route in routes(problem, solver, {**result.results(), "energies": result.energies})]
    assert "range" in names and ("grid" in names) == (method == "automatic")


def test_a_window_without_levels_names_the_nearest(oscillators):
    with pytest.raises(ProblemError, match=r"no level lies in it; the nearest ones are at .* and ") as refused:
        run(oscillators[0], window=(0.1, 0.2))
    assert refused.value.key == "solver.window"


@pytest.mark.parametrize(("keys", "text"), [({"up_to": 1.3}, "up_to"), ({"window": (0.7, 1.4)}, "window")])
def test_spins_by_energy(keys, text):
    problem, exact = chain(6), dense(6)
    given = GivenSpectrum(accuracy=1e-7, **keys)
    result = solve(prepare_terms(problem, complete(problem, given)))
    lower, upper = keys.get("window", (0.0, keys.get("up_to")))
    above = exact - exact[0]
    np.testing.assert_allclose(result.energies, exact[(above >= lower) & (above <= upper)], atol=1e-7)


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ({"n_states": 3, "up_to": 2.0}, "n_states and up_to exclude each other"),
        ({"up_to": 3.0, "window": [1.0, 2.0]}, "up_to and window exclude each other"),
        ({}, r"missing \(or up_to, or window"),
        ({"window": [2.0, 1.0]}, "two ascending energies"),
        ({"window": [-1.0, 1.0]}, "none below zero"),
        ({"window": 3.0}, "a list of two energies"),
        ({"up_to": 0.0}, "greater than 0"),
    ],
)
@pytest.mark.parametrize("model", [SpectrumSolver, GivenSpectrum])
def test_one_question_is_asked(model, keys, text):
    if model is GivenSpectrum and not keys:
        with pytest.raises(ProblemError, match=text):
            complete(chain(3), GivenSpectrum())
        return
    with pytest.raises((ProblemError, ValidationError), match=text):
        model.model_validate(keys)


def test_more_states_than_can_be_kept_are_refused(oscillators, monkeypatch):
    monkeypatch.setattr(energy_range, "MOST", 30)
    with pytest.raises(ProblemError, match="more than 30 states lie up to 9"):
        prepare(oscillators[0], SpectrumSolver(accuracy=1e-6, up_to=9.0))


def test_a_plan_says_how_many(oscillators):
    lines = dict(plan(prepare(oscillators[0], SpectrumSolver(accuracy=1e-6, up_to=2.0))))
    assert lines["states"].startswith("about ") and "up to 2" in lines["states"]


def test_a_window_beside_a_hole_keeps_the_errors_of_its_own_levels():
    """The list from below is longer there, and the window has states 1 and 2 of it."""
    problem = VibrationalProblem(kind="vibrational", force_field=str(WATER))
    whole = solve(prepare(problem, SpectrumSolver(accuracy=0.1, n_states=4)))
    part = solve(prepare(problem, SpectrumSolver(accuracy=0.1, window=(1500.0, 3200.0))))
    assert whole.field_limits and part.excitations == pytest.approx(whole.excitations[1:3], abs=0.02)
    assert part.error_estimates == pytest.approx(whole.error_estimates[1:3], rel=0.5)
    assert part.labels.names == whole.labels.names[1:3]
