"""Ground states of spherical systems from the radial Euler equation, apart from all code of the family.

Spectral elements in r (Gauss-Lobatto nodes, geometric lengths), the energy as a function of the values of phi at the
nodes, Newton's method with the exact Hartree response. ``ground_state`` is good to some 1e-9 hartree: the tests below
it compare the number of elements, the virial theorem and the stored references.
"""

import itertools
from dataclasses import dataclass

import numpy as np
from scipy.special import erf

C_TF = 0.3 * (3.0 * np.pi**2) ** (2.0 / 3.0)
C_X = 0.75 * (3.0 / np.pi) ** (1.0 / 3.0)
ORDER = 12


def _pw92(rs):
    a, alpha, b1, b2, b3, b4 = 0.0310907, 0.21370, 7.5957, 3.5876, 1.6382, 0.49294
    return -2 * a * (1 + alpha * rs) * np.log(1 + 1 / (2 * a * (b1 * rs**0.5 + b2 * rs + b3 * rs**1.5 + b4 * rs**2)))


def _vwn5(rs):
    a, x0, b, c = 0.0310907, -0.10498, 3.72744, 12.9352
    x, q = np.sqrt(rs), np.sqrt(4 * c - b * b)

    def full(y):
        return y * y + b * y + c

    angle = np.arctan(q / (2 * x + b))
    inner = np.log((x - x0) ** 2 / full(x)) + 2 * (b + 2 * x0) / q * angle
    return a * (np.log(x * x / full(x)) + 2 * b / q * angle - b * x0 / full(x0) * inner)


CORRELATION = {"pw92": _pw92, "vwn5": _vwn5}


def _lobatto(order):
    """Nodes, weights and derivative matrix on [-1, 1]."""
    p = np.polynomial.legendre.Legendre.basis(order)
    x = np.concatenate([[-1.0], np.sort(p.deriv().roots().real), [1.0]])
    w = 2.0 / (order * (order + 1) * p(x) ** 2)
    d = (p(x)[:, None] / p(x)) / (x[:, None] - x + np.eye(order + 1)) * (1.0 - np.eye(order + 1))
    d[0, 0], d[-1, -1] = -order * (order + 1) / 4.0, order * (order + 1) / 4.0
    return x, w, d


@dataclass(frozen=True)
class Radial:
    """Energy, its parts by the names of the family, chemical potential, virial residual (hartree)."""

    energy: float
    parts: dict[str, float]
    chemical_potential: float
    virial: float


