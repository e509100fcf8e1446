"""A run in a few lines, from the content of its report.json."""

from __future__ import annotations

from collections.abc import Sequence

from problems.first_values import first_values
from problems.report_parts import Quantity
from solvers.cards import Fact, ranks
from ttsuite.data import Report
from ttsuite.runs.spent import spent

VALUES = 4  # of those that the run found


def report_words(report: Report, quantities: Sequence[Quantity] | None) -> list[Fact]:
    """How it ended, its first values with errors or, where those are not known, its headline; ranks and time."""
    told: list[Fact] = [
        ("run", report["name"]),
        ("status", f"{report['status'].replace('_', ' ')}: {report['message']}"),
    ]
    if quantities:
        told += [(name, str(value)) for name, value in first_values(quantities)[:VALUES]]
    else:
        told += [(what, value) for what, value in report["headline"]][:VALUES]
    return [*told, ("TT-ranks", ranks(report.get("ranks", []))), *spent(report)]
