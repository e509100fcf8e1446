"""Made-up results of the shape that the vibrational numerics return, for tests of everything above them."""

from __future__ import annotations

import csv
from types import ModuleType
from typing import Any

import numpy as np

from problems.quantum.readers.shipped import DATA
from problems.quantum.tasks.spectrum.result import SpectrumResult
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.solution import Checked, IterationState, Status

OPERATOR_RANKS = [1, 5, 9, 14, 21, 25, 26, 24, 18, 15, 8, 5, 1]
MODE_ORDER = [11, 12, 4, 9, 10, 3, 7, 8, 2, 1, 5, 6]


def published_rows(count: int) -> list[dict[str, str]]:
    lines = (DATA / "acetonitrile_levels.csv").read_text().splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))[:count]


def acetonitrile(count: int = 84, status: Status = Status.CONVERGED) -> SpectrumResult:
    """States near the published ones; the deviation of state i from HCI+PT2 is known: ``shift(i)``."""
    rng = np.random.default_rng(7)
    rows = published_rows(count)
    levels = np.array([float(row["own_HCI+PT2"]) for row in rows])
    energies = np.concatenate([levels[:1], levels[0] + levels[1:]]) + shift(np.arange(count))
    order = np.argsort(energies, kind="stable")
    rank = 1e-3 * rng.random(count) + 1e-5
    basis = 2e-3 * rng.random(count) ** 4 + 1e-6
    profile = np.array([1, 8, 14, 20, 24, 28, 30, 27, 22, 17, 10, 6, 1])
    ranks = [[1, *(1 + rng.integers(r // 2, r + 6) for r in profile[1:-1]), 1] for _ in rows]
    history = [
        IterationState(
            step=step,
            label=f"inverse iteration, r = {20 + 5 * step}",
            max_rank=20 + 5 * step,
            seconds=float(10 + step),
            energies=energies[order] + 10.0**-step * rng.random(count),
            residuals=10.0 ** (1 - step) * (0.1 + rng.random(count)),
            fraction=(step + 1) / 4,
        )
        for step in range(4)
    ]
    return SpectrumResult(
        energies=energies[order],
        unit="cm-1",
        error_estimates=rank + basis,
        rank_errors=rank,
        basis_errors=basis,
        residual_norms=0.1 * rng.random(count),
        symmetry=["+-"[int(row["parity"])] for row in rows],
        assignments=[row["leading_configurations"] for row in rows],
        ranks=[[int(r) for r in state] for state in ranks],
        operator_ranks=OPERATOR_RANKS,
        mode_order=MODE_ORDER,
        basis_functions=[15] * 12,
        states_megabytes=41.5,
        completeness={
            "buffer_states": [float(energies[-1] + 43.2)],
            "gap_above": 43.1674,
            "probe": {"lowest_ritz_value": 12088.2, "missing": 0},
        },
        state_converged=rank + basis <= 0.01,
        status=status,
        checked=(
            Checked("elements of the operator", "64 of them, from the table of terms", "off by 3e-13 | at most", True),
        ),
        states=[train(i) for i in range(count)],
        history=history,
        counts={"passes": 4, "local_solves": 12345},
        timing={"compile_s": 3.2, "setup_s": 5.1, "solve_s": 92.3},
        warnings=["the field falls below its minimum outside |q3| < 8.4 <barrier 22000 cm-1>"],
    )


def shift(state: np.ndarray) -> np.ndarray:
    """The made-up error of state i: between 0 and 0.004, and 0 for the lowest."""
    return 0.004 * np.sin(state / 10.0) ** 2


def oscillators(levels: np.ndarray, d: int) -> SpectrumResult:
    """States of a model at exactly the given energies, one symmetry block, no history."""
    count = len(levels)
    zeros = np.zeros(count)
    return SpectrumResult(
        energies=np.array(levels),
        unit="model units",
        error_estimates=zeros + 1e-9,
        rank_errors=zeros,
        basis_errors=zeros + 1e-9,
        residual_norms=zeros,
        symmetry=["+"] * count,
        assignments=["1.00[gs]"] * count,
        ranks=[[1, *([3] * (d - 1)), 1]] * count,
        operator_ranks=[1, *([3] * (d - 1)), 1],
        mode_order=list(range(1, d + 1)),
        basis_functions=[6] * d,
        states_megabytes=0.1,
        completeness={},
        state_converged=np.ones(count, dtype=bool),
        status=Status.CONVERGED,
        states=[train(i) for i in range(count)],
        history=[],
        counts={},
        timing={},
    )


def train(seed: int) -> TensorTrain:
    rng = np.random.default_rng(seed)
    return TensorTrain([rng.standard_normal(shape) for shape in ((1, 3, 2), (2, 4, 2), (2, 3, 1))])


def numerics(result: Any, error: BaseException | None = None, refusal: Exception | None = None) -> ModuleType:
    """A module with the two functions of the numerics: returns ``result`` after two passes, or raises."""
    module = ModuleType("made_up_numerics")

    def prepare(problem: Any, solver: Any) -> Any:
        if refusal is not None:
            raise refusal
        return problem, solver

    def solve(prepared: Any, *, executor: Any, seed: int, callback: Any, **checkpoints: Any) -> Any:
        for state in result.history[:2]:
            callback(state)
        if error is not None:
            raise error
        return result

    vars(module).update(prepare=prepare, solve=solve)
    return module
