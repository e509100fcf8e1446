"""Operators and starts against dense Kronecker sums, observables and the doubling rule against dense states."""

import math

import numpy as np
import pytest
from packet_cases import HENON_HEILES, ISING, XXZ, dense_evolution, embedded, study
from scipy.special import eval_hermite

from problems.quantum.hamiltonians.oscillator import absorbing_matrix, coherent_state
from problems.quantum.hamiltonians.spin_chain import X, Z
from problems.quantum.keys import Absorber
from problems.quantum.tasks.evolution.observables import doubled_overlap, measure
from solvers.formats.trains.construct import random_train, tt_svd


def test_henon_heiles_is_its_formula():
    n, d = 6, 3
    system = study(HENON_HEILES, dimension=d, basis={"type": "harmonic", "functions": n}).problem.system()
    a = np.diag(np.sqrt(np.arange(1, n + 9)), 1)
    q = (a + a.T) / math.sqrt(2.0)
    q1, q2, q3 = q[:n, :n], (q @ q)[:n, :n], (q @ q @ q)[:n, :n]  # exact, then cut
    # the first mode appears as q^2 only: its functions stand sorted by parity
    order = np.array([0, 2, 4, 1, 3, 5])
    h = np.zeros((n**d, n**d))
    for k in range(d):
        h += embedded(np.diag(np.arange(n) + 0.5), k, d, n)
    for k in range(d - 1):
        h += 0.111803 * embedded(q2, k, d, n) @ embedded(q1, k + 1, d, n)
        h -= 0.111803 / 3.0 * embedded(q3, k + 1, d, n)
    places = np.arange(n**d).reshape(n, -1)[order].ravel()
    assert np.abs(system.operator.full() - h[np.ix_(places, places)]).max() < 1e-12
    assert system.operator.dtype == np.float64 and system.doubles
    start = np.einsum("i,j,k->ijk", *[coherent_state(n, 1.0)] * 3)[order]
    assert np.abs(system.start.full() - start).max() < 1e-14


def test_ising_and_xxz_are_their_formulas():
    y = np.array([[0.0, -1j], [1j, 0.0]])
    ising, xxz = study(ISING).problem, study(XXZ).problem
    d = 6
    h = -0.5 * sum(embedded(X, k, d, 2) for k in range(d))
    h = h - sum(embedded(Z, k, d, 2) @ embedded(Z, k + 1, d, 2) for k in range(d - 1))
    assert np.abs(ising.system().operator.full() - h).max() < 1e-13
    d = 5
    h = np.zeros((2**d, 2**d), dtype=complex)
    for k in range(d - 1):
        for coupling, s in ((0.9, X / 2), (0.9, y / 2), (0.7, Z / 2)):
            h += coupling * embedded(s, k, d, 2) @ embedded(s, k + 1, d, 2)
    system = xxz.system()
    assert system.operator.dtype == np.float64 and np.abs(system.operator.full() - h).max() < 1e-13
    assert np.flatnonzero(system.start.full().ravel()) == [int("01010", 2)]


def test_force_field_start_and_energy_survive_the_contraction():
    contracted, harmonic = _force_field(14).system(), _force_field(24, "harmonic").system()
    x, y = contracted.start, harmonic.start
    assert x.norm() == pytest.approx(1.0, abs=1e-6) and y.norm() == pytest.approx(1.0, abs=1e-10)
    h, g = contracted.operator.full(), harmonic.operator.full()
    u, v = x.full().ravel(), y.full().ravel()
    assert u @ h @ u == pytest.approx(v @ g @ v, abs=1e-4)
    assert u @ h @ h @ u == pytest.approx(v @ g @ g @ v, abs=1e-3)


def _force_field(functions, kind="contracted"):
    keys = {"kind": "wave_packet", "model": "force_field", "initial": {"type": "gaussian", "centre": [0.8, -0.5]}}
    keys["force_field"] = {"model": "henon_heiles", "dimension": 2, "coupling": 0.05}
    return study(keys, basis={"type": kind, "functions": functions}).problem


def test_coherent_state_has_its_moments():
    n = 60
    c = coherent_state(n, 1.3, -0.7)
    a = np.diag(np.sqrt(np.arange(1, n)), 1)
    q, p = (a + a.T) / math.sqrt(2.0), 1j * (a.T - a) / math.sqrt(2.0)
    assert np.vdot(c, c).real == pytest.approx(1.0, abs=1e-14)
    assert np.vdot(c, q @ c).real == pytest.approx(1.3, abs=1e-12)
    assert np.vdot(c, p @ c).real == pytest.approx(-0.7, abs=1e-12)
    # the overlap with the ground state is that of two Gaussians
    x = np.linspace(-12, 14, 4001)
    g = np.pi**-0.25 * np.exp(-((x - 1.3) ** 2) / 2 - 0.7j * x)
    overlap = np.trapezoid(np.pi**-0.25 * np.exp(-(x**2) / 2) * g, x)
    assert abs(abs(overlap) - abs(c[0])) < 1e-12
    real = coherent_state(8, 1.0)
    assert real.dtype == np.float64
    expected = [math.exp(-0.25) * (0.5**0.5) ** v / math.sqrt(math.factorial(v)) for v in range(8)]
    assert np.allclose(real, expected, atol=1e-15)


