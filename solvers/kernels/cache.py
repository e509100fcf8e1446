"""The machine code of the kernels on disk: kept where it can be written, checked when it is read.

numba keeps what it compiles beside the sources, or in the user's cache folder. Three things are added here. Where
neither can be written (site-packages read-only, no home), a folder of the user's own below the temporary one is taken.
What is read must carry its checksum: a damaged file is removed and compiled anew, with a warning, for machine code with
a wrong byte in it may as well compute wrong numbers. And a kernel is compiled anew where the source of any kernel has
changed, as one may be compiled into another.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import stat
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import IndexDataCacheFile

NO_PLACE = "cannot cache function"  # how numba's error begins where no folder can be written


class Damaged(ValueError):
    """A file of the cache that is not what was written."""


class CheckedFile(IndexDataCacheFile):
    """An index and its data files, each with a checksum of its content and of the sources it was made from."""

    def __init__(self, known: IndexDataCacheFile) -> None:
        super().__init__(known._cache_path, known._index_name.removesuffix(".nbi"), (known._source_stamp, _sources()))

    def load(self, key: Any) -> Any:
        """The entry of ``key``, or None; a damaged file is removed, with a warning."""
        try:
            return super().load(key)
        except Exception as error:  # what unpickling garbage raises is not known
            self.remove(error)
            return None

    def save(self, key: Any, data: Any) -> None:
        """Keep an entry; a folder that takes none costs the next process its time, not this one its result."""
        try:
            super().save(key, data)
        except Exception as error:
            _told(self._cache_path, f"takes no compiled kernel ({error})")

    def remove(self, error: Exception) -> None:
        """Forget the kernel whose files cannot be read."""
        _told(self._cache_path, f"is damaged ({type(error).__name__}): kernels are compiled anew")
        for path in Path(self._cache_path).glob(f"{self._index_name.removesuffix('.nbi')}.*"):
            with suppress(OSError):
                path.unlink()

    def _dump(self, obj: Any) -> bytes:
        data = super()._dump(obj)
        return data + self._sum(data)

    def _load_index(self) -> Any:
        try:
            with open(self._index_path, "rb") as file:
                version = pickle.load(file)
                data = file.read()
        except FileNotFoundError:
            return {}
        if version != self._version:
            return {}
        stamp, overloads = pickle.loads(data)
        if stamp != self._source_stamp:  # of other sources
            return {}
        self._checked(data)
        return overloads

    def _load_data(self, name: str) -> Any:
        return pickle.loads(self._checked(Path(self._data_path(name)).read_bytes()))

    def _sum(self, data: bytes) -> bytes:
        return hashlib.sha256(repr(self._source_stamp).encode() + data).digest()

    def _checked(self, content: bytes) -> bytes:
        data, checksum = content[:-32], content[-32:]
        if self._sum(data) != checksum:
            raise Damaged("its checksum is wrong")
        return data


def cached(compile_: Callable[..., Any], function: Callable[..., Any]) -> Any:
    """The kernel of ``function``, cached on disk; ``compile_`` is numba's decorator but for its option ``cache``."""
    try:
        kernel = compile_(cache=True)(function)
    except RuntimeError as error:
        if not str(error).startswith(NO_PLACE):
            raise
        try:
            with _cache_folder(own_folder()):
                kernel = compile_(cache=True)(function)
        except (RuntimeError, OSError):
            _told("no folder", "can be written: kernels are compiled in every process")
            return compile_()(function)
    cache: Any = getattr(kernel, "_cache", None)  # another numba may keep it elsewhere
    if isinstance(getattr(cache, "_cache_file", None), IndexDataCacheFile):
        cache._cache_file = CheckedFile(cache._cache_file)
        cache.load_overload = _forgiving(cache)
    return kernel


def _forgiving(cache: Any) -> Callable[..., Any]:
    """``cache.load_overload``, which gives nothing where what was read does not make a kernel."""
    load = cache.load_overload

    def load_overload(signature: Any, context: Any) -> Any:
        try:
            return load(signature, context)
        except Exception as error:
            cache._cache_file.remove(error)
            return None

    return load_overload


@lru_cache
def own_folder() -> Path:
    """A folder below the temporary one that nobody else can write: code is read from it."""
    user = os.getuid() if hasattr(os, "getuid") else "user"
    folder = Path(tempfile.gettempdir()) / f"ttsuite-kernels-{user}"
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if hasattr(os, "getuid") and (found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o022):
        return Path(tempfile.mkdtemp(prefix="ttsuite-kernels-"))
    return folder


@contextmanager
def _cache_folder(folder: Path) -> Iterator[None]:
    """Let numba use ``folder`` for the kernels decorated meanwhile; other code of the user's is left alone."""
    settings: Any = numba.config
    before, settings.CACHE_DIR = settings.CACHE_DIR, str(folder)
    try:
        yield
    finally:
        settings.CACHE_DIR = before


@lru_cache
def _sources() -> str:
    """A checksum of the sources of all kernels."""
    found = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        found.update(path.read_bytes())
    return found.hexdigest()


@lru_cache
def _told(folder: str | Path, what: str) -> None:
    """A warning, once a process."""
    warnings.warn(f"cache of compiled kernels: {folder} {what}", RuntimeWarning, stacklevel=2)
