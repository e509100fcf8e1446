"""``embed``: vectors of words and contexts from how often they were seen together.

    1. The counts are checked, and made the skip-gram problem with its negative samples.
    2. The start: the shifted positive information at the rank asked for, or what is given; small
       random numbers are added, since no method leaves the matrix of zeros.
    3. The method: alternating Newton steps, descent on the manifold of matrices of that rank, or the start itself.
    4. The value a pair is summed again, row by row without the kernels, for some rows.
Levy and Goldberg, NIPS 27 (2014); Fonarev et al., ACL 2017 (arXiv:1704.08059).
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import scipy.sparse as sparse

from solvers.checkpoint import Checkpoint, Question
from solvers.fit_methods import AlternatingNewton, ConjugateGradients, ShiftedPMI
from solvers.iteration import drive
from solvers.measured import amount
from solvers.optimisation.descent import minimise
from solvers.optimisation.manifolds.fixed_rank_matrices import point
from solvers.optimisation.skip_gram.alternating import AlternatingSweeps
from solvers.optimisation.skip_gram.embedding import Embedding
from solvers.optimisation.skip_gram.pmi import Decomposition, pmi_svd
from solvers.optimisation.skip_gram.problem import SkipGram, checked_counts
from solvers.optimisation.skip_gram.riemannian import MANIFOLD, SkipGramDescent
from solvers.solution import Callback, Checked, NotConverged, Solution, Status
from solvers.threads import one_blas_thread

STIR = 1e-2  # size of the random numbers added to the start, of that of its mean entry, or of one
LOOKED_AT = 20  # rows that are summed again
AGREES = 1e-10  # relative, of two sums of one value

Method = AlternatingNewton | ConjugateGradients | ShiftedPMI


@one_blas_thread
def embed(
    counts: np.ndarray | sparse.sparray | sparse.spmatrix | SkipGram,
    rank: int,
    *,
    negatives: float = 5.0,
    method: Method | None = None,
    start: Embedding | None = None,
    accuracy: float = 1e-4,
    rng: np.random.Generator | None = None,
    callback: Callback | None = None,
    checkpoint: str | Path | None = None,
    throw: bool = True,
) -> Solution:
    """Vectors of length ``rank`` for the n words and m contexts of ``counts`` (n, m), dense or sparse.

    Maximises sum_ij [A_ij log sigma(X_ij) + B_ij log sigma(-X_ij)] over X = W C^T with A the counts and B those of
    ``negatives`` samples a pair, drawn by the frequency of the contexts. Other weights B of rank one: give a
    solvers.optimisation.skip_gram.problem.SkipGram in the place of the counts. ``method``: AlternatingNewton (the
    default), ConjugateGradients on the manifold of matrices of that rank (``conjugate=False`` and some tens of steps:
    the method of Fonarev et al.), or ShiftedPMI, which does not iterate. ``accuracy``: the increase of the value still
    expected at which it stops, relative. ``checkpoint``: a file written on the way, from which the same call goes on.

    ``value``: an Embedding, balanced; ``residual``: (1,) the relative increase still expected, NaN where nobody knows;
    ``history``: a row a sweep or step, energies the value a pair (with the ridge, where there is one); ``counts``:
    sweeps and row_solves, or steps and evaluations; ``extra``: ``value_per_pair`` without the ridge, and
    ``bound_per_pair``, that of all matrices. What is found is a local maximum: compare starts (``rng``). Status
    CONVERGED, ITERATION_LIMIT, STAGNATED (descent), CONTRADICTED (the value summed again is another).

    Cost: 2 n m rank^2 flops a sweep of Newton steps, 12 n m rank a step of descent; memory a block of 2 MB, and
    rank^2 / 2 numbers a context.

    Raises ValueError for counts that are no numbers, not finite, negative or all zero, fewer than two words or
    contexts, a rank below one or above either, negatives that are not positive, a start of another shape, and an
    accuracy outside (0, 1); NotConverged, with the solution, when ``throw``; CheckpointError, a ValueError, for a file
    that is damaged or of another question.
    """
    method, rng = method or AlternatingNewton(), rng or np.random.default_rng(0)
    if not (math.isfinite(negatives) and negatives > 0.0):
        raise ValueError(f"negatives must be positive, not {negatives!r}: 5 to 15 samples a pair are common")
    if not 0.0 < accuracy < 1.0:
        raise ValueError(f"accuracy must lie in (0, 1), not {accuracy!r}")
    problem = counts if isinstance(counts, SkipGram) else SkipGram.of(checked_counts(counts), negatives)
    if isinstance(rank, bool) or not isinstance(rank, int | np.integer) or not 1 <= rank <= min(problem.shape):
        raise ValueError(f"rank is {rank!r}; give a whole number from 1 to {min(problem.shape)}, the smaller side")
    if isinstance(method, ShiftedPMI):
        found = drive(Decomposition(problem, rank, method, rng), callback=callback, throw=False)
    else:
        begin = _start(problem, rank, start, rng)
        texts = [repr(method), repr(accuracy), repr(rank)]
        asked = Question([problem.counts.data, problem.rows, problem.columns, begin.words], texts)
        file = Checkpoint(checkpoint, asked)
        if isinstance(method, AlternatingNewton):
            sweeps = AlternatingSweeps(problem, begin, method, accuracy)
            found = drive(sweeps, callback=callback, checkpoint=file, throw=False, asked=accuracy)
        else:
            found = _descended(problem, begin, method, accuracy, callback, checkpoint)
    found = looked_at(problem, replace(found, asked=accuracy))
    if throw and not found.converged:
        raise NotConverged(found)
    return found


def _start(problem: SkipGram, rank: int, given: Embedding | None, rng: np.random.Generator) -> Embedding:
    """``given``, or the shifted information with small random numbers added."""
    n, m = problem.shape
    if given is not None:
        if given.words.shape != (n, rank) or given.contexts.shape != (m, rank):
            shapes = f"{given.words.shape} and {given.contexts.shape}"
            raise ValueError(f"the start has vectors {shapes}, but {(n, rank)} and {(m, rank)} are asked for")
        return given
    known = pmi_svd(problem, rank, rng)
    sizes = [float(np.abs(part).mean()) or 1.0 for part in (known.words, known.contexts)]
    noise = [STIR * size * rng.standard_normal((count, rank)) for size, count in zip(sizes, (n, m))]
    return Embedding.balanced(known.words + noise[0], known.contexts + noise[1])


def _descended(
    problem: SkipGram,
    begin: Embedding,
    method: ConjugateGradients,
    accuracy: float,
    callback: Callback | None,
    checkpoint: str | Path | None,
) -> Solution:
    """Descent on the manifold; its decrease is absolute there, and told relative to the value here."""
    objective = SkipGramDescent(problem)
    at = point(begin.words, begin.contexts)
    size = abs(problem.value(begin.words, begin.contexts)) / problem.pairs
    found = minimise(
        objective,
        MANIFOLD,
        at,
        method=method,
        accuracy=accuracy * size,
        callback=callback,
        checkpoint=checkpoint,
        throw=False,
    )
    u, s, v = found.value
    return replace(found, value=Embedding.balanced(u @ s, v), residual=found.residual / size, extra={})


def looked_at(problem: SkipGram, found: Solution) -> Solution:
    """The values of some rows summed again from the definition; CONTRADICTED where they are others."""
    e, n = found.value, problem.shape[0]
    rows = np.unique(np.linspace(0, n - 1, min(n, LOOKED_AT)).astype(int))
    x = e.words[rows] @ e.contexts.T
    a = problem.counts[rows].toarray()
    b = np.outer(problem.rows[rows], problem.columns)
    plain = -(a * np.logaddexp(0.0, -x) + b * np.logaddexp(0.0, x)).sum(axis=1)
    values = np.concatenate([problem.of_rows(e.words, e.contexts, part) for part in problem.blocks()])
    off = float(np.max(np.abs(values[rows] - plain) / np.maximum(np.abs(plain), np.finfo(float).tiny)))
    looks = Checked(
        "value of the objective",
        f"{len(rows)} rows summed again from its definition",
        f"off by {amount(off)}, relative",
        off < AGREES,
    )
    extra = {
        "value_per_pair": float(values.sum()) / problem.pairs,
        "bound_per_pair": problem.bound / problem.pairs,
    }
    status = found.status if looks.passed else Status.CONTRADICTED
    return replace(found, status=status, checked=(*found.checked, looks), extra={**found.extra, **extra})
