"""The levels of a field do not depend on the coordinates it is written in: normal modes, rotated or displaced ones."""

import math
from collections import Counter
from itertools import product

import numpy as np
import pytest

from problems.quantum.kinds.vibrational import VibrationalProblem
from problems.quantum.readers.table import HEADER
from problems.quantum.tasks.spectrum.keys import SpectrumSolver
from problems.quantum.tasks.spectrum.solve import prepare, solve
from solvers.solution import Status

FREQUENCIES = (1500.0, 1200.0)
PHI = {(1, 1, 1): -180.0, (1, 1, 2): 60.0, (1, 2, 2): -40.0, (1, 1, 1, 1): 90.0, (1, 1, 2, 2): 50.0, (2, 2, 2, 2): 70.0}


def derivatives():
    """All derivatives of V/hc in mass-weighted Q = q / sqrt(w), as full arrays of order 1 to 4."""
    tensors = [np.zeros((2,) * n) for n in range(5)]
    tensors[2][0, 0], tensors[2][1, 1] = np.square(FREQUENCIES)
    for modes, phi in PHI.items():
        for places in {tuple(p) for p in product(range(2), repeat=len(modes))}:
            if Counter(places) == Counter(k - 1 for k in modes):
                tensors[len(modes)][places] = phi * math.prod(math.sqrt(FREQUENCIES[k]) for k in places)
    return tensors


def rotated(tensors, angle):
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    found = []
    for order, t in enumerate(tensors):
        for axis in range(order):
            t = np.moveaxis(np.tensordot(t, turn, (axis, 0)), -1, axis)
        found.append(t)
    return found


def displaced(tensors, by):
    """Of the expansion about the point ``by``."""
    return [
        sum(
            np.asarray(contracted(t, by, extra)) / math.factorial(extra)
            for extra, t in ((n - order, tensors[n]) for n in range(order, 5))
        )
        for order in range(5)
    ]


def contracted(t, by, times):
    for _ in range(times):
        t = t @ by
    return t


def written(path, tensors):
    """A CSV file with these derivatives in the dimensionless coordinates of their own frequencies."""
    w = np.sqrt(np.diag(tensors[2])).tolist()
    rows = [",".join(HEADER), *(f"2,{k + 1}-{k + 1},{w[k]!r}" for k in range(2))]
    for order in range(1, 5):
        for places in product(range(2), repeat=order):
            if list(places) == sorted(places) and not (order == 2 and places[0] == places[1]):
                phi = tensors[order][places] / math.prod(math.sqrt(w[k]) for k in places)
                rows.append(f"{order},{'-'.join(str(k + 1) for k in places)},{float(phi)!r}")
    path.write_text("\n".join(rows) + "\n")


def levels(tmp_path, name, tensors):
    written(tmp_path / f"{name}.csv", tensors)
    problem = VibrationalProblem(kind="vibrational", force_field=str(tmp_path / f"{name}.csv"))
    result = solve(prepare(problem, SpectrumSolver(n_states=6, accuracy=1e-4)))
    assert result.status is Status.CONVERGED
    return result.energies, result.error_estimates


@pytest.mark.parametrize("angle, by", [(0.6, (0.0, 0.0)), (0.0, (0.006, -0.004)), (0.3, (0.004, 0.005))])
def test_levels_are_those_of_the_normal_modes(tmp_path, angle, by):
    normal = derivatives()
    found, errors = levels(tmp_path, "other", displaced(rotated(normal, angle), np.array(by)))
    exact, own_errors = levels(tmp_path, "normal", normal)
    origin = float(displaced(rotated(normal, angle), np.array(by))[0])  # the energy there, which no file holds
    assert np.all(np.abs(found + origin - exact) <= errors + own_errors)
    assert np.max(np.abs(found + origin - exact)) < 1e-4
    assert (abs(origin) > 1.0) == any(by)


def test_a_quadratic_form_that_falls_is_refused(tmp_path):
    path = tmp_path / "falls.csv"
    text = ",".join(HEADER) + "\n2,1-1,1000\n2,2-2,1000\n2,1-2,{}\n1,1,50\n"
    path.write_text(text.format(999))
    VibrationalProblem(kind="vibrational", force_field=str(path))
    path.write_text(text.format(-1001))
    with pytest.raises(ValueError, match="unbounded below"):
        VibrationalProblem(kind="vibrational", force_field=str(path))
