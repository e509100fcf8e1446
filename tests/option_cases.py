"""Small problems for every public verb, and what a solution says, so that two calls can be told apart."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from typing import Any

import generators
import numpy as np
from scipy.sparse import csr_array

import solvers.eigen.general.small as general_vectors
import solvers.eigen.general.stationary as stationary_states
import solvers.linear.full_least_squares as rectangles
import solvers.linear.task as linear
from solvers.cross import reduced_basis
from solvers.cross.als_cross import als_cross
from solvers.cross.cross import cross, cross_of_trains
from solvers.cross.parametric_system import ParametricSystem
from solvers.dynamics.evolve import evolve
from solvers.eigen import explicit
from solvers.eigen.configuration_interaction import ProductTerms
from solvers.eigen.count_levels import count_levels
from solvers.eigen.eigsolve import eigsolve
from solvers.eigen.general.eig import eig
from solvers.elliptic.elliptic import elliptic
from solvers.extremal.extreme import extreme
from solvers.formats.cp.decomposition import cp_decomposition
from solvers.formats.trains.construct import kronecker_sum, ones, random_train
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.sum_of_products import sum_of_products
from solvers.formats.tucker.cross import tucker_cross
from solvers.linear.gmres import gmres
from solvers.linear.lstsq import lstsq
from solvers.linear.pinv import pinv
from solvers.linear.product import multiply
from solvers.linear.solve import solve
from solvers.optimisation.completion.completion import complete
from solvers.optimisation.descent import Evaluation, minimise
from solvers.optimisation.regression.bases import Polynomials
from solvers.optimisation.regression.regress import regress
from solvers.optimisation.skip_gram.embed import embed
from solvers.solution import Solution, Status

Arguments = tuple[Callable[..., Solution], tuple[Any, ...], dict[str, Any]]
NOT_SAID = {"seconds", "timing", "basis", "evaluation", "_slope"}  # clocks, and objects that hold more than they say


def nothing_is_small(monkeypatch) -> None:
    """Methods are asked themselves, where full vectors would answer, and few solves are shared out."""
    monkeypatch.setattr(linear, "DIRECT_FIRST", 0)
    monkeypatch.setattr(linear, "DIRECT_LAST", 0)
    monkeypatch.setattr(rectangles, "MOST_WORK", 0)
    monkeypatch.setattr(explicit, "SMALL", 0)
    monkeypatch.setattr(stationary_states, "LARGEST_FACTORS", 0)
    monkeypatch.setattr(general_vectors, "DENSE", 20)
    monkeypatch.setattr(reduced_basis, "TASK", 1)


def said(x: Any) -> Any:
    """Everything that a value holds, to its last digit, as something that can be compared."""
    if isinstance(x, np.ndarray):
        return (x.shape, x.tobytes())
    if isinstance(x, dict):
        return [(name, said(value)) for name, value in x.items() if name not in NOT_SAID]
    if isinstance(x, (list, tuple)):
        return [said(entry) for entry in x]
    if dataclasses.is_dataclass(x) and not isinstance(x, Status):
        return said({field.name: getattr(x, field.name) for field in dataclasses.fields(x)})
    return repr(x)


def digest(x: Any) -> str:
    """What is ``said``, in few letters."""
    return hashlib.sha256(repr(said(x)).encode()).hexdigest()


def oscillators(n: int = 5, d: int = 3) -> tuple[Any, ProductTerms]:
    """Coupled oscillators, as an operator and as a table of products."""
    q = np.diag(np.sqrt(np.arange(1, n) / 2), 1)
    matrices = (np.array([np.eye(n), q + q.T, np.diag(np.arange(n) + 0.5)]),) * d
    terms = tuple((1.0 + 0.1 * k, {k: 2}) for k in range(d)) + tuple((0.3, {k: 1, k + 1: 1}) for k in range(d - 1))
    levels = tuple((1 + 0.1 * k) * (np.arange(n) + 0.5) for k in range(d))
    return sum_of_products(matrices, terms), ProductTerms(matrices, terms, levels, (np.zeros(n, dtype=np.int64),) * d)


def levels(table: bool = False) -> Arguments:
    operator, terms = oscillators()
    return eigsolve, (operator, 2), {"accuracy": 1e-4} | ({"start": terms} if table else {})


def eigenpairs() -> Arguments:
    """A generator that is not symmetric, by Arnoldi from random starts."""
    return eig, (generators.glauber(7), 2), {"accuracy": 1e-6}


def stationary_state() -> Arguments:
    return stationary_states.stationary, (generators.exclusion(4),), {"accuracy": 1e-5}


def window() -> Arguments:
    """A chain of spins whose levels are too many to be counted otherwise than by samples."""
    x, z = np.array([[0.0, 1.0], [1.0, 0.0]]), np.diag([1.0, -1.0])
    terms = [(1.0, {k: 1, k + 1: 1}) for k in range(12)] + [(0.7, {k: 2}) for k in range(13)]
    operator = sum_of_products([np.array([np.eye(2), z, x])] * 13, terms)
    return count_levels, (operator, -3.0, 3.0), {"samples": 2}


def system() -> Arguments:
    """A Laplacian and products of neighbouring coordinates, which no preconditioner of sums inverts."""
    second = 2.0 * np.eye(6) - np.eye(6, k=1) - np.eye(6, k=-1)
    terms = [(1.0, {k: 1}) for k in range(4)] + [(3.0, {k: 2, k + 1: 2}) for k in range(3)]
    operator = sum_of_products([np.array([np.eye(6), second, np.diag(np.linspace(0.1, 1.0, 6))])] * 4, terms)
    return solve, (operator, ones((6,) * 4)), {"accuracy": 1e-6}


def given_system() -> Arguments:
    """The same operator by what it does."""
    _, (operator, b), keywords = system()
    return gmres, (lambda x: operator @ x, b), {**keywords, "accuracy": 1e-3}


def rectangle() -> TTOperator:
    """Tall, of ranks two."""
    rng = np.random.default_rng(11)
    shapes = ((1, 5, 4, 2), (2, 5, 4, 2), (2, 5, 4, 1))
    return TTOperator(tuple(rng.standard_normal(shape) for shape in shapes))


def fitted() -> Arguments:
    return lstsq, (rectangle(), random_train((5,) * 3, 2, np.random.default_rng(12))), {"accuracy": 1e-6}


def inverted() -> Arguments:
    return pinv, (rectangle(),), {"accuracy": 1e-6}


def motion() -> Arguments:
    x, z = np.array([[0.0, 1.0], [1.0, 0.0]]), np.diag([1.0, -1.0])
    terms = [(1.0, {k: 0, k + 1: 0}) for k in range(5)] + [(0.7, {k: 1}) for k in range(6)]
    operator = sum_of_products([np.array([z, x])] * 6, terms)
    start = random_train((2,) * 6, 2, np.random.default_rng(0))
    return evolve, (operator, start * (1.0 / start.norm()), [0.0, 0.1, 0.2]), {"accuracy": 1e-3}


def absorbed() -> Arguments:
    """Spins whose upper states decay: no Hermitian operator."""
    start = random_train((2,) * 4, 2, np.random.default_rng(0))
    return evolve, (kronecker_sum([np.diag([0.0, 1.0 - 0.1j])] * 4), start, [0.0, 0.1]), {"accuracy": 1e-3}


def function() -> Arguments:
    return cross, (lambda p: 1.0 / (1.0 + p.sum(axis=1)), (6,) * 5), {"accuracy": 1e-4}


def extremes() -> Arguments:
    return extreme, (lambda p: np.cos(p @ np.arange(1.0, 6.0)), (6,) * 5), {"max_evaluations": 200}


def extremes_of_one_point() -> Arguments:
    return extreme, (function_of_one_point()[1][0], (6,) * 5), {"max_evaluations": 200}


def extremes_of_few_points() -> Arguments:
    return extreme, (function_of_few_points()[1][0], (6,) * 5), {"max_evaluations": 1000}


def extremes_of_a_train() -> Arguments:
    return extreme, (random_train((9,) * 20, 5, np.random.default_rng(5)),), {"prefixes": 50}


def function_with_noise() -> Arguments:
    def noisy(p: np.ndarray) -> np.ndarray:
        scattered = (p @ 6 ** np.arange(5)) * 2654435761 % 2**32
        return np.asarray(1.0 / (1.0 + p.sum(axis=1)) + 0.1 * scattered / 2**32)

    return cross, (noisy, (6,) * 5), {"accuracy": 1e-4}


def function_of_one_point() -> Arguments:
    def one(p: np.ndarray) -> float:
        if p.ndim != 1:
            raise ValueError("one point")
        return 1.0 / (1.0 + float(p.sum()))

    return cross, (one, (6,) * 5), {"accuracy": 1e-4}


def function_of_few_points() -> Arguments:
    def few(p: np.ndarray) -> np.ndarray:
        if len(p) > 50:
            raise ValueError("at most 50 points")
        return 1.0 / (1.0 + p.sum(axis=1))

    return cross, (few, (6,) * 5), {"accuracy": 1e-4}


def function_with_a_gap() -> Arguments:
    def gap(p: np.ndarray) -> np.ndarray:
        return np.where(p.sum(axis=1) == 0, np.nan, 1.0 / (1.0 + p.sum(axis=1)))

    return cross, (gap, (6,) * 5), {"accuracy": 1e-4}


def function_of_trains() -> Arguments:
    train = random_train((6,) * 5, 2, np.random.default_rng(0))
    return cross_of_trains, (lambda u: 1.0 / (2.0 + u / train.full().max()), [train]), {"accuracy": 1e-4}


def tucker_function() -> Arguments:
    grid = np.linspace(0.0, 1.0, 20)

    def ridge(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        return np.sqrt(0.01 + (x - y + 0.3 * z) ** 2)

    return tucker_cross, (ridge, []), {"coordinates": [grid] * 3, "accuracy": 1e-4}


def parameters() -> Arguments:
    second = 2.0 * np.eye(12) - np.eye(12, k=1) - np.eye(12, k=-1)
    halves = [np.diag(np.arange(12) < 6) * 1.0, np.diag(np.arange(12) >= 6) * 1.0]
    cells = (csr_array(second), *(csr_array(half @ second @ half) for half in halves))
    values = np.linspace(0.1, 30.0, 5)
    factors = tuple(np.stack([np.ones(5), *(values if m == k else np.ones(5) for k in range(2))]) for m in range(2))
    one = (np.ones((1, 5)),) * 2
    parametric = ParametricSystem(cells, factors, np.ones((1, 12)), one, (np.full(5, 0.2),) * 2)
    return als_cross, (parametric,), {"accuracy": 1e-6}


def samples() -> Arguments:
    points = np.unique(np.random.default_rng(0).integers(0, 5, (90, 3)), axis=0)
    values = (-1.0) ** points.sum(axis=1) / (1.0 + points.sum(axis=1))  # a constant learns nothing of the signs
    return complete, (points, values, (5,) * 3), {"accuracy": 1e-3}


def scattered() -> Arguments:
    """Values at points that no low rank explains: all starts are tried."""
    rng = np.random.default_rng(4)
    points = rng.random((60, 2))
    return regress, (points, rng.standard_normal(60), Polynomials(3, (0.0, 1.0))), {"accuracy": 1e-3}


class Sphere:
    """The unit sphere, and a quartic on it: x.A x / 2 + sum x^4 for a diagonal A."""

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
        value = 0.5 * float(x @ (self.a * x)) + float((x**4).sum())
        return Evaluation(value, self.transport(x, x, self.a * x + 4.0 * x**3))

    def precondition(self, x, evaluation):
        return evaluation.gradient


def descent(accuracy: float = 1e-8) -> Arguments:
    start = np.full(6, 6**-0.5) + 0.01 * np.arange(6)
    return minimise, (Sphere(), Sphere(), start / np.linalg.norm(start)), {"accuracy": accuracy}


def field() -> Arguments:
    """-Laplace u = 1 on 128 x 128 points."""
    return elliptic, ([7, 7],), {}


def array_of_terms() -> Arguments:
    """A sum of three terms with noise, for two random starts."""
    rng = np.random.default_rng(2)
    array = np.einsum("ir,jr,kr->ijk", *[rng.standard_normal((n, 3)) for n in (4, 3, 5)])
    return cp_decomposition, (array + 0.1 * rng.standard_normal(array.shape), 3), {}


def product() -> Arguments:
    operator = kronecker_sum([np.arange(16.0).reshape(4, 4)] * 5)
    return multiply, (operator, random_train((4,) * 5, 6, np.random.default_rng(0))), {}


def pairs() -> Arguments:
    """Counts of pairs of words."""
    return embed, (np.random.default_rng(0).poisson(1.5, (12, 9)).astype(float), 3), {"accuracy": 1e-5}
