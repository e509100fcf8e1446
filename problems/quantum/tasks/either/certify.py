"""Other routes to the levels, or the motion, of a Hamiltonian given term by term.

A spectrum is compared with the other method, with more states at a tighter accuracy, and where the space is small with
the whole matrix, or Lanczos on full vectors, made from the terms themselves. The basis is part of the question.
"""

from __future__ import annotations

import math

import numpy as np

from problems.exact_levels import DENSE, LARGEST, lowest_levels
from problems.keys import AUTOMATIC
from problems.quantum.hamiltonians.terms import matrices
from problems.quantum.kinds.sum_of_products import MOST_SHARED, SumOfProductsProblem
from problems.quantum.tasks.either.keys import SpectrumSolver
from problems.quantum.tasks.either.solve import FEW_STATES, SMALL_MODES
from problems.quantum.tasks.evolution import certify as motion
from problems.quantum.tasks.evolution.keys import WavePacketSolver
from problems.report_parts import Effort, Quantity
from problems.result import Results
from problems.route import TIGHTER, Route


def allowed(solver: SpectrumSolver | WavePacketSolver, quantity: Quantity, results: Results) -> float | np.ndarray:
    """What the accuracy asked for allows in each value."""
    return motion.allowed(solver, quantity, results) if isinstance(solver, WavePacketSolver) else solver.accuracy


def routes(problem: SumOfProductsProblem, solver: SpectrumSolver | WavePacketSolver, results: Results) -> list[Route]:
    """The routes to what a run with these keys computed."""
    if isinstance(solver, WavePacketSolver):
        return motion.routes(problem, solver, results)
    assert solver.n_states is not None
    n, space = solver.n_states, math.prod(problem.sizes)
    found = []
    if space <= LARGEST:
        text = (
            "the whole matrix, from the terms themselves"
            if space <= DENSE
            else "Lanczos on full vectors, from the terms"
        )
        found.append(Route("exact", f"{text}, without tensor trains", direct=exact, effort=_effort(problem)))
    method = "inverse_iteration" if _shared(problem, solver) or n > MOST_SHARED else "block_dmrg"
    found.append(Route("method", f"{method}, another seed", {"solver.method": method}, other_seed=True))
    more = min(space, n + max(4, n // 4))
    if more > n:
        text = f"{more} states, a tenth of the accuracy, another seed"
        changes = {"solver.n_states": more, "solver.accuracy": TIGHTER * solver.accuracy}
        found.append(Route("states", text, changes, other_seed=True))
    return found


def _shared(problem: SumOfProductsProblem, solver: SpectrumSolver) -> bool:
    """Whether the run, for all that its keys say, took one basis for all states."""
    if solver.method != AUTOMATIC:
        return solver.method == "block_dmrg"
    assert solver.n_states is not None
    return solver.n_states <= FEW_STATES or float(np.mean(problem.sizes)) <= SMALL_MODES


def terms_of(problem: SumOfProductsProblem) -> list[tuple[complex, dict[int, np.ndarray]]]:
    """Every distinct product as its coefficient and the matrices of its modes."""
    found = []
    for key, c in problem.products.items():
        phase, factors = 0, {}
        for k, one in key:
            power, factors[k] = matrices.matrix(problem.bases[k], one)
            phase += power
        found.append((complex(c) * 1j**phase, factors))
    return found


def exact(problem: SumOfProductsProblem, solver: SpectrumSolver) -> Results:
    """The levels of the matrix of the terms."""
    assert solver.n_states is not None
    energies, errors = lowest_levels(problem.sizes, terms_of(problem), solver.n_states)
    return {"energies": energies, "error_estimates": errors, "unit": "model units"}


def _effort(problem: SumOfProductsProblem) -> Effort:
    size = math.prod(problem.sizes)
    return Effort(1.0 + 1e-7 * size * len(problem.products) * 3.0, 200.0 + 3e-3 * size)
