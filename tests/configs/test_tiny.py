"""Every shipped configuration runs from YAML to report, in its quick variant."""

from pathlib import Path

import pytest

from ttsuite.run import load, run

TINY = Path(__file__).parents[2] / "configs" / "tiny"


@pytest.mark.parametrize("file", sorted(TINY.glob("*.yaml")), ids=lambda file: file.stem)
def test_tiny_configuration(file, tmp_path):
    done = run(file, out=tmp_path / "out")
    accuracy, results = done_accuracy(done), done.report["results"]
    assert done.status == "finished", done.report["message"]
    assert results["energies"] == sorted(results["energies"])
    assert max(results["error_estimates"]) <= accuracy
    # the first reference is the one to judge by, where there is one
    for reference in done.report["references"][:1]:
        assert reference["max_abs_deviation"] <= accuracy
    report, states = load(done.folder)
    assert len(states) == len(results["energies"]) == len(report["results"]["ranks"])


def done_accuracy(done):
    """The accuracy asked, from the recorded configuration."""
    from ttsuite.config import load_study

    return load_study(done.folder / "configuration.yaml")[0].solver.accuracy
