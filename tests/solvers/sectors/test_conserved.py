"""An operator in cores of definite charge is the same operator, or it is refused."""

import numpy as np
import pytest
from charged_cases import spin_chain, twisted_chain

from solvers.formats.trains.construct import kronecker_sum
from solvers.sectors.charges import Charge, SectorSpace
from solvers.sectors.conserved import conserving
from solvers.sectors.operator import SectorOperator
from solvers.sectors.penalty import outside

SPIN_Z = [-0.5, 0.5]  # of the functions in ascending charge


@pytest.mark.parametrize("tol", [0.0, 1e-14])
def test_cores_that_hide_the_charge_are_put_in_order(tol):
    flipped = np.random.default_rng(0).standard_normal(5)
    h = spin_chain(5, 0.7, flipped)
    h = h.round(tol) if tol else h
    space = SectorSpace.of([Charge(SPIN_Z, 0.5)], h.row_shape)
    own = conserving(h, space.modes)
    np.testing.assert_allclose(own.full(), h.full(), atol=1e-13)
    SectorOperator(own, space.modes)
    assert own.max_rank <= h.max_rank


def test_products_of_matrices_that_mix_charges_and_a_complex_operator():
    h = twisted_chain(5, np.arange(5.0))
    space = SectorSpace.of([Charge(SPIN_Z, 0.5)], h.row_shape)
    own = conserving(h, space.modes)
    np.testing.assert_allclose(own.full(), h.full(), atol=1e-13)


@pytest.mark.parametrize("size", [1.0, 1e-9])
def test_what_is_not_conserved_is_refused(size):
    field = spin_chain(4) + twisted_field(4) * size
    space = SectorSpace.of([Charge(SPIN_Z, 0.0)], field.row_shape)
    with pytest.raises(ValueError, match="does not conserve the charges given") as caught:
        conserving(field, space.modes)
    assert "\n" not in str(caught.value)


def twisted_field(sites):
    return kronecker_sum([np.array([[0.0, 1.0], [1.0, 0.0]])] * sites)


def test_a_penalty_is_zero_in_the_sector_and_its_height_elsewhere():
    space = SectorSpace.of([Charge([0, 1, 2], 3)], (3,) * 4)
    total = np.zeros(1)
    for _ in range(4):
        total = np.add.outer(total, np.arange(3.0)).ravel()
    order = np.concatenate(space.orders).reshape(4, 3)
    diagonal = outside(space, 5.0).diagonal().full()[np.ix_(*[np.argsort(o) for o in order])].ravel()
    np.testing.assert_array_equal(diagonal, np.where(total == 3, 0.0, 5.0))
