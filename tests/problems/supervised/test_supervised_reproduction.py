"""Referenced values: planted interactions, noughts and crosses, digits in three formats, noise of labels.

The values were measured with scikit-learn 1.9.1 and descents in torch 2.13 (seeds 0 to 4, 500 test images, stratified);
they are to be met, or bettered, within three spreads.
"""

import numpy as np
import pytest

from problems.learning.data import planted
from problems.supervised.solve import prepare, solve
from solvers.learning.descent import Descent, cut_into_patches, learn
from solvers.learning.fields import fields_of, functions_of
from solvers.learning.selection import choose
from ttsuite.study.config import make_study

pytestmark = pytest.mark.slow


def made(problem, **solver):
    study = make_study({"problem": {"kind": "supervised", **problem}, "solver": solver})
    return solve(prepare(study.problem, study.solver), seed=0)


@pytest.mark.parametrize(
    "fields, order, terms, rows, rank", [(10, 3, 5, 3000, 5), (12, 4, 6, 4000, 6)], ids=["order 3", "order 4"]
)
@pytest.mark.parametrize("seed", [7, 8, 9])
def test_planted_interactions_to_rounding(fields, order, terms, rows, rank, seed):
    data = planted(fields, order, terms, rows, 0.0, seed)
    functions = functions_of(fields_of(data.rows[:rows], [0] * fields), data.rows)
    half, y = 2 * rows // 3, data.targets / data.targets.std()
    ranks, inner = [rank - 2, rank - 1, rank], [phi[:half] for phi in functions]
    chosen = choose(inner, y[:half], "squared", ranks=ranks, ridges=[1e-12], rng=np.random.default_rng(seed))
    wrong = chosen.model.scores([phi[half:] for phi in functions])[:, 0] - y[half:]
    assert np.linalg.norm(wrong) < 1e-8 * np.linalg.norm(y[half:])


def test_noughts_and_crosses():
    found = made({"data": {"model": "tictactoe"}}, against=["linear", "boosting"], workers=1)
    assert found.means[0, 0] > 0.9987 - 3 * 0.0017 and found.means[0, 0] > found.means[1, 0]
    assert found.means[1, 0] == pytest.approx(0.9966, abs=3 * 0.0008)
    assert found.orders.mean(axis=0)[3] > 0.05 > found.orders.mean(axis=0)[4]


# format, width: mean accuracy referenced (no noise while fitting)
DIGITS = {("cp", 4): 0.7656, ("cp", 16): 0.9476, ("ht", 2): 0.6096, ("ht", 4): 0.9224, ("ht", 8): 0.9648}
DIGITS |= {
    ("tt", 2): 0.65,
    ("tt", 4): 0.9272,
    ("tt", 8): 0.9664,
    ("cp", 2): 0.0,
    ("ht", 16): 0.9648,
    ("tt", 16): 0.9664,
}
SPREAD = 0.0044 / 5**0.5  # standard error of the referenced mean of the widest


@pytest.mark.parametrize("form, width", DIGITS)
def test_digits(form, width):
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    x, y, right = cut_into_patches(digits.images / 16.0, (2, 2)), digits.target, []
    for seed in range(5):
        a, b = train_test_split(np.arange(len(y)), test_size=500, stratify=y, random_state=seed)
        model = learn(x[:, a], y[a], "softmax", form=form, width=width, how=Descent(), seed=seed)
        right.append(np.mean(model.scores(x[:, b]).argmax(axis=1) == y[b]))
    print(form, width, f"{np.mean(right):.4f} {np.std(right, ddof=1):.4f}")
    assert np.mean(right) >= DIGITS[form, width] - 2 * SPREAD


# learner -> (accuracy, spread) at shares of labels drawn anew
NOISE = {
    "nearest": {0.0: (0.9848, 0.0030), 0.4: (0.6176, 0.0318), 0.8: (0.2932, 0.0328)},
    "neighbours": {0.0: (0.9744, 0.0075), 0.4: (0.9660, 0.0095), 0.8: (0.6648, 0.0924)},
    "linear-strong": {0.0: (0.9136, 0.0137), 0.4: (0.9004, 0.0137), 0.8: (0.7236, 0.0918)},
    "linear": {0.0: (0.9656, 0.0033), 0.4: (0.9020, 0.0152), 0.8: (0.6564, 0.0452)},
    "svm-soft": {0.0: (0.9864, 0.0026), 0.4: (0.9756, 0.0055), 0.8: (0.8644, 0.0426)},
    "forest": {0.0: (0.9736, 0.0048), 0.4: (0.9376, 0.0182), 0.8: (0.6164, 0.0540)},
    "network": {0.0: (0.9764, 0.0046), 0.4: (0.8152, 0.0305), 0.8: (0.3948, 0.0261)},
}


def test_noise_of_labels():
    problem = {"data": "digits", "test": 500, "study": {"label_noise": [0.0, 0.4, 0.8]}}
    found = made(problem, model="cp", rank=16, pixel_noise=0.1, against=list(NOISE), accuracy=0.2, workers=1)
    for i, name in enumerate(found.names[1:], start=1):
        for j, level in enumerate(found.levels):
            value, spread = NOISE[name][level]
            print(name, level, f"{found.means[i, j]:.4f} {value:.4f}", spread)
    for name, levels in NOISE.items():
        for level, (value, spread) in levels.items():
            mean = found.means[found.names.index(name), found.levels.index(level)]
            assert mean == pytest.approx(value, abs=3 * spread), (name, level)
    nearest = found.means[1]
    assert np.abs(nearest - found.line).max() < 3 * 0.033
