"""A scan over the temperature of a spectrum: every point has its lines, partition function and files."""

import math
from pathlib import Path

import pytest
import yaml
from scan_cases import rows

from problems.quantum.hamiltonians.force_field.molecule import Surface
from ttsuite import scan
from ttsuite.actions.run import load

WATER = Path(__file__).parents[3] / "configs" / "vibrational"


@pytest.mark.slow  # the points are runs in a process of their own
def test_hot_bands_grow_with_the_temperature(tmp_path):
    base = {
        "problem": {
            "kind": "vibrational",
            "force_field": str(WATER / "water.csv"),
            "basis": {"functions": 6},
            "dipole": {"file": str(WATER / "water-dipole.csv")},
        },
        "solver": {"n_states": 3, "accuracy": 10.0, "workers": 1},
    }
    file = tmp_path / "temperatures.yaml"
    file.write_text(yaml.safe_dump({"base": base, "grid": {"problem.spectrum.temperature": [0, 900]}}))
    done = scan(file, out=tmp_path / "scan", workers=1)
    table = rows(done.folder)
    assert [row["problem.spectrum.temperature"] for row in table] == ["0", "900"]
    cold, hot = (float(row["lines (km/mol), 0 to 1"]) for row in table)
    q = float(table[1]["partition function, of the lines"])
    assert 1.08 < q < 1.1 and table[0]["lines (km/mol), 1 to 2"] == ""
    assert math.isclose(hot / cold, (1.0 - math.exp(-1550.2 / (0.695035 * 900.0))) / q, rel_tol=1e-4)
    assert float(table[1]["lines (km/mol), 1 to 2"]) > 1.0
    for point in done.points:
        files = {path.name for path in (done.folder / point.folder).iterdir()}
        assert {"infrared_lines.csv", "infrared_profile.csv", "infrared.jdx"} <= files
    # states and functions of a point: its observables
    run = load(done.folder / done.points[1].folder)
    result = run.result()
    assert abs(result.transition(Surface(({(2,): 1.0},), ""))[1, 0]) > 0.6  # 2^(-1/2) of a harmonic mode
