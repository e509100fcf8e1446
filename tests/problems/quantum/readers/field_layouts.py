"""A force field written in the layouts of programs, as far as each can hold it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import factorial, prod, sqrt

import numpy as np

from problems.quantum.hamiltonians.force_field.field import ForceField
from problems.quantum.hamiltonians.force_field.geometry import ANGSTROM, ELECTRONS, HARTREE

Derivatives = Mapping[tuple[int, ...], float]  # sorted modes from 1 -> full derivative, cm-1


def random_derivatives(seed: int, d: int, order: int = 4) -> tuple[list[float], dict[tuple[int, ...], float]]:
    """Frequencies and full derivatives of orders 3 to ``order``, of all sets of modes."""
    rng = np.random.default_rng([seed, d, order])
    w = sorted(np.round(rng.uniform(400.0, 3200.0, d), 4).tolist())
    found = {}
    for n in range(3, order + 1):
        for place in np.ndindex((d,) * n):
            if tuple(sorted(place)) == place:
                found[tuple(k + 1 for k in place)] = round(float(rng.normal()) * 10.0 ** (4 - n), 6)
    return w, found


def factorials(modes: tuple[int, ...]) -> int:
    return prod(factorial(modes.count(k)) for k in set(modes))


def csv_text(w: list[float], phi: Derivatives) -> str:
    rows = [f"2,{k}-{k},{x!r}" for k, x in enumerate(w, start=1)]
    rows += [f"{len(modes)},{'-'.join(map(str, modes))},{x!r}" for modes, x in phi.items()]
    return "\n".join(["order,modes,coefficient_cm-1", *rows]) + "\n"


def mop_text(w: list[float], phi: Derivatives) -> str:
    rows = [f" {x / HARTREE:.21e}" for x in w]
    rows = [f"SCALING FREQUENCIES N_FRQS={len(w)}", *rows, "DALTON_FOR_MIDAS made up"]
    rows += [f"{x / 2.0 / HARTREE:.21e}    {k}    {k}" for k, x in enumerate(w, start=1)]
    for modes, x in phi.items():
        rows.append(f"{x / factorials(modes) / HARTREE:.21e}" + "".join(f"{k:5d}" for k in modes))
    return "\n".join(rows) + "\n"


def new_mop_text(w: list[float], phi: Derivatives) -> str:
    names = [f"Q{k}" for k in range(len(w))]
    rows = ["#0 MidasMopInput", "#1 ModeNames", " ".join(names), "#1 ScaleFactors"]
    rows += [" ".join(f"{sqrt(x / HARTREE):.21e}" for x in w), "#1 OperatorTerms // a comment"]
    for modes, x in [*(((k, k), x) for k, x in enumerate(w, start=1)), *phi.items()]:
        powers = " ".join(f"Q^{modes.count(k)}(Q{k - 1})" for k in sorted(set(modes)))
        rows.append(f"{x / factorials(modes) / HARTREE:.21e} {powers}")
    return "\n".join([*rows, "#0 MidasMopInputEnd"]) + "\n"


def vhci_text(w: list[float], phi: Derivatives) -> str:
    rows = [
        "Comment: made up",
        "HCI_Eps: 0.1",
        "Nstate: 5",
        "PT2: 0",
        "PT2_Eps: 0",
        "Max_quanta: 8",
        f"Modes: {len(w)}",
    ]
    rows += [f" {k} {x!r} 20" for k, x in enumerate(w)] + [f"Force_constants: {len(phi)}"]
    rows += [f" {len(modes)} {' '.join(str(k - 1) for k in modes)} {x!r}" for modes, x in phi.items()]
    return "\n".join(rows) + "\n"


def qcmaquis_text(w: list[float], phi: Derivatives) -> str:
    rows = []
    for k, x in enumerate(w, start=1):
        rows += [f"{x / 4.0:.17E} {k} {k} 0 0 0 0", f"{-x / 4.0:.17E} -{k} -{k} 0 0 0 0"]
    for modes, x in phi.items():
        padded = [*modes, *[0] * (6 - len(modes))]
        rows.append(f"{x / factorials(modes) / sqrt(2.0) ** len(modes):.17E}  " + "  ".join(map(str, padded)))
    return "\n".join(rows) + "\n"


def mctdh_text(w: list[float], phi: Derivatives) -> str:
    rows = ["OP_DEFINE-SECTION", "title", "made up", "end-title", "end-op_define-section", "PARAMETER-SECTION"]
    rows += [f"w{k} = {x!r}, cm-1" for k, x in enumerate(w, start=1)] + ["mass_v1 = 2.5 # of a scaled coordinate"]
    rows += [f"c{n} = {x / factorials(modes)!r} , cm-1" for n, (modes, x) in enumerate(phi.items())]
    rows += ["end-parameter-section", "HAMILTONIAN-SECTION"]
    rows += [" modes | " + " | ".join(f"v{k}" for k in range(1, len(w) + 1))]
    rows += [f"2.5*w{k} |{k} KE" if k == 1 else f"1.0*w{k} |{k} KE" for k in range(1, len(w) + 1)]
    rows += [f"0.5*w{k} |{k} q^2" for k in range(1, len(w) + 1)]
    for n, modes in enumerate(phi):
        rows.append(f"c{n} " + " ".join(f"|{k} q^{modes.count(k)}" for k in sorted(set(modes))))
    return "\n".join([*rows, "end-hamiltonian-section", "end-operator"]) + "\n"


def qumvia_text(w: list[float], phi: Derivatives) -> str:
    """Without constants of four different modes."""
    d = len(w)

    def row(modes: tuple[int, ...], *shapes: str) -> str:
        places = [tuple(sorted(modes["abc".index(c)] for c in shape)) for shape in shapes]
        values = [phi.get(p, w[p[0] - 1] if len(p) == 2 else 0.0) * prod(w[k - 1] for k in p) ** 0.5 for p in places]
        units = [HARTREE ** (1.0 + 0.5 * len(p)) for p in places]
        return " ".join(map(str, modes)) + "".join(f"  {x / u:.17E}".replace("E", "D") for x, u in zip(values, units))

    rows = [row((i,), "aa", "aaa", "aaaa") for i in range(1, d + 1)]
    pairs = [(i, j) for i in range(1, d + 1) for j in range(i + 1, d + 1)]
    rows += [row(pair, "aab", "abb", "aaab", "abbb", "aabb") for pair in pairs]
    rows += [row((*p, k), "abc", "aabc", "abbc", "abcc") for p in pairs for k in range(p[1] + 1, d + 1)]
    return "\n".join(rows) + "\n"


def hs_text(w: list[float], phi: Derivatives) -> str:
    """Without constants of four different modes."""
    length = ANGSTROM / sqrt(ELECTRONS)
    rows = ["# Energy / hartree", "   0.0D+00"]
    blocks = [("Hessian(i,i)", "aa"), ("Cubic(i,i,i)", "aaa"), ("Quartic(i,i,i,i)", "aaaa"), ("Cubic(i,i,j)", "aab")]
    blocks += [("Quartic(i,i,j,j)", "aabb"), ("Quartic(i,i,i,j)", "aaab"), ("Cubic(i,j,k)", "abc")]
    blocks += [("Quartic(i,i,j,k)", "aabc")]
    for title, shape in blocks:
        rows.append(f"# {title} / hartree Angs^-{len(shape)} amu^-{len(shape) / 2:g}")
        seen = set()
        for places in np.ndindex((len(w),) * len(set(shape))):
            modes = tuple(sorted(places["abc".index(c)] + 1 for c in shape))
            if len(set(places)) < len(places) or modes in seen:
                continue
            seen.add(modes)
            value = phi.get(modes, w[modes[0] - 1] if len(modes) == 2 else 0.0) / HARTREE
            value *= prod(w[k - 1] / HARTREE for k in modes) ** 0.5 / length ** len(modes)
            rows.append("".join(f"{k + 1:4d}" for k in places) + f"  {value:.17E}".replace("E", "D"))
    return "\n".join(rows) + "\n"


def pyvpt2_text(w: list[float], phi: Derivatives, atoms: int, flat: bool = True) -> str:
    """Of the quartic constants those of two pairs; ``w`` of 3 atoms - 6 modes."""
    n = 3 * atoms
    cubic, quartic, omega = np.zeros((n, n, n)), np.zeros((n, n)), np.zeros(n)
    omega[6:] = w
    for modes, x in phi.items():
        if len(modes) == 3:
            for order in ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)):
                cubic[tuple(modes[k] + 5 for k in order)] = x
        elif modes[0] == modes[1] and modes[2] == modes[3]:
            quartic[modes[0] + 5, modes[2] + 5] = quartic[modes[2] + 5, modes[0] + 5] = x
    positions = np.random.default_rng(4).normal(size=(atoms, 3))
    zeta = np.zeros((3, n, n))
    zeta[1, 6, 7], zeta[1, 7, 6] = 0.25, -0.25
    data = {
        "molecule": {"symbols": ["H"] * atoms, "geometry": positions.ravel().tolist(), "masses": [1.0] * atoms},
        "omega": omega.tolist(),
        "nu": (omega * 0.96).tolist(),
        "phi_ijk": cubic.ravel().tolist() if flat else cubic.tolist(),
        "phi_iijj": quartic.ravel().tolist() if flat else quartic.tolist(),
        "rotational_constants": [12.0, 9.0, 5.0],
        "zeta": zeta.ravel().tolist(),
    }
    return json.dumps(data)


def in_pairs(modes: tuple[int, ...]) -> bool:
    """Whether pyVPT2 has a constant of these modes."""
    return len(modes) == 3 or (modes[0] == modes[1] and modes[2] == modes[3])


def derivatives_of(field: ForceField) -> dict[tuple[int, ...], float]:
    """The full derivatives of a field, modes from 1."""
    return {tuple(k + 1 for k in m): c * factorials(m) for m, c in field.terms.items()}
