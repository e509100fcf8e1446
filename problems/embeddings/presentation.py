"""What a report says about embeddings: headline, tables, sections."""

from __future__ import annotations

import math
from itertools import groupby
from pathlib import Path

from problems.embeddings.judges import LEAST_PAIRS
from problems.embeddings.model import EmbeddingsProblem, EmbeddingsSolver
from problems.embeddings.result import METHODS, EmbeddingsResult, MethodFit, claimed
from problems.report_parts import Section, Table, work
from solvers.measured import Cell, Measured, amount, numeral

DIGITS = 7  # of a value of the objective without an error
SHOWN = 5  # neighbours of a word in a table


def value_of(fit: MethodFit) -> Measured:
    """The objective a pair, with what is known of its error: of the iteration, and over texts."""
    return Measured(fit.value, fit.value_error, digits=DIGITS)


def headline(problem: EmbeddingsProblem, solver: EmbeddingsSolver, result: EmbeddingsResult) -> list[tuple[str, str]]:
    """The few numbers a reader wants first, as (what, value)."""
    newton = result.fit("newton")
    told = [
        ("words", f"{result.vocabulary} words, {result.context_words} contexts, vectors of length {result.rank}"),
        ("pairs fitted", str(Measured(result.pairs))),
        ("objective a pair, Newton", str(value_of(newton))),
        ("bound of all matrices", str(Measured(result.bound, digits=DIGITS))),
    ]
    if math.isfinite(newton.held_out):
        told.append(("the same held out, Newton", str(Measured(newton.held_out, newton.held_out_error))))
    if math.isfinite(newton.stability):
        told.append(("neighbours that stay", str(Measured(newton.stability, newton.stability_error))))
    return [*told, *(("comparison", sentence) for sentence in result.verdicts[-1:])]


def tables(problem: EmbeddingsProblem, solver: EmbeddingsSolver, result: EmbeddingsResult) -> list[Table]:
    """Lists of similar words, and neighbours, all methods side by side."""
    found = []
    lists = result.fits[0].similarity
    if lists:
        rows: list[list[Cell]] = []
        for number, of_list in enumerate(lists):
            name = f"{of_list.list_name}: {of_list.pairs} of {of_list.listed} pairs"
            scores = [fit.similarity[number] for fit in result.fits]
            told = [Measured(s.rho, s.error) if claimed(s.pairs) else "too few pairs" for s in scores]
            rows.append([name, *told])
        note = (
            "Spearman's correlation of cosines with the scores of the list, over the pairs both of whose words have "
            f"vectors; in parentheses one standard deviation over pairs drawn again. Below {LEAST_PAIRS} pairs nothing "
            "is claimed."
        )
        columns = ["list", *(METHODS[fit.name] for fit in result.fits)]
        found.append(Table(columns, rows, (0,), note, "Similar words"))
    rows = []
    for word, entries in groupby(result.neighbours, key=lambda entry: entry.word):
        by_method: dict[str, list[str]] = {}
        for entry in entries:
            stays = "" if math.isnan(entry.stays) else f" ({entry.stays:.0%})"
            by_method.setdefault(entry.method, []).append(f"{entry.neighbour}{stays}")
        rows.append([word, *(", ".join(by_method[name][:SHOWN]) for name in METHODS)])
    note = "The nearest by cosine; in parentheses the share of the texts drawn again in which it is a neighbour too."
    found.append(Table(["word", *METHODS.values()], rows, tuple(range(5)), note, "Neighbours"))
    return found


def sections(problem: EmbeddingsProblem, result: EmbeddingsResult) -> list[Section]:
    """What the comparison says, the source, and the work."""
    said = [(f"{number}", sentence) for number, sentence in enumerate(result.verdicts, start=1)]
    if problem.text is not None:
        names = ", ".join(Path(name).name for name in problem.text)
        source = [("text", names), ("words of it", str(result.text_words))]
    elif problem.planted is not None:
        source = [
            ("counts", "planted, with a known maximum"),
            ("known maximum a pair", numeral(result.exact, digits=10)),
        ]
    else:
        source = [("counts", Path(str(problem.counts)).name)]
    source += [
        ("pairs fitted", numeral(result.pairs, digits=10)),
        ("pairs held out", numeral(result.held_out_pairs, digits=10)),
    ]
    source.append(("vectors", ", ".join(f"vectors-{fit.name}.txt" for fit in result.fits)))
    times = [(METHODS[fit.name], f"{amount(fit.seconds)} s, {fit.steps} steps, {fit.status}") for fit in result.fits]
    return [
        Section("What the comparison says", said),
        Section("Source", source),
        Section("Methods", times),
        work(result.counts),
    ]
