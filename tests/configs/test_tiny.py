"""Every shipped configuration runs from YAML to report, in its quick variant."""

from pathlib import Path

import numpy as np
import pytest

from ttsuite.config import load_study
from ttsuite.run import load, run

TINY = Path(__file__).parents[2] / "configs" / "tiny"


@pytest.mark.parametrize("file", sorted(TINY.glob("*.yaml")), ids=lambda file: file.stem)
def test_tiny_configuration(file, tmp_path):
    done = run(file, out=tmp_path / "out")
    study = load_study(done.folder / "configuration.yaml")[0]
    accuracy, results = study.solver.accuracy, done.report["results"]
    assert done.status == "finished", done.report["message"]
    assert np.all(np.diff(results["energies"]) >= 0)
    automatic = study.problem.basis.functions == "automatic"  # else the basis is part of the question
    assert np.max(results["error_estimates" if automatic else "rank_errors"]) <= accuracy
    # the first reference is the one to judge by, where there is one
    for reference in done.report["references"][:1]:
        assert reference["max_abs_deviation"] <= accuracy
    report, states = load(done.folder)
    assert len(states) == len(results["energies"]) == len(report["results"]["ranks"])