def test_absorber_is_positive_and_what_it_says():
    absorber = Absorber(strength=1.0, start=1.0, order=2)
    w = absorbing_matrix(9, absorber)
    assert np.linalg.eigvalsh(w)[0] > -1e-14 and np.abs(w - w.T).max() == 0.0
    x = np.linspace(-10, 10, 40001)
    f0 = np.pi**-0.25 * np.exp(-(x**2) / 2)
    f1 = math.sqrt(2.0) * x * f0
    beyond = np.maximum(np.abs(x) - 1.0, 0.0) ** 2
    assert w[0, 0] == pytest.approx(np.trapezoid(f0**2 * beyond, x), abs=2e-4)
    assert w[1, 1] == pytest.approx(np.trapezoid(f1**2 * beyond, x), abs=2e-4)
    assert abs(w[0, 1]) < 1e-12


def test_observables_of_a_random_state():
    rng = np.random.default_rng(1)
    shape = (3, 2, 4, 3)
    x = tt_svd(rng.standard_normal(shape) + 1j * rng.standard_normal(shape))
    one = [m + m.T for m in (rng.standard_normal((n, n)) for n in shape)]
    found = measure(x, {"a": one}, {"aa": one}, [[0], [1], [2, 3], [0, 1]])
    psi = x.full() / x.norm()
    for k in range(4):
        rho = np.tensordot(psi, psi.conj(), axes=[[j for j in range(4) if j != k]] * 2)
        assert found.sites["a"][k] == pytest.approx(np.trace(rho @ one[k]).real, abs=1e-12)
    for k in range(3):
        moved = np.moveaxis(np.tensordot(one[k], psi, axes=(1, k)), 0, k)
        moved = np.moveaxis(np.tensordot(one[k + 1], moved, axes=(1, k + 1)), 0, k + 1)
        assert found.pairs["aa"][k] == pytest.approx(np.vdot(psi, moved).real, abs=1e-12)
        p = np.linalg.svd(psi.reshape(math.prod(shape[: k + 1]), -1), compute_uv=False) ** 2
        assert found.entropies[k] == pytest.approx(-(p * np.log(p)).sum(), abs=1e-12)
    populations = [
        np.diagonal(np.tensordot(psi, psi.conj(), axes=[[j for j in range(4) if j != k]] * 2)).real for k in range(4)
    ]
    expected = max(populations[0][0], populations[1][1], populations[2][2:].sum(), populations[3][:2].sum())
    assert found.edge == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("absorber", [None, {"strength": 0.3, "start": 1.0, "order": 2}])
def test_doubling_rule(absorber):
    """a(2t) = sum psi_i(t)^2 where H is its own transpose, an absorber included, and the start real."""
    changes = {"absorber": absorber} if absorber else {}
    system = study(HENON_HEILES, **changes).problem.system()
    assert system.doubles and system.dissipative == bool(absorber)
    t = np.array([0.4, 1.7])
    halves, whole = dense_evolution(system, t), dense_evolution(system, 2 * t)
    x = system.start.full().ravel()
    doubled = [doubled_overlap(tt_svd(psi.reshape(10, 10))) for psi in halves]
    assert np.allclose(doubled, whole @ x, atol=1e-11)
    if absorber:
        assert np.linalg.norm(whole[1]) < 0.99


def test_no_doubling_where_the_rule_does_not_hold():
    moving = study(HENON_HEILES, initial={"type": "gaussian", "centre": 1.0, "momentum": 0.5})
    assert not moving.problem.system().doubles


def test_doubled_overlap_is_without_conjugation():
    x = random_train((3, 4, 2), 3, np.random.default_rng(2), complex)
    assert doubled_overlap(x) == pytest.approx(complex((x.full() ** 2).sum()), abs=1e-14)


@pytest.mark.parametrize(("n", "begin", "order"), [(12, 2.0, 2), (30, 0.7, 1), (40, 6.5, 3)])
def test_the_absorber_is_integrated_beside_its_kink(n, begin, order):
    w = absorbing_matrix(n, Absorber(strength=1.0, start=begin, order=order))
    q = np.linspace(begin, 20.0, 400_001)
    weights = np.full(len(q), q[1] - q[0])
    weights[1:-1:2] *= 4.0 / 3.0
    weights[2:-1:2] *= 2.0 / 3.0
    weights[[0, -1]] /= 3.0
    for i, j in ((0, 0), (n - 1, n - 1), (n - 1, n - 3), (1, 5)):
        functions = [eval_hermite(v, q) * np.exp(-0.5 * q**2) for v in (i, j)]
        norms = [math.sqrt(2.0**v * math.factorial(v) * math.sqrt(math.pi)) for v in (i, j)]
        exact = 2.0 * np.sum(weights * functions[0] / norms[0] * functions[1] / norms[1] * (q - begin) ** order)
        assert abs(w[i, j] - exact) < 1e-10 * max(1.0, abs(exact))
    assert np.linalg.eigvalsh(w).min() > -1e-13 * np.abs(w).max() and not w[0, 1]
