"""What entries that were rejected have in common: whether they are errors by chance, or a part of the tensor."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence

import numpy as np
from scipy.special import gammaln

from solvers.optimisation.completion.given import Data, S
from solvers.solution import Checked

CHANCE = 1e-4  # that entries not fitted are rejected as often or more, were all equal: below, they are not
DRAWS = 200  # random sets of as many entries
SPREADS = 6.0  # standard deviations of such sets, beyond which the rejected lie on the same indices


def looks_at(parts: Sequence[Data[S]], rejected: Sequence[np.ndarray]) -> Iterator[Checked]:
    """Two looks; ``parts`` and masks: of the entries fitted, set aside, and tests."""
    own, total = int(rejected[0].sum()), len(rejected[0])
    others, of = sum(int(mask.sum()) for mask in rejected[1:]), sum(len(mask) for mask in rejected[1:])
    chance = as_many(others, total + of, own + others, of)
    text = f"{others} of {of} entries not fitted, {own} of {total} fitted"
    yield Checked("entries rejected", "their share where nothing was fitted", text, chance >= CHANCE)
    samples = functools.reduce(lambda one, other: one.joined(other), (part.samples for part in parts))
    columns, shape = samples.cells
    spread = together(np.stack(columns, axis=1), np.concatenate(list(rejected)), shape)
    text = "as by chance" if spread <= SPREADS else "on the same indices: a part of the tensor, or a source of errors"
    yield Checked("entries rejected", "where they lie", text, spread <= SPREADS)


def as_many(found: int, total: int, marked: int, drawn: int) -> float:
    """The chance of ``found`` or more marked ones among ``drawn`` of ``total``, ``marked`` of them: hypergeometric."""
    k = np.arange(max(found, drawn + marked - total, 0), min(drawn, marked) + 1)

    def chosen(n: int | np.ndarray, m: int | np.ndarray) -> np.ndarray:  # logarithm of n over m
        return gammaln(n + 1.0) - gammaln(m + 1.0) - gammaln(np.subtract(n, m) + 1.0)

    logarithms = chosen(marked, k) + chosen(total - marked, drawn - k) - chosen(total, drawn)
    return min(float(np.exp(logarithms).sum()), 1.0)


def together(indices: np.ndarray, chosen: np.ndarray, shape: tuple[int, ...]) -> float:
    """By how many standard deviations the ``chosen`` share more indices than as many entries drawn at random."""
    count = int(chosen.sum())
    if count in (0, len(indices)):
        return 0.0

    def pairs(part: np.ndarray) -> float:
        squares = (np.bincount(column, minlength=n).astype(float) ** 2 for column, n in zip(part.T, shape))
        return float(sum(square.sum() for square in squares))

    rng = np.random.default_rng(0)
    drawn = np.array([pairs(indices[rng.choice(len(indices), count, replace=False)]) for _ in range(DRAWS)])
    return (pairs(indices[chosen]) - float(drawn.mean())) / max(float(drawn.std()), 1.0)
