"""Arrays from the files that people keep them in: .npy, .npz, .mat (up to version 7.2) and .safetensors.

Nothing in a file is run: no pickles. The header of a safetensors file is JSON, its length the first eight bytes; types
and places are checked against the size of the file before a byte is read.
"""

from __future__ import annotations

import fnmatch
import json
import zipfile
from collections.abc import Mapping
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from problems.errors import ProblemError
from problems.tables import raise_all

KEY, NAMES = "problem.tensor", "problem.names"
ENDINGS = (".npy", ".npz", ".mat", ".safetensors")
MOST_ENTRIES = 10_000_000
MOST_ARRAYS = 64
MOST_AXES = 32
LONGEST_HEADER = 100_000_000  # bytes, as of the format's own library
# types of safetensors; bfloat16 is the upper half of a float32
TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1"}
TYPES |= {"U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1", "BOOL": "u1"}


@lru_cache(4)
def read_arrays(path: Path, names: str) -> dict[str, np.ndarray]:
    """Name -> array of double precision, of those whose name matches ``names`` (with * and ?), in the file's order.

    Of several that match, those of fewer than two axes are left out. Raises ProblemError for anything wrong.
    """
    found = _all_of(path)
    chosen = {name: array for name, array in found.items() if fnmatch.fnmatchcase(name, names)}
    if not chosen:
        known = ", ".join(list(found)[:8]) + (", ..." if len(found) > 8 else "")
        raise ProblemError(f"no array of {path.name} is called {names!r}; it has {known or 'none'}", NAMES)
    if len(chosen) > 1:
        chosen = {name: array for name, array in chosen.items() if array.ndim >= 2} or chosen
    if len(chosen) > MOST_ARRAYS:
        message = f"{len(chosen)} arrays of {path.name} match {names!r}, more than {MOST_ARRAYS}"
        raise ProblemError(message, NAMES)
    raise_all(partial(_checked, array, path.name, name) for name, array in chosen.items())
    return {name: np.ascontiguousarray(array, dtype=np.float64) for name, array in chosen.items()}


def _all_of(path: Path) -> Mapping[str, np.ndarray]:
    ending = path.suffix.lower()
    try:
        if not path.is_file():
            raise ProblemError(f"no such file: {path}", KEY)
        if ending == ".npy":
            return {path.stem: np.load(path, allow_pickle=False)}
        if ending == ".npz":
            with np.load(path, allow_pickle=False) as archive:
                return {name: archive[name] for name in archive.files}
        return _matlab(path) if ending == ".mat" else _safetensors(path)
    except ProblemError:
        raise
    except OSError as error:
        raise ProblemError(f"cannot read {path.name}: {error.strerror or error}", KEY) from None
    except (ValueError, EOFError, TypeError, KeyError, AttributeError, zipfile.BadZipFile) as error:
        reason = " ".join(str(error).split())
        if "allow_pickle" in reason:
            reason = "it holds Python objects, which are not read: save plain numbers"
        raise ProblemError(f"{path.name}: not a readable {ending} file: {reason[:200]}", KEY) from None


def _matlab(path: Path) -> dict[str, np.ndarray]:
    from scipy.io import loadmat  # heavy, and seldom needed

    try:
        found = loadmat(path)
    except NotImplementedError:
        raise ProblemError(f"{path.name}: MATLAB's version 7.3 is not read: save it with -v7", KEY) from None
    except Exception as error:  # whatever bytes that are no such file make the reader raise means the same here
        reason = " ".join(str(error).split())[:200]
        raise ProblemError(f"{path.name}: not a readable .mat file: {reason}", KEY) from None
    return {name: array for name, array in found.items() if isinstance(array, np.ndarray)}


def _safetensors(path: Path) -> dict[str, np.ndarray]:
    raw = path.read_bytes()
    length = int.from_bytes(raw[:8], "little")
    if len(raw) < 8 or length > min(len(raw) - 8, LONGEST_HEADER):
        raise ProblemError(f"{path.name}: not a readable .safetensors file: its header is cut short", KEY)
    header, data = json.loads(raw[8 : 8 + length].decode("utf-8")), memoryview(raw)[8 + length :]
    found = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        kind, shape, (begin, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
        if kind not in TYPES:
            raise ProblemError(f"{path.name}: {name} is of type {kind!r}, which is not read", KEY)
        dtype = np.dtype(TYPES[kind])
        sizes = [*shape, begin, end]
        if any(type(n) is not int or n < 0 for n in sizes):
            raise ProblemError(f"{path.name}: {name} has an impossible shape or place", KEY)
        count = 1
        for n in shape:
            count *= n
        if end > len(data) or end - begin != count * dtype.itemsize:
            raise ProblemError(f"{path.name}: {name} does not fit its place in the file: it is cut short", KEY)
        array = np.frombuffer(data[begin:end], dtype=dtype).reshape(shape)
        found[name] = (array.astype("<u4") << 16).view("<f4") if kind == "BF16" else array
    return found


def _checked(array: np.ndarray, file: str, name: str) -> None:
    """ProblemError unless an array has at least two axes and finite real numbers, not all zero."""
    where = f"{file}: {name}"
    if array.dtype.kind == "c":
        raise ProblemError(f"{where} is complex: give real and imaginary parts as arrays of their own", KEY)
    if array.dtype.kind not in "biuf":
        raise ProblemError(f"{where} has entries of type {array.dtype}, not numbers", KEY)
    if array.size == 0 or array.ndim < 2:
        raise ProblemError(f"{where} has shape {array.shape}: needs at least two axes, none empty", KEY)
    if array.size > MOST_ENTRIES or array.ndim > MOST_AXES:
        raise ProblemError(f"{where} has {array.size} entries, more than {MOST_ENTRIES}", KEY)
    finite = np.isfinite(np.asarray(array, dtype=np.float64))
    if not finite.all():
        place = tuple(int(i) for i in np.argwhere(~finite)[0])
        raise ProblemError(f"{where} has NaN or infinity, first at index {place} (from 0)", KEY)
    if not array.any():
        raise ProblemError(f"{where} is zero everywhere: relative errors need other entries", KEY)
