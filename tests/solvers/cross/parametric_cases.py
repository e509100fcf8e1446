"""Small parametric systems with every solution at hand."""

import itertools

import numpy as np
from scipy.sparse import csr_array, diags_array

from solvers.cross.parametric_system import ParametricSystem


def diffusion(d=3, cells=12, points=4, strength=0.6, loads=1):
    """-(a u')' = 1 on a few cells, a = 1 + sum_m c_m sin(m pi x) y_m at Gauss points; ``loads`` parametric loads."""
    y, w = np.polynomial.legendre.leggauss(points)
    w = w / 2
    x = (np.arange(cells) + 0.5) / cells
    modes = np.array([strength * m**-2.0 * np.sin(m * np.pi * x) for m in range(1, d + 1)])
    terms = np.concatenate([np.ones((1, cells)), modes])
    matrices = tuple(_stiffness(a) for a in terms)
    factors = []
    for m in range(d):
        g = np.ones((d + 1, points))
        g[m + 1] = y
        factors.append(g)
    f = np.full((1, cells - 1), 1.0 / cells)
    h = [np.ones((1, points)) for _ in range(d)]
    if loads > 1:
        f = np.concatenate([f, np.sin(np.arange(1, cells) / cells)[None]])
        h = [np.concatenate([one, np.exp(0.3 * y)[None]]) for one in h]
    return ParametricSystem(matrices, tuple(factors), f, tuple(h), (w,) * d)


def _stiffness(a):
    cells = len(a)
    main, off = cells * (a[:-1] + a[1:]), -cells * a[1:-1]
    return csr_array(diags_array([off, main, off], offsets=[-1, 0, 1]))


def dense_solution(system):
    """Every solution by a dense solve: (N, n_1, ..., n_d)."""
    out = np.empty((system.size, *system.shape))
    for i in itertools.product(*map(range, system.shape)):
        point = np.array([i])
        c, h = system.coefficients(point)[0], system.load_coefficients(point)[0]
        matrix = sum(x * m.toarray() for x, m in zip(c, system.matrices))
        out[(slice(None), *i)] = np.linalg.solve(matrix, h @ system.loads)
    return out


def weighted_error(system, train, exact):
    """Root mean square over the parameters of the energy-norm error, relative to that of the exact solution."""
    mean = np.prod([g @ w for g, w in zip(system.factors, system.weights)], axis=0)
    energy = sum(x * m.toarray() for x, m in zip(mean, system.matrices))
    weight = system.weights[0]
    for w in system.weights[1:]:
        weight = np.multiply.outer(weight, w)

    def size(u):
        flat = u.reshape(system.size, -1)
        return np.sqrt(np.sum(flat * (energy @ flat), axis=0) @ weight.ravel())

    return size(train.full() - exact) / size(exact)
