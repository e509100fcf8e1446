"""The matrix and the trains of a sector, against the dense operator."""

import numpy as np
from charged_cases import bosons, members

from solvers.eigen.restricted import Listed
from solvers.sectors.charges import Charge, SectorSpace
from solvers.sectors.conserved import conserving
from solvers.sectors.operator import SectorOperator


def test_matrix_and_trains_of_a_sector():
    h = bosons(4, 4, 2.5)
    own = members(range(4), h.row_shape, 3)
    space = SectorSpace.of([Charge(range(4), 3)], h.row_shape)
    order = space.orders[0]
    turned = type(h)(tuple(np.ascontiguousarray(c[:, order][:, :, order]) for c in h.cores))
    turned = conserving(turned, space.modes)
    listed = Listed.of(SectorOperator(turned, space.modes), space.total)
    names = np.ravel_multi_index(np.array([order[f] for f in listed.names.T]), h.row_shape)
    assert listed.size == len(own) and set(names) == set(own)
    np.testing.assert_allclose(listed.matrix(turned).toarray(), h.full()[np.ix_(names, names)], atol=1e-13)
    vector = np.random.default_rng(0).standard_normal(listed.size)
    x = listed.train(vector, 1e-13, 1000)
    whole = np.zeros(4**4)
    whole[np.ravel_multi_index(listed.names.T, h.row_shape)] = vector
    np.testing.assert_allclose(x.full().ravel(), whole, atol=1e-12)
    cut = listed.train(vector, 0.0, 3)
    assert cut.max_rank == 3 and np.linalg.norm(cut.full().ravel() - whole) < np.linalg.norm(whole)
