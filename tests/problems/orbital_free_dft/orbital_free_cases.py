"""A made-up result around a Gaussian density, for the tests of what a report says."""

import numpy as np

from problems.orbital_free_dft.result import COMPONENTS, LevelResult, OrbitalFreeResult, Plane, Profile
from solvers.formats.trains.construct import tt_svd
from solvers.solution import IterationState, Status


def gaussian(points, box, electrons, width):
    """Grid, orbital and density (n, n, n) of a Gaussian with the electrons given."""
    h = box / points
    x = -0.5 * box + (np.arange(points) + 0.5) * h
    line = np.exp(-0.5 * (x / width) ** 2)
    orbital = np.einsum("i,j,k->ijk", line, line, line)
    orbital *= np.sqrt(electrons / (h**3 * np.sum(orbital**2)))
    return x, orbital, orbital**2


def made_up(energy, *, box=20.0, levels=(4, 5), electrons=2.0, order=2, radial=True, components=None):
    """A result whose energies fall as the spacing to the power ``order`` towards ``energy``."""
    x, orbital, density = gaussian(1 << levels[-1], box, electrons, 1.5)
    trains = [tt_svd(array.reshape((2,) * (3 * levels[-1])), 1e-8) for array in (density, orbital)]
    values = components or {name: 0.1 * k for k, name in enumerate(COMPONENTS)}
    grids, history = [], []
    for level in levels:
        h = box / 2**level
        shift = 0.01 * h**order
        for step in range(12):
            extra = {"level": level, "step": step + 1, "evaluations": 2, "ranks": (4, 4, 4)}
            value = np.array([energy + shift + 0.3 * 10.0 ** (-0.7 * step)])
            history.append(IterationState(step + 1, f"2^{level}", 4, 0.1, value, extra=extra))
        grids.append(
            LevelResult(
                level=level,
                spacing=h,
                energy=energy + shift,
                components=values,
                chemical_potential=-0.1 + shift,
                virial=2e-5,
                sum_rule=-3e-6,
                min_density=-1e-9,
                max_density=float(density.max()),
                errors={"descent": 1e-7, "truncation": 2e-7, "box": 1e-8},
                ranks=trains[0].ranks,
                tucker_ranks=(4, 4, 4),
                steps=12,
                evaluations=24,
                boundary_charge=1e-9,
                seconds=0.2,
                converged=True,
            )
        )
    middle = len(x) // 2
    r = np.linspace(0.0, 0.5 * box, 80)
    return OrbitalFreeResult(
        electrons=electrons,
        format="tucker",
        laplacian="spectral",
        levels=grids,
        extrapolated_energy=energy + 1e-6,
        extrapolated_error=2e-6,
        energy_error=0.01 * grids[-1].spacing ** order,
        error_parts={"grid": 0.01 * grids[-1].spacing ** order, "descent": 1e-7, "truncation": 2e-7, "box": 1e-8},
        component_errors=dict.fromkeys(COMPONENTS, 1e-3),
        chemical_potential_error=1e-3,
        virial_error=4e-3,
        order=order,
        profiles=[
            Profile("x", (0.0, float(x[middle]), float(x[middle])), x, density[:, middle, middle]),
            Profile("z", (float(x[middle]), float(x[middle]), 0.0), x, density[middle, middle]),
        ],
        plane=Plane(float(x[middle]), x, x, density[:, :, middle]),
        radial=np.stack([r, float(density.max()) * np.exp(-((r / 1.5) ** 2))]) if radial else None,
        density=trains[0],
        orbital=trains[1],
        density_error=1e-8,
        status=Status.CONVERGED,
        history=history,
        counts={"steps": 24, "evaluations": 48},
        timing={"compile_s": 0.0, "setup_s": 0.1, "solve_s": 0.5},
    )
