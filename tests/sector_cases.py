"""Small random sum-of-products operators and trains with one parity, and their dense counterparts."""

import numpy as np

from solvers.sectors.train import SectorTrain, layout

PARITY_MODES = (((0, 2), (1, 2)), ((0, 3),), ((0, 1), (1, 2)), ((0, 2), (1, 1)))
PLAIN_MODES = (((0, 3),), ((0, 2),), ((0, 4),), ((0, 2),))


def mode_charge(mode):
    return np.concatenate([np.full(n, c) for c, n in mode])


def total_charges(modes):
    """The charge of every product of mode functions, in the order of the dense vector."""
    charges = np.zeros(1, dtype=np.int64)
    for mode in modes:
        charges = (charges[:, None] ^ mode_charge(mode)[None, :]).ravel()
    return charges


def random_terms(rng, modes, n_terms=6, symmetric=True):
    """Matrices (1, one even, one odd) of each mode and terms with an even number of odd ones."""
    matrices, terms = [], []
    for mode in modes:
        charge = mode_charge(mode)
        same = charge[:, None] == charge[None, :]
        stack = [np.eye(len(charge))]
        for keep in (same, ~same):
            a = rng.standard_normal(same.shape)
            stack.append(np.where(keep, a + a.T if symmetric else a, 0.0))
        matrices.append(np.array(stack))
    for _ in range(n_terms):
        odd = rng.permutation(len(modes))[: 2 * rng.integers(0, len(modes) // 2 + 1)]
        product = {k: 2 if k in odd else int(rng.integers(0, 2)) for k in range(len(modes))}
        terms.append((float(rng.standard_normal()), product))
    return matrices, terms


def dense_sum(matrices, terms):
    """The sum of Kronecker products itself."""
    total = 0.0
    for c, product in terms:
        term = np.ones((1, 1))
        for k, stack in enumerate(matrices):
            term = np.kron(term, stack[product.get(k, 0)])
        total = total + c * term
    return total


def random_sector_train(rng, modes, charge, rank=3):
    """Gaussian blocks, up to ``rank`` for every charge a bond can carry."""
    left, right = [{0}], [{charge}]
    for mode in modes:
        left.append({a ^ m for a in left[-1] for m, _ in mode})
    for mode in reversed(modes):
        right.append({a ^ m for a in right[-1] for m, _ in mode})
    reach = [sorted(a & b) for a, b in zip(left, reversed(right))]
    bonds = [tuple((c, int(rng.integers(1, rank + 1))) for c in charges) for charges in reach]
    bonds[0], bonds[-1] = ((0, 1),), ((charge, 1),)
    cores = tuple(rng.standard_normal(layout(bonds[k], modes[k], bonds[k + 1])[1]) for k in range(len(modes)))
    return SectorTrain(tuple(modes), tuple(bonds), cores)


def dense(x):
    return x.to_train().full().ravel()
