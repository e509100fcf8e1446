"""Vibrational levels with rotation terms: heavy water against an independent configuration interaction.

Field and constants: normal coordinates of the quartic Cartesian field in the test data of pbqff
(crates/spectro/testfiles/h2o) with deuterium masses; levels: products of up to 24 quanta, to 1e-4 cm-1.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from problems.quantum.hamiltonians.force_field.on_grid import on_grid
from problems.quantum.kinds.vibrational import VibrationalProblem
from problems.quantum.tasks.spectrum.keys import SpectrumSolver
from problems.quantum.tasks.spectrum.solve import prepare, solve
from solvers.solution import Status

FIELD = """order,modes,coefficient_cm-1
2,1-1,2889.48170
2,2-2,2763.60230
2,3-3,1208.30718
3,1-1-2,-1140.48715
3,1-1-3,-168.12400
3,2-2-2,-1117.49923
3,2-2-3,-10.30407
3,2-3-3,200.91370
3,3-3-3,157.83570
4,1-1-1-1,408.31931
4,1-1-2-2,408.18146
4,1-1-2-3,60.04479
4,1-1-3-3,-196.14545
4,2-2-2-2,397.12414
4,2-2-2-3,5.04753
4,2-2-3-3,-168.91507
4,2-3-3-3,-75.57044
4,3-3-3-3,-23.73555
"""
ROTATION = """quantity,axis1,axis2,mode1,mode2,value
I0_amu_A2,x,x,,,3.42193974
I0_amu_A2,y,y,,,1.11078130
I0_amu_A2,z,z,,,2.31115843
zeta,x,,1,2,0.052510853
zeta,x,,1,3,0.998620353
dI_dQ_amu1/2_A,y,z,1,,-1.732299408
dI_dQ_amu1/2_A,x,x,2,,3.694592869
dI_dQ_amu1/2_A,y,y,2,,1.290250598
dI_dQ_amu1/2_A,z,z,2,,2.404342271
dI_dQ_amu1/2_A,x,x,3,,-0.194274254
dI_dQ_amu1/2_A,y,y,3,,1.666846907
dI_dQ_amu1/2_A,z,z,3,,-1.861121161
"""
LEVELS = {  # the lowest absolute, the others above it
    "none": [3399.0832, 1169.9602, 2320.9591, 2685.8264, 2796.5418],
    "watson": [3393.2631, 1176.9367, 2334.9581, 2685.8189, 2803.6402],
    "watson1": [3393.4206, 1176.7813, 2334.7572, 2685.9668, 2803.5646],
    "watson2": [3393.2492, 1176.6079, 2334.3991, 2685.8814, 2803.5357],
}


def problem(tmp_path: Path, **keys: str) -> VibrationalProblem:
    (tmp_path / "d2o.csv").write_text(FIELD)
    (tmp_path / "rotation.csv").write_text(ROTATION)
    given = {"kind": "vibrational", "force_field": "d2o.csv", "rotation": "rotation.csv", **keys}
    return VibrationalProblem.model_validate(given, context={"directory": tmp_path})


@pytest.mark.parametrize("kinetic", LEVELS)
def test_heavy_water(tmp_path: Path, kinetic: str) -> None:
    asked = problem(tmp_path, kinetic=kinetic)
    result = solve(prepare(asked, SpectrumSolver(n_states=5, accuracy=1e-3)))
    found = np.concatenate([result.energies[:1], result.energies[1:] - result.energies[0]])
    assert result.status is Status.CONVERGED
    assert np.all(np.abs(found - LEVELS[kinetic]) <= result.error_estimates + 2e-4)
    said = [text for text in result.warnings if "rotation terms are left out" in text]
    assert bool(said) == (kinetic == "none")
    if said:  # B = 4.926, 15.176, 7.294 and zeta of about one: -(15.2 + 7.3)/4 and what zeta gives back
        assert "the ground state by -5.855 cm-1" in said[0] and "13.8 cm-1" in said[0]


def test_points_hold_the_rotation_terms_too(tmp_path: Path) -> None:
    """Of two modes bounded below: the route that judges a run shares no matrix element with it."""
    (tmp_path / "pair.csv").write_text(
        "order,modes,coefficient_cm-1\n2,1-1,1500\n2,2-2,1200\n3,1-1-1,-150\n4,1-1-1-1,90\n4,2-2-2-2,70\n"
    )
    rotation = "".join(line for line in ROTATION.splitlines(True) if ",3," not in line)
    (tmp_path / "pair_rotation.csv").write_text(rotation.replace("0.052510853", "0.9"))
    given = {"kind": "vibrational", "force_field": "pair.csv", "rotation": "pair_rotation.csv", "kinetic": "watson2"}
    asked = VibrationalProblem.model_validate(given, context={"directory": tmp_path})
    found = on_grid(asked.field, 4, 1e-3)
    result = solve(prepare(asked, SpectrumSolver(n_states=4, accuracy=1e-3)))
    assert np.max(np.abs(found["energies"] - result.energies)) < 1e-3
    assert abs(result.energies[0] - on_grid(asked.vibrations, 1, 1e-3)["energies"][0]) > 1.0


@pytest.mark.parametrize(
    "rotation, keys, words",
    [
        (None, {"kinetic": "watson"}, "give rotation"),
        (ROTATION.partition("dI_dQ")[0], {"kinetic": "watson1"}, "derivatives of the inertia are not known"),
        (ROTATION.replace("3,0.998620353", "4,0.998620353"), {}, "one of 1 to 3"),
        (ROTATION.replace("1.11078130", "0"), {"kinetic": "watson"}, "linear"),
    ],
)
def test_what_cannot_be_computed_is_refused(tmp_path: Path, rotation: str | None, keys: dict, words: str) -> None:
    (tmp_path / "d2o.csv").write_text(FIELD)
    (tmp_path / "rotation.csv").write_text(rotation or "")
    given = {"kind": "vibrational", "force_field": "d2o.csv", **keys} | (
        {"rotation": "rotation.csv"} if rotation else {}
    )
    with pytest.raises(ValueError, match=words):
        VibrationalProblem.model_validate(given, context={"directory": tmp_path})
