"""``solve`` for A x = b against torchTT's compiled AMEn, and how its time grows with the dimension; one thread.

The finite-difference Laplacian, 32 points in each of 16 and 32 directions, and the quantics Poisson equation in three
dimensions, 2^8 points an axis, which ``solve`` finds to be sums over groups of modes and inverts by exponentials, by
default and, each for itself, by our AMEn; a Laplacian whose neighbours are coupled, which is no such sum. Right-hand
sides of ones, our look at the condition counted. torchTT is given a tolerance with which its residual stays
within 5e-7 or close to it, ours is asked for the residual torchTT has reached just before, and for 5e-7 at least.
The two, with their default options, run in turn, so that a slow moment of the machine meets both; the figure is the
ratio of the medians. Both residuals are formed here, outside the solvers. torchTT falls back to pure Python in silence,
so its compiled backend is asserted. Run with ``-m benchmark -s``.
"""

import statistics
import time

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from solvers.formats.trains.construct import identity_operator, kronecker_sum, ones
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.sum_of_products import sum_of_products
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.linear.solve import solve
from solvers.methods import AMEn

RESIDUAL = 5e-7
RATIO = 0.15
SWEPT = 0.25  # by sweeps where these are not the best way
COUPLED = 0.4  # where there is no other way than sweeps
REPEATS = 5
GROWTH = 2.6  # of the time from d to 2 d modes


def laplacian(d, n=32):
    second = 2.0 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)
    return kronecker_sum([second * (n + 1) ** 2] * d)


def quantics_second_difference(levels):
    """tridiag(-1, 2, -1) on 2^levels points."""
    unit, up, down = np.eye(2), np.eye(2, k=1), np.eye(2, k=-1)
    first, middle, last = np.zeros((1, 2, 2, 3)), np.zeros((3, 2, 2, 3)), np.zeros((3, 2, 2, 1))
    first[0, :, :, 0], first[0, :, :, 1], first[0, :, :, 2] = unit, down, up
    middle[0, :, :, 0], middle[0, :, :, 1], middle[0, :, :, 2] = unit, down, up
    middle[1, :, :, 1], middle[2, :, :, 2] = up, down
    last[0, :, :, 0], last[1, :, :, 0], last[2, :, :, 0] = 2.0 * unit - up - down, -up, -down
    return TTOperator((first, *[middle] * (levels - 2), last))


def quantics_poisson(levels):
    one, unit = quantics_second_difference(levels), identity_operator([2] * levels)
    parts = [[one if k == axis else unit for k in range(3)] for axis in range(3)]
    x, y, z = (TTOperator(tuple(core for part in three for core in part.cores)) for three in parts)
    return (x + y + z).round(1e-14)


def coupled(d, n=32):
    """The Laplacian on the unit cube and 200 sum_k x_k x_(k+1): TT-ranks 3."""
    second = (2.0 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)) * (n + 1) ** 2
    matrices = [np.array([np.eye(n), second, np.diag(np.arange(1, n + 1) / (n + 1))])] * d
    terms = [(1.0, {k: 1}) for k in range(d)] + [(200.0, {k: 2, k + 1: 2}) for k in range(d - 1)]
    return sum_of_products(matrices, terms)


COUPLED_NEIGHBOURS = "coupled neighbours, d = 16"
PROBLEMS = {  # and torchTT's tolerance
    "Laplacian, d = 16": (lambda: laplacian(16), 1e-6),
    "Laplacian, d = 32": (lambda: laplacian(32), 1e-6),
    "quantics Poisson, 3-D": (lambda: quantics_poisson(8), 7e-7),
    COUPLED_NEIGHBOURS: (lambda: coupled(16), 1e-6),
}


def seconds(work):
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def residual(a, x, b):
    return (b - a @ x).norm() / b.norm()


@pytest.mark.benchmark
@pytest.mark.parametrize("method", [None, AMEn()], ids=["solve", "AMEn"])
@pytest.mark.parametrize("name", PROBLEMS)
def test_a_part_of_the_time_of_torchtt(name, method):
    torch = pytest.importorskip("torch")
    torchtt = pytest.importorskip("torchtt")
    assert torchtt.solvers.cpp_enabled(), "torchTT without its compiled backend is no measure"
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    build, tolerance = PROBLEMS[name]
    a = build()
    b = ones(a.row_shape)
    peer_a, peer_b = (torchtt.TT([torch.tensor(np.array(core)) for core in train.cores]) for train in (a, b))

    def peer():
        return torchtt.solvers.amen_solve(peer_a, peer_b, eps=tolerance, use_cpp=True, verbose=False)

    try:
        with threadpool_limits(1):
            _, found = peer(), solve(a, b, method=method)
            ours, theirs, reached = [], [], []
            for _ in range(REPEATS):
                elapsed, found = seconds(peer)
                theirs.append(elapsed)
                x = TensorTrain(tuple(np.ascontiguousarray(core.numpy()) for core in found.cores))
                reached.append(residual(a, x, b))
                asked = min(reached[-1], RESIDUAL)
                elapsed, solution = seconds(lambda asked=asked: solve(a, b, method=method, accuracy=asked))
                ours.append(elapsed)
                true = residual(a, solution.value, b)
                assert true <= asked * (1.0 + 1e-6)  # rounding errors between two ways to form it
    finally:
        torch.set_num_threads(threads)
    ratio = statistics.median(ours) / statistics.median(theirs)
    print(
        f"\n{name}: {statistics.median(ours):.3f} s ({min(ours):.3f}), torchTT {statistics.median(theirs):.3f} s "
        f"({min(theirs):.3f}), ratio {ratio:.3f}; residuals {true:.1e} and {max(reached):.1e}, ranks "
        f"{solution.value.max_rank} and {x.max_rank}; {solution.extra['route']}, {solution.counts['sweeps']} sweeps"
    )
    assert ratio <= (COUPLED if name == COUPLED_NEIGHBOURS else RATIO if method is None else SWEPT)


@pytest.mark.benchmark
def test_the_time_is_linear_in_the_dimension():
    dimensions = (16, 32, 64)
    systems = {d: laplacian(d) for d in dimensions}
    times = {d: [] for d in dimensions}
    with threadpool_limits(1):
        solve(systems[16], ones([32] * 16), method=AMEn())
        for _ in range(REPEATS):
            for d, a in systems.items():
                b = ones(a.row_shape)
                elapsed, solution = seconds(lambda a=a, b=b: solve(a, b, method=AMEn(), accuracy=RESIDUAL))
                times[d].append(elapsed)
                assert residual(a, solution.value, b) <= RESIDUAL
    fastest = {d: min(values) for d, values in times.items()}
    print("\n" + ", ".join(f"d = {d}: {value:.3f} s" for d, value in fastest.items()))
    assert fastest[64] <= GROWTH**2 * fastest[16]  # over two doublings: from one to the next the sweeps may be one less
