"""Mutated configurations: what a user, a broken editor or an attacker may write, drawn from the shipped ones."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ttsuite.study.yaml_file import parse

CONFIGS = Path(__file__).parents[1] / "configs"
KINDS = ("vibrational", "parametric_pde", "wave_packet", "sum_of_products", "fokker_planck", "completion")
KINDS += ("orbital_free_dft", "supervised", "perturbation", "decomposition", "embeddings")

_NUMBERS = [0, 1, -1, 2, 3, 7, 10**3, 10**6, 10**9, 2**63, -(2**63) - 1, 10**299, 0.5, -0.0, 1e-300, 5e-324, 1e300]
_NUMBERS += [1.7976931348623157e308, -1e308, 1e-8, 3.0, 2.5, float("nan"), float("inf")]
_TEXTS = ["", "automatic", "none", "on", "1e-8", "../../etc/passwd", "/dev/zero", "/proc/self/environ", "a" * 5000]
_TEXTS += [
    "\u202e\u2066",
    "\U0001f600",
    "Ω≈ç√",
    "é" * 300,
    "e\u0301",
    "\ufeffx",
    "{{7*7}}",
    "$(id)",
    "`id`",
    "%s%n",
    "\\0",
]
_TEXTS += ["__import__('os').system('id')", "q^9", "q^99999999999", "x" * 40 + ".csv", "\u2028.csv", "none.csv", ".csv"]
_TEXTS += ["q " * 2000, "(" * 500, "^", "1", "S+", "b bdag", "T^-1", "q**2"]
_NAMES = ["kind", "model", "type", "basis", "n_states", "accuracy", "workers", "seed", "name", "__class__", "__init__"]
_NAMES += [
    "\u00b5",
    "Kind",
    "n_state",
    "problem",
    "solver",
    "0",
    "-1",
    "model_config",
    "files",
    "",
    " ",
    "<<",
    "=",
    "?",
]


def base_texts() -> dict[str, str]:
    """The quick configurations, by file name."""
    return {file.name: file.read_text(encoding="utf-8") for file in sorted((CONFIGS / "tiny").glob("*.yaml"))}


def mutant(texts: dict[str, str], rng: np.random.Generator) -> tuple[str, bytes]:
    """Name of a configuration and the bytes of a mutant of it: one to four changes of its tree or of its text."""
    name = _choice(rng, sorted(texts))
    if rng.random() < 0.3:
        text = texts[name]
        for _ in range(1 + rng.integers(2)):
            text = _choice(rng, _TEXT_CHANGES)(text, rng)
        return name, text.encode("utf-8", "surrogatepass")
    data = copy.deepcopy(parse(texts[name], name).data)
    for _ in range(1 + rng.integers(4)):
        _change(data, rng)
    text = written(data)
    return name, (_choice(rng, _TEXT_CHANGES)(text, rng) if rng.random() < 0.1 else text).encode(
        "utf-8", "surrogatepass"
    )


def written(value: Any) -> str:
    """A tree as YAML in its flow style, with whatever keys and values it has."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{written(key)}: {written(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(written, value)) + "]"
    if isinstance(value, float) and not np.isfinite(value):
        return ".nan" if np.isnan(value) else ".inf"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) or value is None else str(value).lower()


def _choice(rng: np.random.Generator, options: Any) -> Any:
    return options[int(rng.integers(len(options)))]


