"""What a run returns: eigenvalues, ascending, and bounds of their errors."""

from dataclasses import dataclass

import numpy as np

from problems.published import published
from problems.result import Result


@dataclass(frozen=True, eq=False, kw_only=True)
class MatrixResult(Result):
    energies: np.ndarray = published(axis="state", errors="error_estimates", compared="energies", column="energy")
    error_estimates: np.ndarray = published(column="error_estimate", digits=".3e")
    index = "state"


RESULTS = (MatrixResult,)
