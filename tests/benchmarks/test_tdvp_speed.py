"""One symmetric one-site TDVP step beside TeNPy's, where that is installed: Henon-Heiles, d = 10, n = 28, rank 18.

physics-tenpy (pip) is a yardstick only. Both take steps of 0.01 from the same state of rank 18 at every bond, in turn,
one core, one BLAS thread, kernels warm; the figure is the ratio of the medians. TeNPy's Krylov space has at most 8
vectors; both end states are compared with one of tight tolerances. Run with ``-m benchmark -s``.
"""

import math
import statistics
import time
import warnings

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from problems.quantum.hamiltonians.force_field.basis import harmonic_functions
from problems.quantum.hamiltonians.force_field.field import henon_heiles
from problems.quantum.hamiltonians.force_field.operators import operator, product_terms
from problems.quantum.hamiltonians.force_field.primitives import position_powers
from solvers.dynamics.enlarge import enlarge
from solvers.dynamics.tdvp import TDVPStepper
from solvers.formats.trains.construct import random_train, rank_one
from solvers.methods import TDVP

D, N, RANK, STEP, COUPLING = 10, 28, 18, 0.01, 0.111803
ROUNDS, RATIO = 7, 0.8


def state():
    """The displaced Gaussian after a short while, of rank 18 at every bond."""
    field = henon_heiles(D, COUPLING)
    h = operator(product_terms(field, harmonic_functions(field, [N] * D, np.zeros(D, dtype=np.int64)), range(D)))
    a = 2.0 / math.sqrt(2.0)
    c = np.array([math.exp(-a * a / 2) * a**k / math.sqrt(math.factorial(k)) for k in range(N)], dtype=complex)
    x = enlarge(rank_one([c] * D), [random_train((N,) * D, RANK, np.random.default_rng(0))], RANK, 0.0)
    stepper = TDVPStepper(h, x, TDVP(time_step=STEP, max_rank=RANK), -1j, 1e-9, hermitian=True)
    for _ in range(20):
        stepper.advance(STEP)
    assert set(stepper.train().ranks[1:-1]) == {RANK}
    return h, stepper.train()


def tenpy_engine(x):
    """TeNPy's single-site TDVP of the same Hamiltonian from the same state, without conserved charges."""
    from tenpy.algorithms.tdvp import SingleSiteTDVPEngine
    from tenpy.linalg.np_conserved import LegCharge
    from tenpy.models.lattice import Chain
    from tenpy.models.model import CouplingMPOModel
    from tenpy.networks.mps import MPS
    from tenpy.networks.site import Site

    powers = position_powers(N)
    site = Site(
        LegCharge.from_trivial(N),
        [str(k) for k in range(N)],
        Q=powers[1],
        Q2=powers[2],
        Q3=powers[3],
        H0=np.diag(np.arange(N) + 0.5),
    )

    class HenonHeiles(CouplingMPOModel):
        def init_sites(self, model_params):
            return site

        def init_lattice(self, model_params):
            return Chain(D, site, bc_MPS="finite", bc="open")

        def init_terms(self, model_params):
            for k in range(D):
                self.add_onsite_term(1.0, k, "H0")
                if k:
                    self.add_onsite_term(-COUPLING / 3.0, k, "Q3")
            for k in range(D - 1):
                self.add_coupling_term(COUPLING, k, k + 1, "Q2", "Q")

    model = HenonHeiles({})
    psi = MPS.from_Bflat([site] * D, [core.transpose(1, 0, 2) for core in x.cores], bc="finite", form=None)
    psi.canonical_form()
    options = {"N_steps": 1, "dt": STEP, "trunc_params": {"chi_max": RANK}, "lanczos_params": {"N_max": 8}}
    return SingleSiteTDVPEngine(psi, model, options), psi


@pytest.mark.benchmark
def test_a_step_beside_tenpy():
    pytest.importorskip("tenpy")
    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        h, x = state()
        engine, psi = tenpy_engine(x)
        ours = TDVPStepper(h, x, TDVP(time_step=STEP, max_rank=RANK), -1j, 1e-7, hermitian=True)
        exact = TDVPStepper(h, x, TDVP(time_step=STEP, max_rank=RANK), -1j, 1e-13, hermitian=True)
        seconds: dict[str, list[float]] = {"ours": [], "theirs": []}
        for _ in range(ROUNDS):
            begin = time.perf_counter()
            engine.run()
            seconds["theirs"].append(time.perf_counter() - begin)
            begin = time.perf_counter()
            ours.advance(STEP)
            seconds["ours"].append(time.perf_counter() - begin)
            exact.advance(STEP)
    true = exact.train()
    theirs = [psi.get_B(k, form="B").to_ndarray() for k in range(D)]
    overlap = np.ones((1, 1))
    for core, b in zip(true.cores, theirs):
        overlap = np.einsum("ab,anc,bnd->cd", overlap, core.conj(), b, optimize=True)
    error = (ours.train() - true).norm()
    peer = math.sqrt(max(0.0, 2.0 - 2.0 * abs(overlap[0, 0]) / true.norm()))
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    ratio = medians["ours"] / medians["theirs"]
    print(
        f"\nours {medians['ours']:.4f} s, TeNPy {medians['theirs']:.4f} s, ratio {ratio:.3f}; errors of the state "
        f"after {ROUNDS} steps {error:.1e} and {peer:.1e} (the latter resolved to 1e-8); "
        f"{ours.work['matvecs'] / ours.work['local_exponentials']:.1f} products an exponential"
    )
    assert error <= max(peer, 1e-7)
    assert ratio <= RATIO
