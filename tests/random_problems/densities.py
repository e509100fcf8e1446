"""Random small systems of the orbital-free models, and their ground states by other means.

One nucleus, or a trap: the radial Euler equation (tests/problems/orbital_free_dft/radial_reference.py), wherever in
the box the nucleus sits. Several nuclei: a finer grid in a larger box, whose own error stands beside it.
``python tests/random_problems/densities.py COUNT SEED`` runs them and counts; silent: converged, and the energy or a
part of it outside the larger of the accuracy and three times the stated error.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "problems" / "orbital_free_dft"))

from radial_reference import ground_state

from problems.errors import ProblemError
from problems.orbital_free_dft.keys import OrbitalFreeProblem, OrbitalFreeSolver
from problems.orbital_free_dft.model import complete
from problems.orbital_free_dft.solve import prepare, solve
from solvers.solution import Status

FUNCTIONALS = ("TFW", "TFDW", "TFDW+pw92", "TFDW+vwn5")
WEIGHTS = (1.0 / 9.0, 0.2, 0.5, 1.0, 1.0, 1.5)
ALLOWED = 3.0  # stated errors


@dataclass(frozen=True)
class Case:
    """Keys of a problem, accuracy, and the truth: energy, parts, and by how much these may err."""

    keys: dict[str, Any]
    accuracy: float
    energy: float
    parts: dict[str, float]
    chemical_potential: float
    slack: float = 0.0


def spherical(rng: np.random.Generator, finest: int = 7) -> Case:
    """A nucleus anywhere near the centre, neutral or not, or electrons in a trap."""
    functional, weight = str(rng.choice(FUNCTIONALS)), float(rng.choice(WEIGHTS))
    accuracy = float(10.0 ** rng.uniform(-4.0, -2.0))
    keys: dict[str, Any] = {"kind": "orbital_free_dft", "functional": functional, "weizsacker": weight}
    if rng.random() < 0.2:
        omega, electrons = float(rng.choice([0.3, 0.5, 1.0])), float(rng.integers(1, 11))
        radius = max(np.sqrt(2.0 / omega) * (3.0 * electrons) ** (1.0 / 6.0), (electrons / omega**2) ** (1.0 / 3.0))
        box = 2.0 * (radius + rng.uniform(2.5, 6.0) * weight**0.25 / np.sqrt(omega))
        truth = ground_state(functional, electrons, omega=omega, weight=weight, radius=2.0 * box)
        keys |= {"trap": {"omega": omega}, "electrons": electrons, "box": box, "levels": _levels(rng, 5, 6)}
        return Case(keys, accuracy, truth.energy, truth.parts, truth.chemical_potential)
    point = bool(rng.random() < 0.4)
    charge = float(rng.integers(1, 5 if point else 11))
    electrons = charge - float(rng.choice([0.0, 0.0, 0.5, 1.0, 0.3 * charge]))
    electrons = max(electrons, 0.5)
    smearing = None if point else float(rng.choice([0.3, 0.7, 1.0, 2.0]))
    reach = rng.uniform(7.0, 16.0) / (1.0 + 0.5 * (charge - electrons))
    if functional == "TFW" and charge == electrons:
        reach *= 2.0
    if smearing is not None:
        reach = max(reach, 4.0 / np.sqrt(smearing))
    box = 2.0 * reach
    place = rng.uniform(-0.06, 0.06, 3) * box if rng.random() < 0.6 else np.zeros(3)
    truth = ground_state(
        functional,
        electrons,
        charge=charge,
        smearing=smearing,
        weight=weight,
        radius=(250.0 if functional == "TFW" else 80.0) / (1.0 + charge - electrons),
    )
    atom = {"charge": charge, "position": [float(x) for x in place]}
    if smearing is not None:
        atom["smearing"] = smearing
    keys |= {"atoms": [atom], "electrons": electrons, "box": float(box)}
    need = charge / min(max(weight, 0.3), 1.0) if point else 1.3 * np.sqrt(smearing)
    least = int(np.clip(np.ceil(np.log2(box * need * rng.uniform(1.0, 2.0))), 5, finest))
    keys["levels"] = _levels(rng, least, finest)
    return Case(keys, accuracy, truth.energy, truth.parts, truth.chemical_potential)


def _levels(rng: np.random.Generator, least: int, finest: int) -> Any:
    top = int(min(finest, rng.integers(least, least + 2)))
    kind = rng.integers(0, 3)
    return top if kind == 0 else [top - 1, top] if kind == 1 or top < 6 else [top - 2, top - 1, top]


def several(rng: np.random.Generator) -> Case:
    """Two to four smeared or point nuclei, neutral or not, judged on a finer grid in a larger box."""
    functional, weight = str(rng.choice(FUNCTIONALS[1:])), float(rng.choice(WEIGHTS[1:]))
    accuracy = float(10.0 ** rng.uniform(-3.5, -2.0))
    count, point = int(rng.integers(2, 5)), bool(rng.random() < 0.25)
    places: list[np.ndarray] = []
    while len(places) < count:
        place = rng.uniform(-2.5, 2.5, 3)
        if all(np.linalg.norm(place - p) > 1.2 for p in places):
            places.append(place)
    atoms = []
    for place in places:
        atom = {"charge": float(rng.integers(1, 2 if point else 6)), "position": [float(x) for x in place]}
        atoms.append(atom if point else atom | {"smearing": float(rng.choice([0.4, 0.8]))})
    charge = sum(a["charge"] for a in atoms)
    electrons = max(1.0, charge - float(rng.choice([0.0, 0.0, 1.0, 2.0])))
    box = float(2.0 * (2.5 + rng.uniform(6.0, 11.0)))
    keys: dict[str, Any] = {
        "kind": "orbital_free_dft",
        "functional": functional,
        "weizsacker": weight,
        "atoms": atoms,
        "electrons": electrons,
        "box": box,
        "levels": [5, 6],
    }
    better = run(keys | {"box": 1.6 * box, "levels": [7, 8] if point else [6, 7]}, 1e-4)
    return Case(
        keys,
        accuracy,
        better.extrapolated_energy,
        dict(better.finest.components),
        better.finest.chemical_potential,
        max(better.extrapolated_error, *better.component_errors.values()) if point else better.extrapolated_error,
    )


def run(keys: dict[str, Any], accuracy: float) -> Any:
    """The result of the family."""
    problem = OrbitalFreeProblem(**keys)
    return solve(prepare(problem, complete(problem, OrbitalFreeSolver(accuracy=accuracy))))


@dataclass(frozen=True)
class Verdict:
    """One of right, silent, honest, refused; the worst error over what is stated for it, with its name."""

    kind: str
    worst: float
    name: str
    seconds: float
    told: str


def judged(case: Case) -> Verdict:
    """A case run with defaults and compared with its truth."""
    begin = time.process_time()
    try:
        result = run(case.keys, case.accuracy)
    except ProblemError as error:
        return Verdict("refused", 0.0, "", time.process_time() - begin, str(error))
    seconds = time.process_time() - begin
    rows = [
        ("extrapolated", result.extrapolated_energy - case.energy, result.extrapolated_error),
        ("energy", result.finest.energy - case.energy, result.energy_error),
        ("mu", result.finest.chemical_potential - case.chemical_potential, result.chemical_potential_error),
    ]
    rows += [(n, v - case.parts[n], result.component_errors[n]) for n, v in result.finest.components.items()]
    beyond = [(max(0.0, abs(d) - case.slack - 1e-9) / max(e, 1e-300), n, d, e) for n, d, e in rows]
    worst, name, difference, error = max(beyond)
    wrong = [n for _, n, d, e in beyond if abs(d) - case.slack > max(case.accuracy, ALLOWED * e)]
    converged = result.status is Status.CONVERGED
    kind = "silent" if converged and wrong else "right" if converged else "honest"
    told = f"{result.status.name} {name}: {difference:+.1e} beside {error:.1e}; energy {rows[0][1]:+.1e} beside "
    told += f"{rows[0][2]:.1e}, accuracy {case.accuracy:.1e} {[c.what for c in result.checked if not c.passed]}"
    return Verdict(kind, worst, name, seconds, told + "; ".join(w[:60] for w in result.warnings))


def main() -> None:
    count, seed = int(sys.argv[1]), int(sys.argv[2])
    kinds = sys.argv[3:] or ["spherical", "several"]
    counts: dict[str, int] = {}
    for k in range(count):
        rng = np.random.default_rng([seed, k])
        try:
            case = (spherical if kinds[k % len(kinds)] == "spherical" else several)(rng)
        except RuntimeError as error:  # the reference's own
            print(f"{k:3d} no reference: {error}")
            continue
        verdict = judged(case)
        counts[verdict.kind] = counts.get(verdict.kind, 0) + 1
        keys = {n: v for n, v in case.keys.items() if n != "kind"}
        mark = "!" if verdict.worst > 1.0 else " "
        print(
            f"{k:3d} {verdict.kind:7s}{mark}{verdict.worst:7.2f} {verdict.seconds:5.1f}s {verdict.told} {keys}",
            flush=True,
        )
    print(counts)


if __name__ == "__main__":
    main()
