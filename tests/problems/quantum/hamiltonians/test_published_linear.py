"""Linear molecules with real force fields: VPT2 against what the program SPECTRO prints for the same derivatives.

HCN and HCO+ of the public repository ntBre/pbqff (crates/spectro/testfiles/hcn, hco+): quadratic to quartic Cartesian
derivatives, here as constants of dimensionless normal coordinates, inertia (amu A^2) and zeta that follow from them,
and the fundamentals of spectro2.out. These fields have holes within their zero-point motion, 966 and 1801 cm-1 high:
straight coordinates are a poor language for bends.
"""

import numpy as np
import pytest

from problems.quantum.hamiltonians.force_field.basis import parity_generators
from problems.quantum.hamiltonians.force_field.effective import Effective, circular_levels
from problems.quantum.hamiltonians.force_field.field import of_derivatives
from problems.quantum.hamiltonians.force_field.pairs import axis_of
from problems.quantum.hamiltonians.force_field.rotation import Rotation
from problems.quantum.hamiltonians.force_field.vpt2 import vpt2
from problems.quantum.readers.quality import missing

# frequencies, inertia, zeta of the bend with each stretch, constants of stretches 1, 2 and of the bend r, fundamentals
MOLECULES = {
    "HCN": (
        (3444.1194721, 2132.27713224, 725.615903037),
        11.3581802519,
        (-0.988379683725, -0.152005265696),
        {
            "111": 1857.74940523, "112": -427.266700924, "122": -112.073082161, "222": -636.565274513,
            "1rr": -1213.77484084, "2rr": 190.788146985, "1111": 970.568206413, "1112": -187.453027576,
            "1122": 48.9643557564, "1222": 40.2918698627, "2222": 155.558623824, "11rr": -1011.68354734,
            "12rr": 171.537848252, "22rr": -52.6290780176, "rrrr": 1407.78911381,
        },
        (3311.7068, 2101.8159, 713.9590),
    ),
    "HCO+": (
        (3228.03368741, 2215.36985755, 846.79772578),
        11.2838737762,
        (-0.996839586456, -0.0794407884791),
        {
            "111": 1680.41411673, "112": -599.493660147, "122": -97.2100731071, "222": -646.193704506,
            "1rr": -811.459388291, "2rr": 216.430045955, "1111": 912.585242807, "1112": -258.39069732,
            "1122": 102.266337558, "1222": 37.4131766701, "2222": 156.120938831, "11rr": -748.243485043,
            "12rr": 188.362143905, "22rr": -74.932953194, "rrrr": 728.306040113,
        },
        (3086.9602, 2184.7874, 830.6391),
    ),
}  # fmt: skip


def of_bends(name: str, value: float) -> dict[tuple[int, ...], float]:
    """Constants of the two bends, 3 and 4, from that of their radius: invariant under rotations about the axis."""
    stretches = tuple(int(k) for k in name if k != "r")
    if "r" not in name:
        return {stretches: value}
    if name.count("r") == 2:
        return {(*stretches, 3, 3): value, (*stretches, 4, 4): value}
    return {(3, 3, 3, 3): value, (3, 3, 4, 4): value / 3.0, (4, 4, 4, 4): value}


@pytest.mark.parametrize("name", MOLECULES)
def test_fundamentals_are_those_published(name):
    (w1, w2, w3), moment, (z1, z2), constants, published = MOLECULES[name]
    derivatives = {key: c for text, value in constants.items() for key, c in of_bends(text, value).items()}
    field = of_derivatives(name, [w1, w2, w3, w3], derivatives)
    zeta = np.zeros((3, 4, 4))
    zeta[0, 0, 3], zeta[0, 1, 3], zeta[1, 0, 2], zeta[1, 1, 2], zeta[2, 2, 3] = z1, z2, -z1, -z2, 1.0
    rotation = Rotation(np.diag([moment, moment, 0.0]), zeta - zeta.transpose(0, 2, 1))
    found = vpt2(field, rotation)
    own = found.levels(np.eye(4)[:3])
    np.testing.assert_allclose(own, published, atol=2e-3)
    # the states of the bend, one quantum and two, by the effective Hamiltonian
    axis = axis_of(field, parity_generators(field))
    assert (axis.fold, axis.pairs, axis.mirror) == (0, ((2, 3),), frozenset({3}))
    effective = Effective(field, rotation, found.resonances)
    bottom = effective.matrix([(0, 0, 0, 0)])[0, 0]
    one = circular_levels(effective, [0, 0, 1, 0], axis.pairs, axis.mirror)
    np.testing.assert_allclose([e - bottom for e, _, _ in one], published[2], atol=2e-3)
    two = circular_levels(effective, [0, 0, 2, 0], axis.pairs, axis.mirror)
    assert sorted((l, even) for _, l, even in two) == [((0,), True), ((2,), False), ((2,), True)]
    delta = [e for e, l, _ in two if l == (2,)]
    assert delta[0] == pytest.approx(delta[1], abs=1e-6)
    assert missing(field) == ()  # phi_1234 is odd in both bends: nothing is missing
