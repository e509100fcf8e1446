"""Complex Hermitian operators by their exact real form.

H = A + iB with A symmetric and B antisymmetric acts on z = x + iy as the real symmetric matrix [[A, -B], [B, A]] on
(x, y): A (x) 1 + B (x) [[0, -1], [1, 0]] on one more mode of size two. As a TT operator it has at most twice the
ranks: a product of complex cores W is carried as its real and imaginary part through [[Re W, Im W], [-Im W, Re W]],
and the last core turns the pair into the two 2 x 2 matrices. Every eigenvalue appears twice, for z and iz; the complex
states are recovered by Rayleigh-Ritz in the complex span of the real ones.
"""

from __future__ import annotations

import numpy as np

from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain, dot
from solvers.measured import amount

NOT_HERMITIAN = 1e-9  # relative size of H - H^dagger that is refused
IMAGINARY = 1e-14  # relative size of an imaginary part that is rounding errors
ROUNDED = 1e-15  # of the real part's ranks, which are twice those needed


def check_hermitian(operator: TTOperator) -> None:
    """ValueError for an operator whose distance from its adjoint exceeds ``NOT_HERMITIAN`` ||H||. Cost O(d n^2 R^3)."""
    norm = operator.norm()
    distance = (operator - operator.adjoint()).norm()
    if distance > NOT_HERMITIAN * norm:
        raise ValueError(f"the operator is not Hermitian: ||H - H^dagger|| is {amount(distance / norm)} of ||H||")


def real_form(operator: TTOperator) -> TTOperator:
    """The real symmetric operator on one more mode of size two; twice the TT-ranks."""
    cores = []
    for k, w in enumerate(operator.cores):
        top = np.concatenate([w.real, w.imag], axis=3)
        bottom = np.concatenate([-w.imag, w.real], axis=3)
        cores.append(np.ascontiguousarray(top if k == 0 else np.concatenate([top, bottom], axis=0)))
    pair = np.array([np.eye(2), [[0.0, -1.0], [1.0, 0.0]]])
    return TTOperator((*cores, np.ascontiguousarray(pair[..., None])))


def real_part(operator: TTOperator) -> TTOperator | None:
    """The operator itself in real cores, where its imaginary part is rounding errors; None where it is not.

    Products of imaginary matrices (two spins' y components) give real matrices in complex cores: what is real is found
    to be so by a phase a bond index (ranks and zeros stay), or else by carrying real and imaginary part apart
    (``real_form``) and cutting either off at the last core.
    """
    turned = _by_phases(operator)
    if turned is not None:
        return turned
    cores = [np.array(core) for core in real_form(operator).cores[:-1]]
    re, im = (TTOperator((*cores[:-1], np.ascontiguousarray(cores[-1] @ np.eye(2)[:, [side]]))) for side in (0, 1))
    if im.norm() > IMAGINARY * operator.norm():
        return None
    return re.round(ROUNDED)


def _by_phases(operator: TTOperator) -> TTOperator | None:
    """Real cores by a phase a bond index, from the left; None where there are no such phases."""
    phases, cores = np.ones(1, dtype=complex), []
    for core in operator.cores:
        moved = phases[:, None, None, None] * core
        tops = moved.reshape(-1, core.shape[3])
        top = tops[np.abs(tops).argmax(axis=0), np.arange(core.shape[3])]
        sizes = np.abs(top)
        following = np.where(sizes > 0.0, top / np.where(sizes > 0.0, sizes, 1.0), 1.0)
        moved = moved / following
        if np.abs(moved.imag).max() > IMAGINARY * np.abs(moved).max():
            return None
        cores.append(np.ascontiguousarray(moved.real))
        phases = following
    if abs(phases[0].imag) > IMAGINARY:
        return None
    return TTOperator((*cores[:-1], cores[-1] * phases[0].real))


def complex_train(x: TensorTrain) -> TensorTrain:
    """z = x + iy of a real train whose last mode tells real from imaginary part."""
    last = np.einsum("anb,n->ab", x.cores[-1], np.array([1.0, 1.0j]))
    return TensorTrain((*x.cores[:-2], np.einsum("anb,bc->anc", x.cores[-2], last)))


def recover(
    operator: TTOperator,
    states: list[TensorTrain],
    errors: np.ndarray,
    n_states: int,
    tol: float,
    max_rank: int | None = None,
) -> tuple[np.ndarray, list[TensorTrain], np.ndarray]:
    """Energies (n,), orthonormal complex states, and errors, from real-form states in ascending energy.

    2n real states span at least n complex dimensions (each real pair is z, iz), also where the last level is cut. A
    complex state is a combination of several real ones, whose ranks add up: where ``max_rank`` cuts it, its energy is
    that of what is left, which is no longer orthogonal to the others, and what the cut raised it by is in its error.
    """
    z = [complex_train(x) for x in states]
    images = [operator @ v for v in z]
    gram = np.array([[dot(a, b) for b in z] for a in z])
    elements = np.array([[dot(a, b) for b in images] for a in z])
    weights, vectors = np.linalg.eigh(gram)
    basis = vectors[:, weights > 1e-3] / np.sqrt(weights[weights > 1e-3])
    energies, mixing = np.linalg.eigh(basis.conj().T @ (0.5 * (elements + elements.conj().T)) @ basis)
    coefficients = basis @ mixing
    energies = energies[:n_states].copy()
    found, bounds = [], []
    for i, c in enumerate(coefficients.T[:n_states]):
        used = np.flatnonzero(np.abs(c) > 1e-3 * tol)
        total = z[used[0]] * complex(c[used[0]])
        for j in used[1:]:
            total = total + z[j] * complex(c[j])
        total = total.round(tol=tol)
        bound = float(np.max(errors[np.abs(c) > 0.1 * np.abs(c).max()]))
        if max_rank is not None and max(total.ranks) > max_rank:
            total = total.round(max_rank=max_rank)
            quotient = float(dot(total, operator @ total).real / total.norm() ** 2)
            bound += max(quotient - energies[i], 0.0)
            energies[i] = quotient
        found.append(total * (1.0 / total.norm()))
        bounds.append(bound)
    order = np.argsort(energies, kind="stable")
    return energies[order], [found[i] for i in order], np.array(bounds)[order]
