"""Random evolutions of a few hundred entries with exact answers, and random tensors to complete.

Built apart from the suite: the operator as a sum of Kronecker products, its exponential by scipy. A case is fixed by
its seed. ``judged`` says what became of it: right, honest (not converged, and no less wrong than said) or silent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import expm

from solvers.dynamics.evolve import evolve
from solvers.fit_methods import Completion
from solvers.formats.trains.construct import random_train, rank_one, unit
from solvers.formats.trains.sum_of_products import sum_of_products
from solvers.methods import BUG, TDVP, Implicit
from solvers.optimisation.completion.completion import complete
from solvers.optimisation.completion.dimension import parameters

METHODS = {"tdvp": TDVP, "tdvp2": lambda **options: TDVP(sites=2, **options), "bug": BUG, "implicit": Implicit}
LENIENT, MARGIN = 10.0, 3.0  # an error may be so many times the accuracy, or the estimate of it


@dataclass(frozen=True)
class Verdict:
    """What became of a case: ``error`` and ``estimate`` relative; ``text`` describes it."""

    kind: str
    error: float
    estimate: float
    text: str


def judged(text: str, solution, error: float, accuracy: float) -> Verdict:
    estimate = float(solution.residual[0])
    assert np.isfinite(error), text
    within = error <= max(LENIENT * accuracy, MARGIN * estimate)
    kind = ("right" if within else "silent") if solution.converged else ("honest" if within else "understated")
    return Verdict(kind, error, estimate, f"{text}: {solution.status.name}, error {error:.1e}, said {estimate:.1e}")


def kronecker(matrices, terms, sizes):
    """The dense sum of products."""
    total = np.zeros((int(np.prod(sizes)),) * 2, dtype=complex)
    for coefficient, places in terms:
        one = np.ones((1, 1))
        for k, n in enumerate(sizes):
            one = np.kron(one, matrices[k][places[k]] if k in places else np.eye(n))
        total = total + coefficient * one
    return total


def hamiltonian(rng):
    """Sizes, one-mode matrices and terms of a random Hermitian operator, with an offset in half the cases."""
    d = int(rng.integers(2, 6))
    sizes = [int(rng.integers(2, {2: 14, 3: 8, 4: 5, 5: 4}[d])) for _ in range(d)]
    matrices = []
    for n in sizes:
        level = np.diag(np.sort(rng.uniform(0.0, 3.0, n)))
        hop = np.diag(rng.uniform(0.3, 1.0, n - 1), 1)
        dense = rng.standard_normal((n, n)) / np.sqrt(n)
        matrices.append([np.eye(n), level, hop + hop.T, 0.5 * (dense + dense.T)])
    terms = [(float(rng.uniform(0.3, 1.5)), {k: int(rng.integers(1, 4))}) for k in range(d)]
    for k in range(d):
        j = (k + int(rng.integers(1, d))) % d
        terms.append((float(rng.uniform(-0.6, 0.6)), {k: int(rng.integers(1, 4)), j: int(rng.integers(1, 4))}))
    terms.append((float(rng.choice([0.0, 0.0, 40.0, -150.0])), {}))
    return sizes, matrices, terms


def generator(rng):
    """The same for a Markov generator: hops of each mode, driven by its neighbour."""
    d = int(rng.integers(2, 5))
    sizes = [int(rng.integers(2, {2: 14, 3: 8, 4: 5}[d])) for _ in range(d)]
    matrices = []
    for n in sizes:
        up = np.diag(rng.uniform(0.2, 2.0, n - 1), -1)
        down = np.diag(rng.uniform(0.2, 2.0, n - 1), 1)
        chains = [m - np.diag(m.sum(axis=0)) for m in (up, down)]
        matrices.append([np.eye(n), *chains, np.diag(np.linspace(0.0, 1.0, n))])
    terms = [(float(10.0 ** rng.uniform(-1, 1)), {k: int(rng.integers(1, 3))}) for k in range(d)]
    terms += [(float(rng.uniform(0.1, 2.0)), {k: int(rng.integers(1, 3)), (k + 1) % d: 3}) for k in range(d)]
    return sizes, matrices, terms


def evolution(seed: int, method: str, kind: str) -> Verdict:
    """``kind``: real, imaginary or markov."""
    rng = np.random.default_rng([seed, len(method), len(kind)])
    sizes, matrices, terms = generator(rng) if kind == "markov" else hamiltonian(rng)
    factor = {"real": -1j, "imaginary": -1.0, "markov": 1.0}[kind]
    operator = sum_of_products([np.array(m) for m in matrices], [t for t in terms if t[0]])
    dense = kronecker(matrices, terms, sizes)
    if rng.random() < 0.5 or kind == "markov":
        start = unit(sizes, [int(rng.integers(n)) for n in sizes])
    else:
        start = rank_one([rng.standard_normal(n) for n in sizes])
    t = float(np.exp(rng.uniform(np.log(0.2), np.log(4.0))))
    offset = terms[-1][0] if kind != "markov" else 0.0
    cap = {"max_rank": int(rng.choice([4, 8, 40]))}
    accuracy = float(rng.choice([1e-3, 1e-4, 1e-5]))
    solution = evolve(
        operator,
        start,
        np.linspace(0.0, t, 3),
        method=METHODS[method](**cap),
        factor=factor,
        accuracy=accuracy,
        throw=False,
    )
    exact = expm(t * factor * (dense - offset * np.eye(len(dense)))) @ start.full().ravel()
    found = solution.value.state.full().ravel() * np.exp(-t * factor * offset)
    error = float(np.linalg.norm(found - exact) / np.linalg.norm(exact))
    text = f"{kind} {method} {cap['max_rank']}, seed {seed}, {sizes}, t {t:.2g}, offset {offset:g}"
    return judged(text, solution, error, accuracy)


def completion(seed: int) -> Verdict:
    """Low rank, smooth, mostly zero, noisy, constant, or too few samples for the rank."""
    rng = np.random.default_rng([seed, 77])
    shape = [(7, 8, 9), (6,) * 4, (25, 30), (5,) * 5][int(rng.integers(4))]
    kind = ["low rank", "smooth", "mostly zero", "noise", "constant", "few"][seed % 6]
    rank = int(rng.integers(1, 4))
    x = np.indices(shape).reshape(len(shape), -1).T / (np.array(shape) - 1.0)
    full = random_train(shape, rank, rng).full().ravel()
    if kind == "smooth":
        full = np.exp(-x @ rng.uniform(0.2, 1.5, len(shape)))
    if kind == "mostly zero":
        full = full * (x[:, 0] < 0.35) * (x[:, -1] < 0.5)
    if kind == "constant":
        full = np.full(len(full), float(rng.uniform(1.0, 5.0)))
    data = full + (0.01 * np.sqrt((full**2).mean()) * rng.standard_normal(len(full)) if kind == "noise" else 0.0)
    times = 1.3 if kind == "few" else float(rng.uniform(3.0, 8.0))
    count = min(int(times * parameters(shape, rank)) + 30, int(0.7 * len(full)))
    most = rank + int(rng.integers(0, 2))
    while most > 1 and parameters(shape, most) > 0.8 * count:
        most -= 1
    order = rng.permutation(len(full))
    indices = np.stack(np.unravel_index(order[:count], shape), axis=1)
    accuracy = float(rng.choice([1e-2, 1e-3, 1e-4]))
    method = Completion(max_rank=most, starts=2)
    try:
        solution = complete(indices, data[order[:count]], shape, method=method, accuracy=accuracy, throw=False)
    except ValueError as error:
        if "no sample at index" in str(error) or "parameters, but only" in str(error):
            return Verdict("honest", np.inf, np.inf, str(error))
        raise
    rest = order[count:]
    found = solution.value.full().ravel()[rest]
    error = float(np.linalg.norm(found - data[rest]) / max(np.linalg.norm(data[rest]), 1e-300))
    return judged(f"{kind} {shape} rank {rank}, {count} samples, seed {seed}", solution, error, accuracy)
