"""What runs are expected to take, before they begin: shared parts of the estimates of all kinds.

Times are sums of (number of local operations) x (overhead + flops / speed). The counts and the constants were fitted to
runs on one core of an AMD EPYC server; tests hold the sums to a factor of three of those runs. Index letters: n mode
size, r TT-rank of the state, R of the operator.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from problems.report_parts import Effort
from solvers.eigen.explicit import DENSE
from solvers.measured import numeral
from solvers.optimisation.completion.dimension import feasible

INTERPRETER = 200.0  # megabytes: Python and its libraries, in every process
SPEED = 15e9  # flops a second of local products
PRODUCT = 2e-3  # seconds a local product of the eigensolver takes beside its flops
SOLVES_A_STATE, PRODUCTS_A_MODE = 3.0, 7.0  # of inverse iteration: solves, and local products a mode of each
BUFFER = 3  # states beyond those wanted
SHOWN = 24  # entries of a list in a text


def listed(values: Sequence[int]) -> str:
    """Numbers as a text, cut short."""
    text = ", ".join(str(value) for value in values[:SHOWN])
    return text if len(values) <= SHOWN else f"{text}, ... ({len(values)} in all, largest {max(values)})"


def entries(shape: Sequence[int]) -> str:
    """How many entries a full tensor would have, as a text."""
    digits = sum(math.log10(n) for n in shape)
    return f"{math.prod(shape)} entries" if digits < 6 else f"about 10^{digits:.1f} entries if it were stored in full"


def size(shape: Sequence[int], rank: int, bytes_: int = 8) -> float:
    """Megabytes of a train with TT-ranks ``rank``, or what the shape allows."""
    ranks = feasible(shape, rank)
    return bytes_ * 1e-6 * sum(float(a) * n * b for a, n, b in zip(ranks[:-1], shape, ranks[1:]))


def megabytes(value: float) -> str:
    """A size in memory as a text, in the unit that suits it."""
    value *= 1000.0
    for unit in ("kB", "MB", "GB", "TB"):
        if value < 1000.0:
            return f"{numeral(value, digits=3)} {unit}"
        value /= 1000.0
    return f"{numeral(value, digits=3)} PB"


def products(shape: Sequence[int], operator_ranks: Sequence[int], rank: int) -> list[float]:
    """Flops of one local product with the operator at each mode, real arithmetic."""
    ranks = feasible(shape, rank)
    found = []
    for k, n in enumerate(shape):
        a, b, left, right = ranks[k], ranks[k + 1], operator_ranks[k], operator_ranks[k + 1]
        found.append(2.0 * a * n * b * (left * a + min(left * right, 3 * max(left, right)) * n + right * b))
    return found


def of_full_vectors(functions: float, states: int) -> Effort:
    """The lowest states of a small space by vectors over all of its functions: few by a count, many by LAPACK, or,
    where it is not dense, by Lanczos."""
    dense = functions <= DENSE
    cube = 2.0 if 16 * states < functions else 9.0  # seconds at ``DENSE`` functions: measured
    seconds = 0.3 + (cube * (functions / DENSE) ** 3 if dense else 2e-4 * functions * (1.0 + states / 20.0))
    numbers = 3.0 * functions**2 if dense else functions * (3.0 * states + 1000.0)
    return Effort(seconds, INTERPRETER + 8e-6 * numbers)


def of_spectrum(
    shape: Sequence[int], operator_ranks: Sequence[int], states: int, rank: int, shared: bool, workers: int
) -> Effort:
    """The lowest ``states`` by inverse iteration, or by block DMRG on one basis that they ``share``."""
    flops = products(shape, operator_ranks, rank)
    d, wanted = len(shape), states + BUFFER
    if shared:
        count, workers = 10.0 * wanted * d, 1
    else:
        count = PRODUCTS_A_MODE * SOLVES_A_STATE * wanted * d
    seconds = 0.3 + count * ((0.1 if shared else 1.0) * PRODUCT + sum(flops) / d / SPEED)
    stored = size(shape, rank) * (1 if shared else wanted)
    processes = 1 + (workers if workers > 1 else 0)
    return Effort(seconds / workers, INTERPRETER * processes + 3.0 * stored)
