"""One-mode potentials with a second well that no expansion knows: far out and lower than the first."""

import numpy as np
import pytest

from problems.quantum.hamiltonians.force_field.primitives import fitted, sinc_levels, walls

# nu2 of PH3 in the public Cartesian derivatives of ntBre/pbqff (crates/spectro/testfiles/ph3): a second well at -231
BEND = np.array([0.0, 0.0, 507.74, 13.16, 0.04, 0.0, 0.0])


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_levels_are_those_of_the_well_about_zero(sign):
    P = BEND * sign ** np.arange(7)
    wall = walls(P)
    side = wall.left if sign > 0 else wall.right
    assert not wall.open and 20.0 < abs(side) < 40.0 and wall.top == pytest.approx(np.polyval(P[::-1], side))
    primitive, levels, changes = fitted(1015.48, P, 8, 1e-4, False, 8)
    assert abs(primitive.centre) < 15.0 and len(levels) == 8 and changes.max() < 1e-3
    # second order of perturbation theory
    second = -30.0 / 8.0 * 13.16**2 / 1015.48 + 6.0 / 4.0 * 0.04
    assert levels[1] - levels[0] == pytest.approx(1015.48 + second * 2.0, abs=0.3)
    np.testing.assert_allclose(sinc_levels(1015.48, P, float(levels[-1]) + 1.0), levels, atol=1e-3)


def test_wells_within_reach_stay():
    """A double well, and one about another point than zero."""
    for P in ([0.0, 0.0, -400.0, 20.0, 20.0], [0.0, -3000.0, 100.0, 0.0, 0.1]):
        assert not np.isfinite(walls(np.array(P)).top)
