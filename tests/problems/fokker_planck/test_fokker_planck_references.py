"""A made-up result beside the exact solution: deviations, the table of moments, and the texts made of them."""

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from problems.fokker_planck import presentation
from problems.fokker_planck.figures import errors, figures, ranks
from problems.fokker_planck.references import agreements, columns, comparison_table
from problems.fokker_planck.result import FokkerPlanckResult
from solvers.formats.trains.construct import rank_one
from solvers.solution import Status
from ttsuite.study.config import make_study

DIMENSION, POINTS = 3, 24
PROBLEM = {
    "kind": "fokker_planck",
    "dimension": DIMENSION,
    "drift": {"diagonal": 1.0, "superdiagonal": 0.5},
    "diffusion": 0.5,
    "initial": {"mean": 1.0, "variance": 0.5},
    "grid": {"points": POINTS, "half_width": 6.0},
}


@pytest.fixture(scope="module")
def made_up():
    """The exact solution with known deviations."""
    study = make_study({"problem": PROBLEM, "solver": {"t_final": 1.0, "output_times": [0.5, 1.0], "accuracy": 1e-3}})
    exact = study.problem.exact(study.solver.times)
    grids = [-6.0 + 0.5 * np.arange(POINTS)] * DIMENSION
    marginals = [np.array([exact.marginal(i, k, x) for i in range(2)]) for k, x in enumerate(grids)]
    shift = np.zeros((2, DIMENSION, DIMENSION))
    shift[1, 0, 2] = shift[1, 2, 0] = -3e-4
    result = FokkerPlanckResult(
        times=study.solver.times,
        mean=exact.means + 1e-4 * np.array([[1.0], [-2.0]]),
        covariance=exact.covariances + shift,
        mass=np.array([1.0, 1.0 + 1e-9]),
        density_at_origin=exact.at_origin(),
        mean_error=np.array([2e-4, 3e-4]),
        covariance_error=np.array([4e-4, 5e-4]),
        state_error=np.full(2, 1e-3),
        density_error=np.array([1e-5, 2e-5]),
        min_density=np.array([-5e-5, 0.0]),
        ranks=np.array([[1, 4, 5, 1], [1, 6, 3, 1]]),
        marginals=marginals,
        pairs=[a[:, :, None] * b[:, None] for a, b in pairwise(marginals)],
        grids=grids,
        exact=exact,
        density=rank_one([np.ones(POINTS)] * DIMENSION),
        operator_ranks=[1, 4, 4, 1],
        step_sizes=np.array([0.5, 0.5]),
        lengths=exact.widths().max(axis=0),
        status=Status.CONVERGED,
        history=[],
        counts={"steps": 2},
        timing={"solve_s": 0.0},
    )
    return study, result


def test_deviations_are_those_put_in(made_up):
    study, result = made_up
    found = {entry.name: entry for entry in agreements(study.problem, result)}
    assert list(found) == ["mean", "covariance", "density_at_origin"]
    mean, covariance = found["mean"].deviation, found["covariance"].deviation
    assert mean.count == 2 * DIMENSION and mean.max_abs == pytest.approx(2e-4, rel=1e-9)
    assert mean.mean_abs == pytest.approx(1.5e-4, rel=1e-9)
    # a symmetric matrix counts each entry once
    assert covariance.count == 2 * 6 and covariance.max_abs == pytest.approx(3e-4, rel=1e-9)
    assert covariance.mean_abs == pytest.approx(3e-4 / 12, rel=1e-9)
    wide = replace(result, lengths=np.full(DIMENSION, 10.0))  # the accuracy is relative to these
    found = {entry.name: entry.relative for entry in agreements(study.problem, wide)}
    assert found["mean"] == pytest.approx(2e-5) and found["covariance"] == pytest.approx(3e-6)
    assert found["density_at_origin"] is None
    table = comparison_table(study.problem, study.solver, result)
    expected = ["1", "0.00020", "0.00030", "0.00030", "0.00050", "0"]
    assert list(map(str, table.rows[1])) == expected


