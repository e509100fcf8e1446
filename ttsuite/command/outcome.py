"""What a run ends with on the standard output: how, the headline, the first values with errors, where it lies."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from problems.first_values import first_values
from solvers.measured import bound, typographic
from ttsuite.runs.spent import spent

if TYPE_CHECKING:
    from ttsuite.runs.job import Run

INDENT = 2


def outcome(run: Run, width: int) -> list[str]:
    """Lines of at most ``width`` characters, as far as no word is longer."""
    report = run.report
    quantities = [] if run.result is None else run.result.quantities(report["results"])
    headline = [(what, typographic(value)) for what, value in report["headline"]]
    facts = [*headline, *((name, str(value)) for name, value in first_values(quantities, headline))]
    if report["references"]:
        reference = report["references"][0]
        unit, count = quantities[0].unit if quantities else "", reference["count"]
        largest = str(bound(reference["max_abs_deviation"], unit))
        if not any(reference["label"] in what or (count == 1 and largest == value) for what, value in facts):
            told = f"at most {largest} over {count} values" if count > 1 else largest
            facts.append((f"deviation from {reference['label']}", told))
    facts += spent(report)
    head = textwrap.wrap(f"{report['name']}: {report['message']}", width, subsequent_indent=" " * INDENT)
    return [*head, *laid_out(facts, width), f"report: {run.folder / 'report.html'}"]


def laid_out(facts: list[tuple[str, str]], width: int) -> list[str]:
    """(what, value) a line, the values below each other; one below its name where they do not fit side by side."""
    column = max((len(what) for what, _ in facts), default=0)
    column = min(column, width // 2 - 2 * INDENT)
    lines = []
    for what, value in facts:
        begin = f"{' ' * INDENT}{what:{column}}{' ' * INDENT}"
        after = " " * (column + 2 * INDENT)
        if len(what) > column:  # a long name has a line of its own
            lines += textwrap.wrap(what, width, initial_indent=" " * INDENT, subsequent_indent=" " * 2 * INDENT)
            begin = after
        wrapped = textwrap.wrap(
            value, width, initial_indent=begin, subsequent_indent=after, break_long_words=False, break_on_hyphens=False
        )
        lines += wrapped or [begin.rstrip()]
    return lines