def _places(value: Any, parents: tuple[Any, ...] = ()) -> Iterator[tuple[Any, Any]]:
    """Every (container, key or index) of a tree."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in list(entries):
        yield value, key
        yield from _places(entry)


def _anything(rng: np.random.Generator, depth: int = 0) -> Any:
    """A value of any type."""
    kind = rng.integers(9)
    if kind < 3:
        return _choice(rng, _NUMBERS)
    if kind < 5:
        return _choice(rng, _TEXTS)
    if kind == 5:
        return _choice(rng, [None, True, False])
    if kind == 6 and depth < 3:
        return [_anything(rng, depth + 1) for _ in range(rng.integers(4))]
    if kind == 7 and depth < 3:
        return {_choice(rng, _NAMES): _anything(rng, depth + 1) for _ in range(rng.integers(4))}
    deep: Any = _choice(rng, _NUMBERS)
    for _ in range(int(rng.integers(1, 60))):
        deep = [deep] if rng.random() < 0.5 else {_choice(rng, _NAMES): deep}
    return deep


def _change(data: Any, rng: np.random.Generator) -> None:
    """One change of a tree, in place."""
    places = list(_places(data))
    if not places:
        return
    holder, key = _choice(rng, places)
    kind = rng.integers(8)
    if kind < 3:
        holder[key] = _anything(rng)
    elif kind == 3:
        if isinstance(holder[key], bool) or not isinstance(holder[key], (int, float)):
            holder[key] = str(holder[key])
        else:
            holder[key] = holder[key] * _choice(rng, [-1, 0, 2, 1000, 10**12, 1e-12, 1.5, 1e200])
    elif kind == 4:
        del holder[key]
    elif kind == 5 and isinstance(holder, dict):
        holder[_choice(rng, _NAMES)] = holder.pop(key)
    elif kind == 6 and isinstance(holder, dict):
        holder[_choice(rng, _NAMES)] = _anything(rng)
    elif isinstance(holder, list):
        holder.extend([holder[key]] * int(_choice(rng, [1, 3, 30])))
    else:  # the part of another place
        other, name = _choice(rng, places)
        if name in other if isinstance(other, dict) else name < len(other):
            holder[key] = copy.deepcopy(other[name])


def _insert(*words: str) -> Callable[[str, np.random.Generator], str]:
    def change(text: str, rng: np.random.Generator) -> str:
        place = int(rng.integers(len(text) + 1))
        return text[:place] + _choice(rng, words) + text[place:]

    return change


def _before_a_value(*words: str) -> Callable[[str, np.random.Generator], str]:
    def change(text: str, rng: np.random.Generator) -> str:
        places = [i + 2 for i in range(len(text)) if text.startswith(": ", i)] or [0]
        place = _choice(rng, places)
        return text[:place] + _choice(rng, words) + text[place:]

    return change


def _remove(text: str, rng: np.random.Generator) -> str:
    if not text:
        return text
    start = int(rng.integers(len(text)))
    return text[:start] + text[start + int(rng.integers(1, 40)) :]


def _flip(text: str, rng: np.random.Generator) -> str:
    if not text:
        return text
    place = int(rng.integers(len(text)))
    return text[:place] + chr(int(rng.integers(0, 0x250))) + text[place + 1 :]


def _twice(text: str, rng: np.random.Generator) -> str:
    lines = text.splitlines(keepends=True) or [""]
    place = int(rng.integers(len(lines)))
    return "".join([*lines[:place], lines[place], *lines[place:]])


def _indent(text: str, rng: np.random.Generator) -> str:
    lines = text.splitlines(keepends=True) or [""]
    place = int(rng.integers(len(lines)))
    lines[place] = _choice(rng, [" ", "\t", "    "]) + lines[place]
    return "".join(lines)


_TEXT_CHANGES: list[Callable[[str, np.random.Generator], str]] = [
    _insert(
        "\x00", "\x07", "\t", "\r", "\x85", "\u2028", "\ufeff", "\ud800", "\U0001f600", "#", ":", "- ", "? ", "|", ">"
    ),
    _insert("\n---\n", "\n...\n", "%YAML 1.1\n---\n", "\n", "[", "]", "{", "}", "'", '"', "@", "`", "&", "*", "!", "%"),
    _insert(
        "[" * 300, "{a: " * 300, "[" * 3000, "? " * 200, "- " * 500, "9" * 400, "a" * 20000, "\n" * 5000, " " * 20000
    ),
    _before_a_value(
        "!!python/object/apply:os.system ", "!!python/name:os.system ", "!!binary ", "!!float ", "!x ", "! "
    ),
    _before_a_value("!!python/object/new:subprocess.Popen ", "!!set ", "!!omap ", "!<tag:yaml.org,2002:int> "),
    _before_a_value("&a ", "*a ", "&a &b ", "&a [*a, *a, *a] ", "<<: *a ", "*\u00e9 ", "&a {<<: *a} "),
    _before_a_value("0", "0x", "0o", "1_", ".", "-", "+", "~", "1e", "1e9999 #", "- ", "| ", "> ", "'", '"'),
    _remove,
    _flip,
    _twice,
    _indent,
    lambda text, rng: text[: int(rng.integers(len(text) + 1))],
    lambda text, rng: text.replace("\n", _choice(rng, ["\r\n", "\r", "\n\n"])),
]
