"""Random small systems: nothing converged is wrong, and what the estimates say holds."""

import numpy as np
import pytest
from densities import judged, several, spherical


@pytest.mark.parametrize("seed", range(4))
def test_spherical_systems(seed):
    """Against the radial equation."""
    verdict = judged(spherical(np.random.default_rng([13, seed]), finest=6))
    assert verdict.kind != "silent" and verdict.worst <= 3.0, verdict


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(80))
def test_many_spherical_systems(seed):
    verdict = judged(spherical(np.random.default_rng([14, seed])))
    assert verdict.kind != "silent" and verdict.worst <= 3.0, verdict


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_several_nuclei(seed):
    """Against a finer grid in a larger box."""
    verdict = judged(several(np.random.default_rng([15, seed])))
    assert verdict.kind != "silent" and verdict.worst <= 3.0, verdict
