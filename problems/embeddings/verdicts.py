"""What the comparison of the methods says, in sentences; nothing is claimed below ``LEAST_PAIRS`` pairs of a list."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from problems.embeddings.judges import LEAST_PAIRS, SURE, Similarity, correlations, cosines
from problems.embeddings.model import EmbeddingsProblem
from problems.embeddings.result import METHODS, MethodFit, claimed
from problems.embeddings.text import similarities
from solvers.measured import Measured, amount
from solvers.optimisation.skip_gram.embedding import Embedding


def similarity_of(problem: EmbeddingsProblem, words: Sequence[str], e: Embedding, seed: int) -> tuple[Similarity, ...]:
    """The correlation on every list."""
    number = {word: i for i, word in enumerate(words)}
    found = []
    for name in problem.similarity or ():
        listed = similarities(Path(name), problem.encoding, problem.lowercase, "problem.similarity")
        known = [(number[a], number[b], score) for a, b, score in listed if a in number and b in number]
        first, second = (np.array([pair[side] for pair in known], dtype=np.int64) for side in (0, 1))
        scores = np.array([score for *_, score in known])
        rho, draws = correlations(cosines(e, first, second), scores, np.random.default_rng([seed, 5]))
        found.append(
            Similarity(
                list_name=Path(name).name,
                pairs=len(known),
                listed=len(listed),
                rho=float(rho),
                error=float(draws.std(ddof=1)),
            )
        )
    return tuple(found)


def verdicts(fits: tuple[MethodFit, ...], bound: float) -> tuple[str, ...]:
    """Sentences: which method has the best objective, held out too, and whether that makes it the better for words."""
    best = max(fits, key=lambda fit: fit.value)
    told = [
        f"{METHODS[best.name]} has the best objective on what was fitted, {amount(bound - best.value)} a pair below "
        "the bound of all matrices."
    ]
    held = [fit for fit in fits if np.isfinite(fit.held_out)]
    if held:
        first = max(held, key=lambda fit: fit.held_out)
        same = "too" if first.name == best.name else f"is not the same: {METHODS[first.name]}"
        told.append(f"The best on what was held out {same}.".replace("out too", "out is that, too"))
    for number in range(len(fits[0].similarity)):
        told.append(_of_list([(fit, fit.similarity[number]) for fit in fits], best))
    return tuple(told)


def _of_list(entries: list[tuple[MethodFit, Similarity]], best: MethodFit) -> str:
    """One list; differences are taken as unpaired, which overstates their errors."""
    name, pairs = entries[0][1].list_name, entries[0][1].pairs
    if not claimed(pairs):
        return f"{name}: {pairs} pairs have both words, fewer than {LEAST_PAIRS}: nothing is claimed from them."
    own = next(score for fit, score in entries if fit.name == best.name)
    fit, top = max(entries, key=lambda entry: entry[1].rho)
    error = float(np.hypot(top.error, own.error))
    ahead = str(Measured(top.rho - own.rho, error))
    if fit.name == best.name:
        return f"{name}: {METHODS[best.name]}, the best by the objective, has the highest correlation as well."
    if top.rho - own.rho > SURE * error:
        return (
            f"{name}: a better objective is not a better similarity: {METHODS[fit.name]} correlates better than "
            f"{METHODS[best.name]}, by {ahead}."
        )
    return (
        f"{name}: {METHODS[fit.name]} has the highest correlation, by {ahead} over {METHODS[best.name]}, which these "
        "pairs do not tell from nothing; a better objective is not seen to be a better similarity."
    )
