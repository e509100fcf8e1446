"""Cross approximation beside tntorch, where that is installed: time, at no larger error, in one run.

tntorch (pip) is a yardstick only. Both learn the same two functions on 64^8 points, interleaved, one BLAS thread,
kernels warm; medians over the rounds.
"""

import statistics
import time

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from solvers.cross.cross import cross

pytestmark = pytest.mark.benchmark
GRID = np.linspace(0.0, 1.0, 64)
ROUNDS = 5
CASES = {
    "inverse": (lambda c: 1.0 / (1.0 + (c**2).sum(axis=1)), 140_000),
    "root": (lambda c: np.sqrt((c**2).sum(axis=1)), 470_000),
}


def error(values, f):
    points = np.random.default_rng(5).integers(0, 64, (20_000, 8))
    exact = f(GRID[points])
    return np.abs(values(points) - exact).max() / np.abs(exact).max()


@pytest.mark.parametrize("name", sorted(CASES))
def test_against_tntorch(name):
    torch = pytest.importorskip("torch")
    tn = pytest.importorskip("tntorch")
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)  # its own arithmetic is in single precision otherwise
    f, most = CASES[name]
    domain = [torch.tensor(GRID, dtype=torch.float64)] * 8

    def theirs():
        g = (lambda c: 1.0 / (1.0 + (c**2).sum(dim=1))) if name == "inverse" else (lambda c: (c**2).sum(dim=1).sqrt())
        return tn.cross(g, domain=domain, function_arg="matrix", eps=1e-8, verbose=False, suppress_warnings=True)

    def ours(seed=0):
        return cross(f, (64,) * 8, grids=[GRID] * 8, accuracy=1e-8, rng=np.random.default_rng(seed))

    seconds = {"ours": [], "theirs": []}
    with threadpool_limits(1):
        ours()
        theirs()
        for seed in range(ROUNDS):
            for key, call in (("ours", lambda seed=seed: ours(seed)), ("theirs", theirs)):
                begin = time.perf_counter()
                found = call()
                seconds[key].append(time.perf_counter() - begin)
                if key == "ours":
                    solution = found
    own = error(solution.value.entries, f)
    peer = error(lambda p: found[torch.as_tensor(p)].torch().numpy(), f)
    medians = {key: statistics.median(values) for key, values in seconds.items()}
    print(
        f"\n{name}: ours {medians['ours']:.3f} s, {solution.counts['evaluations']} evaluations, error {own:.1e}; "
        f"tntorch {medians['theirs']:.3f} s, error {peer:.1e}"
    )
    assert own <= 1e-8 and solution.counts["evaluations"] <= most
    assert medians["ours"] <= medians["theirs"]
