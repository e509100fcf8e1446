"""Weights over all products of patch features, as train, tree or sum of products, with analytic gradients.

    score_y(x) = <W_y, phi(x_1) o ... o phi(x_p)>,   phi(x) = (1, max(A x + b, 0)),   patches x_1 ... x_p

Cohen, Sharir, Shashua, COLT 2016, eq. 2 and 3 (CP: shallow; HT: deep); Khrulkov, Novikov, Oseledets, ICLR 2018, eq. 9
(train: recurrent). All classes share the cores but one, which has the index of the class. Numbers, for m features with
the constant, width r, K classes and p patches:

    cp    factors (p, m, r), class (r, K)
    tt    cores (p, m, r, r), ends (r,) twice, class (r, K, r) in the middle
    ht    leaves (p, m, r), transfer (r r, r) at each joint of a balanced tree, class (r r, K) at the root

Cores begin near the identity, times features that are nearly one: a product of p factors neither grows nor vanishes.
A pass costs O(B p m r) (cp), O(B p m r^2) (tt), O(B p r^3) (ht) for B rows, all in matrix products.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

import numpy as np

Format: TypeAlias = Literal["tt", "ht", "cp"]
FORMATS: tuple[Format, ...] = ("tt", "ht", "cp")
Parameters: TypeAlias = dict[str, np.ndarray]
# from the gradient (B, K) of the scores: of the parameters, and of the features (p, B, m)
Backward: TypeAlias = Callable[[np.ndarray], tuple[Parameters, np.ndarray]]
SPREAD = 0.3  # of the first weights of a feature, over sqrt(m): 0.1 to 0.5 fit digits alike


def begin(form: Format, patches: int, size: int, features: int, width: int, classes: int, seed: int) -> Parameters:
    """The first parameters: ``size`` numbers a patch, ``features`` of them learned beside the constant."""
    rng = np.random.default_rng([seed, 0])
    m = features + 1
    found = {
        "A": rng.standard_normal((size, features)) * np.sqrt(2.0 / size),
        "b": 0.1 * np.ones(features),
    }
    noise = SPREAD / np.sqrt(m)
    if form == "tt":
        found["cores"] = noise / np.sqrt(width) * rng.standard_normal((patches, m, width, width))
        found["cores"][:, 0] += np.eye(width)
        found["first"] = np.ones(width) / np.sqrt(width)
        found["last"] = np.ones(width) / np.sqrt(width)
        found["class"] = 0.1 * rng.standard_normal((width, classes, width))
        return found
    found["leaves"] = noise * rng.standard_normal((patches, m, width))
    found["leaves"][:, 0] += 1.0
    if form == "cp":
        found["class"] = 0.1 / np.sqrt(width) * rng.standard_normal((width, classes))
        return found
    joints, count = 0, patches
    while count > 2:
        joints += count // 2
        count -= count // 2
    copy = np.zeros((width, width, width))
    copy[range(width), range(width), range(width)] = 1.0
    found["joints"] = np.tile(copy.reshape(width * width, width), (joints, 1, 1))
    found["joints"] += noise / width * rng.standard_normal(found["joints"].shape)
    found["class"] = 0.1 / width * rng.standard_normal((width * width if patches > 1 else width, classes))
    return found


def numbers(parameters: Parameters) -> int:
    """How many numbers a model has."""
    return sum(array.size for array in parameters.values())


def represented(parameters: Parameters, x: np.ndarray) -> np.ndarray:
    """Features (p, B, m) of patches x (p, B, size)."""
    patches, rows, _ = x.shape
    found = np.empty((patches, rows, 1 + len(parameters["b"])))
    found[:, :, 0] = 1.0
    np.maximum(x @ parameters["A"] + parameters["b"], 0.0, out=found[:, :, 1:])
    return found


def scores(form: Format, parameters: Parameters, x: np.ndarray, dropped: np.ndarray | None = None) -> np.ndarray:
    """(B, K) of patches x (p, B, size)."""
    return forward(form, parameters, represented(parameters, x), dropped)[0]


def forward(
    form: Format, parameters: Parameters, phi: np.ndarray, dropped: np.ndarray | None = None
) -> tuple[np.ndarray, Backward]:
    """Scores (B, K) of features (p, B, m), and what gives the gradients; ``dropped`` (p, B): patches that count as the
    constant alone."""
    if dropped is not None:
        phi = phi.copy()
        phi[dropped, 1:] = 0.0
    pass_ = {"tt": _train, "ht": _tree, "cp": _products}[form]
    found, back = pass_(parameters, phi)

    def backward(gradient: np.ndarray) -> tuple[Parameters, np.ndarray]:
        of_parameters, of_features = back(gradient)
        if dropped is not None:
            of_features[dropped, 1:] = 0.0
        return of_parameters, of_features

    return found, backward


def gradients(
    form: Format,
    parameters: Parameters,
    x: np.ndarray,
    slope: Callable[[np.ndarray], np.ndarray],
    dropped: np.ndarray | None = None,
) -> tuple[np.ndarray, Parameters, np.ndarray]:
    """Scores, gradient of the parameters and of the patches; ``slope``: of the loss in the scores, at the scores."""
    phi = represented(parameters, x)
    found, backward = forward(form, parameters, phi, dropped)
    of_parameters, of_features = backward(slope(found))
    active = of_features[:, :, 1:] * (phi[:, :, 1:] > 0.0)
    of_parameters["A"] = np.tensordot(x, active, ((0, 1), (0, 1)))
    of_parameters["b"] = active.sum(axis=(0, 1))
    return found, of_parameters, active @ parameters["A"].T


def _products(parameters: Parameters, phi: np.ndarray) -> tuple[np.ndarray, Backward]:
    leaves, last = parameters["leaves"], parameters["class"]
    each = phi @ leaves  # (p, B, r)
    before, after = np.ones_like(each), np.ones_like(each)
    for k in range(1, len(each)):
        np.multiply(before[k - 1], each[k - 1], out=before[k])
        np.multiply(after[-k], each[-k], out=after[-k - 1])
    whole = before[-1] * each[-1]

    def backward(gradient: np.ndarray) -> tuple[Parameters, np.ndarray]:
        of_each = before * after * (gradient @ last.T)
        of_parameters = {"leaves": phi.transpose(0, 2, 1) @ of_each, "class": whole.T @ gradient}
        return of_parameters, of_each @ leaves.transpose(0, 2, 1)

    return whole @ last, backward


def _train(parameters: Parameters, phi: np.ndarray) -> tuple[np.ndarray, Backward]:
    cores, middle = parameters["cores"], parameters["class"]
    patches, m, r, _ = cores.shape
    rows, half, classes = phi.shape[1], patches // 2, middle.shape[1]
    flat = cores.reshape(patches, m, r * r)
    sites = (phi @ flat).reshape(patches, rows, r, r)
    left, right = [np.tile(parameters["first"], (rows, 1))], [np.tile(parameters["last"], (rows, 1))]
    for k in range(half):
        left.append(np.matmul(left[-1][:, None, :], sites[k])[:, 0])
    for k in range(patches - 1, half - 1, -1):
        right.append(np.matmul(sites[k], right[-1][:, :, None])[:, :, 0])
    opened = (left[-1] @ middle.reshape(r, -1)).reshape(rows, classes, r)
    found = np.matmul(opened, right[-1][:, :, None])[:, :, 0]

    def backward(gradient: np.ndarray) -> tuple[Parameters, np.ndarray]:
        of_sites = np.empty_like(sites)
        weighted = (gradient[:, :, None] * right[-1][:, None, :]).reshape(rows, -1)  # (B, K r)
        of_left = weighted @ middle.reshape(r, -1).T
        of_right = np.matmul(gradient[:, None, :], opened)[:, 0]
        of_class = (left[-1].T @ weighted).reshape(middle.shape)
        for k in range(half - 1, -1, -1):
            of_sites[k] = left[k][:, :, None] * of_left[:, None, :]
            of_left = np.matmul(sites[k], of_left[:, :, None])[:, :, 0]
        for k in range(half, patches):
            of_sites[k] = of_right[:, :, None] * right[patches - 1 - k][:, None, :]
            of_right = np.matmul(of_right[:, None, :], sites[k])[:, 0]
        of_flat = of_sites.reshape(patches, rows, r * r)
        of_parameters = {
            "cores": (phi.transpose(0, 2, 1) @ of_flat).reshape(cores.shape),
            "first": of_left.sum(axis=0),
            "last": of_right.sum(axis=0),
            "class": of_class,
        }
        return of_parameters, of_flat @ flat.transpose(0, 2, 1)

    return found, backward


def _tree(parameters: Parameters, phi: np.ndarray) -> tuple[np.ndarray, Backward]:
    """Levels from the leaves to the root; where their number is odd the last one goes up alone."""
    leaves, joints, last = parameters["leaves"], parameters["joints"], parameters["class"]
    levels, used = [phi @ leaves], 0
    products: list[tuple[np.ndarray, slice]] = []
    while len(levels[-1]) > 2:
        below = levels[-1]
        pairs = len(below) // 2
        own = slice(used, used + pairs)
        used += pairs
        outer = _outer(below[0 : 2 * pairs : 2], below[1 : 2 * pairs : 2])
        products.append((outer, own))
        levels.append(np.concatenate([outer @ joints[own], below[2 * pairs :]]))
    top = levels[-1]
    whole = _outer(top[:1], top[1:])[0] if len(top) == 2 else top[0]

    def backward(gradient: np.ndarray) -> tuple[Parameters, np.ndarray]:
        of_whole = gradient @ last.T
        of_joints = np.empty_like(joints)
        of_level = _inner(of_whole[None], top[:1], top[1:]) if len(top) == 2 else of_whole[None]
        for below, (outer, own) in zip(levels[-2::-1], products[::-1]):
            pairs = len(outer)
            of_joints[own] = outer.transpose(0, 2, 1) @ of_level[:pairs]
            of_outer = of_level[:pairs] @ joints[own].transpose(0, 2, 1)
            carried = of_level[pairs:]
            of_level = np.concatenate([_inner(of_outer, below[0 : 2 * pairs : 2], below[1 : 2 * pairs : 2]), carried])
        of_parameters = {
            "leaves": phi.transpose(0, 2, 1) @ of_level,
            "joints": of_joints,
            "class": whole.T @ gradient,
        }
        return of_parameters, of_level @ leaves.transpose(0, 2, 1)

    return whole @ last, backward


def _outer(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(q, B, r r) of (q, B, r) twice."""
    return (a[:, :, :, None] * b[:, :, None, :]).reshape(*a.shape[:2], -1)


def _inner(of_outer: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Gradients of the factors of ``_outer``, one after the other: (2 q, B, r)."""
    pairs, rows, r = a.shape
    square = of_outer.reshape(pairs, rows, r, r)
    found = np.empty((2 * pairs, rows, r))
    found[0::2] = np.matmul(square, b[:, :, :, None])[..., 0]
    found[1::2] = np.matmul(a[:, :, None, :], square)[:, :, 0]
    return found
