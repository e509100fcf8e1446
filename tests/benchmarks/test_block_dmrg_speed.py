"""Block DMRG on Henon-Heiles, d = 12, ten harmonic functions a mode, one core, one BLAS thread.

The time is given in products of two 1024 x 1024 matrices, measured before and after in the same run. Run with
``-m benchmark -s``.
"""

import statistics
import time

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from problems.quantum.hamiltonians.force_field.basis import harmonic_functions
from problems.quantum.hamiltonians.force_field.field import henon_heiles
from problems.quantum.hamiltonians.force_field.operators import operator, product_terms
from solvers.eigen.block_dmrg import block_dmrg
from solvers.methods import BlockDMRG
from solvers.sectors.operator import SectorOperator

GROUND = 5.9842473685


def product_seconds(repeats=7):
    square = np.random.default_rng(0).standard_normal((1024, 1024))
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        square @ square
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def chain(d, n):
    field = henon_heiles(d, 0.111803)
    terms = product_terms(field, harmonic_functions(field, [n] * d, np.zeros(d, dtype=np.int64)), range(d))
    return SectorOperator(operator(terms), terms.modes)


@pytest.mark.benchmark
@pytest.mark.parametrize("n_states, allowed", [(10, 120), (30, 1200)])
def test_henon_heiles_states(n_states, allowed):
    options = BlockDMRG(tol=4e-6, max_rank=300)
    with threadpool_limits(1):
        block_dmrg(chain(3, 6), 0, 2, options, rng=np.random.default_rng(0))  # compiles
        before = product_seconds()
        start = time.perf_counter()
        found = block_dmrg(chain(12, 10), 0, n_states, options, rng=np.random.default_rng(0))
        seconds = time.perf_counter() - start
        product = 0.5 * (before + product_seconds())
    print(
        f"\n{n_states} states: {seconds:.2f} s = {seconds / product:.0f} products of {product:.3f} s; "
        f"{found.counts['sweeps']} sweeps, {found.counts['matvecs']} matvecs, shared rank {max(found.ranks)}; "
        f"E0 {found.energies[0]:.10f}, largest residual {found.residuals.max():.1e}"
    )
    assert found.residuals.max() <= 4e-6
    assert found.energies[0] == pytest.approx(GROUND, abs=1e-9)
    assert seconds <= allowed * product
