"""What a run of embeddings would do, and what it is expected to take."""

from __future__ import annotations

from problems.effort import INTERPRETER
from problems.embeddings.solve import Prepared
from problems.embeddings.text import Corpus
from problems.report_parts import Effort

SWEEPS, START = 9.0, 2.0  # of Newton from the start; fits of one text: that from random vectors takes as many
ENTRY = 1.1e-7  # seconds an entry of X and sweep beside the flops: measured on the King James Bible, 1430 words
FLOPS = 1.5e10  # a second, of the products for all Hessians
STEPS = 1.8  # evaluations a step of the descent
PAIR = 6e-7  # seconds a word of the text and a place of the window, to count pairs


def plan(prepared: Prepared) -> list[tuple[str, str]]:
    """Sizes and the steps to come."""
    problem, solver = prepared.problem, prepared.solver
    n, m = problem.shape
    told = [("words", f"{n} words, {m} contexts: {n * m} entries of X")]
    if problem.planted is None and isinstance(read := problem.read, Corpus):
        told.append(("text", f"{read.total} words, {len(read.ids)} of the vocabulary, {read.n_blocks} blocks"))
    told.append(("vectors", f"of length {solver.vector_size}: {(n + m) * solver.vector_size} numbers a method"))
    count = solver.bootstraps if problem.divisible else 0
    told.append(("plan", f"four methods on one text, and on {count} texts drawn again; Newton from a second start"))
    return told


def estimate(prepared: Prepared, workers: int) -> Effort:
    """The expected time and memory; one process, whatever the number of ``workers``."""
    del workers
    problem, solver = prepared.problem, prepared.solver
    (n, m), d = problem.shape, solver.vector_size
    again = solver.bootstraps if problem.divisible else 0
    newton = min(SWEEPS, solver.max_sweeps) * n * m * (ENTRY + 2.0 * d * (d + 1) / FLOPS)
    descent = STEPS * solver.riemannian_steps * n * m * (ENTRY + 12.0 * d / FLOPS)
    words = len(problem.read.ids) if problem.text is not None and isinstance(problem.read, Corpus) else 0
    counting = PAIR * words * problem.window
    seconds = 0.5 + (START + again) * newton + (1.0 + again) * (descent + counting)
    return Effort(seconds, INTERPRETER + 8e-6 * (6.0 * min(n * m, 20.0 * words * problem.window) + 4.0 * m * d * d))