def test_every_row_of_the_moments_stands_beside_its_exact_value(made_up):
    study, result = made_up
    name, header, rows = result.csv_table(columns(study.problem, result))
    assert name == "moments.csv"
    assert header == ["time", "quantity", "i", "j", "value", "error_estimate", "exact", "deviation"]
    assert [row[1:4] for row in rows[:11]] == [
        *(["mean", i, ""] for i in (1, 2, 3)),
        *(["covariance", i, j] for i, j in ((1, 1), (1, 2), (1, 3), (2, 2), (2, 3), (3, 3))),
        ["mass", "", ""],
        ["density_at_origin", "", ""],
    ]
    assert len(rows) == 2 * 11
    time, _, _, _, value, error, exact, deviation = rows[11 + 5]
    assert (float(time), error, deviation) == (1.0, "5.000e-04", "-3.000e-04")
    assert float(value) == result.covariance[1, 0, 2] and float(exact) == result.exact.covariances[1, 0, 2]
    assert rows[20][5:] == ["", "1.0", "1.000e-09"]


def test_what_the_record_holds(made_up):
    _, result = made_up
    found = json.loads(json.dumps(result.results(), default=np.ndarray.tolist))
    assert found["max_rank"] == 6 and found["ranks_over_time"][0] == [1, 4, 5, 1]
    assert found["density_floor"] == [5e-5, 2e-5] and found["density_megabytes"] == 8e-6 * POINTS * DIMENSION
    mean, covariance, density = FokkerPlanckResult.quantities(found)
    assert [q.name for q in (mean, covariance, density)] == ["mean", "covariance", "density at the origin"]
    np.testing.assert_array_equal(mean.values, result.mean)
    np.testing.assert_array_equal(covariance.errors, result.covariance_error)
    assert density.errors is None and density.keys == [0.5, 1.0] and density.axis == "t"
    assert FokkerPlanckResult.made(found) and not FokkerPlanckResult.made({"energies": [1.0]})


def test_a_result_of_an_earlier_version_is_in_units_of_one(made_up):
    _, result = made_up
    kept = {name: value for name, value in vars(result).items() if name != "lengths"}
    np.testing.assert_array_equal(FokkerPlanckResult(**kept).lengths, [1.0])


def test_texts(made_up):
    study, result = made_up
    facts = dict(presentation.headline(study.problem, study.solver, result))
    assert facts["deviation from the exact means"] == "0.00020"
    assert facts["mass kept to"] == "1.0 × 10⁻⁹"
    tables = presentation.tables(study.problem, study.solver, result)
    assert [table.title for table in tables] == ["Means", "Covariances", "Density"]
    assert all(len(row) == len(table.columns) for table in tables for row in table.rows)
    assert [cell.key for cell in tables[0].rows[0]] == [0.5, *result.mean[0]]
    assert {cell.error for cell in tables[0].rows[0][1:]} == {result.mean_error[0]}
    assert "errors include: rank, time step; not: mesh" in tables[0].note
    assert tables[1].columns[-2:] == ["cov(1, 2)", "cov(2, 3)"]
    titles = [section.title for section in presentation.sections(study.problem, result)]
    assert titles == ["Process", "Discretisation", "Work, all runs"]


def test_figures_show_the_numbers(made_up):
    study, result = made_up
    pictures = {picture.name: picture for picture in figures(study.problem, study.solver, result)}
    assert list(pictures) == ["marginals", "pairs", "moments", "errors", "ranks"]
    # two times, and two cuts, are sentences
    assert "widths of the density" in pictures["errors"].text
    assert pictures["ranks"].text.endswith(": 4, 5; t = 1: 6, 3.") or ": 4, 5; t = " in pictures["ranks"].text
    left, right = errors(result, study.solver.accuracy).axes[:2]
    widest = result.lengths.max()
    lines = {line.get_label(): line.get_ydata() for line in left.lines}
    np.testing.assert_allclose(lines["means: estimate"], result.mean_error / widest)
    np.testing.assert_allclose(lines["means: deviation"], np.array([1e-4, 2e-4]) / result.lengths.min(), rtol=1e-9)
    np.testing.assert_allclose(right.lines[0].get_ydata(), [np.nan, 1e-9], rtol=1e-6)  # zero: an arrow at the edge
    assert right.lines[1].get_xdata().tolist() == [result.times[0]]
    assert [list(line.get_ydata()) for line in ranks(result).axes[0].lines] == [[4, 5], [6, 3]]
    np.testing.assert_array_equal(pictures["moments"].figure.axes[2].lines[1].get_ydata(), result.covariance[:, 0, 1])
