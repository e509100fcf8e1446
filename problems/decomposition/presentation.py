"""What a report says about a decomposition: headline, tables, sections."""

from __future__ import annotations

import math

from problems.decomposition.model import DecompositionProblem, DecompositionSolver
from problems.decomposition.result import Approximation, DecompositionResult
from problems.report_parts import Section, Table, work
from problems.words import cut_short
from solvers.measured import Cell, Measured, bound

SHOWN = 12  # ranks in a cell
NAMES = {"tt": "train", "ht": "tree", "tucker": "Tucker", "cp": "sum of terms"}
VERDICTS = "converged, minimum (no step improves it), degenerate (terms grow and cancel: border rank), swamp (slow)"


def headline(
    problem: DecompositionProblem, solver: DecompositionSolver, result: DecompositionResult
) -> list[tuple[str, str]]:
    """The few numbers a reader wants first, as (what, value)."""
    first = result.names[0]
    told = [("arrays", str(len(result.names)))] if len(result.names) > 1 else []
    told += [("shape", " x ".join(map(str, result.shapes[0])))] if len(result.names) == 1 else []
    for format in problem.formats:
        kept = [one for one in result.approximations if one.format == format and one.tensor == first]
        best = next((one for one in kept if one.verdict in ("", "converged")), kept[-1])
        where = f" ({first})" if len(result.names) > 1 else ""
        told.append((f"{NAMES[format]}{where}", _in_short(best, math.prod(result.shapes[0]))))
    known = result.unfoldings[0]
    said = f"{known.odd_even} ({known.how})"
    if known.theorem:
        said += f", at least {known.theorem} by the theorem"
    return [*told, ("odd-even rank: terms needed at least", said)]


def _in_short(one: Approximation, entries: int) -> str:
    ranks = f"{one.ranks[0]} terms, {one.verdict}" if one.format == "cp" else f"ranks {cut_short(one.ranks, SHOWN)}"
    return f"{ranks}; {one.numbers} of {entries} numbers, error {bound(one.error)}"


def tables(problem: DecompositionProblem, solver: DecompositionSolver, result: DecompositionResult) -> list[Table]:
    """The approximations, the starts of sums of terms, and the conversions."""
    found = [_approximations(solver, result)]
    if any(one.starts for one in result.approximations):
        found.append(_starts(result))
    if result.conversions:
        found.append(_conversions(result))
    return found


def _approximations(solver: DecompositionSolver, result: DecompositionResult) -> Table:
    entries = {name: math.prod(shape) for name, shape in zip(result.names, result.shapes, strict=True)}
    rows: list[list[Cell]] = []
    for one in result.approximations:
        share = Measured(100.0 * one.numbers / entries[one.tensor], digits=3)
        limit = bound(one.bound) if one.bound is not None else "none known"
        rows.append(
            [
                one.tensor,
                NAMES[one.format] + (f", {one.verdict}" if one.verdict else ""),
                cut_short(one.ranks, SHOWN),
                Measured(one.numbers),
                share,
                bound(one.error),
                limit,
                Measured(one.seconds, digits=2),
            ]
        )
    columns = ["array", "format", "ranks", "numbers", "% of entries", "error", "bound", "seconds"]
    note = (
        f"Errors are relative, in the 2-norm, measured at all entries; asked: {solver.accuracy:g}. Bounds are those of "
        "the singular values left out at these ranks, over all unfoldings of the format."
    )
    return Table(columns, rows, (0, 1, 2), note, "Formats")


def _starts(result: DecompositionResult) -> Table:
    rows: list[list[Cell]] = []
    for one in result.approximations:
        for number, start in enumerate(one.starts, 1):
            rows.append(
                [
                    one.tensor,
                    Measured(one.ranks[0]),
                    Measured(number),
                    start.verdict,
                    bound(start.error),
                    Measured(start.largest_term, digits=3),
                    Measured(start.congruence, digits=3),
                    Measured(start.steps),
                ]
            )
    columns = ["array", "terms", "start", "verdict", "error", "largest term / norm", "least congruence", "steps"]
    note = f"Verdicts: {VERDICTS}. Congruence: the cosine of the angle between two terms; -1: they cancel."
    return Table(columns, rows, (0, 3), note, "Starts of the sums of terms")


def _conversions(result: DecompositionResult) -> Table:
    rows: list[list[Cell]] = []
    for one in result.conversions:
        made = not one.why
        rows.append(
            [
                one.tensor,
                NAMES[one.source],
                NAMES[one.to],
                Measured(one.allowed),
                Measured(one.width) if made else "not made",
                Measured(one.numbers) if made else one.why,
                bound(one.error) if one.error is not None else "",
            ]
        )
    columns = ["array", "from", "to", "width allowed", "width reached", "numbers", "error"]
    note = (
        "Width: the largest rank, or the number of terms that are written down (not the rank). Allowed: tree from "
        "train r^2, train from tree r^ceil(log2(d)/2), train or tree from Tucker r^floor(d/2), from a sum r; sum of "
        "terms at most r^(d-1) or the number of fibres."
    )
    return Table(columns, rows, (0, 1, 2), note, "Each result in the other formats")


def sections(problem: DecompositionProblem, result: DecompositionResult) -> list[Section]:
    """The unfoldings, array by array, and the work."""
    found = []
    for name, known, tree in zip(result.names, result.unfoldings, result.trees, strict=True):
        facts = [
            ("TT-ranks", cut_short(known.tt, 2 * SHOWN)),
            ("Tucker ranks", cut_short(known.tucker, 2 * SHOWN)),
            ("ranks of the balanced tree, by depth", cut_short(known.ht, SHOWN)),
            ("odd-even rank", str(known.odd_even)),
            ("known as", HOW[known.how]),
            ("tree", tree),
        ]
        found.append(Section(f"Unfoldings of {name}", facts))
    return [*found, work(result.counts)]


HOW = {
    "exact": "exact: whole numbers, proved by elimination modulo primes",
    "generic": "generic: of almost all tensors of this model, by elimination modulo 2^31 - 1",
    "numerical": "numerical: singular values that the accuracy needs",
}
