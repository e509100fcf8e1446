"""Published and exact levels to compare a run with.

The published columns of a shipped force field lie beside it in ``data/<name>_levels.csv``. Fields with
bilinear coupling only are solved exactly by normal modes: with B the Hessian and W = diag(w),

    E = sum_k (m_k + 1/2) Omega_k,    Omega_k^2 = eig(W^(1/2) B W^(1/2)).
"""

from __future__ import annotations

import csv
import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from problems.agreement import Deviation
from problems.levels import Reference
from problems.quantum.hamiltonians.force_field.field import ForceField
from problems.quantum.readers.shipped import DATA

JUDGE = "own_HCI+PT2"
JUDGE_UNCERTAINTY = 1e-3  # cm-1: the expected accuracy that the head of the file of levels states
# column -> label in texts and figures; the first is the one to judge by
LABELS = {
    "own_HCI+PT2": "HCI+PT2 (this project)",
    "own_HCI_variational": "HCI variational (this project)",
    "AVCI_Odunlami2017": "A-VCI (2017)",
    "VHCI_eps0.1+PT2_Fetherolf2021": "VHCI+PT2 (2021)",
    "VHCI_eps0.1_var": "VHCI variational (2021)",
    "TTNS_ref_Larsson2019": "TTNS reference (2019)",
    "Smolyak_AvilaCarrington2011": "Smolyak (2011)",
    "TT_r40_RakhubaOseledets2016": "TT r=40 (2016)",
    "TT_r25_RakhubaOseledets2016": "TT r=25 (2016)",
    "TTNS_25_Larsson2019": "TTNS 25 (2019)",
    "TTNS_40_Larsson2019": "TTNS 40 (2019)",
    "TTNS_50_Larsson2019": "TTNS 50 (2019)",
    "MPS_25_Larsson2019": "MPS 25 (2019)",
    "MPS_40_Larsson2019": "MPS 40 (2019)",
}
# whose levels a column has, by the end of its name; which of them a public table means was told from names and values
PAPERS = {
    "own_HCI+PT2": "heat-bath configuration interaction with Epstein-Nesbet correction, computed for this project",
    "own_HCI_variational": "heat-bath configuration interaction, computed for this project",
    "Odunlami2017": "Odunlami et al., J. Chem. Phys. 146, 214108 (2017), doi:10.1063/1.4984266",
    "Fetherolf2021": "Fetherolf, Berkelbach, J. Chem. Phys. 154, 074104 (2021), doi:10.1063/5.0035454",
    "VHCI_eps0.1_var": "Fetherolf, Berkelbach, J. Chem. Phys. 154, 074104 (2021), doi:10.1063/5.0035454",
    "AvilaCarrington2011": "Avila, Carrington, J. Chem. Phys. 134, 054126 (2011), doi:10.1063/1.3549817",
    "RakhubaOseledets2016": "Rakhuba, Oseledets, J. Chem. Phys. 145, 124101 (2016), doi:10.1063/1.4962420",
    "Larsson2019": "Larsson, J. Chem. Phys. 151, 204102 (2019), doi:10.1063/1.5130390",
}
EXACT_LEVELS = 200


@dataclass(frozen=True)
class Comparison:
    """A run beside one reference.

    ``run``: deviation of the run's energies from it; ``column``: deviation of the reference itself from the
    column to judge by, None for that column or where there is none.
    """

    reference: Reference
    run: Deviation
    column: Deviation | None


def references_of(field: ForceField, name: str | None) -> list[Reference]:
    """References of a field, the one to judge by first; empty where nothing is known.

    ``name``: of the shipped field, or the path of the file it was read from; None for a model.
    """
    if name is not None:
        return published(name)
    if field.order <= 2:
        levels = normal_mode_levels(field, EXACT_LEVELS)
        return [Reference("exact", "exact (normal modes)", "closed form", levels, relative=False, judge=True)]
    return []


def published(name: str) -> list[Reference]:
    """The published columns of a shipped force field; empty for any other name."""
    path = DATA / f"{name}_levels.csv"
    if name != path.name.removesuffix("_levels.csv") or not path.is_file():
        return []
    text = path.read_text(encoding="utf-8")
    rows = list(csv.reader(line for line in text.splitlines() if not line.startswith("#")))
    header, rows = rows[0], rows[1:]
    references = []
    for column, label in LABELS.items():
        place = header.index(column)
        levels = np.array([float(row[place]) if row[place] else np.nan for row in rows])
        paper = next((paper for end, paper in PAPERS.items() if column.endswith(end)), f"{path.name}: {column}")
        judge = column == JUDGE
        good_to = JUDGE_UNCERTAINTY if judge else None
        references.append(Reference(column, label, paper, levels, True, judge, good_to))
    return references


def normal_mode_levels(field: ForceField, count: int) -> np.ndarray:
    """The ``count`` lowest exact energies (count,) of a field with quadratic terms only, ascending.

    Levels are enumerated from a heap: a state is raised only in modes at or after its last excited one, so
    each is met once. Cost O(d^3 + count d log(count d)).

    Raises ValueError for terms of higher order and for a Hessian that is not positive.
    """
    if field.order > 2:
        raise ValueError("normal modes solve fields with quadratic terms only")
    hessian = np.diag(np.array(field.frequencies))
    for modes, coefficient in field.terms.items():
        if len(modes) != 2:
            raise ValueError("normal modes solve fields with quadratic terms only")
        i, j = modes
        hessian[i, j] += coefficient
        hessian[j, i] += coefficient  # also right for i == j: the second derivative of c q^2 is 2 c
    root = np.sqrt(field.frequencies)
    squares = np.linalg.eigvalsh(root[:, None] * hessian * root)
    if squares[0] <= 0:
        raise ValueError("the potential is unbounded below: its Hessian is not positive")
    omega = np.sqrt(squares)
    heap: list[tuple[float, int]] = [(0.5 * float(omega.sum()), 0)]
    levels: list[float] = []
    while len(levels) < count:
        energy, last = heapq.heappop(heap)
        levels.append(energy)
        for mode in range(last, omega.size):
            heapq.heappush(heap, (energy + float(omega[mode]), mode))
    return np.array(levels)


def covering(references: Sequence[Reference], count: int) -> list[Reference]:
    """References with at least one value for the first ``count`` states."""
    return [reference for reference in references if np.any(np.isfinite(reference.levels[:count]))]


def compare(energies: np.ndarray, references: Sequence[Reference]) -> list[Comparison]:
    """The run's absolute, ascending ``energies`` (n,) beside every reference, over the states both have.

    The column's own deviation is taken over the same states, so that both figures can be read side by side.
    """
    judge = next((reference for reference in references if reference.judge), None)
    comparisons = []
    for reference in references:
        run = Deviation.of(reference.deviations(energies))
        if run is None:
            continue
        column = None
        if judge is not None and judge is not reference:
            column = Deviation.of(judge.deviations(reference.absolute()[: len(energies)]))
        comparisons.append(Comparison(reference, run, column))
    return comparisons
