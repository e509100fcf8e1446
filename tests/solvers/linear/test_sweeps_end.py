"""When sweeps end, and what they hand on: no more of a train than the accuracy needs, and other ways in time."""

import numpy as np
from linear_cases import laplacian

from solvers.formats.trains.construct import identity_operator, ones, random_train
from solvers.formats.trains.sum_of_products import sum_of_products
from solvers.linear.solve import solve
from solvers.linear.sweeps import LOST, Sweeping
from solvers.linear.system import System
from solvers.methods import AMEn
from solvers.solution import Status

X, Z = np.array([[0.0, 1.0], [1.0, 0.0]]), np.diag([1.0, -1.0])


def chain(n, energy):
    """Disordered transverse Ising chain less an energy inside its spectrum."""
    rng = np.random.default_rng(0)
    terms = [(1.0 + 0.3 * rng.standard_normal(), {k: 2, k + 1: 2}) for k in range(n - 1)]
    terms += [(0.7 + 0.2 * rng.standard_normal(), {k: 1}) for k in range(n)]
    return sum_of_products([np.array([np.eye(2), X, Z])] * n, terms) - identity_operator((2,) * n) * energy


def swept(a, b, accuracy, **more):
    system = System.of(a, b * (1.0 / b.norm()), a.dtype, True)
    sweeping = Sweeping.of(
        system, system, AMEn(sweeps=6, max_rank=40), None, accuracy, np.random.default_rng(0), **more
    )
    return sweeping, list(sweeping.run()), system


def test_the_enrichment_of_the_last_sweep_is_cut():
    a = laplacian(8, 12) * (1.0 / 500.0)
    sweeping, states, system = swept(a, ones((12,) * 8), 1e-6)
    found, whole = sweeping.swept.x, sweeping.iteration.train()
    assert sweeping.swept.status is Status.CONVERGED
    assert found.max_rank + 3 <= whole.max_rank and states[-1].max_rank == found.max_rank
    assert np.isclose((system.b - a @ found).norm(), sweeping.swept.residual, rtol=1e-6)
    assert sweeping.swept.residual <= 1e-6


def test_slow_sweeps_of_an_indefinite_operator_end_where_another_way_follows():
    a = chain(13, 1.1)
    b = a @ random_train(a.row_shape, 3, np.random.default_rng(5))
    patient, impatient = (swept(a, b, 1e-6, followed=followed)[0] for followed in (False, True))
    assert not impatient.iteration.definite
    assert impatient.done < patient.done and impatient.lost == LOST
    assert impatient.swept.status is Status.STAGNATED


def test_an_indefinite_chain_takes_few_sweeps_in_all():
    a = chain(13, 1.1)
    b = a @ random_train(a.row_shape, 3, np.random.default_rng(6))
    solution = solve(a, b, accuracy=1e-6, condition=False)
    assert (b - a @ solution.value).norm() <= 1e-6 * b.norm()
    assert solution.extra["route"] == "residual minimisation" and solution.counts["sweeps"] <= 12