def ground_state(functional, electrons, *, charge=0.0, smearing=None, omega=None, weight=1.0, radius=60.0, ratio=1.5):
    """Of one nucleus or none and a trap or none about the origin; ``smearing`` None for a point."""
    model, _, correlation = functional.partition("+")
    ec = CORRELATION.get(correlation)
    narrow = (
        0.3 * weight / charge
        if charge and smearing is None
        else 0.3
        * min(
            (weight / max(charge * (smearing or 1.0) ** 1.5, 1e-9)) ** 0.25,
            (smearing or 1.0) ** -0.5,
            (omega or 1.0) ** -0.5 * weight**0.25,
        )
    )
    count = max(8, int(np.ceil(np.log(radius / narrow) / np.log(ratio))))
    edges = np.concatenate([[0.0], radius * ratio ** -np.arange(count, -1.0, -1.0)])
    x, w0, d = _lobatto(ORDER)
    size = ORDER * (len(edges) - 1) + 1
    r, w, k = np.zeros(size), np.zeros(size), np.zeros((size, size))
    for e, (a, b) in enumerate(itertools.pairwise(edges)):
        s = slice(e * ORDER, e * ORDER + ORDER + 1)
        r[s] = a + (b - a) * (x + 1) / 2
        volume = w0 * (b - a) / 2 * 4 * np.pi * r[s] ** 2
        w[s] += volume
        k[s, s] += d.T @ (volume[:, None] * d) * (2 / (b - a)) ** 2
    safe = np.where(r > 0, r, 1.0)
    v_nuclear = (
        -charge / safe
        if smearing is None
        else -charge * np.where(r > 0, erf(np.sqrt(smearing or 1.0) * r) / safe, 2 * np.sqrt((smearing or 1.0) / np.pi))
    )
    v_trap = 0.5 * (omega or 0.0) ** 2 * r**2
    v = v_nuclear + v_trap
    green = np.zeros((size, size))
    green[:-1, :-1] = 4 * np.pi * np.linalg.inv(k[:-1, :-1])
    kinetic = k[:-1, :-1]
    r, w, v, v_nuclear, v_trap, green = r[:-1], w[:-1], v[:-1], v_nuclear[:-1], v_trap[:-1], green[:-1, :-1]

    def local(rho):
        """e, de/drho and its derivative, of the density."""
        rho = np.maximum(rho, 1e-200)
        e, e1 = C_TF * rho ** (5 / 3), 5 / 3 * C_TF * rho ** (2 / 3)
        e2 = 10 / 9 * C_TF * rho ** (-1 / 3)
        if model == "TFDW":
            e, e1, e2 = e - C_X * rho ** (4 / 3), e1 - 4 / 3 * C_X * rho ** (1 / 3), e2 - 4 / 9 * C_X * rho ** (-2 / 3)
        if ec is not None:
            shape = (3 / (4 * np.pi)) ** (1 / 3)

            def slope(y):
                # complex step
                z = y * (1 + 1e-30j)
                return np.imag(z * ec(shape * z ** (-1 / 3))) / (1e-30 * y)

            dense = np.maximum(rho, 1e-40)
            e, e1 = e + rho * ec(shape * dense ** (-1 / 3)).real, e1 + slope(dense)
            e2 = e2 + (slope(dense * 1.0001) - slope(dense * 0.9999)) / (2e-4 * dense)
        return e, e1, e2

    def potential(phi):
        return green @ (w * phi**2) + electrons / radius

    def energy(phi):
        return (
            0.5 * weight * phi @ kinetic @ phi
            + w @ (local(phi**2)[0] + v * phi**2)
            + 0.5 * w @ (phi**2 * potential(phi))
        )

    width = 1.5 if omega is None else (electrons / omega**2 + omega**-1.5) ** (1 / 3)
    phi = np.exp(-r / width) if omega is None else np.exp(-0.5 * (r / width) ** 2)
    phi *= np.sqrt(electrons / (w @ phi**2))
    # 1. descent in the metric of the kinetic energy, down to where Newton's method works
    metric = np.linalg.inv(weight * kinetic + np.diag(w + 1e-300))
    step, value = 1.0, energy(phi)
    for _ in range(300):
        gradient = weight * kinetic @ phi + 2 * w * phi * (local(phi**2)[1] + v + potential(phi))
        mu = phi @ gradient / (2 * electrons)
        p = metric @ (gradient - 2 * mu * w * phi)
        while True:
            trial = phi - step * p
            trial *= np.sqrt(electrons / (w @ trial**2))
            lower = energy(trial)
            if lower <= value + 1e-12 * abs(value) or step < 1e-12:
                break
            step *= 0.5
        fallen, phi, value, step = value - lower, trial, lower, 1.3 * step
        if fallen < 1e-9 * abs(value):
            break
    # 2. Newton's method, with the multiplier
    phi = np.maximum(phi, 1e-150)
    for _ in range(40):
        _, e1, e2 = local(phi**2)
        felt = e1 + v + potential(phi)
        f = weight * kinetic @ phi + 2 * w * phi * (felt - mu)
        jacobian = weight * kinetic + np.diag(2 * w * (felt - mu) + 4 * w * phi**2 * e2)
        jacobian += 4 * (w * phi)[:, None] * green * (w * phi)
        bordered = np.block([[jacobian, (-2 * w * phi)[:, None]], [(2 * w * phi)[None], np.zeros((1, 1))]])
        change = np.linalg.solve(bordered, -np.append(f, w @ phi**2 - electrons))
        phi, mu = phi + change[:-1], mu + change[-1]
        phi = np.abs(phi)
        if np.abs(change[:-1]).max() <= 1e-12 * np.abs(phi).max():
            break
    else:
        raise RuntimeError("Newton's method did not converge")
    rho = phi**2
    thomas_fermi, exchange = C_TF * w @ rho ** (5 / 3), -C_X * w @ rho ** (4 / 3) if model == "TFDW" else 0.0
    e, e1, _ = local(rho)
    parts = {
        "weizsacker": 0.5 * weight * phi @ kinetic @ phi,
        "thomas_fermi": thomas_fermi,
        "external": w @ (v * rho),
        "hartree": 0.5 * w @ (rho * potential(phi)),
        "exchange": exchange,
        "correlation": w @ e - thomas_fermi - exchange if ec is not None else 0.0,
        "nuclear": 0.0,
    }
    slope = np.zeros_like(r)  # r dv/dr of the nucleus
    if charge:
        slope = (
            -v_nuclear
            if smearing is None
            else (-v_nuclear - charge * 2 * np.sqrt(smearing / np.pi) * np.exp(-smearing * r**2))
        )
    pressure = w @ (rho * e1) - 5 / 3 * thomas_fermi - 4 / 3 * exchange if ec is not None else 0.0
    virial = 2 * (parts["weizsacker"] + thomas_fermi) - w @ (rho * (slope + 2 * v_trap)) + parts["hartree"]
    virial += exchange + 3 * (pressure - parts["correlation"])
    return Radial(float(sum(parts.values())), {n: float(p) for n, p in parts.items()}, float(mu), float(virial))
