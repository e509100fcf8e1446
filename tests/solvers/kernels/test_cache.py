"""The cache of compiled kernels: damaged, stale and missing places, in kernels of a line that compile at once."""

import importlib.util
import os
import pickle
import subprocess
import sys
import warnings
from functools import lru_cache
from pathlib import Path

import pytest

from solvers.kernels import cache

ROOT = Path(__file__).parents[3]
SOURCE = "from solvers.kernels.compiled import kernel\n\n\n@kernel\ndef twice(x):\n    return 2.0 * x\n"


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A function that imports a module with one kernel anew, as another process would."""
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    file = tmp_path / "made_up_kernels.py"
    file.write_text(SOURCE)
    cache._told.cache_clear()

    def load():
        spec = importlib.util.spec_from_file_location("made_up_kernels", file)
        found = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(found)
        return found

    load.files = lambda suffix: sorted((tmp_path / "__pycache__").glob(f"*{suffix}"))
    return load


def hits(kernel):
    return sum(kernel.stats.cache_hits.values())


def test_a_kernel_is_read_again(module):
    assert module().twice(3.0) == 6.0
    (index,), (data,) = module.files(".nbi"), module.files(".nbc")
    kept = index.read_bytes(), data.read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = module().twice
        assert again(3.0) == 6.0 and hits(again) == 1
    assert kept == (index.read_bytes(), data.read_bytes())


def flipped(content):
    place = len(content) // 2
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:40],
        lambda content: b"garbage" * 50,
        flipped,
        lambda content: content[:-1],
    ],
    ids=["empty", "cut", "garbage", "one bit", "one byte short"],
)
def test_a_damaged_file_is_removed_and_the_kernel_compiled_anew(module, suffix, damage):
    module().twice(3.0)
    (file,) = module.files(suffix)
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    with pytest.warns(RuntimeWarning, match="is damaged"):
        again = module().twice
        assert again(3.0) == 6.0
    assert hits(again) == 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        third = module().twice
        assert third(3.0) == 6.0 and hits(third) == 1


def test_what_another_source_compiled_is_not_used(module, monkeypatch):
    """One kernel may be compiled into another: a change in any of the sources makes all of them anew."""
    module().twice(3.0)
    monkeypatch.setattr(cache, "_sources", lambda: "others")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = module().twice
        assert again(3.0) == 6.0 and hits(again) == 0


def test_an_index_of_another_version_is_left_alone(module):
    module().twice(3.0)
    (index,) = module.files(".nbi")
    index.write_bytes(pickle.dumps("0.1") + b"of whatever form")
    again = module().twice
    assert again(3.0) == 6.0 and hits(again) == 0


def test_without_a_folder_to_write_a_folder_of_the_users_own_is_taken(module, monkeypatch, tmp_path):
    class Nowhere:
        @classmethod
        def from_function(cls, function, file):
            return None

    from numba.core.caching import CacheImpl, UserProvidedCacheLocator

    monkeypatch.setattr(CacheImpl, "_locator_classes", [UserProvidedCacheLocator, Nowhere])
    monkeypatch.setattr(cache.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(cache, "own_folder", lru_cache(cache.own_folder.__wrapped__))
    assert module().twice(3.0) == 6.0
    (folder,) = tmp_path.glob("ttsuite-kernels-*")
    assert list(folder.rglob("*.nbc")) and not list((tmp_path / "__pycache__").glob("*.nbc"))
    assert not cache.numba.config.CACHE_DIR
    if os.name == "posix":
        assert folder.stat().st_mode & 0o777 == 0o700
        # one that others can write may hold their code
        folder.chmod(0o777)
        cache.own_folder.cache_clear()
        assert cache.own_folder() != folder
    monkeypatch.setattr(cache, "own_folder", lambda: Path("/dev/null/nowhere"))
    with pytest.warns(RuntimeWarning, match="compiled in every process"):
        assert module().twice(3.0) == 6.0


def test_a_folder_that_takes_nothing_costs_no_result(module, monkeypatch):
    def full(self, key, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache.IndexDataCacheFile, "save", full)
    with pytest.warns(RuntimeWarning, match="No space left"):
        assert module().twice(3.0) == 6.0


@pytest.mark.skipif(os.name != "posix" or os.getuid() != 0, reason="needs another user to be")
def test_a_user_without_home_and_folders_to_write(tmp_path):
    code = "import solvers.kernels.samples, solvers.kernels.iterations, tempfile; print('fine')"
    try:
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
            user=65534,
            group=65534,
            extra_groups=[],
            capture_output=True,
            text=True,
            timeout=300,
        )
    except PermissionError:
        pytest.skip("another user cannot run this Python")
    if "Permission denied" in done.stderr and not done.stdout:
        pytest.skip("another user cannot read this folder")
    assert done.stdout == "fine\n", done.stderr
