"""Parities from the terms that matter: what breaks one but lies below the accuracy is left out, and its size is said.

Fitted force fields carry terms of 1e-9 to 1e-18 cm-1 where symmetry says zero. Kept, they cost every parity, and with
it exact labels and most of the speed. A term c q_1^a q_2^b ... moves no level by more than its operator norm in the
basis (Weyl), so terms are left out whose norms add up to a small share of the accuracy; these are part of the errors.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache

import numpy as np

from problems.quantum.hamiltonians.force_field.basis import ModeBasis, parity_generators
from problems.quantum.hamiltonians.force_field.field import ForceField

NEGLIGIBLE = 1e-2  # of the accuracy: all terms left out together
QUANTA = 20  # of a mode, up to which |q| <= sqrt(2 v + 1) is assumed before there is a basis


@lru_cache(maxsize=16)
def terms_that_matter(field: ForceField, accuracy: float) -> tuple[ForceField, Mapping[tuple[int, ...], float]]:
    """The field without negligible terms that break a parity of all the others, and these terms.

    The field itself where no parity is gained. Cost O(terms log terms).
    """
    reach = math.sqrt(2.0 * QUANTA + 1.0)
    sizes = {modes: abs(c) * reach ** len(modes) for modes, c in field.terms.items()}
    ascending = sorted(sizes, key=sizes.__getitem__)
    small = set(ascending[: int(np.searchsorted(np.cumsum([sizes[m] for m in ascending]), NEGLIGIBLE * accuracy))])
    if not small:
        return field, {}
    generators = parity_generators(_without(field, small))
    if len(generators) <= len(parity_generators(field)):
        return field, {}
    breaking = {modes: field.terms[modes] for modes in small if _odd(modes, field.d, generators)}
    return _without(field, breaking), breaking


def norm_bound(terms: Mapping[tuple[int, ...], float], bases: Sequence[ModeBasis]) -> float:
    """A bound of what ``terms`` move any level in these bases: the sum of their operator norms."""
    total = 0.0
    for modes, c in terms.items():
        total += abs(c) * math.prod(float(np.linalg.norm(bases[k].powers[p], 2)) for k, p in Counter(modes).items())
    return total


def _odd(modes: tuple[int, ...], d: int, generators: np.ndarray) -> bool:
    return bool((generators @ np.bincount(modes, minlength=d) % 2).any())


def _without(field: ForceField, left_out: Collection[tuple[int, ...]]) -> ForceField:
    terms = {modes: c for modes, c in field.terms.items() if modes not in left_out}
    return ForceField(field.name, field.unit, field.frequencies, terms, field.source)
