"""What cannot be computed, told before any numerics are loaded: boxes too small, grids too coarse, electrons unbound.

Only the hopeless is refused; what is merely inaccurate is found by the run itself, in its error estimates. Lengths in
bohr, energies in hartree; h = box / 2^level is the spacing. numpy alone.
"""

from __future__ import annotations

import math

import numpy as np

from problems.errors import ProblemError
from problems.orbital_free_dft.keys import FINEST, OrbitalFreeProblem, OrbitalFreeSolver
from problems.orbital_free_dft.nuclei import MARGIN, Nuclei, advised_box, check_nuclei
from solvers.measured import numeral

DENSEST = 8  # level of a dense array
# Z h of a point nucleus: more is refused, the cusp exp(-2 Z r) falls within one cell. A larger lambda makes it wider; a
# smaller one narrower, which the extrapolation knows
CUSP = 1.0
COARSEST = 1.5  # spacing in widths of a smeared nucleus or of the trap's ground state: more is refused
# bohr around a neutral system: zero at this radius puts H and He (TFDW, radial equation) 0.05 hartree off; an ion of
# charge Q binds its density about 1 + Q times closer
LEAST_MARGIN = 5.0
DIFFUSE = 30.0  # bohr: what MARGIN is to a model without exchange
# electrons beyond the charge, a nucleus: more are refused. With lambda = 1 about 0.5 are bound to Z = 1, 2, 10 (radial
# equation, with and without correlation), and the bound number grows as lambda^(3/2)
UNBOUND = 1.0


def check(problem: OrbitalFreeProblem, solver: OrbitalFreeSolver) -> None:
    """ProblemError, with the key to blame, for what cannot be computed as asked."""
    if not problem.atoms and problem.lattice is None and problem.trap is None:
        raise ProblemError("nothing holds the electrons: give atoms, a lattice or a trap", "problem")
    if problem.electrons == "automatic" and not problem.atoms and problem.lattice is None:
        raise ProblemError("missing: a trap alone has no charge to be neutral with; give a number", "problem.electrons")
    nuclei = problem.sites
    check_lattice(problem)
    moves = np.zeros(len(nuclei))
    if problem.lattice is not None:
        moves[len(problem.atoms) :] = problem.lattice.displacement
    check_nuclei(nuclei, problem.box, moves, margin(problem, nuclei))
    check_electrons(problem, nuclei)
    check_box(problem, nuclei)
    check_grid(problem, nuclei)
    if solver.format == "dense" and problem.grids[-1] > DENSEST:
        raise ProblemError(
            f"dense arrays go up to 2^{DENSEST} points an axis, asked: 2^{problem.grids[-1]}; take tucker or quantics",
            "solver.format",
        )


def check_lattice(problem: OrbitalFreeProblem) -> None:
    """ProblemError where displaced nuclei of a lattice could meet."""
    lattice = problem.lattice
    if lattice is not None and max(lattice.shape) > 1 and 2.0 * lattice.displacement >= lattice.spacing:
        raise ProblemError(
            f"displaced by up to {lattice.displacement:g} bohr, neighbours {lattice.spacing:g} apart can meet: give "
            f"less than {0.5 * lattice.spacing:g}",
            "problem.lattice.displacement",
        )


def check_electrons(problem: OrbitalFreeProblem, nuclei: Nuclei) -> None:
    """ProblemError where electrons are left that nothing binds."""
    most = nuclei.charge + UNBOUND * max(1.0, problem.weizsacker) ** 1.5 * len(nuclei)
    if problem.trap is None and problem.count > most:
        raise ProblemError(
            f"{problem.count:g} electrons are more than {len(nuclei)} nuclei of total charge {nuclei.charge:g} bind: "
            f"the rest would leave for the faces of the box; give at most {most:g}, or a trap",
            "problem.electrons",
        )


def trap_radius(problem: OrbitalFreeProblem) -> float:
    """Radius of the density in the trap alone: the larger of its Thomas-Fermi and its classical radius.

    sqrt(2 mu)/omega with mu = omega (3 N)^(1/3), and (N/omega^2)^(1/3), the ball whose field balances the trap.
    """
    assert problem.trap is not None
    omega, n = problem.trap.omega, problem.count
    return max(math.sqrt(2.0 / omega) * (3.0 * n) ** (1.0 / 6.0), (n / omega**2) ** (1.0 / 3.0))


def margin(problem: OrbitalFreeProblem, nuclei: Nuclei) -> float:
    """Room beyond the outermost nuclei that holds nearly all electrons, in bohr; inf without nuclei."""
    return max(_bound(problem, nuclei, MARGIN if problem.exchange else DIFFUSE), 4.0 * _widest(nuclei))


def _bound(problem: OrbitalFreeProblem, nuclei: Nuclei, neutral: float) -> float:
    """A length of the neutral system as it is for its ion; inf without nuclei."""
    return neutral / (1.0 + max(0.0, nuclei.charge - problem.count)) if len(nuclei) else math.inf


def _widest(nuclei: Nuclei) -> float:
    """Width of the widest smeared nucleus, 0 for points."""
    return float((1.0 / np.sqrt(nuclei.smearings)).max(initial=0.0))


def check_box(problem: OrbitalFreeProblem, nuclei: Nuclei) -> None:
    """ProblemError where the density has no room between the outermost nuclei and the faces."""
    wanted = margin(problem, nuclei)
    least = max(_bound(problem, nuclei, LEAST_MARGIN), _widest(nuclei))
    if problem.trap is not None:
        width = 1.0 / math.sqrt(problem.trap.omega)
        radius = trap_radius(problem)
        least, wanted = min(least, radius + width), min(wanted, radius + 4.0 * width)
    if 0.5 * problem.box - nuclei.reach < least * (1.0 - 1e-12):
        what = f"nuclei up to {numeral(nuclei.reach)} bohr from the centre" if len(nuclei) else "the trap"
        raise ProblemError(
            f"the box is too small for the density of {problem.count:g} electrons and {what}: give at least "
            f"{advised_box(nuclei.reach, wanted)}",
            "problem.box",
        )


def check_grid(problem: OrbitalFreeProblem, nuclei: Nuclei) -> None:
    """ProblemError where the finest grid cannot show a cusp, a smeared nucleus or the trap's ground state."""
    h = problem.box / 2.0 ** problem.grids[-1]
    charges = nuclei.charges[nuclei.points]
    smearings = nuclei.smearings[~nuclei.points]
    demands = []  # what is not resolved, its size in units of what is allowed
    if len(charges):
        z, allowed = float(charges.max()), CUSP * max(1.0, problem.weizsacker)
        what = f"the cusp at a point nucleus of charge {z:g} (1/Z = {numeral(1.0 / z)} bohr)"
        demands.append((what, z * h / allowed))
    if len(smearings):
        width = 1.0 / math.sqrt(float(smearings.max()))
        demands.append((f"a smeared nucleus of width {numeral(width)} bohr", h / (COARSEST * width)))
    if problem.trap is not None:
        width = 1.0 / math.sqrt(problem.trap.omega)
        demands.append((f"the trap's length {numeral(width)} bohr", h / (COARSEST * width)))
    what, size = max(demands, key=lambda demand: demand[1])
    if size <= 1.0 + 1e-12:
        return
    level = problem.grids[-1] + math.ceil(math.log2(size) - 1e-9)
    cure = f"give level {level} or more" if level <= FINEST else f"give level {FINEST} and a smaller box"
    raise ProblemError(
        f"too few levels: the spacing {numeral(h)} bohr does not resolve {what}; {cure}", "problem.levels"
    )
