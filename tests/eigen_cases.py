"""A small operator with one parity, its dense matrix, its states as trains, and the frames of a train."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sector_cases import PARITY_MODES, dense, dense_sum, random_sector_train, random_terms, total_charges

from solvers.eigen.many_states import ManyStates, Sector
from solvers.eigen.vector_trains import sector_train
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.sum_of_products import sum_of_products
from solvers.methods import InverseIteration
from solvers.sectors.operator import SectorOperator
from solvers.sectors.train import SectorTrain, truncate


@dataclass
class System:
    rng: np.random.Generator
    modes: tuple
    train: TTOperator
    operator: SectorOperator
    h: np.ndarray

    def members(self, charge: int) -> np.ndarray:
        """The products of that charge."""
        return np.flatnonzero(total_charges(self.modes) == charge)

    def levels(self, charge: int) -> tuple[np.ndarray, np.ndarray]:
        """All levels of one charge, and their vectors over all products."""
        own = self.members(charge)
        values, vectors = np.linalg.eigh(self.h[np.ix_(own, own)])
        whole = np.zeros((len(self.h), len(own)))
        whole[own] = vectors
        return values, whole

    def state(self, vector: np.ndarray, charge: int) -> SectorTrain:
        """An exact train of a vector."""
        return sector_train(vector, charge, self.modes, 1e-14, 1000)

    def random_state(self, charge: int, rank: int = 3) -> SectorTrain:
        """Of norm one and without superfluous ranks."""
        x = truncate(random_sector_train(self.rng, self.modes, charge, rank), 1000, 1e-14)[0]
        return x.scaled(1.0 / float(np.linalg.norm(dense(x))))


def system(seed: int, modes: tuple = PARITY_MODES) -> System:
    rng = np.random.default_rng(seed)
    matrices, terms = random_terms(rng, modes, n_terms=12)
    train = sum_of_products(matrices, terms)
    return System(rng, modes, train, SectorOperator(train, modes), dense_sum(matrices, terms))


def frames(x: SectorTrain) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Projectors on what the train spans on the left and on the right of each of its d+1 bonds."""
    shape = [sum(n for _, n in mode) for mode in x.modes]
    vector = dense(x)
    left, right = [], []
    for k in range(len(shape) + 1):
        u, s, vt = np.linalg.svd(vector.reshape(int(np.prod(shape[:k])), -1), full_matrices=False)
        r = int(np.sum(s > 1e-12 * s[0]))
        left.append(u[:, :r] @ u[:, :r].T)
        right.append(vt[:r].T @ vt[:r])
    return left, right


def many(case: System, sectors: list[Sector], wanted: int, scale: float = 1.0, goal: float = 1e-6, **options):
    """A many-state calculation on these sectors."""
    method = InverseIteration(**{"local_tolerance": 1e-8, "window": 0.99, **options})
    return ManyStates(case.operator, sectors, wanted, scale, goal, method, np.random.default_rng(1))
