"""What ``elliptic`` is given, checked: the coefficients, the load and the ends of one problem."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from solvers.elliptic.mapped import Reference, Tensor, check_tensor
from solvers.elliptic.passes import Load, Problem
from solvers.elliptic.resolution import Feature
from solvers.formats.quantics.bits import check_levels
from solvers.formats.quantics.coefficients import Coefficient, Ends, Given, checked_ends, function_of
from solvers.formats.quantics.domain import Domain, DomainEnds
from solvers.formats.trains.tensor_train import TensorTrain


def checked_problem(
    levels: Sequence[int],
    diffusion: Given | Tensor | tuple[Given, ...],
    load: Load | np.ndarray,
    reaction: Given,
    ends: Ends | DomainEnds,
    features: Sequence[tuple[Sequence[float], float]] = (),
    domain: Domain | None = None,
) -> Problem:
    """The problem of the arguments of ``elliptic``, or ValueError."""
    sizes = check_levels(levels)
    d = len(sizes)
    if domain is not None:
        return _on_domain(sizes, diffusion, load, reaction, ends, features, domain)
    if d > 3:
        raise ValueError(f"one to three axes can be solved, not {d}")
    pairs = checked_ends(ends, d)
    parts = diffusion if isinstance(diffusion, tuple) else (diffusion,) * d
    if len(parts) != d:
        raise ValueError(f"a tuple of coefficients has one a direction, {d}, not {len(parts)}")
    marks = checked_features(features, d)
    known: dict[int, Coefficient] = {id(one): function_of(one, d, "the coefficient", positive=True) for one in parts}
    if isinstance(load, TensorTrain):
        if load.shape != (2,) * sum(sizes) or load.dtype.kind == "c":
            raise ValueError(f"a load as a train has {sum(sizes)} modes of size 2, real, not {load.dtype} {load.shape}")
        side: Load = load
    else:
        side = function_of(load, d, "the load")
    return Problem(
        sizes,
        pairs,
        tuple(known[id(one)] for one in parts),
        function_of(reaction, d, "the reaction"),
        side,
        marks,
    )


def _on_domain(
    levels: tuple[int, ...],
    diffusion: Given | Tensor | tuple[Given, ...],
    load: Load | np.ndarray,
    reaction: Given,
    ends: Ends | DomainEnds,
    features: Sequence[tuple[Sequence[float], float]],
    domain: Domain,
) -> Problem:
    """The problem on the square that one on ``domain`` is."""
    if not isinstance(domain, Domain):
        raise ValueError(f"a domain is a Quadrilateral, Triangle, Ring or Mapped of quantics, not {domain!r}"[:300])
    if len(levels) != 2:
        raise ValueError(f"domains are plane: two axes, not {len(levels)}")
    if isinstance(load, TensorTrain):
        raise ValueError("on a domain the load is a number or a function of its points, not a train")
    for what, given in (("the load", load), ("the reaction", reaction)):
        if not callable(given) and np.ndim(given):
            raise ValueError(f"on a domain {what} is a number or a function of its points, not an array of cells")
    if isinstance(diffusion, tuple):
        raise ValueError("on a domain the coefficient is one number, matrix or function, not a tuple of directions")
    tensor = check_tensor(diffusion)
    f, c = function_of(load, 2, "the load"), function_of(reaction, 2, "the reaction")
    pairs = domain.ends(ends)
    reference = Reference(domain, tensor, c, f)
    return Problem(levels, pairs, (1.0, 1.0), 0.0, 0.0, checked_features(features, 2), reference)


def checked_features(features: Sequence[tuple[Sequence[float], float]], d: int) -> tuple[Feature, ...]:
    """Pairs (position, width) as they are stored, or ValueError."""
    for position, width in features:
        if len(position) != d or not all(0.0 <= x <= 1.0 for x in position) or not width > 0.0:
            raise ValueError(f"a feature is a point of [0, 1]^{d} and a width above zero, not {position!r}, {width!r}")
    return tuple((tuple(float(x) for x in position), float(width)) for position, width in features)
