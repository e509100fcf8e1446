"""Every option of the public methods is read, by more than its own validation."""

import dataclasses
import sys

import numpy as np
import pytest
from scipy.sparse import csr_array

import solvers.linear.solve as linear
from solvers import methods
from solvers.cross.als_cross import als_cross
from solvers.cross.cross import cross
from solvers.cross.parametric_system import ParametricSystem
from solvers.dynamics.evolve import evolve
from solvers.eigen.configuration_interaction import ProductTerms
from solvers.eigen.eigsolve import eigsolve
from solvers.linear.solve import solve
from solvers.riemannian.completion import complete
from solvers.riemannian.descent import Evaluation, minimise
from solvers.trains.construct import kronecker_sum, ones, random_train
from solvers.trains.sum_of_products import sum_of_products
from solvers.tucker.cross import tucker_cross

N, D = 5, 3
Q = np.diag(np.sqrt(np.arange(1, N) / 2), 1)
MATRICES = (np.array([np.eye(N), Q + Q.T, np.diag(np.arange(N) + 0.5)]),) * D
TERMS = tuple((1.0 + 0.1 * k, {k: 2}) for k in range(D)) + tuple((0.3, {k: 1, k + 1: 1}) for k in range(D - 1))
LEVELS = tuple((1 + 0.1 * k) * (np.arange(N) + 0.5) for k in range(D))


def recorded(kind, **options):
    """An instance of a class that notes which of its fields are read outside of its own checks."""
    read: set[str] = set()
    names = {field.name for field in dataclasses.fields(kind)}

    def note(self, name):
        if name in names and sys._getframe(1).f_code.co_filename not in (methods.__file__, dataclasses.__file__):
            read.add(name)
        return object.__getattribute__(self, name)

    return type(kind.__name__, (kind,), {"__getattribute__": note})(**options), read


def levels(method):
    table = ProductTerms(MATRICES, TERMS, LEVELS, (np.zeros(N, dtype=np.int64),) * D)
    start = table if isinstance(method, methods.InverseIteration) else None
    eigsolve(sum_of_products(MATRICES, TERMS), 2, start=start, method=method, accuracy=1e-4, throw=False)


def system(method):
    second = 2.0 * np.eye(6) - np.eye(6, k=1) - np.eye(6, k=-1)
    solve(kronecker_sum([second] * 4), ones((6,) * 4), method=method, accuracy=1e-6, throw=False)


def motion(method):
    hamiltonian = kronecker_sum([np.diag([0.0, 1.0])] * 3)
    evolve(hamiltonian, random_train((2,) * 3, 2, np.random.default_rng(0)), [0.0, 0.1], method=method, throw=False)


def function(method):
    cross(lambda p: 1.0 / (1.0 + p.sum(axis=1)), (6,) * 5, method=method, accuracy=1e-4, throw=False)


def tucker_function(method):
    grid = np.linspace(0.0, 1.0, 20)
    tucker_cross(lambda x, y, z: np.abs(x - y + 0.3 * z), [], coordinates=[grid] * 3, method=method, throw=False)


def parameters(method):
    second = 2.0 * np.eye(5) - np.eye(5, k=1) - np.eye(5, k=-1)
    cells = [csr_array(second), csr_array(np.diag(np.arange(1.0, 6.0)))]
    factors = tuple(np.stack([np.ones(3), np.linspace(0.1, 3.0, 3) if m == 0 else np.ones(3)]) for m in range(2))
    one = (np.ones((1, 3)),) * 2
    system = ParametricSystem(tuple(cells), factors, np.ones((1, 5)), one, (np.full(3, 1 / 3),) * 2)
    als_cross(system, method=method, accuracy=1e-4, throw=False)


def samples(method):
    rng = np.random.default_rng(0)
    points = np.unique(rng.integers(0, 5, (90, 3)), axis=0)
    complete(points, 1.0 / (1.0 + points.sum(axis=1)), (5,) * 3, method=method, accuracy=1e-2, throw=False)


class Sphere:
    """The unit sphere, and x.A x / 2 on it for a diagonal A."""

    a = np.arange(1.0, 7.0)

    def inner(self, x, u, v):
        return float(u @ v)

    def combine(self, x, terms):
        return sum(c * u for c, u in terms)

    def retract(self, x, u, step):
        return (x + step * u) / np.linalg.norm(x + step * u)

    def transport(self, x, y, u):
        return u - (u @ y) * y

    def evaluate(self, x):
        return Evaluation(0.5 * float(x @ (self.a * x)), self.transport(x, x, self.a * x))

    def precondition(self, x, evaluation):
        return evaluation.gradient


def descent(method):
    minimise(Sphere(), Sphere(), np.full(6, 6**-0.5), method=method, accuracy=1e-8, throw=False)


def local(method):
    for kind in (methods.AMEn, methods.DMRG, methods.ALS):
        system(kind(local=method))


CASES = [
    (methods.BlockDMRG, levels),
    (methods.InverseIteration, levels),
    (methods.ALS, system),
    (methods.DMRG, system),
    (methods.AMEn, system),
    (methods.LocalSolver, local),
    (methods.Cross, function),
    (methods.ALSCross, parameters),
    (methods.TuckerCross, tucker_function),
    (methods.TDVP, motion),
    (methods.BUG, motion),
    (methods.Implicit, motion),
    (methods.Completion, samples),
    (methods.ConjugateGradients, descent),
]
# so that what a small problem needs not is asked for too
OPTIONS = {
    methods.Cross: {"whole": 0},
    methods.TuckerCross: {"whole": 0},
    methods.Completion: {"max_rank": 2},
}


def test_every_method_is_looked_at():
    every = {kind for kind in vars(methods).values() if dataclasses.is_dataclass(kind)}
    assert {kind for kind, _ in CASES} == every


@pytest.mark.parametrize("kind, use", CASES, ids=lambda case: getattr(case, "__name__", None))
def test_every_option_is_read(kind, use, monkeypatch):
    monkeypatch.setattr(linear, "DIRECT_FIRST", 0)
    names = {field.name for field in dataclasses.fields(kind)}
    method, read = recorded(kind, **OPTIONS.get(kind, {}))
    use(method)
    assert read == names
