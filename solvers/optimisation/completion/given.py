"""What is given of a tensor: samples, values and weights; those set aside; and what repeated samples say of noise.

A sample given more than once, values b_i with weights w_i, is one of their mean by weight with the sum of their
weights: that changes no sum of weighted squares but by a constant. The constant tells the noise: with n values of u
different samples, a value of weight one has the variance

    s^2 = sum_i w_i |b_i - mean|^2 / (n - u),

and the means, relative to their own weighted 2-norm, are off by sqrt(u s^2 / sum_j W_j |mean_j|^2).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from solvers.measured import amount
from solvers.optimisation.completion.dimension import LEAST_VALIDATION, set_aside
from solvers.optimisation.completion.start import index_sums
from solvers.optimisation.samples import Samples, Sampling, held_out
from solvers.solution import Checked

S = TypeVar("S", bound=Sampling)


@dataclass(frozen=True, eq=False)
class Data(Generic[S]):
    """Samples, their ``values`` (m,), real or complex, and ``weights`` (m,) of mean one where none were given."""

    samples: S
    values: np.ndarray
    weights: np.ndarray

    def __len__(self) -> int:
        return len(self.values)

    def only(self, chosen: np.ndarray) -> Data[S]:
        """Those of a mask (m,) or of places in the list."""
        return Data(self.samples.only(chosen), self.values[chosen], self.weights[chosen])

    def joined(self, other: Data[S]) -> Data[S]:
        """Both."""
        samples = self.samples.joined(other.samples)
        values, weights = (np.concatenate(p) for p in ((self.values, other.values), (self.weights, other.weights)))
        return Data(samples, values, weights)

    @property
    def size(self) -> float:
        """The root mean square of the values, by weight."""
        top = float(np.abs(self.values).max(initial=0.0))
        if top == 0.0:
            return 0.0
        return top * float(np.sqrt(self.weights @ np.abs(self.values / top) ** 2 / self.weights.sum()))

    @property
    def effective(self) -> float:
        """How many samples of equal weight say as much: (sum w)^2 / sum w^2 (Kish, Survey Sampling (1965))."""
        return float(self.weights.sum()) ** 2 / float(self.weights @ self.weights) if len(self) else 0.0

    @property
    def arrays(self) -> list[np.ndarray]:
        """What tells this from other data; weights where there are some."""
        return [self.samples.places, self.values, *([] if (self.weights == 1.0).all() else [self.weights])]


@dataclass(frozen=True)
class Repeated:
    """What samples given more than once say: ``count`` of them, the relative ``noise`` of the data after their means
    were taken, and the deviation ``sigma`` of a value whose weight is one (the mean one where none were given)."""

    count: int = 0
    noise: float = 0.0
    sigma: float = 0.0

    @property
    def told(self) -> dict[str, float]:
        """For a solution: ``sigma``, where it is known."""
        return {"sigma": self.sigma} if self.count else {}

    def looks(self, accuracy: float) -> list[Checked]:
        """A look where there are some."""
        if not self.count:
            return []
        text = f"they leave noise of {amount(self.noise)} in the data"
        return [Checked("repeated samples", f"what {self.count} of them differ by", text, self.noise <= accuracy)]


def numbers(values: np.ndarray, what: str, *, zeros: bool = False) -> np.ndarray:
    """Values as float64 or complex128; ValueError with the first thing wrong."""
    values = np.asarray(values)
    if values.dtype.kind not in "iufc":
        raise ValueError(f"{what}: values must be numbers, not {values.dtype}")
    values = values.astype(np.complex128 if values.dtype.kind == "c" else np.float64)
    if not zeros and np.isfinite(values).all() and not values.any():
        raise ValueError(f"{what}: all values are zero; a relative error needs others")
    return values


def checked_weights(weights: np.ndarray | None, count: int) -> np.ndarray:
    """Weights (m,) of mean one; ValueError with the first thing wrong."""
    if weights is None:
        return np.ones(count)
    weights = np.asarray(weights)
    if weights.shape != (count,) or weights.dtype.kind not in "iuf":
        raise ValueError(f"weights must be real numbers ({count},), one a sample, not {weights.dtype} {weights.shape}")
    weights = weights.astype(np.float64)
    wrong = ~(np.isfinite(weights) & (weights > 0.0))
    if wrong.any():
        j = int(np.argmax(wrong))
        raise ValueError(f"weights must be finite and above zero, number {j} is {weights[j]}: leave such samples out")
    top = float(weights.max())
    return weights / top / float(np.mean(weights / top))


def checked(
    indices: np.ndarray,
    values: np.ndarray,
    shape: tuple[int, ...],
    what: str,
    *,
    zeros: bool = False,
    weights: np.ndarray | None = None,
    merge: bool = True,
) -> tuple[Data[Samples], Repeated]:
    """Indices (m, d) and values (m,) as data, each entry once where they ``merge``; ValueError with what is wrong."""
    indices, values = np.asarray(indices), np.asarray(values)
    if indices.ndim != 2 or indices.shape[1] != len(shape) or values.shape != indices.shape[:1] or not len(values):
        wanted = f"indices (m, {len(shape)}) and values (m,), at least one"
        raise ValueError(f"{what}: needs {wanted}, not {indices.shape} and {values.shape}")
    if indices.dtype.kind not in "iu":
        raise ValueError(f"{what}: indices must be integers, not {indices.dtype}")
    values = numbers(values, what, zeros=zeros)
    outside = ((indices < 0) | (indices >= np.array(shape))).any(axis=1)
    if outside.any():
        j = int(np.argmax(outside))
        raise ValueError(f"{what}: index {tuple(indices[j].tolist())} (number {j}) lies outside the shape {shape}")
    if not np.isfinite(values).all():
        j = int(np.argmin(np.isfinite(values)))
        raise ValueError(f"{what}: the value at {tuple(indices[j].tolist())} (number {j}) is not finite")
    indices = np.ascontiguousarray(indices, dtype=np.int64)
    data, repeated = once(Data(Samples(indices, shape), values, checked_weights(weights, len(values))), merge)
    if not zeros and not data.values.any():
        raise ValueError(f"{what}: the means of repeated entries are all zero; a relative error needs others")
    return data, repeated


def once(data: Data[S], merge: bool = True) -> tuple[Data[S], Repeated]:
    """Each sample once, and what the repeated ones say; left as they are where they do not ``merge``."""
    if not merge:
        return data, Repeated()
    _, first, place = np.unique(data.samples.places, axis=0, return_index=True, return_inverse=True)
    if len(first) == len(data):
        return data, Repeated()
    place = place.ravel()
    weights = np.bincount(place, data.weights)
    top = float(np.ldexp(1.0, int(np.frexp(np.abs(data.values).max())[1])))  # a power of two: nothing is rounded
    scaled = data.values / top
    # differences to one of them: values that are all the same stay what they are, to the last digit
    means = scaled[first] + index_sums(place, data.weights * (scaled - scaled[first][place]), len(first)) / weights
    spread = float(data.weights @ np.abs(scaled - means[place]) ** 2)
    sigma = float(np.sqrt(spread / (len(data) - len(first))))
    whole = float(weights @ np.abs(means) ** 2)
    noise = sigma * float(np.sqrt(len(first) / whole)) if whole > 0.0 else (np.inf if sigma > 0.0 else 0.0)
    said = Repeated(len(data) - len(first), noise, top * sigma)
    order = np.argsort(first)
    return Data(data.samples.only(first[order]), top * means[order], weights[order]), said


def split(
    data: Data[Samples], share: float, rng: np.random.Generator, *, cold: bool = False
) -> tuple[Data[Samples], Data[Samples]]:
    """Entries to fit, and entries set aside; each index of each mode keeps a sample to fit.

    Values of one entry stay together. ``cold``: those set aside are drawn as any others would be, for an index without
    samples has its effects. Raises ValueError where an index has no sample at all, and where too few can be set aside.
    """
    places, shape = data.samples.indices, data.samples.shape
    if not cold:
        for k, (column, n) in enumerate(zip(data.samples.columns, shape)):
            count = np.bincount(column, minlength=n)
            if not count.all():
                missing = int(np.argmin(count))
                raise ValueError(f"mode {k + 1} has no sample at index {missing} (from 0): its entries cannot be known")

    def draw(one: np.ndarray, count: int) -> np.ndarray:
        return held_out(places[one], shape, count, rng)

    return parted(data, None if cold else draw, share, rng)


def parted(
    data: Data[S], draw: Callable[[np.ndarray, int], np.ndarray] | None, share: float, rng: np.random.Generator
) -> tuple[Data[S], Data[S]]:
    """Data to fit, and data set aside, values of one place together.

    ``draw``: up to so many of the places given, as a mask; None: at random. Raises ValueError where too few remain.
    """
    _, first, place = np.unique(data.samples.places, axis=0, return_index=True, return_inverse=True)
    one = np.sort(first)
    count = set_aside(len(one), share)
    if draw is None:
        chosen = np.zeros(len(one), dtype=bool)
        chosen[rng.permutation(len(one))[: min(count, len(one) - 1)]] = True
    else:
        chosen = draw(one, count)
    if chosen.sum() < LEAST_VALIDATION:
        raise ValueError(f"too few samples: of {len(one)} only {chosen.sum()} can be set aside to choose the rank")
    aside = np.isin(first, one[chosen])[place.ravel()]
    return data.only(~aside), data.only(aside)
