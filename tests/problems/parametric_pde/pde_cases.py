"""Small parametric PDEs, and their statistics by a loop over the whole grid."""

import itertools

import numpy as np

from problems.parametric_pde.gauss import rule
from ttsuite.study.config import make_study

FIELDS = {
    "affine": {"type": "affine", "scale": 0.5, "parameters": 3},
    "lognormal": {"type": "lognormal", "scale": 0.6, "parameters": 3},
    "discs": {"type": "discs", "centres": [[0.25, 0.25], [0.7, 0.7]], "radii": [0.2, 0.25], "range": [0.4, 2.0]},
}
INTERVAL = [
    {"name": "total", "type": "integral"},
    {"name": "middle", "type": "point", "at": 0.47},
    {"name": "outflow", "type": "flux", "at": 1.0},
]
SQUARE = [{"name": "total", "type": "integral"}, {"name": "middle", "type": "point", "at": [0.52, 0.41]}]


def study(field="affine", domain="interval", cells=16, solver=None, **problem):
    """A Study; ``field`` a name above or a mapping."""
    field = FIELDS[field] if isinstance(field, str) else field
    quantities = list(INTERVAL if domain == "interval" else SQUARE)
    if domain == "square" and field["type"] == "discs":
        quantities.append({"name": "disc", "type": "disc_mean", "disc": 1})
    data = {"kind": "parametric_pde", "domain": domain, "mesh": {"cells": cells}, "field": field}
    data |= {"quantities": quantities, **problem}
    return make_study({"problem": data, "solver": {"accuracy": 1e-6, **(solver or {})}})


def loop_moments(discrete, points):
    """Means and variances (Q,) of the quantities by exact solves on the whole grid."""
    rules = [rule(discrete.problem.field.distribution, n) for n in points]
    y = np.array(list(itertools.product(*(x for x, _ in rules))))
    w = np.array([np.prod(v) for v in itertools.product(*(w for _, w in rules))])
    values = discrete.quantities(y, discrete.solve(y))
    mean = w @ values
    return mean, w @ (values - mean) ** 2
