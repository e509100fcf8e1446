"""What is fitted and what is held out: a text divided into blocks, or counts thinned at random; and draws of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse

from problems.embeddings.counts import Counts, planted_problem
from problems.embeddings.model import EmbeddingsProblem
from problems.embeddings.text import Corpus
from problems.errors import ProblemError
from solvers.optimisation.skip_gram.pairs import cooccurrences
from solvers.optimisation.skip_gram.problem import SkipGram


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Pairs that were not fitted: ``rows``, ``columns`` and ``counts`` (t,), and the ``groups`` (t,) whose sums are
    independent of each other: blocks of the text, or each pair by itself."""

    rows: np.ndarray
    columns: np.ndarray
    counts: np.ndarray
    groups: np.ndarray


@dataclass(frozen=True, eq=False)
class Divided:
    """``fitted``: the skip-gram problem; ``held_out`` pairs, None where nothing can be set aside; names; ``exact``: the
    known maximum of planted counts."""

    fitted: SkipGram
    held_out: HeldOut | None
    words: tuple[str, ...]
    contexts: tuple[str, ...]
    source: Corpus | Counts | None
    kept: np.ndarray  # blocks that are fitted, or counts
    exact: float | None = None


def divide(problem: EmbeddingsProblem, rng: np.random.Generator) -> Divided:
    """Set aside, count, and make the problem. Raises ProblemError where nothing is left to fit."""
    if problem.planted is not None:
        p = problem.planted
        fitted, exact = planted_problem(p.shape, p.rank, p.amplitude, p.alpha, p.total)
        names = tuple(tuple(map(str, range(1, n + 1))) for n in p.shape)
        return Divided(fitted, None, names[0], names[1], None, np.empty(0), exact)
    read = problem.read
    if isinstance(read, Counts):
        return _thinned(problem, read, rng)
    read = _subsampled(problem, read, rng)
    n = read.n_blocks
    aside = np.zeros(n)
    aside[rng.permutation(n)[: max(1, round(problem.held_out * n))]] = 1.0
    fitted = _problem(problem, _counted(problem, read, 1.0 - aside), "problem.window")
    rows, columns, groups = [], [], []
    for apart in range(1, min(problem.window, len(read.ids) - 1) + 1):
        same = (read.blocks[:-apart] == read.blocks[apart:]) & (aside[read.blocks[:-apart]] > 0.0)
        first, second, block = read.ids[:-apart][same], read.ids[apart:][same], read.blocks[:-apart][same]
        rows += [first, second]
        columns += [second, first]
        groups += [block, block]
    parts = [np.concatenate(part) for part in (rows, columns, groups)]
    held = HeldOut(parts[0], parts[1], np.ones(len(parts[0])), parts[2])
    return Divided(fitted, held if len(parts[0]) else None, read.words, read.words, read, 1.0 - aside)


def drawn_again(problem: EmbeddingsProblem, divided: Divided, rng: np.random.Generator) -> SkipGram:
    """The fitted part drawn again: as many blocks with replacement, or counts from Poisson distributions."""
    if isinstance(divided.source, Counts):
        s = divided.source
        counts = sparse.coo_array((rng.poisson(divided.kept).astype(float), (s.rows, s.columns)), divided.fitted.shape)
        return _problem(problem, sparse.csr_array(counts), "problem.counts")
    assert divided.source is not None
    blocks = np.flatnonzero(divided.kept)
    weights = np.bincount(rng.choice(blocks, len(blocks)), minlength=len(divided.kept)).astype(float)
    return _problem(problem, _counted(problem, divided.source, weights), "problem.window")


def _problem(problem: EmbeddingsProblem, counts: sparse.csr_array, key: str) -> SkipGram:
    counts.eliminate_zeros()
    if not counts.nnz:
        raise ProblemError("no pair is left to fit", key)
    return SkipGram.of(counts, problem.negative, problem.ns_exponent)


def _counted(problem: EmbeddingsProblem, read: Corpus, weights: np.ndarray) -> sparse.csr_array:
    return cooccurrences(read.ids, read.blocks, weights, problem.window, len(read.words))


def _subsampled(problem: EmbeddingsProblem, read: Corpus, rng: np.random.Generator) -> Corpus:
    """Frequent words dropped at random, as word2vec does."""
    if problem.sample == 0.0:
        return read
    share = np.bincount(read.ids, minlength=len(read.words)) / len(read.ids)
    ratio = problem.sample / np.maximum(share, np.finfo(float).tiny)
    kept = rng.random(len(read.ids)) < (np.sqrt(ratio) + ratio)[read.ids]
    if kept.sum() < 2:
        raise ProblemError("all words are dropped: give a larger sample, or 0", "problem.sample")
    return Corpus(read.words, read.ids[kept], read.blocks[kept], read.total)


def _thinned(problem: EmbeddingsProblem, read: Counts, rng: np.random.Generator) -> Divided:
    """Each event of a pair set aside with the probability asked, by itself."""
    aside = np.zeros(len(read.values))
    if read.whole:
        aside = rng.binomial(read.values.astype(np.int64), problem.held_out).astype(float)
    kept = read.values - aside
    shape = (len(read.words), len(read.contexts))
    fitted = _problem(
        problem, sparse.csr_array(sparse.coo_array((kept, (read.rows, read.columns)), shape)), "problem.counts"
    )
    at = np.flatnonzero(aside)
    held = HeldOut(read.rows[at], read.columns[at], aside[at], np.arange(len(at))) if len(at) else None
    return Divided(fitted, held, read.words, read.contexts, read, kept)
