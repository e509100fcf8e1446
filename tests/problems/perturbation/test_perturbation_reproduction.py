"""Referenced fooling rates: a network of three hidden layers on digits, five seeds, within three spreads."""

import pytest

from problems.perturbation.references import agreements, digits_network, known
from problems.perturbation.solve import prepare, solve
from ttsuite.study.config import make_study

pytestmark = pytest.mark.slow


def test_a_network_on_digits():
    problem = {"kind": "perturbation", "data": "digits", "test": 500, "q": [10, 2], "eps": [0.1, 0.15, 0.2]}
    study = make_study({"problem": problem, "solver": {"workers": 1}})
    found = solve(prepare(study.problem, study.solver), seed=0)
    before = known(study.problem, found)
    assert len(before) == len(digits_network()) == 27
    for (i, j), entry in before.items():
        print(found.names[i], found.eps[j], f"{found.means[i, j]:.3f} {entry.rate:.3f}({entry.spread:.3f})")
        assert found.means[i, j] == pytest.approx(entry.rate, abs=3 * entry.spread), (found.names[i], found.eps[j])
    assert agreements(study.problem, found)[0].more["max_spreads"] < 3.0
    # several times those of random signs, and more from the logits than from the first layer
    assert found.means[6, -1] > 4 * found.means[found.random, -1] and found.means[6, -1] > found.means[0, -1]
