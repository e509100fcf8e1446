"""Intensities: closed forms of harmonic oscillators, an independent configuration interaction, and their errors.

Water: MP2/aug-cc-pVDZ field, rotation constants and dipole of a Gaussian output in the test data of Psience
(configs/vibrational/water*.csv); levels and intensities by products of up to 12 quanta, converged to 1e-4 km/mol.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from itertools import combinations_with_replacement
from pathlib import Path

import numpy as np
import pytest
from random_problems.force_fields import random_force_field

from problems.errors import ProblemError
from problems.quantum.hamiltonians.force_field.field import ForceField
from problems.quantum.hamiltonians.force_field.keys import Basis
from problems.quantum.hamiltonians.force_field.molecule import Surface
from problems.quantum.hamiltonians.force_field.product_basis import product_basis
from problems.quantum.hamiltonians.force_field.property_keys import Observed, Spectrum
from problems.quantum.hamiltonians.force_field.space import FieldSpace, space_of
from problems.quantum.kinds.vibrational import VibrationalProblem
from problems.quantum.tasks.spectrum.intensities import BOLTZMANN, INFRARED, RAMAN, bands_of, partition_function
from problems.quantum.tasks.spectrum.keys import SpectrumSolver
from problems.quantum.tasks.spectrum.result import SpectrumResult
from problems.quantum.tasks.spectrum.solve import prepare, solve
from solvers.eigen import explicit

CONFIGS = Path(__file__).parents[4] / "configs" / "vibrational"
# of state 1 (the bend), 2 (its overtone), 3 and 4 (the stretches): excitation, intensities by the order of the dipole
WATER = {
    "none": {1: (1550.2377, 67.5465, 66.9201, 68.3263), 3: (3662.0601, 3.8962, 3.2279, 3.2498)},
    "watson": {1: (1563.6776, 67.7127, 67.0559, 68.4578), 3: (3662.0755, 3.8949, 3.2302, 3.2512)},
}
WATER["none"] |= {2: (3069.7785, 0.0219, 0.4505, 0.4470)}
WATER["watson"] |= {2: (3096.7427, 0.0195, 0.4579, 0.4537), 4: (3789.9948, 65.8707, 62.8720, 64.7226)}


class Made:
    """A problem of a field and properties that stand in no file."""

    grows = True

    def __init__(
        self,
        field: ForceField,
        dipole: Surface | None,
        spectrum: Spectrum | None = None,
        alpha: Surface | None = None,
        functions: int | str = "automatic",
    ) -> None:
        self.field, self.functions = field, functions
        normal = field.frequencies if all(len(modes) > 2 for modes in field.terms) else None
        self.observed = Observed(dipole, alpha, spectrum or Spectrum(), normal, "made")

    def few(self, n_states: int) -> bool:
        return False

    def labelled(self, space: object, states: object) -> None:
        return None

    def space(self, n_states: int, accuracy: float) -> FieldSpace:
        basis = Basis(functions=self.functions)
        return space_of(product_basis(self.field, basis, "automatic", n_states, accuracy))


def computed(problem: Made | VibrationalProblem, n_states: int, accuracy: float = 1e-6) -> SpectrumResult:
    return solve(prepare(problem, SpectrumSolver(n_states=n_states, accuracy=accuracy)))  # type: ignore[arg-type]


@cache
def water(kinetic: str) -> tuple[VibrationalProblem, SpectrumResult]:
    given = {
        "kind": "vibrational",
        "force_field": str(CONFIGS / "water.csv"),
        "rotation": str(CONFIGS / "water-rotation.csv"),
        "dipole": {"file": str(CONFIGS / "water-dipole.csv")},
        "kinetic": kinetic,
    }
    problem = VibrationalProblem.model_validate(given)
    return problem, computed(problem, 5 if kinetic == "watson" else 4, 0.1)


@pytest.mark.parametrize("kinetic", WATER)
def test_water_against_a_configuration_interaction(kinetic):
    problem, result = water(kinetic)
    found = result.intensities
    assert found is not None and found.order == 3 and problem.observed.dipole is not None
    for order in (1, 2, 3):
        moments = result.transition(problem.observed.dipole.truncated(order))
        strengths = INFRARED * result.excitations * np.sum(moments**2, axis=1)
        for state, (position, *intensities) in WATER[kinetic].items():
            assert abs(result.excitations[state] - position) <= result.error_estimates[state] + 0.05
            assert strengths[state] == pytest.approx(intensities[order - 1], rel=1e-3, abs=2e-3)
        if order == 3:
            assert np.all(np.abs(strengths - found.integrated) <= found.integrated_errors)
        if order == 2:
            off = np.abs(found.integrated - strengths - found.order_changes)
            assert np.all(off[1:] <= found.integrated_errors[1:])
    truth = np.array([WATER[kinetic][state][3] for state in WATER[kinetic]])
    off = np.abs(found.integrated[list(WATER[kinetic])] - truth)
    assert np.all(off <= found.integrated_errors[list(WATER[kinetic])] + 1.5e-4)  # their digits


def test_harmonic_intensities_of_water():
    found = water("none")[1].intensities
    assert found is not None and found.harmonic is not None
    assert found.harmonic == pytest.approx([67.0203, 4.1428, 67.4561], abs=5e-5)  # as Gaussian prints them


def test_the_dipole_of_the_ground_state():
    """Averaged over the zero-point motion it is not that at equilibrium."""
    problem, result = water("none")
    dipole = problem.observed.dipole
    mean = result.expectation(dipole)
    assert mean.shape == (4, 3) and mean[0] == pytest.approx(result.intensities.moments[0])
    assert 1e-3 < abs(mean[0, 2] - dipole.components[2][()]) < 0.05


# of the oscillators below
W = np.array([900.0, 1700.0])
LINEAR = Surface(({(): 1.5, (0,): 0.11}, {(1,): -0.07}, {(0,): 0.02, (1,): 0.05}), "D")


def test_harmonic_oscillators_in_closed_form():
    """Fundamentals alone are seen, v -> v + 1 with v + 1 times their strength; nu p_v (1 - e) sums to the cold ones."""
    temperature = 700.0
    problem = Made(ForceField("two", "cm-1", W, {}), LINEAR, Spectrum(temperature=temperature), functions=6)
    result = computed(problem, 8)
    found = result.intensities
    quanta = sorted(
        ((a, b) for a in range(6) for b in range(6)), key=lambda v: W @ np.array(v) if max(v) < 6 else math.inf
    )[:8]
    slopes = np.sum(np.array([[0.11, 0.0, 0.02], [0.0, -0.07, 0.05]]) ** 2, axis=1)
    cold = INFRARED * W * slopes / 2
    expected = [cold[v.index(1)] if sum(v) == 1 else 0.0 for v in quanta]
    assert found.integrated == pytest.approx(expected, abs=1e-10) and found.harmonic == pytest.approx(cold)
    assert np.all(found.integrated_errors < 1e-6) and np.all(found.order_changes != 0.0)
    q = math.prod(1.0 / (1.0 - math.exp(-w / (BOLTZMANN * temperature))) for w in W)
    assert found.partition_function == pytest.approx(q, rel=1e-12) and found.partition_error < 0.02 * q
    lines = found.lines
    for i, f, x, y in zip(lines.lower, lines.upper, lines.positions, lines.strengths):
        (k,) = np.flatnonzero(np.subtract(quanta[f], quanta[i]))
        factor = math.exp(-(W @ np.array(quanta[i])) / (BOLTZMANN * temperature)) / q
        factor *= quanta[f][k] * (1.0 - math.exp(-W[k] / (BOLTZMANN * temperature)))
        assert x == pytest.approx(W[k]) and y == pytest.approx(factor * cold[k], rel=1e-9)
    assert found.covered > 0.95 and found.lower_states >= 3


def test_at_no_temperature_only_the_ground_state_is_left():
    problem = Made(ForceField("two", "cm-1", W, {}), LINEAR, Spectrum(temperature=0.0), functions=6)
    found = computed(problem, 4).intensities
    assert found.partition_function == 1.0 and found.lower_states == 1 and not found.lines.lower.any()
    assert sorted(found.lines.strengths) == pytest.approx(sorted(v for v in found.integrated if v > 1e-12))


def test_overtones_of_electrical_anharmonicity():
    """mu = c q^2 of one oscillator: <0|q^2|2> = 1/sqrt(2), and nothing else."""
    found = computed(Made(ForceField("one", "cm-1", W[:1], {}), Surface(({(0, 0): 0.1}, {}, {}), "D")), 4).intensities
    assert found.integrated == pytest.approx([0.0, 0.0, INFRARED * 1800.0 * 0.01 / 2, 0.0], abs=1e-10)
    assert found.order_changes[2] == pytest.approx(found.integrated[2])


def test_degenerate_states_are_one_band():
    """Any two orthogonal mixtures of the pair are states: their sum is the same, and is that of one mode turned."""
    terms = {(0, 0, 0): 30.0, (0, 1, 1): -90.0, (0, 0, 0, 0): 9.0, (0, 0, 1, 1): 18.0, (1, 1, 1, 1): 9.0}
    dipole = Surface(({(0,): 0.1, (0, 0): 0.02, (1, 1): -0.02}, {(1,): 0.1, (0, 1): -0.04}, {(2,): 0.3}), "D")
    field = ForceField("ring", "cm-1", np.array([1000.0, 1000.0, 1930.0]), terms)
    found = computed(Made(field, dipole, functions=10), 4, 1e-3)
    assert found.intensities.bands[1] == [1, 2] and found.quantities({**found.results()})[1].keys[0] == 1
    total = found.intensities.integrated[[1, 2]].sum()
    angle = 0.7  # of the axes of the dipole: intensities do not know it
    x, y = dipole.components[:2]
    turned = {m: math.cos(angle) * x.get(m, 0) + math.sin(angle) * y.get(m, 0) for m in {*x, *y}}
    other = {m: math.cos(angle) * y.get(m, 0) - math.sin(angle) * x.get(m, 0) for m in {*x, *y}}
    moments = found.transition(Surface((turned, other, dipole.components[2]), "D"))
    assert (INFRARED * found.excitations * (moments**2).sum(axis=1))[[1, 2]].sum() == pytest.approx(total, rel=1e-9)
    assert moments[1] @ moments[1] == pytest.approx(moments[2] @ moments[2], rel=1e-4)  # x and y, or any mixture


def test_a_list_that_ends_within_a_band_says_so():
    terms = {(0, 0, 0): 30.0, (0, 1, 1): -90.0, (0, 0, 0, 0): 9.0, (0, 0, 1, 1): 18.0, (1, 1, 1, 1): 9.0}
    field = ForceField("pair", "cm-1", np.array([900.0, 900.0]), terms)
    found = computed(Made(field, LINEAR, functions=6), 2, 1.0)
    assert any("ends within a degenerate band: the intensities of 1 are" in text for text in found.warnings)
    assert found.intensities.integrated_errors[1] > 0.1 * found.intensities.integrated[1]


def test_states_far_apart_are_no_band_however_large_their_errors_are():
    assert bands_of(np.array([0.0, 10.0, 10.001]), np.array([5.0, 8.0, 8.0]), 0.01) == [[0], [1, 2]]
    assert bands_of(np.array([0.0, 10.0, 10.001]), np.full(3, 1e-5), 0.01) == [[0], [1], [2]]


def test_raman_activity_of_harmonic_modes():
    """45 a'^2 + 7 g'^2 of the derivatives along Q, whatever the axes."""
    rng = np.random.default_rng(3)
    along_q = rng.standard_normal((2, 3, 3))
    along_q += along_q.transpose(0, 2, 1)
    turn = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    for tensors in (along_q, np.einsum("ab,kbc,dc->kad", turn, along_q, turn)):
        pairs = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
        alpha = Surface(tuple({(k,): float(tensors[k][pair]) for k in range(2)} for pair in pairs), "A3")
        result = computed(Made(ForceField("two", "cm-1", W, {}), None, alpha=alpha, functions=5), 3)
        assert result.intensities is None and result.raman is not None
        for state, k in ((1, 0), (2, 1)):
            slope = along_q[k] / math.sqrt(2.0 * RAMAN / W[k])  # Q = q (2 RAMAN / w)^(1/2)
            mean = np.trace(slope) / 3
            anisotropy = 1.5 * np.sum((slope - mean * np.eye(3)) ** 2)
            activity = result.raman.activities[state]
            assert activity == pytest.approx(45 * mean**2 + 7 * anisotropy, rel=1e-9)
        assert np.all(result.raman.activity_errors <= 1e-6 * result.raman.activities)


def test_the_partition_function_with_what_was_not_computed():
    """Morse-like levels of two modes: all products are known, eight of them are taken."""
    modes = [w * (np.arange(60) - 0.004 * np.arange(60) ** 2) for w in (300.0, 410.0)]
    sums = np.sort(np.add.outer(*modes).ravel())
    for temperature in (100.0, 300.0, 900.0):
        q, error = partition_function(sums[:8], [level[:12] for level in modes], temperature)
        truth = float(np.sum(np.exp(-sums / (BOLTZMANN * temperature))))
        assert abs(q - truth) <= error and abs(q - truth) <= 0.05 * truth


def random_dipole(seed: int, d: int) -> Surface:
    rng = np.random.default_rng([seed, d])
    products = [p for order in (1, 2, 3) for p in combinations_with_replacement(range(d), order)]
    parts = []
    for _ in range(3):
        chosen: Sequence[tuple[int, ...]] = [p for p in products if rng.random() < 0.6]
        parts.append({(): float(rng.normal()), **{p: float(rng.normal()) * 0.2 * 0.3 ** len(p) for p in chosen}})
    return Surface(tuple(parts), "D")


def beyond(seed: int, d: int, n_states: int, accuracies: Sequence[float]) -> list[float]:
    """How many times its error each intensity of a random field is off."""
    problem = Made(random_force_field(seed, d), random_dipole(seed, d))
    truth = computed(problem, n_states, 1e-5).intensities
    ratios = []
    for accuracy in accuracies:
        found = computed(problem, n_states, accuracy).intensities
        for band in found.bands[1:]:
            off = abs(found.integrated[band].sum() - truth.integrated[band].sum())
            ratios.append(off / max(found.integrated_errors[band].sum(), 1e-300))
    return ratios


def test_errors_of_random_fields_hold():
    ratios = [ratio for seed in range(20, 22) for ratio in beyond(seed, 2, 8, (1.0,))]
    assert np.mean(np.array(ratios) <= 1.0) >= 0.95


@pytest.mark.slow
def test_errors_of_trains_hold(monkeypatch):
    """Of ranks that are cut, where full vectors would answer."""
    monkeypatch.setattr(explicit, "SMALL", 0)
    ratios = [ratio for seed in range(30, 38) for ratio in beyond(seed, 3, 10, (1.0, 0.1, 0.01))]
    assert np.mean(np.array(ratios) <= 1.0) >= 0.95


@pytest.mark.parametrize(
    "keys, words",
    [
        ({"spectrum": {"temperature": 300}}, "needs a dipole"),
        ({"dipole": {"order": 1}}, "holds none: give file"),
        ({"dipole": {"file": "dipole.csv", "order": 3}}, "is 3, but the derivatives known are of order 2"),
        ({"dipole": {"file": "none.csv"}}, "no such file"),
        ({"dipole": {"file": "dipole.csv"}, "spectrum": {"range": [500, 300]}}, "from < to"),
        ({"polarisability": {"file": "dipole.csv"}}, "axis must be one of xx"),
        (
            {"force_field": {"model": "henon_heiles", "dimension": 2}, "dipole": {"file": "dipole.csv"}},
            "fields in cm-1",
        ),
    ],
)
def test_what_cannot_be_computed_is_refused(tmp_path, keys, words):
    (tmp_path / "field.csv").write_text("order,modes,coefficient_cm-1\n2,1-1,1000\n2,2-2,1200\n")
    (tmp_path / "dipole.csv").write_text("order,modes,axis,value\n1,1,x,0.1\n2,1-1,x,0.1\n")
    with pytest.raises((ProblemError, ValueError), match=words):
        given = {"kind": "vibrational", "force_field": "field.csv", **keys}
        VibrationalProblem.model_validate(given, context={"directory": tmp_path})
