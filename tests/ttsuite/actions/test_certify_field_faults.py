"""certify finds what a run of a field, a density or a table of samples gets wrong and calls right.

As in ``test_certify_faults``, which has the levels and motions of quantum systems.
"""

from dataclasses import replace

import numpy as np
import pytest
from faulty import solved_otherwise

from problems.orbital_free_dft import extrapolation
from problems.orbital_free_dft.far_field import FarField
from problems.parametric_pde import assembled
from problems.parametric_pde import solve as pde
from solvers.cross import als_rounds
from solvers.optimisation.completion import rank_growth
from solvers.solution import Status
from ttsuite.actions.certificate import CONFIRMED, CONTRADICTED


def test_a_box_that_is_too_small(certified, monkeypatch):
    """Four deviations in the end: the moments of what is left are not those of the process."""
    monkeypatch.setattr("problems.fokker_planck.solve.CLOSED_FORM", False)
    problem = {
        "kind": "fokker_planck",
        "dimension": 1,
        "drift": {"diagonal": 0.1},
        "diffusion": 0.5,
        "initial": {"mean": 0.0, "variance": 0.25},
        "grid": {"points": 48, "half_width": 5.0},
    }
    outcome, _ = certified("exact", problem, t_final=1.5, output_times=[1.5], accuracy=1e-5)
    assert outcome.verdict == CONTRADICTED


PDE = {
    "kind": "parametric_pde",
    "domain": "interval",
    "mesh": {"cells": 16},
    "field": {"type": "affine", "parameters": 2},
    "quantities": [{"name": "total", "type": "integral"}],
}


def blind_statistics(monkeypatch):
    """A parametric PDE whose errors are measured nowhere."""

    def blind(result):
        quantities = [replace(q, mean_error=1e-12, variance_error=1e-12) for q in result.statistics]
        return {"statistics": tuple(quantities)}

    monkeypatch.setattr(pde, "ROUNDS", 1)
    solved_otherwise(monkeypatch, "parametric_pde", blind)


def test_too_few_points(certified, monkeypatch):
    """Two Gauss points a parameter, and errors that were measured at these points alone."""
    monkeypatch.setattr(pde, "automatic_points", lambda *arguments: [2, 2])
    monkeypatch.setattr(pde, "TAIL_FACTOR", 1e9)
    monkeypatch.setattr(pde, "MOST", 2)
    blind_statistics(monkeypatch)
    outcome, _ = certified("quadrature", PDE, accuracy=1e-6)
    assert outcome.verdict == CONTRADICTED


def test_a_linear_solver_that_stops_early(certified, monkeypatch):
    """A residual of 0.1 called converged: a residual that was never looked at."""
    right = assembled.solve

    def early(operator, b, **options):
        return replace(right(operator, b, **options | {"accuracy": 0.1}), status=Status.CONVERGED)

    monkeypatch.setattr(assembled, "solve", early)
    blind_statistics(monkeypatch)
    outcome, report = certified("quadrature", PDE, accuracy=1e-6, method="amen")
    assert report["converged"] and outcome.verdict == CONTRADICTED


def test_points_forgotten_by_the_reduced_basis(certified, monkeypatch):
    """Residuals that are never looked at: a basis of one solution serves all parameters."""
    monkeypatch.setattr(als_rounds.Rounds, "good", lambda run, errors, share=1.0: True)
    blind_statistics(monkeypatch)
    outcome, report = certified("quadrature", PDE, accuracy=1e-6)
    assert report["converged"] and outcome.verdict == CONTRADICTED


ION = {
    "kind": "orbital_free_dft",
    "functional": "TFDW",
    "box": 20.0,
    "levels": [5],
    "electrons": 4.0,
    "lattice": {"charge": 1.0, "smearing": 0.3, "shape": [2, 2, 2], "spacing": 6.0},
}


def test_a_far_field_on_one_side(certified, monkeypatch):
    """As it once was: half of what the multipoles beyond l = 2 have with the whole charge is lost."""

    def one_sided(self, projected):
        q = self.moments[:9] @ projected.ravel()
        return (q @ self.fields[:9]).reshape(projected.shape), q

    monkeypatch.setattr(FarField, "correction", one_sided)
    solved_otherwise(monkeypatch, "orbital_free_dft", lambda result: {})
    outcome, report = certified("box", ION, accuracy=5e-4)
    print(report["results"]["energy"], outcome)
    assert report["converged"] and outcome.verdict == CONTRADICTED


def test_a_cusp_that_falls_between_the_points(certified, monkeypatch):
    """The error of a grid that does not resolve lambda/Z, taken for that of one that does."""
    monkeypatch.setattr(extrapolation, "UNRESOLVED", 0.0)
    solved_otherwise(monkeypatch, "orbital_free_dft", lambda result: {})
    problem = {
        "kind": "orbital_free_dft",
        "functional": "TFDW",
        "weizsacker": 1 / 9,
        "box": 16.0,
        "levels": [5],
        "atoms": [{"charge": 1, "position": [0.0, 0.0, 0.0]}],
    }
    outcome, report = certified("grid", problem, accuracy=1.5e-2)
    print(report["results"]["energy"], outcome)
    assert report["converged"] and outcome.verdict == CONTRADICTED


@pytest.mark.parametrize("wrong", [False, True])
def test_a_completion_that_fits_its_samples_alone(certified, wrong):
    """A tensor that is right at the samples of its own test and elsewhere not."""
    patch = pytest.MonkeyPatch()
    if wrong:
        solved_otherwise(patch, "completion", lambda r: {"train": 1.1 * r.train})
    problem = {"kind": "completion", "samples": {"function": "inverse_sum", "shape": [8, 8, 8], "fraction": 0.5}}
    try:
        outcome, report = certified("samples", problem, patch.undo, accuracy=1e-3, max_rank=3)
    finally:
        patch.undo()
    assert report["converged"] and outcome.verdict == (CONTRADICTED if wrong else CONFIRMED)


def test_a_slice_that_one_sample_sees(certified, monkeypatch, tmp_path):
    """Rank 2, and one sample of the last index: without the judges of a fit the rest of its slice is anything."""
    rng = np.random.default_rng(1)
    cores = [rng.standard_normal((9, 2)) for _ in range(3)]
    values = np.einsum("ia,ja,ka->ijk", *cores)
    seen = rng.permutation(np.argwhere(np.ones((8, 9, 9))))[:400]
    rows = [f"{i},{j},{k},{float(values[i, j, k])!r}" for i, j, k in rng.permutation([*seen, (8, 2, 3)]).tolist()]
    file = tmp_path / "samples.csv"
    file.write_text("\n".join(["i1,i2,i3,value", *rows]) + "\n")
    problem = {"kind": "completion", "samples": str(file)}
    for judge in ("undetermined", "excess"):
        monkeypatch.setattr(rank_growth, judge, lambda *arguments: 0.0)
    monkeypatch.setattr(rank_growth, "linearised", lambda *arguments: None)
    monkeypatch.setattr(rank_growth, "beside_second", lambda solution, *arguments: solution)
    outcome, report = certified("samples", problem, accuracy=1e-4, max_rank=3)
    assert report["converged"] and outcome.verdict == CONTRADICTED
