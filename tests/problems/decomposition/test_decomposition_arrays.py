"""Files of arrays: what is read, and the one line that is said of what is not."""

import json

import numpy as np
import pytest
from scipy.io import savemat

from problems.decomposition.arrays import read_arrays
from problems.errors import ProblemError

ARRAY = np.arange(24.0).reshape(2, 3, 4)


def safetensors(path, entries, cut=0, header=None):
    """A file by the format's description: length of the header, JSON, data."""
    told, data = {"__metadata__": {"format": "pt"}}, b""
    for name, (kind, array) in entries.items():
        raw = array.tobytes()
        told[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(told if header is None else header).encode()
    whole = len(text).to_bytes(8, "little") + text + data
    path.write_bytes(whole[: len(whole) - cut])
    return path


def test_every_kind_of_file(tmp_path):
    np.save(tmp_path / "a.npy", ARRAY)
    np.savez(tmp_path / "a.npz", **{"conv1.weight": ARRAY, "conv1.bias": np.ones(3), "fc": ARRAY[0]})
    savemat(tmp_path / "a.mat", {"x": ARRAY})
    safetensors(tmp_path / "a.safetensors", {"conv1.weight": ("F32", ARRAY.astype("<f4")), "n": ("I64", np.arange(4))})
    for name, key in (("a.npy", "a"), ("a.mat", "x"), ("a.safetensors", "conv1.weight")):
        found = read_arrays(tmp_path / name, "*")
        np.testing.assert_array_equal(found[key], ARRAY)
        assert found[key].dtype == np.float64 and list(found) == [key]
    assert list(read_arrays(tmp_path / "a.npz", "conv*")) == ["conv1.weight"]
    assert list(read_arrays(tmp_path / "a.npz", "*")) == ["conv1.weight", "fc"]


@pytest.mark.parametrize("kind", ["F64", "F16", "BF16", "I8", "U16", "BOOL"])
def test_types_of_safetensors(kind, tmp_path):
    values = np.array([[1.0, 0.0], [1.0, 1.0]])
    stored = {"F64": "<f8", "F16": "<f2", "I8": "i1", "U16": "<u2", "BOOL": "u1"}
    raw = (values.astype("<f4").view("<u4") >> 16).astype("<u2") if kind == "BF16" else values.astype(stored[kind])
    found = read_arrays(safetensors(tmp_path / f"{kind}.safetensors", {"x": (kind, raw)}), "*")
    np.testing.assert_array_equal(found["x"], values)


BAD = {
    "strings.npy": (np.array([["a", "b"]]), "entries of type <U1, not numbers"),
    "objects.npy": (np.array([[None, {}]], dtype=object), "holds Python objects"),
    "nan.npy": (np.array([[1.0, np.nan]]), r"NaN or infinity, first at index \(0, 1\)"),
    "complex.npy": (np.array([[1j]]), "is complex"),
    "vector.npy": (np.ones(3), "at least two axes"),
    "empty.npy": (np.ones((0, 3)), "none empty"),
    "zero.npy": (np.zeros((2, 3)), "zero everywhere"),
}


@pytest.mark.parametrize("name", BAD)
def test_arrays_that_cannot_be_decomposed(name, tmp_path):
    np.save(tmp_path / name, BAD[name][0], allow_pickle=True)
    with pytest.raises(ProblemError, match=BAD[name][1]) as refused:
        read_arrays(tmp_path / name, "*")
    assert refused.value.key == "problem.tensor" and "\n" not in str(refused.value)


def test_files_that_are_damaged(tmp_path):
    np.save(tmp_path / "cut.npy", ARRAY)
    (tmp_path / "cut.npy").write_bytes((tmp_path / "cut.npy").read_bytes()[:-9])
    for name in ("text.npy", "text.npz", "text.mat", "text.safetensors"):
        (tmp_path / name).write_text("no array at all, but a text of some length")
    safetensors(tmp_path / "short.safetensors", {"x": ("F64", ARRAY)}, cut=8)
    entry = {"dtype": "F64", "shape": [2], "data_offsets": [0, 16]}
    for number, wrong in enumerate(
        [{"dtype": "X9"}, {"shape": [-1]}, {"data_offsets": [0, 8]}, {"shape": "a"}, {"data_offsets": 3}]
    ):
        safetensors(tmp_path / f"wrong{number}.safetensors", {}, header={"x": {**entry, **wrong}})
    safetensors(tmp_path / "list.safetensors", {}, header=["x"])
    for path in sorted(tmp_path.iterdir()):
        with pytest.raises(ProblemError) as refused:
            read_arrays(path, "*")
        assert path.name in str(refused.value) and "\n" not in str(refused.value) and len(str(refused.value)) < 400
    with pytest.raises(ProblemError, match="no such file"):
        read_arrays(tmp_path / "none.npy", "*")


def test_names_that_match_nothing(tmp_path):
    np.savez(tmp_path / "a.npz", a=ARRAY, b=ARRAY)
    with pytest.raises(ProblemError, match=r"no array of a\.npz is called 'conv\*'; it has a, b") as refused:
        read_arrays(tmp_path / "a.npz", "conv*")
    assert refused.value.key == "problem.names"
