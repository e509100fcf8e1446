"""The potential that a sum of products holds, where it falls to minus infinity, and states that live there.

What counts as potential are products of powers of q, and the m w q^2 / 2 of a term n. Kinetic terms (those with p or T)
take no part; a mode that anything else acts on (b, n^2, a spin beside q) is left out, as is a sinc mode whose interval
does not hold q = 0: what falls along the others falls whatever these do.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from problems.quantum.hamiltonians.force_field.boundedness import Barrier, falls, nearest
from problems.quantum.hamiltonians.terms.modes import Boson, Harmonic, Mode, Sinc
from problems.quantum.hamiltonians.terms.names import Product
from problems.quantum.hamiltonians.terms.terms import Key
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.measured import numeral

KINETIC = {"p", "T"}
EDGE = 2  # last functions of a mode; one of each parity
EDGE_POPULATION = 0.02
FEWEST = 4  # functions of a mode that has an edge


def barrier_within(products: Mapping[Key, complex], modes: Sequence[Mode]) -> Barrier | None:
    """The lowest barrier to minus infinity within the range of the bases, modes numbered from 1 as in ``Barrier``."""
    terms: list[tuple[dict[int, int], float]] = []
    unknown: set[int] = set()
    for k, mode in enumerate(modes):
        if isinstance(mode, Sinc) and not mode.interval[0] < 0.0 < mode.interval[1]:
            unknown.add(k)
    for key, c in products.items():
        names = {name for _, product in key for name, _ in product}
        if names & KINETIC or not key:
            continue
        powers = {k: _power(modes[k], product) for k, product in key}
        if c.imag or any(power is None for power in powers.values()):
            unknown |= {k for k, _ in key}
            continue
        if "n" in names and c.real < 0.0:  # turned round as a whole, with its kinetic energy
            unknown |= {k for k, _ in key}
            continue
        factor = math.prod(scale for _, scale in powers.values())  # type: ignore[misc]
        terms.append(({k: power for k, (power, _) in powers.items()}, float(c.real) * factor))  # type: ignore[misc]
    if all(sum(powers.values()) < 2 for powers, _ in terms):
        return None  # nothing but forces: no well is meant
    found = [fall for fall in falls(len(modes), terms) if not unknown & set(fall.modes)]
    return nearest([_range(mode) for mode in modes], found)[0]


def warning_of(barrier: Barrier) -> str:
    """What a user is told of a hole within the basis, modes numbered from 0."""
    modes = ", ".join(str(k - 1) for k in barrier.modes)
    return (
        f"the potential is unbounded below: barrier of {numeral(barrier.height)} (modes {modes} at |q| = "
        f"{barrier.distance:.1f}) within the range of the basis; only states below it, and in the well, mean anything"
    )


def _power(mode: Mode, product: Product) -> tuple[int, float] | None:
    """The power of q that a product is, and its factor; None for anything else."""
    if all(name == "q" for name, _ in product) and "q" in mode.operators:
        return sum(power for _, power in product), 1.0
    if product == (("n", 1),) and isinstance(mode, (Harmonic, Boson)):
        return 2, 0.5 * (mode.mass * mode.frequency if isinstance(mode, Harmonic) else 1.0)
    return None


def _range(mode: Mode) -> float:
    """How far out the functions reach, in q."""
    if isinstance(mode, Sinc):
        return max(abs(mode.interval[0]), abs(mode.interval[1]))
    scale = mode.mass * mode.frequency if isinstance(mode, Harmonic) else 1.0
    return math.sqrt((2.0 * mode.size - 1.0) / scale)


def edges(modes: Sequence[Mode]) -> list[list[int]]:
    """Of each mode the functions behind which the basis ends; none for spins and for a handful of levels."""
    found = []
    for mode in modes:
        if isinstance(mode, Sinc):
            found.append([0, mode.size - 1])
        else:
            last = isinstance(mode, (Harmonic, Boson)) and mode.size >= FEWEST
            found.append(list(range(mode.size - EDGE, mode.size)) if last else [])
    return found


def edge_weight(x: TensorTrain, functions: Sequence[Sequence[int]]) -> float:
    """The largest weight that a state has in the functions of one mode given, over the modes. Cost O(d n r^3)."""
    rights = [np.ones((1, 1))]
    for core in x.cores[:0:-1]:
        rights.append(np.einsum("anb,bc,dnc->ad", core, rights[-1], core.conj(), optimize=True))
    left, worst = np.ones((1, 1)), 0.0
    for k, core in enumerate(x.cores):
        half = np.einsum("ab,anc->bnc", left, core)
        weights = np.einsum("bnc,cd,bnd->n", half, rights[x.d - 1 - k], core.conj(), optimize=True).real
        if functions[k]:
            worst = max(worst, float(weights[list(functions[k])].sum() / weights.sum()))
        left = np.einsum("bnc,bnd->cd", half, core.conj())
    return worst
