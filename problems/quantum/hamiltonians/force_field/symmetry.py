"""Parities from the terms that matter: what breaks one but lies below the accuracy is left out, and its size is said.

Fitted force fields carry terms of 1e-9 to 1e-18 cm-1 where symmetry says zero. Kept, they cost every parity, and with
it exact labels and most of the speed. A term c q_1^a q_2^b ... moves no level by more than its operator norm in the
basis (Weyl), so terms are left out whose norms add up to a small share of the accuracy; these are part of the errors.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache

import numpy as np

from problems.quantum.hamiltonians.force_field.basis import ModeBasis, parity_generators
from problems.quantum.hamiltonians.force_field.field import ForceField
from problems.quantum.hamiltonians.force_field.rotation import PARTS, Factors, odd_in, of_powers

NEGLIGIBLE = 1e-2  # of the accuracy: all terms left out together
QUANTA = 20  # of a mode, up to which |q| <= sqrt(2 v + 1) is assumed before there is a basis


@lru_cache(maxsize=16)
def terms_that_matter(field: ForceField, accuracy: float) -> tuple[ForceField, Mapping[Factors, float]]:
    """The field without negligible terms that break a parity of all the others, and these terms.

    The field itself where no parity is gained. Cost O(terms log terms).
    """
    reach = math.sqrt(2.0 * QUANTA + 1.0)
    products = {of_powers(modes): c for modes, c in field.terms.items()} | dict(field.rotation)
    sizes = {p: abs(c) * reach ** sum(power + n for _, (power, n) in p) for p, c in products.items()}
    ascending = sorted(sizes, key=sizes.__getitem__)
    small = set(ascending[: int(np.searchsorted(np.cumsum([sizes[m] for m in ascending]), NEGLIGIBLE * accuracy))])
    if not small:
        return field, {}
    generators = parity_generators(_without(field, small))
    if len(generators) <= len(parity_generators(field)):
        return field, {}
    breaking = {p: products[p] for p in small if (generators @ odd_in(p, field.d) % 2).any()}
    return _without(field, breaking), breaking


def norm_bound(products: Mapping[Factors, float], bases: Sequence[ModeBasis]) -> float:
    """A bound of what ``products`` move any level in these bases: the sum of their operator norms."""
    with_momenta = any(n for factors in products for _, (_, n) in factors)
    momenta = [basis.momenta() if with_momenta else basis.powers[:0] for basis in bases]
    total = 0.0
    for factors, c in products.items():
        matrices = [bases[k].powers[a] if n == 0 else momenta[k][PARTS.index((a, n))] for k, (a, n) in factors]
        total += abs(c) * math.prod(float(np.linalg.norm(m, 2)) for m in matrices)
    return total


def _without(field: ForceField, left_out: Collection[Factors]) -> ForceField:
    terms = {modes: c for modes, c in field.terms.items() if of_powers(modes) not in left_out}
    rotation = {factors: c for factors, c in field.rotation.items() if factors not in left_out}
    return ForceField(field.name, field.unit, field.frequencies, terms, field.source, rotation, field.bend)
