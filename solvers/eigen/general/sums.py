"""``eig`` of a sum over groups of modes, A = sum_g 1 x ... x A_g x ... x 1: every eigenvalue is a sum of theirs.

1. The groups are found (solvers.eigen.separable), wherever their modes stand.
2. Of largest or smallest real part: those of the groups first in this order are enough, by whatever way ``eig`` has for
   a group, and their sums are merged best first.
3. Of another order all eigenvalues of small groups are merged in two halves; nearest to a number: of each sum of the
   one half the nearest of the other, by a tree in the plane (of largest modulus: all sums, where they are few).
Right and left trains are products, conditions are products, errors add up. The spectrum of a sum of groups is that of
all sums whether or not the groups are defective.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from solvers.eigen.components import interleaved
from solvers.eigen.general.order import Order
from solvers.eigen.general.states import EigenPairs
from solvers.eigen.separable import groups
from solvers.formats.trains.operator import TTOperator
from solvers.linear.residual import residual_norm
from solvers.solution import Status

SMALL = 600  # functions of a group whose eigenvalues are all found: 2 s with both kinds of vectors, measured
MOST_HALF = 200_000  # sums of a half of the groups: the pairs nearest to a number in seconds; chosen, not measured
MOST_WHOLE = 4_000_000  # sums that are all looked at
SPARE = 2  # beside those wanted: the second of a conjugate pair, and what tells that it is one
Place = tuple[int, ...]
OfGroup = Callable[[TTOperator, int], tuple[EigenPairs, dict[str, int]]]


def by_sums(
    operator: TTOperator, n: int, order: Order, accuracy: float, of_group: OfGroup
) -> tuple[EigenPairs, dict[str, int]] | None:
    """The pairs and what was counted; None where A is no such sum, or has too many sums for this order.

    ``of_group(A_g, m)``: the first m eigenpairs of a group, all of them where m is its dimension.
    """
    found = groups(operator)
    if found is None:
        return None
    parts, modes = found
    sizes = [math.prod(part.row_shape) for part in parts]
    by_real_part = order.target is None and order.which in ("LR", "SR")
    if not by_real_part and (max(sizes) > SMALL or not _affordable(sizes, order)):
        return None
    merged = _Groups(parts, [min(n + SPARE, size) if by_real_part else size for size in sizes], of_group)
    places = merged.first(n + SPARE, order) if by_real_part else merged.nearest(n + SPARE, order)
    w = np.array([merged.sum(place) for place in places])
    chosen = order.sorted(w)
    take = order.cut(w[chosen], n, operator.dtype.kind != "c")
    places, w = [places[i] for i in chosen[:take]], w[chosen[:take]]
    right = [interleaved([g.right[i] for g, i in zip(merged.pairs, place)], modes) for place in places]
    left = [interleaved([g.left[i] for g, i in zip(merged.pairs, place)], modes) for place in places]
    errors = np.array([sum(g.errors[i] for g, i in zip(merged.pairs, place)) for place in places])
    conditions = np.array([math.prod(g.conditions[i] for g, i in zip(merged.pairs, place)) for place in places])
    adjoint, residuals = operator.adjoint(), np.zeros((take, 2))
    for i, (r, l) in enumerate(zip(right, left)):
        own = complex(w[i]) if w[i].imag else float(w[i].real)
        residuals[i] = residual_norm(operator, r, r * own), residual_norm(adjoint, l, l * np.conj(own).item())
    statuses = []
    for e, place in zip(errors, places):
        of_parts = [g.statuses[i] for g, i in zip(merged.pairs, place)]
        worst = next((s for s in of_parts if s is not Status.CONVERGED), Status.PRECISION)
        statuses.append(Status.CONVERGED if e <= accuracy else worst)
    unproved = sorted({g.completeness for g in merged.pairs} - {"proved"})
    value = EigenPairs(w, right, left, errors, conditions, residuals, statuses, unproved[0] if unproved else "proved")
    return value, {"groups": len(parts), **merged.counts}


def _affordable(sizes: Sequence[int], order: Order) -> bool:
    if order.target is None and order.which == "LM":
        return math.prod(float(n) for n in sizes) <= MOST_WHOLE
    return max(math.prod(float(sizes[g]) for g in half) for half in _halves(sizes)) <= MOST_HALF


def _halves(sizes: Sequence[int]) -> tuple[list[int], list[int]]:
    """Groups in two halves of about as many sums each."""
    halves: tuple[list[int], list[int]] = ([], [])
    products = [1.0, 1.0]
    for g in sorted(range(len(sizes)), key=lambda g: -sizes[g]):
        side = int(products[1] < products[0])
        halves[side].append(g)
        products[side] *= sizes[g]
    return halves


@dataclass
class _Known:
    operator: TTOperator
    pairs: EigenPairs


class _Groups:
    """The eigenpairs of each group, equal groups once."""

    def __init__(self, parts: Sequence[TTOperator], wanted: Sequence[int], of_group: OfGroup) -> None:
        self.pairs: list[EigenPairs] = []
        self.counts: dict[str, int] = {}
        known: list[_Known] = []
        for part, m in zip(parts, wanted):
            twin = next((k for k in known if _equal(k.operator, part)), None)
            if twin is None:
                pairs, counts = of_group(part, m)
                twin = _Known(part, pairs)
                known.append(twin)
                for name, value in counts.items():
                    self.counts[name] = max(self.counts.get(name, 0), value)
            self.pairs.append(twin.pairs)

    def sum(self, place: Place) -> complex:
        """The eigenvalue of these of the groups."""
        terms = [complex(g.eigenvalues[i]) for g, i in zip(self.pairs, place)]
        return complex(math.fsum(t.real for t in terms), math.fsum(t.imag for t in terms))

    def first(self, n: int, order: Order) -> list[Place]:
        """Step 2: the places of the ``n`` sums first by their real part. Cost O(n groups log n)."""
        sign = -1.0 if order.which == "LR" else 1.0
        keys = [sign * np.real(g.eigenvalues) for g in self.pairs]
        ranked = [np.argsort(key, kind="stable") for key in keys]

        def key_of(at: Place) -> float:
            return math.fsum(key[rank[i]] for key, rank, i in zip(keys, ranked, at))

        start = (0,) * len(self.pairs)
        heap, seen = [(key_of(start), start)], {start}
        places: list[Place] = []
        while heap and len(places) < n:
            _, at = heapq.heappop(heap)
            places.append(tuple(int(rank[i]) for rank, i in zip(ranked, at)))
            for g in range(len(at)):
                following = (*at[:g], at[g] + 1, *at[g + 1 :])
                if at[g] + 1 < len(keys[g]) and following not in seen:
                    seen.add(following)
                    heapq.heappush(heap, (key_of(following), following))
        return places

    def nearest(self, n: int, order: Order) -> list[Place]:
        """Step 3."""
        sizes = [len(g.eigenvalues) for g in self.pairs]
        halves = _halves(sizes)
        sums = []
        for half in halves:
            total = np.zeros(1, complex)
            for g in half:
                total = np.add.outer(total, self.pairs[g].eigenvalues).ravel()
            sums.append(total)
        if order.target is None and order.which == "LM":
            whole = np.add.outer(*sums)
            flat = np.argsort(order.keys(whole.ravel()), kind="stable")[:n]
            best = [np.unravel_index(i, whole.shape) for i in flat]
        else:
            target = 0.0 if order.target is None else order.target
            tree = cKDTree(np.column_stack([sums[1].real, sums[1].imag]))
            asked = target - sums[0]
            many = min(n, len(sums[1]))
            far, partner = tree.query(np.column_stack([asked.real, asked.imag]), k=many)
            far, partner = far.reshape(len(asked), many), partner.reshape(len(asked), many)
            flat = np.argsort(far.ravel(), kind="stable")[:n]
            best = [(i // many, partner[i // many, i % many]) for i in flat]
        places = []
        for pair in best:
            place = [0] * len(sizes)
            for half, flat_index in zip(halves, pair):
                for g, own in zip(half, np.unravel_index(int(flat_index), [sizes[g] for g in half]) if half else ()):
                    place[g] = int(own)
            places.append(tuple(place))
        return places


def _equal(a: TTOperator, b: TTOperator) -> bool:
    return a.row_shape == b.row_shape and all(np.array_equal(p, q) for p, q in zip(a.cores, b.cores))
