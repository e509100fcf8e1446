"""For every keyword of the public verbs another value, which must change what the call says."""

import numpy as np
import option_cases as cases
from keyword_worlds import basis, callback, checkpoint, earlier_of, executor, observe, rng

from solvers import fit_methods, methods
from solvers.cross.als_cross import als_cross
from solvers.cross.cross import cross, cross_of_trains
from solvers.dynamics.evolve import evolve
from solvers.eigen.count_levels import count_levels
from solvers.eigen.eigsolve import eigsolve
from solvers.eigen.general.eig import eig
from solvers.eigen.general.stationary import stationary
from solvers.elliptic.elliptic import elliptic
from solvers.extremal.extreme import extreme
from solvers.formats.cp.decomposition import cp_decomposition
from solvers.formats.cp.methods import CPALS, CPLevenbergMarquardt
from solvers.formats.quantics.domains import Quadrilateral
from solvers.formats.trains.construct import identity_operator, ones, random_train, rank_one, rank_one_operator
from solvers.formats.tucker.cross import tucker_cross
from solvers.linear.gmres import gmres
from solvers.linear.lstsq import lstsq
from solvers.linear.pinv import pinv
from solvers.linear.product import multiply
from solvers.linear.solve import solve
from solvers.optimisation.completion.completion import complete
from solvers.optimisation.descent import minimise
from solvers.optimisation.regression.regress import regress
from solvers.optimisation.skip_gram.embed import embed
from solvers.optimisation.skip_gram.embedding import Embedding
from solvers.sectors.charges import Charge

TRAIN = random_train((6,) * 4, 2, np.random.default_rng(3))
CONSERVED = (random_train((2,) * 6, 1, np.random.default_rng(4)),)
POINTS = np.array([[5, 0, 5, 0, 5], [1, 2, 3, 4, 5]])
TEST = (np.array([[0, 0, 0], [4, 4, 4], [1, 2, 3]]), np.array([1.0, 1 / 13, 1 / 7]))

