"""Published and exact levels."""

import itertools

import numpy as np
import pytest

from problems.agreement import Deviation
from problems.levels import Reference
from problems.quantum.hamiltonians.force_field.field import ForceField, coupled_oscillators, henon_heiles
from problems.quantum.hamiltonians.force_field.known_levels import LABELS, compare, normal_mode_levels, published

# E of states 0, 1, 2 and 9: diagonalised by an independent program, 12 decimals
EXACT = {2: (0.852082442432, 1.549389204282, 1.858940565445, 3.641309489833)}


@pytest.mark.parametrize("d", EXACT)
def test_normal_modes_give_the_tabulated_energies(d):
    levels = normal_mode_levels(coupled_oscillators(d, 0.1), 10)
    np.testing.assert_allclose(levels[[0, 1, 2, 9]], EXACT[d], atol=1e-12)


def test_normal_modes_agree_with_dense_diagonalisation():
    field, n = coupled_oscillators(3, 0.1), 14
    q = np.diag(np.sqrt(np.arange(1, n) / 2.0), 1)
    q = q + q.T
    one = np.eye(n)

    def at(*matrices):
        return np.kron(np.kron(matrices[0], matrices[1]), matrices[2])

    hamiltonian = np.zeros((n**3, n**3))
    for k, w in enumerate(field.frequencies):
        matrices = [one] * 3
        matrices[k] = w * np.diag(np.arange(n) + 0.5)
        hamiltonian += at(*matrices)
    for (i, j), c in field.terms.items():
        hamiltonian += c * at(*(q if k in (i, j) else one for k in range(3)))
    np.testing.assert_allclose(normal_mode_levels(field, 6), np.linalg.eigvalsh(hamiltonian)[:6], atol=1e-9)


def test_levels_are_enumerated_completely():
    field = ForceField("independent", "model units", np.array([1.0, np.sqrt(2.0), np.pi]), {})
    sums = [np.dot(np.add(m, 0.5), field.frequencies) for m in itertools.product(range(30), repeat=3)]
    np.testing.assert_allclose(normal_mode_levels(field, 200), np.sort(sums)[:200], rtol=1e-13)


def test_a_quadratic_term_of_one_mode_stiffens_it():
    field = ForceField("stiffer", "model units", np.array([2.0]), {(0, 0): 3.0})
    # p^2 + (1 + 3) q^2: frequency 2 sqrt(1 * 4) = 4
    np.testing.assert_allclose(normal_mode_levels(field, 3), [2.0, 6.0, 10.0])


def test_normal_modes_refuse_what_they_cannot_solve():
    with pytest.raises(ValueError, match="quadratic"):
        normal_mode_levels(henon_heiles(2, 0.1), 3)
    with pytest.raises(ValueError, match="unbounded"):
        normal_mode_levels(ForceField("saddle", "model units", np.ones(2), {(0, 1): 2.0}), 3)


def test_the_published_table():
    references = {reference.name: reference for reference in published("acetonitrile")}
    assert list(references) == list(LABELS)
    judge = references["own_HCI+PT2"]
    assert judge.judge and judge.label == "HCI+PT2 (this project)" and not np.isnan(judge.levels).any()
    assert judge.levels[0] == 9837.4067 and judge.levels[83] == 2207.5410
    counts = {name: int(np.isfinite(reference.levels[:84]).sum()) for name, reference in references.items()}
    assert set(counts.values()) == {70, 84} and counts["AVCI_Odunlami2017"] == 70
    assert published("water") == [] and published("../acetonitrile") == []


def test_published_errors_of_the_2016_method():
    references = published("acetonitrile")
    judge = references[0]
    by_name = {c.reference.name: c for c in compare(judge.absolute()[:84], references)}
    assert by_name["own_HCI+PT2"].run.count == 84 and by_name["own_HCI+PT2"].run.max_abs < 1e-11
    # r = 25 and r = 40 of the 2016 paper: at most 0.20 and 0.030 cm-1 over 84 states
    assert by_name["TT_r25_RakhubaOseledets2016"].column.max_abs == pytest.approx(0.1999, abs=1e-3)
    assert by_name["TT_r40_RakhubaOseledets2016"].column.max_abs == pytest.approx(0.0302, abs=1e-3)
    for c in by_name.values():
        if c.column is not None:
            assert c.run.max_abs == pytest.approx(c.column.max_abs, abs=1e-9)


def test_levels_are_compared_relative_to_each_lists_own_lowest():
    reference = Reference("r", "r", "", np.array([100.0, 10.0, np.nan, 30.0]), relative=True)
    np.testing.assert_allclose(reference.deviations(np.array([100.5, 111.0, 120.0])), [0.5, 0.5, np.nan])
    np.testing.assert_allclose(reference.absolute(), [100.0, 110.0, np.nan, 130.0])
    absolute = Reference("a", "a", "", np.array([100.0, 110.0]), relative=False)
    np.testing.assert_allclose(absolute.deviations(np.array([100.5, 111.0, 120.0])), [0.5, 1.0])


def test_deviations_are_summarised_over_what_was_published():
    assert Deviation.of(np.array([np.nan, -3.0, 1.0])) == Deviation(2, 3.0, 2.0)
    assert Deviation.of(np.array([np.nan])) is None
