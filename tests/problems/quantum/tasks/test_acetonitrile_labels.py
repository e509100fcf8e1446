"""Symmetries and angular momenta of acetonitrile's levels, as the public term lists have them (Avila and Carrington, J.
Chem. Phys. 134, 054126 (2011)), from approximate states: labels need no digits."""

import numpy as np
import pytest

from problems.quantum.kinds.vibrational import VibrationalProblem
from solvers.eigen.start import start_states
from solvers.eigen.states import EigenStates

# levels in their order: names in Herzberg's numbers with l, symmetries; an E level stands for two states
TERMS = (
    "0 A1, nu8 E, 2nu8^2 E, 2nu8^0 A1, nu4 A1, nu7 E, 3nu8^3 A1 A2, 3nu8^1 E, nu4 + nu8 E, nu3 A1, nu7^1 + nu8^1 E, "
    "nu7^1 + nu8^-1 A2, nu7^1 + nu8^-1 A1, 4nu8^4 E, 4nu8^2 E, 4nu8^0 A1, nu6 E, nu4 + 2nu8^2 E, nu4 + 2nu8^0 A1, "
    "nu3 + nu8 E, nu7^1 + 2nu8^2 A1 A2, nu7^1 + 2nu8^0 E, nu7^1 + 2nu8^-2 E, 2nu4 A1, 5nu8^5 E, "
    "5nu8^3 A1 A2, 5nu8^1 E, nu6^1 + nu8^-1 A2, nu6^1 + nu8^1 E, nu6^1 + nu8^-1 A1, nu4 + nu7 E, nu4 + 3nu8^3 A1 A2, "
    "nu4 + 3nu8^1 E, 2nu7^0 A1, 2nu7^2 E, nu3 + 2nu8^2 E, nu3 + 2nu8^0 A1"
)


def expected():
    found = []
    for term in TERMS.split(", "):
        name, *symmetries = term.rsplit(" ", 2 if term.endswith("A1 A2") else 1)
        found += [(name, s) for s in (symmetries * 2 if symmetries == ["E"] else symmetries)]
    return found


@pytest.mark.slow
def test_terms_of_acetonitrile():
    """61 states, the order of the levels included; 13 CPU seconds."""
    terms = expected()
    problem = VibrationalProblem(
        kind="vibrational", force_field="acetonitrile", mode_order="frequency", basis={"functions": 7}
    )
    space = problem.space(84, 0.05)
    start = start_states(space.terms, 84, configurations=9000, seed=0)
    states = [(float(e), s.charge, x) for s in start.sectors for x, e in zip(s.trains, s.energies)]
    states = sorted(states, key=lambda state: state[0])[: len(terms)]
    energies, none = np.array([e for e, _, _ in states]), np.zeros(0)
    found = EigenStates(energies, [x for _, _, x in states], [c for _, c, _ in states], 0.0 * energies, none, {})
    labels = problem.labelled(space, found)
    # members of a pair that the accuracy of these states does not tell apart may stand in either order
    for i, own in enumerate(zip(labels.names, labels.symmetry)):
        near = [terms[j] for j in range(len(terms)) if abs(found.energies[j] - found.energies[i]) < 0.1]
        assert own in near, (i, own, near)
    assert sorted(zip(labels.names, labels.symmetry)) == sorted(terms)
    assert (labels.names[3], labels.symmetry[3]) != (labels.names[5], labels.symmetry[5])
