"""How many parameters trains of given TT-ranks have, and how many samples they need. Plain Python."""

from __future__ import annotations

from collections.abc import Sequence

LEAST_VALIDATION = 5  # entries


def feasible(shape: Sequence[int], rank: int) -> list[int]:
    """The d+1 TT-ranks nearest to ``rank`` that tensors of ``shape`` have."""
    ranks = [1] + [rank] * (len(shape) - 1) + [1]
    for k, n in enumerate(shape[:-1]):
        ranks[k + 1] = min(ranks[k + 1], ranks[k] * n)
    for k in range(len(shape) - 1, 0, -1):
        ranks[k] = min(ranks[k], ranks[k + 1] * shape[k])
    return ranks


def parameters(shape: Sequence[int], rank: int) -> int:
    """Dimension of the manifold of trains with all TT-ranks ``rank``, or less where the shape does not have it."""
    ranks = feasible(shape, rank)
    cores = sum(a * n * b for a, n, b in zip(ranks[:-1], shape, ranks[1:]))
    return cores - sum(r * r for r in ranks[1:-1])


def set_aside(count: int, share: float) -> int:
    """How many of ``count`` samples judge the ranks instead of being fitted."""
    return max(LEAST_VALIDATION, round(share * count))


def require_enough(count: int, shape: Sequence[int], rank: int) -> None:
    """Raise ValueError where trains of ``rank`` have more parameters than ``count`` samples can fix."""
    needed = parameters(shape, rank)
    if needed > count:
        fits = max((r for r in range(1, rank) if parameters(shape, r) <= count), default=0)
        cure = f"give max_rank {fits} or less, or more samples" if fits else "give more samples"
        raise ValueError(f"rank {rank} has {needed} parameters, but only {count} samples are fitted: {cure}")