# verb -> problem, keywords to begin with, and for each keyword another value: a function of the world makes its own, a
# pair is a value and what the others are beside it
CASES = {
    solve: (
        cases.system,
        {},
        {
            "method": methods.DMRG(),
            "start": TRAIN,
            "accuracy": 1e-3,
            "condition": False,
            "rng": rng,
            "callback": callback,
            "checkpoint": checkpoint,
            "throw": (True, {"method": methods.AMEn(sweeps=1)}),
        },
    ),
    gmres: (
        cases.given_system,
        {},
        {
            "preconditioner": identity_operator((6,) * 4) * 0.5,
            "method": methods.GMRES(restart=3),
            "start": TRAIN,
            "accuracy": 1e-2,
            "rng": rng,
            "callback": callback,
            "checkpoint": checkpoint,
            "throw": (True, {"method": methods.GMRES(cycles=1, restart=2)}),
        },
    ),
    lstsq: (
        cases.fitted,
        {},
        {
            "ridge": 1.0,
            "method": methods.DMRG(),
            "accuracy": 1e-2,
            "rng": (rng, {"method": methods.AMEn(max_rank=3)}),
            "callback": callback,
            "checkpoint": checkpoint,
            "throw": (True, {"method": methods.AMEn(max_rank=1)}),
        },
    ),
    pinv: (
        cases.inverted,
        {},
        {
            "method": methods.DMRG(),
            "accuracy": 1e-2,
            "rng": rng,
            "callback": callback,
            "checkpoint": checkpoint,
            "throw": (True, {"method": methods.AMEn(max_rank=1)}),
        },
    ),
    eigsolve: (
        cases.levels,
        {"method": methods.BlockDMRG()},
        {
            "which": "largest",
            "target": 3.0,
            "mass": rank_one_operator([np.diag(np.linspace(1.0, 1.5, 5))] * 3),
            "sector": Charge([0, 1, 0, 1, 0], 1, modulus=2),
            "method": methods.InverseIteration(),
            "start": cases.oscillators()[1],
            "accuracy": 1e-8,
            "executor": executor,
            "rng": rng,
            "callback": callback,
            "checkpoint": checkpoint,
            "earlier": earlier_of(cases.levels, method=methods.InverseIteration(), accuracy=1e-6),
            "throw": (True, {"method": methods.BlockDMRG(tol=1e-9, sweeps=1)}),
        },
    ),
    eig: (
        cases.eigenpairs,
        {},
        {
            "which": "SR",
            "target": -0.3,
            "accuracy": 1e-9,
            "max_rank": 2,
            "rng": rng,
            "callback": callback,
            "checkpoint": checkpoint,
            "throw": (True, {"max_rank": 2}),
        },
    ),
    stationary: (
        cases.stationary_state,
        {},
        {
            "left": ones((2,) * 4) * 2.0,
            "start": rank_one([np.array([0.9, 0.1])] * 4),
            "accuracy": 1e-8,
            "max_rank": 1,
            "rng": rng,
            "callback": callback,
            "checkpoint": checkpoint,
            "throw": (True, {"max_rank": 1}),
        },
    ),
    count_levels: (
        cases.window,
        {},
        {
            "mass": rank_one_operator([np.diag([1.0, 1.5])] * 13),
            "samples": 3,
            "rng": rng,
            "callback": callback,
            "checkpoint": checkpoint,
        },
    ),
    cross: (
        cases.function,
        {"method": methods.Cross(whole=0)},
        {
            "method": methods.Cross(whole=0, max_rank=3),
            "starts": POINTS,
            "grids": [np.linspace(0.0, 1.0, 6)] * 5,
            "accuracy": 1e-2,
            "rng": rng,
            "callback": callback,
            "checkpoint": checkpoint,
            "throw": (True, {"method": methods.Cross(whole=0, max_rank=2)}),
            "start": POINTS,
            "arguments": ("row", {"case": cases.function_of_one_point}),
            "batch": (50, {"case": cases.function_of_few_points}),
            "domain": np.indices((6,) * 5).sum(axis=0) > 5,
            "outside": (2.0, {"domain": np.indices((6,) * 5).sum(axis=0) > 5}),
            "undefined": ("skip", {"case": cases.function_with_a_gap}),
            "known": (POINTS, np.array([3.0, 4.0])),
        },
    ),
    cross_of_trains: (
        cases.function_of_trains,
        {"method": methods.Cross(whole=0)},
        {
            "method": methods.Cross(whole=0, max_rank=3),
            "starts": POINTS,
            "accuracy": 1e-2,
            "rng": rng,
            "callback": callback,
            "checkpoint": checkpoint,
            "throw": (True, {"method": methods.Cross(whole=0, max_rank=2)}),
            "start": POINTS,
        },
    ),
    extreme: (
        cases.extremes,
        {},
        {
            "which": "minimum",
            "accuracy": (1e-3, {"case": cases.extremes_of_a_train}),
            "prefixes": (60, {"case": cases.extremes_of_a_train}),
            "max_evaluations": 300,
            "grids": [np.linspace(0.0, 1.0, 6)] * 5,
            "starts": POINTS,
            "arguments": ("row", {"case": cases.extremes_of_one_point}),
            "batch": (50, {"case": cases.extremes_of_few_points}),
            "rng": rng,
            "callback": callback,
            "checkpoint": checkpoint,
            "throw": (True, {}),
        },
    ),
    als_cross: (
        cases.parameters,
        {},
        {
            "method": methods.ALSCross(max_rank=1),
            "accuracy": 1e-2,
            "start": basis,
            "executor": executor,
            "rng": rng,
            "callback": callback,
            "checkpoint": checkpoint,
            "earlier": earlier_of(cases.parameters, accuracy=1e-2),
            "throw": (True, {"method": methods.ALSCross(max_rank=1)}),
        },
    ),
    tucker_cross: (
        cases.tucker_function,
        {"method": methods.TuckerCross(whole=0)},
        {
            "coordinates": [np.linspace(0.0, 0.9, 20)] * 3,
            "method": methods.TuckerCross(whole=0, max_rank=3),
            "start": [np.arange(0, 20, 3)] * 3,
            "inside": 1e-4,
            "accuracy": 1e-2,
            "scale": 1e3,
            "rng": rng,
            "callback": callback,
            "checkpoint": checkpoint,
            "throw": (True, {"method": methods.TuckerCross(whole=0, max_rank=2)}),
        },
    ),
    evolve: (
        cases.motion,
        {},
        {
            "method": methods.TDVP(time_step=0.1),
            "factor": 1j,
            "dissipative": (True, {"case": cases.absorbed}),
            "accuracy": 1e-8,
            "observe": observe,
            "conserve": (CONSERVED, {"method": methods.BUG(time_step=0.1, max_rank=3)}),
            "checkpoint": checkpoint,
            "callback": callback,
            "throw": (True, {"method": methods.TDVP(time_step=0.1, max_rank=2)}),
        },
    ),
    elliptic: (
        cases.field,
        {"accuracy": 1e-7},
        {
            "diffusion": 2.0,
            "load": 2.0,
            "reaction": 1.0,
            "ends": "face",
            "features": [((0.3, 0.3), 0.02)],
            "domain": Quadrilateral([(0.0, 0.0), (1.0, 0.0), (1.5, 1.0), (0.0, 1.0)]),
            "accuracy": 1e-2,
            "rng": rng,
            "callback": callback,
            "checkpoint": checkpoint,
            "throw": (True, {"accuracy": 1e-15}),
        },
    ),
    multiply: (
        cases.product,
        {},
        {
            "tol": 0.1,
            "max_rank": 2,
            "rng": rng,
            "callback": callback,
            "checkpoint": checkpoint,
            "throw": (True, {"max_rank": 2}),
        },
    ),
    cp_decomposition: (
        cases.array_of_terms,
        {"method": CPLevenbergMarquardt(starts=1, steps=60)},
        {
            "method": CPALS(starts=1, sweeps=10),
            "accuracy": 0.5,
            "rng": rng,
            "callback": callback,
            "checkpoint": checkpoint,
            "throw": (True, {}),
        },
    ),
    minimise: (
        cases.descent,
        {},
        {
            "method": fit_methods.ConjugateGradients(conjugate=False),
            "accuracy": 1e-2,
            "callback": callback,
            "checkpoint": checkpoint,
            "throw": (True, {"method": fit_methods.ConjugateGradients(steps=1)}),
        },
    ),
    embed: (
        cases.pairs,
        {},
        {
            "negatives": 2.0,
            "method": fit_methods.ShiftedPMI(),
            "start": Embedding(np.eye(12, 3), np.eye(9, 3)),
            "accuracy": 1e-2,
            "rng": rng,
            "callback": callback,
            "checkpoint": checkpoint,
            "throw": (True, {"method": fit_methods.AlternatingNewton(sweeps=1)}),
        },
    ),
    complete: (
        cases.samples,
        {"method": fit_methods.Completion(max_rank=2)},
        {
            "weights": lambda world: np.random.default_rng(1).uniform(1.0, 3.0, len(cases.samples()[1][1])),
            "method": fit_methods.Completion(max_rank=1),
            "test": TEST,
            "accuracy": 0.5,
            "rng": rng,
            "callback": callback,
            "checkpoint": checkpoint,
            "earlier": earlier_of(cases.samples, method=fit_methods.Completion(max_rank=1)),
            "throw": (True, {}),
        },
    ),
    regress: (
        cases.scattered,
        {"method": fit_methods.Regression(max_rank=2, starts=0)},
        {
            "weights": np.linspace(1.0, 3.0, 60),
            "method": fit_methods.Regression(max_rank=1),
            "test": (np.array([[0.1, 0.2], [0.7, 0.5]]), np.ones(2)),
            "accuracy": 0.5,
            "rng": rng,
            "callback": callback,
            "checkpoint": checkpoint,
            "throw": (True, {}),
        },
    ),
}
