"""Rotation terms of linear molecules against the exact kinetic energy in distances and an angle.

    H = -1/(2 m_R) d^2/dR^2 - 1/(2 m_r) d^2/dr^2 + (1/(2 m_R R^2) + 1/(2 m_r r^2)) j^2      (J = 0)

in Jacobi coordinates (Sutcliffe and Tennyson, Mol. Phys. 58, 1053 (1986)), the potential a polynomial of the normal
coordinates that a bent geometry has in Eckart's frame. It has states of l = 0 only; Watson's Hamiltonian has all.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from numpy.polynomial.legendre import legval

from problems.quantum.hamiltonians.force_field.basis import harmonic_functions
from problems.quantum.hamiltonians.force_field.field import ForceField, with_rotation
from problems.quantum.hamiltonians.force_field.geometry import Geometry, normal_modes, rotation_of
from problems.quantum.hamiltonians.force_field.operators import product_terms
from problems.quantum.hamiltonians.force_field.orientation import oriented
from problems.quantum.hamiltonians.force_field.rotation import INVERSE_INERTIA, Rotation, first_order
from problems.quantum.kinds.vibrational import VibrationalProblem

LINE = Geometry(("N", "C", "H"), np.array([14.003, 12.0, 1.008]), np.array([[0, 0, -0.65], [0, 0, 0.5], [0, 0, 1.57]]))
BENDS = (2, 3)
ANHARMONIC = {  # of stretches 0 and 1, and of rho^2 = q_2^2 + q_3^2
    "000": -150.0, "001": 20.0, "011": -30.0, "111": -60.0, "0r": -90.0, "1r": 35.0,
    "0000": 40.0, "1111": 15.0, "0011": 20.0, "00r": 12.0, "11r": 8.0, "rr": 10.0,
}  # fmt: skip


@pytest.fixture(scope="module")
def line() -> tuple[Geometry, ForceField, np.ndarray]:
    """HCN's shape, its stretches from two springs, its bend from one, and a field that rises everywhere."""
    hessian = np.zeros((9, 9))
    for (i, j), stiff in {(0, 1): 1.2, (1, 2): 0.4}.items():
        hessian[np.ix_([3 * i + 2, 3 * j + 2], [3 * i + 2, 3 * j + 2])] += stiff * np.array([[1, -1], [-1, 1]])
    z = LINE.positions[:, 2]
    bend = np.array([z[1] - z[2], z[2] - z[0], z[0] - z[1]])  # neither a shift nor a turn
    for axis in (0, 1):
        places = [axis, axis + 3, axis + 6]
        hessian[np.ix_(places, places)] += 0.02 * np.outer(bend, bend)
    found = normal_modes(LINE, hessian)
    vectors = oriented(LINE.masses, LINE.centred, found.frequencies[::-1], found.vectors[::-1]).vectors
    terms: dict[tuple[int, ...], float] = {}
    for name, c in ANHARMONIC.items():
        for bends in product(BENDS, repeat=name.count("r")):
            modes = tuple(sorted([int(k) for k in name if k != "r"] + [b for b in bends for _ in range(2)]))
            terms[modes] = terms.get(modes, 0.0) + c
    return LINE, ForceField("line", "cm-1", found.frequencies[::-1], terms), vectors


def levels(field: ForceField, count: int, quanta: int = 10) -> np.ndarray:
    """Levels in all products of harmonic functions of so many quanta, even in both bends as states of l = 0 are."""
    bases = harmonic_functions(field, [quanta + 1] * field.d, np.zeros(field.d, dtype=np.int64))
    table = product_terms(field, bases, range(field.d))
    kept = np.array(
        [v for v in product(range(quanta + 1), repeat=field.d) if sum(v) <= quanta and v[2] % 2 == v[3] % 2 == 0]
    )
    h = np.zeros((len(kept), len(kept)))
    for c, factors in table.terms:
        part = np.ones_like(h)
        for k in range(field.d):
            m = table.matrices[k][factors[k]] if k in factors else np.eye(quanta + 1)
            part *= m[np.ix_(kept[:, k], kept[:, k])]
        h += c * part
    return np.linalg.eigvalsh(h)[:count]


