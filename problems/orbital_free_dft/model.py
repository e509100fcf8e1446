"""Kind ``orbital_free_dft`` as the application knows it; the keys and the energy they belong to are in ``keys``.

No numerics are imported here: geometry, box and grid are checked by numpy alone (checks).
"""

from __future__ import annotations

from problems.contract import Family
from problems.errors import ProblemError
from problems.keys import AUTOMATIC
from problems.orbital_free_dft.checks import check
from problems.orbital_free_dft.keys import OrbitalFreeProblem, OrbitalFreeSolver


def complete(problem: OrbitalFreeProblem, solver: OrbitalFreeSolver) -> OrbitalFreeSolver:
    """The settings with format and Laplacian chosen; ProblemError for what cannot be computed as asked."""
    chosen = "tucker" if solver.format == AUTOMATIC else solver.format
    solver = solver.model_copy(update={"format": chosen})
    check(problem, solver)
    if chosen == "quantics" and solver.laplacian == "spectral":
        raise ProblemError("the spectral Laplacian has no quantics form: take differences", "solver.laplacian")
    if solver.laplacian == AUTOMATIC:
        solver = solver.model_copy(update={"laplacian": "differences" if chosen == "quantics" else "spectral"})
    return solver


FAMILY = Family(
    kind="orbital_free_dft",
    summary="orbital-free density functional theory",
    formula=(
        "E[ρ] = (λ/2) ∫ |∇φ|² + C_TF ∫ ρ^(5/3) + ∫ v ρ + (1/2) ∬ ρ(r) ρ(r′)/|r − r′|\n"
        "       − C_X ∫ ρ^(4/3) + ∫ ρ e_c(ρ),    ρ = φ², ∫ ρ = N, in hartree and bohr"
    ),
    references=(
        "Perdew, Wang, Phys. Rev. B 45, 13244 (1992), doi:10.1103/PhysRevB.45.13244: correlation pw92",
        "Vosko, Wilk, Nusair, Can. J. Phys. 58, 1200 (1980), doi:10.1139/p80-159: correlation vwn5",
    ),
    typical="helium on 2048 points an axis to 1e-4 hartree: 25 s; 512 nuclei on 4096 points to 0.01: 45 s, on one core",
    problem=OrbitalFreeProblem,
    solver=OrbitalFreeSolver,
    complete=complete,
    package="problems.orbital_free_dft",
)
