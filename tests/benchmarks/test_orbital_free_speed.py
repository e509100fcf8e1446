"""Orbital-free DFT: Tucker tensors beside dense sine transforms and quantics trains, on the same work.

The work is one evaluation of energy and gradient of 4 x 4 x 4 smeared atoms (or one of its solves), timed in turns in
one run on one BLAS thread; the results are compared before the times. Printed: where the dense code stops winning.
"""

import time

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from problems.orbital_free_dft.electrostatics import electrostatics, gaussian_exponents, gaussians
from problems.orbital_free_dft.energy import Energy
from problems.orbital_free_dft.fields import DenseFields
from problems.orbital_free_dft.functionals import Functional
from problems.orbital_free_dft.grid import Grid, from_sine, to_sine
from problems.orbital_free_dft.nuclei import Nuclei
from problems.orbital_free_dft.quantics_fields import QuanticsFields
from problems.orbital_free_dft.tucker_fields import TuckerFields
from solvers.formats.quantics.sums import inverse_shifted
from solvers.formats.tucker.tensor import combine

pytestmark = pytest.mark.benchmark
BOX, TOL = 48.0, 1e-6


@pytest.fixture(autouse=True)
def one_thread():
    with threadpool_limits(limits=1, user_api="blas"):
        yield


def lattice(side):
    c = 4.0 * (np.arange(side) - 0.5 * (side - 1))
    places = np.stack(np.meshgrid(c, c, c, indexing="ij"), axis=-1).reshape(-1, 3)
    return Nuclei(np.full(side**3, 4.0), places, np.full(side**3, 1.0))


def evaluation(fields, nuclei):
    """One evaluation, ready to be timed, at Gaussians about the nuclei."""
    charges = electrostatics(fields, nuclei, None, np.random.default_rng(0))
    energy = Energy(fields, charges, Functional.named("TFDW"), nuclei.charge, 1.0, 0.5)
    orbital = energy.normalised(fields.adopt(gaussians(fields.grid, nuclei, np.full(len(nuclei), 0.2))))
    return lambda: energy.evaluate(orbital)


def medians(calls, repeats):
    """Median seconds of each call, taken in turns."""
    seconds = [[] for _ in calls]
    for _ in range(repeats):
        for call, kept in zip(calls, seconds, strict=True):
            begin = time.perf_counter()
            call()
            kept.append(time.perf_counter() - begin)
    return np.median(seconds, axis=1)


def test_tucker_beside_dense():
    nuclei, ratios = lattice(4), {}
    for level in (5, 6, 7):
        grid = Grid(BOX, level)
        dense = evaluation(DenseFields(grid), nuclei)
        tucker = evaluation(TuckerFields(grid, TOL, 200, np.random.default_rng(0)), nuclei)
        assert tucker().value == pytest.approx(dense().value, abs=1e-2 * TOL * 1e5)
        slow, fast = medians([dense, tucker], 5)
        ratios[level] = fast / slow
        print(f"2^{level} points an axis: dense {slow:.4f} s, Tucker {fast:.4f} s, ratio {fast / slow:.2f}")
    assert ratios[7] < 0.6 < ratios[5]


def test_quantics_beside_tucker():
    nuclei, grid = lattice(1), Grid(40.0, 8, "differences")
    tol = 1e-5
    quantics = evaluation(QuanticsFields(grid, tol, 150, np.random.default_rng(0)), nuclei)
    tucker = evaluation(TuckerFields(grid, tol, 150, np.random.default_rng(0)), nuclei)
    assert quantics().value == pytest.approx(tucker().value, abs=1e-3)
    slow, fast = medians([quantics, tucker], 2)
    print(f"one atom, 2^8 points an axis: quantics {slow:.2f} s, Tucker {fast:.3f} s, ratio {fast / slow:.3f}")
    assert fast < 0.3 * slow


@pytest.mark.parametrize("level", [8, 10])
def test_potential_of_a_neutral_charge(level):
    """Cross in the sine basis, a sum of Gaussians there (one product a term), and AMEn on quantics trains."""
    nuclei = lattice(4)
    grid = Grid(BOX, level, "differences")
    narrow = gaussians(grid, nuclei, gaussian_exponents(nuclei, BOX))
    charge = combine([(1.0, narrow), (-1.0, gaussians(grid, nuclei, np.full(len(nuclei), 0.5)))])
    tucker = TuckerFields(grid, TOL, 400, np.random.default_rng(0))
    trains = QuanticsFields(grid, TOL, 400, np.random.default_rng(0))
    train = trains.adopt(charge)
    k = grid.eigenvalues
    weights, times = inverse_shifted(3.0 * k[0], 3.0 * k[-1], TOL)

    def by_gaussians():
        waves = charge.mapped([to_sine] * 3)
        terms = [
            (4.0 * np.pi * w, waves.mapped([lambda u, t=t: np.exp(-t * k)[:, None] * u] * 3))
            for w, t in zip(weights, times, strict=True)
        ]
        return combine(terms, tol=TOL).mapped([from_sine] * 3)

    exact = TuckerFields(grid, 1e-11, 400, np.random.default_rng(1)).poisson(charge)
    results = [tucker.poisson(charge), by_gaussians(), trains.tucker(trains.poisson(train))]
    errors = [combine([(1.0, x), (-1.0, exact)]).norm() / exact.norm() for x in results]
    assert max(errors) < 100 * TOL
    cross, sums, amen = medians(
        [lambda: tucker.poisson(charge), by_gaussians, lambda: _fresh(trains).poisson(train)], 3
    )
    print(
        f"2^{level}: cross {cross:.4f} s, {len(weights)} Gaussians {sums:.4f} s, AMEn {amen:.3f} s; "
        f"errors {errors[0]:.1e}, {errors[1]:.1e}, {errors[2]:.1e}"
    )
    assert cross < sums < 5.0 * amen


def _fresh(fields):
    """The same fields without a solution to start from."""
    return QuanticsFields(fields.grid, fields.tol, fields.max_rank, np.random.default_rng(0))
