"""Quantics trains: vectors and operators on 2^L points an axis, one mode of size 2 a bit.

Axes in sequence, the most significant bit first ("sequential"), or the bits of all axes "interleaved".
"""

from solvers.formats.quantics.axes import deparallelised, kron, kronecker_sum, on_axis, permuted, reordered, split_axes
from solvers.formats.quantics.bits import from_bits, layout, to_bits
from solvers.formats.quantics.calculus import antiderivative, derivative
from solvers.formats.quantics.divergence import divergence_form
from solvers.formats.quantics.domain import Domain
from solvers.formats.quantics.domains import Mapped, Quadrilateral, Ring, Triangle
from solvers.formats.quantics.fourier import fourier, fourier_operator
from solvers.formats.quantics.functions import (
    cosine,
    exponential,
    gaussian,
    heaviside,
    polynomial,
    sampled,
    sine,
    unit_vector,
)
from solvers.formats.quantics.interpolation import interpolated
from solvers.formats.quantics.levels import coarsen, prolongation, refine
from solvers.formats.quantics.multilevel import Multilevel, multilevel
from solvers.formats.quantics.operators import (
    cumulative_sum,
    cyclic_shift,
    diagonal,
    first_difference,
    identity,
    inverse_laplacian,
    laplacian,
    shift,
    tridiagonal,
)
from solvers.formats.quantics.sums import gaussian_sum, inverse_distance, inverse_shifted, separable
from solvers.formats.quantics.toeplitz import circulant_operator, convolve, toeplitz_operator
from solvers.formats.quantics.views import coarse_grid, line, plane, reduced

__all__ = [
    "Domain",
    "Mapped",
    "Multilevel",
    "Quadrilateral",
    "Ring",
    "Triangle",
    "antiderivative",
    "circulant_operator",
    "coarse_grid",
    "coarsen",
    "convolve",
    "cosine",
    "cumulative_sum",
    "cyclic_shift",
    "deparallelised",
    "derivative",
    "diagonal",
    "divergence_form",
    "exponential",
    "first_difference",
    "fourier",
    "fourier_operator",
    "from_bits",
    "gaussian",
    "gaussian_sum",
    "heaviside",
    "identity",
    "interpolated",
    "inverse_distance",
    "inverse_laplacian",
    "inverse_shifted",
    "kron",
    "kronecker_sum",
    "laplacian",
    "layout",
    "line",
    "multilevel",
    "on_axis",
    "permuted",
    "plane",
    "polynomial",
    "prolongation",
    "reduced",
    "refine",
    "reordered",
    "sampled",
    "separable",
    "shift",
    "sine",
    "split_axes",
    "to_bits",
    "toeplitz_operator",
    "tridiagonal",
    "unit_vector",
]
