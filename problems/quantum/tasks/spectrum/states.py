"""States in the words of spectroscopy: assignment, symmetry, completeness; and those of a complex Hamiltonian."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from solvers.eigen.complex_hermitian import recover
from solvers.eigen.states import EigenStates
from solvers.formats.trains.leading import leading_entries
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.sectors.leading_products import leading_products
from solvers.sectors.train import SectorTrain
from solvers.solution import Solution, Status

LISTED = 8  # modes of a product that are named


def assignment(
    x: SectorTrain | TensorTrain, labels: Sequence[np.ndarray], numbers: Sequence[int], count: int = 2
) -> str:
    """The leading products, as in "0.97[1v3] ; 0.20[1v1+1v3]": quanta of the modes, by their ``numbers``."""
    products: Sequence[tuple[complex, tuple[int, ...]]]
    products = leading_entries(x, count) if isinstance(x, TensorTrain) else leading_products(x, count)
    found = []
    for value, functions in products:
        quanta = {numbers[k]: int(labels[k][n]) for k, n in enumerate(functions) if labels[k][n]}
        names = [f"{v}v{mode}" for mode, v in sorted(quanta.items())]
        names = names if len(names) <= LISTED else [*names[: LISTED - 1], f"and {len(names) - LISTED + 1} more"]
        found.append(f"{abs(value):.2f}[{'+'.join(names) or 'gs'}]")
    return " ; ".join(found)


def symmetry_label(charge: int, mode_charges: np.ndarray) -> str:
    """One sign for each parity the field conserves; "+" alone where it conserves none."""
    bits = int(np.bitwise_or.reduce(mode_charges)).bit_length() if len(mode_charges) else 0
    return "".join("-" if charge >> bit & 1 else "+" for bit in range(bits)) or "+"


def completeness(states: EigenStates) -> dict[str, object]:
    """What says that no state is missing: the buffer, the gap above the last wanted state, and the probe."""
    above = [float(e) for e in states.buffer]
    outside = states.probe.get("lowest_energy_outside")
    last = float(states.energies[-1])
    following = above[0] if above else outside
    return {
        "buffer_states": above,
        "gap_above": None if following is None else float(following) - last,
        "probe": states.probe,
    }


def recovered(
    operator: TTOperator, solution: Solution, n_states: int, accuracy: float, max_rank: int | None = None
) -> Solution:
    """The states of a complex operator from twice as many of its real form, in one order of energies.

    ``max_rank``: of the complex states, whose ranks are sums of those of the real ones; None: as the accuracy needs.
    """
    real: EigenStates = solution.value
    tol = float(np.clip(0.1 * np.sqrt(accuracy / max(np.abs(real.energies).max(), 1e-300)), 1e-12, 1e-3))
    trains_of_real = [x.to_train() for x in real.trains if isinstance(x, SectorTrain)]
    energies, trains, errors = recover(operator, trains_of_real, real.errors, n_states, tol, max_rank)
    residual = np.array([(operator @ z - z * complex(e)).norm() for z, e in zip(trains, energies)])
    # every level of the real form is there twice
    value = EigenStates(energies, trains, [0] * n_states, errors, np.sort(real.buffer)[::2], real.probe)
    n_converged = int(np.sum(errors <= accuracy))
    status = Status.CONVERGED if n_converged == n_states else solution.status
    if status is Status.CONVERGED and n_converged < n_states:  # the real ones met it, their combinations do not
        status = Status.RANK_LIMIT
    return replace(solution, value=value, status=status, n_converged=n_converged, residual=residual)
