"""The key ``check`` of a study: whether a run agrees with the first of its references."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from problems.agreement import counted_deviation
from solvers.measured import numeral
from ttsuite.data import Data
from ttsuite.study.config import Study


def reference_check(study: Study, references: Sequence[Data]) -> Data:
    """What the key ``check`` asks for: does the first reference agree to solver.accuracy and its own accuracy?

    A deviation is counted as the accuracy is, relative or absolute.

    Without a reference the check fails: there is nothing that could pass it.
    """
    failed = []
    if study.check and not references:
        failed.append("there is no reference to compare with")
    for reference in references[:1] if study.check else ():
        deviation = cast("float | None", counted_deviation(reference))
        allowed = float(study.solver.accuracy) + float(reference.get("accuracy") or 0.0)
        if deviation is None or not deviation <= allowed:
            found = "unknown" if deviation is None else numeral(deviation)
            failed.append(f"{reference['label']}: deviation {found}, allowed {numeral(allowed)}")
    return {"asked": study.check, "failed": failed}
