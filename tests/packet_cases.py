"""Small wave packets, and their exact dense answers."""

import numpy as np

from ttsuite.config import make_study

HENON_HEILES = {
    "kind": "wave_packet",
    "model": "henon_heiles",
    "dimension": 2,
    "coupling": 0.111803,
    "basis": {"type": "harmonic", "functions": 10},
    "initial": {"type": "gaussian", "centre": 1.0},
}
ISING = {
    "kind": "wave_packet",
    "model": "ising",
    "dimension": 6,
    "J": 1.0,
    "h": 0.5,
    "initial": {"type": "product", "state": "up"},
    "observables": ["energy", "norm", "z", "szsz", "entropy"],
}
XXZ = {
    "kind": "wave_packet",
    "model": "xxz",
    "dimension": 5,
    "Jxy": 0.9,
    "Jz": 0.7,
    "initial": {"type": "product", "state": "neel"},
}
SOLVER = {"t_final": 4.0, "output_step": 0.2, "accuracy": 1e-4, "workers": 1}


def study(problem, solver=None, **changes):
    """A study of a problem with some of its keys changed."""
    return make_study({"name": "case", "problem": {**problem, **changes}, "solver": {**SOLVER, **(solver or {})}})


def embedded(matrix, k, d, n):
    """A one-mode matrix on mode k of d."""
    return np.kron(np.kron(np.eye(n**k), matrix), np.eye(n ** (d - k - 1)))


def dense_evolution(system, times):
    """States (T, N) of exp(-iHt) psi0, with H dense and of any kind."""
    h, x = system.operator.full(), system.start.full().ravel()
    energies, vectors = np.linalg.eig(h)
    c = np.linalg.solve(vectors, x)
    return (np.exp(-1j * np.outer(times, energies)) * c) @ vectors.T