def exact(
    line: tuple[Geometry, ForceField, np.ndarray], count: int, n: int = 8, angles: int = 40, functions: int = 6
) -> np.ndarray:
    """Levels of J = 0 on points of R, r and the angle."""
    geometry, field, vectors = line
    m, z0, w = geometry.masses, geometry.centred[:, 2], field.frequencies
    pair, total = m[0] + m[1], m.sum()
    masses = (m[2] * pair / total, m[0] * m[1] / pair)
    r0 = (z0[2] - (m[0] * z0[0] + m[1] * z0[1]) / pair, z0[1] - z0[0])
    ladder = np.diag(np.sqrt(np.arange(1, n + 2) / 2.0), 1)
    x, turn = np.linalg.eigh((ladder + ladder.T)[:n, :n])
    slope = ladder - ladder.T
    kinetic = [0.5 * own * turn.T @ -(slope @ slope)[:n, :n] @ turn for own in w[:2]]
    R, r = (at + np.sqrt(INVERSE_INERTIA / (mass * own)) * x for at, mass, own in zip(r0, masses, w))
    t, weight = np.polynomial.legendre.leggauss(angles)
    j = np.arange(angles)
    legendre = legval(t, np.diag(np.sqrt(j + 0.5))) * np.sqrt(weight)
    turning = legendre.T @ np.diag(j * (j + 1.0)) @ legendre
    R, r, t = np.meshgrid(R, r, t, indexing="ij")
    zero = np.zeros_like(R)
    across = np.stack([zero, zero, R * np.sqrt(1.0 - t**2)], -1)
    along = np.stack([zero, r, r * m[1] / pair + R * t], -1)
    across, along = across - (across @ m / total)[..., None], along - (along @ m / total)[..., None]
    turn_by = np.arctan2(-across @ (m * z0), along @ (m * z0))[..., None]  # Eckart: sum m z0 x = 0
    moved = np.stack(
        [
            np.cos(turn_by) * across + np.sin(turn_by) * along,
            0.0 * along,
            np.cos(turn_by) * along - np.sin(turn_by) * across - z0,
        ],
        -1,
    )
    q = np.einsum("kia,i,...ia->...k", vectors, np.sqrt(m), moved) * np.sqrt(w / INVERSE_INERTIA)
    v = np.minimum(field.potential(q), 30000.0)
    rigid = 0.5 * INVERSE_INERTIA * (1.0 / (masses[0] * R**2) + 1.0 / (masses[1] * r**2))

    # the lowest functions of the angle at the middle of R and r; the others in full
    middle = (n // 2, n // 2)
    bends = np.linalg.eigh(rigid[middle][0] * turning + np.diag(v[middle]))[1][:, :functions]
    of_angle = np.einsum("ta,ijt,tb->ijab", bends, v, bends)
    of_angle += rigid[..., :1, None] * (bends.T @ turning @ bends)
    eye = np.eye(n)
    h = np.einsum("ijab,ik,jl->ijaklb", of_angle, eye, eye)
    for k, text in enumerate(("ik,jl,ab->ijaklb", "jl,ik,ab->ijaklb")):
        h = h + np.einsum(text, kinetic[k], eye, np.eye(functions))
    size = n * n * functions
    return np.linalg.eigvalsh(h.reshape(size, size))[:count]


@pytest.mark.parametrize("order, quanta, within", [(2, 8, 0.05), pytest.param(2, 12, 0.01, marks=pytest.mark.slow)])
def test_levels_of_no_angular_momentum_are_exact(line, order, quanta, within) -> None:
    geometry, field, vectors = line
    rotation = rotation_of(geometry, vectors)
    assert rotation.linear and not np.any(np.isnan(rotation.derivatives))
    truth = exact(line, 3, **({"n": 12, "functions": 9} if quanta > 8 else {}))

    def off(found: np.ndarray) -> float:
        return max(float(np.abs(found - e).min()) for e in truth)

    whole = off(levels(with_rotation(field, rotation, order), 9, quanta))
    assert whole < within
    assert off(levels(field, 9, quanta)) > 5.0  # what rotation terms are worth
    if quanta > 8:
        print("OFF", whole, off(levels(with_rotation(field, rotation, 0), 9, quanta)))
        assert off(levels(with_rotation(field, rotation, 0), 9, quanta)) > 3.0 * whole


def test_first_order_is_the_mean_of_the_operator(line) -> None:
    geometry, field, vectors = line
    rotation = rotation_of(geometry, vectors)
    bare = ForceField("harmonic", "cm-1", field.frequencies, {})
    with_terms = with_rotation(bare, rotation, 0)
    bases = harmonic_functions(with_terms, [3] * 4, np.zeros(4, dtype=np.int64))
    table = product_terms(with_terms, bases, range(4))
    for v in ((0, 0, 0, 0), (1, 0, 0, 0), (0, 1, 1, 0), (0, 0, 1, 1)):
        mean = sum(
            c * np.prod([table.matrices[k][f][v[k], v[k]] for k, f in factors.items()]) for c, factors in table.terms
        )
        harmonic = field.frequencies @ (np.array(v) + 0.5)
        assert first_order(rotation, field.frequencies, np.array([v]))[0] == pytest.approx(mean - harmonic, abs=1e-8)


def test_a_line_has_two_equal_moments() -> None:
    with pytest.raises(ValueError, match="linear"):
        Rotation(np.diag([1.0, 2.0, 0.0]), np.zeros((3, 4, 4)))


@pytest.mark.parametrize("kinetic", ["none", "watson"])
def test_a_report_says_what_angular_momentum_means_and_what_is_left_out(tmp_path, kinetic) -> None:
    rows = "2,1-1,3400\n2,2-2,2100\n2,3-3,720\n2,4-4,720\n4,3-3-3-3,10\n4,4-4-4-4,10\n4,3-3-4-4,3.3333\n"
    (tmp_path / "line.csv").write_text("order,modes,coefficient_cm-1\n" + rows)
    zeta = "zeta,x,1,4,0.6\nzeta,x,2,4,0.8\nzeta,y,1,3,-0.6\nzeta,y,2,3,-0.8\nzeta,z,3,4,1\n"
    (tmp_path / "rotation.csv").write_text("quantity,axis,mode1,mode2,value\nB_cm-1,x,1.5\nB_cm-1,y,1.5\n" + zeta)
    text = (tmp_path / "rotation.csv").read_text().replace(",1.5", ",,,1.5")
    (tmp_path / "rotation.csv").write_text(text)
    field, rotation = str(tmp_path / "line.csv"), str(tmp_path / "rotation.csv")
    problem = VibrationalProblem(kind="vibrational", force_field=field, rotation=rotation, kinetic=kinetic)
    with pytest.raises(ValueError, match="linear molecule has no coordinates tanh"):
        VibrationalProblem(kind="vibrational", force_field=field, rotation=rotation, holes={"tanh": 0.15})
    said = " ".join(problem.space(2, 1.0).warnings)
    assert "the molecule is linear" in said and ("rotation terms are left out" in said) == (kinetic == "none")
