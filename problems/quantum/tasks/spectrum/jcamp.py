"""A spectrum as a JCAMP-DX file, version 4.24, which programs of spectrometers read.

McDonald and Wilks, Appl. Spectrosc. 42, 151 (1988): labelled data records ``##LABEL=value``; ordinates as whole
numbers times YFACTOR in lines that begin with their first abscissa, ``##XYDATA=(X++(Y..Y))``; no line longer than 80
characters.
"""

from __future__ import annotations

import re

import numpy as np

LINE = 80
LARGEST = 2**31 - 1  # of a whole ordinate
DIGITS = 9  # of the factor


def jcamp(title: str, x: np.ndarray, y: np.ndarray, unit: str, notes: tuple[str, ...] = ()) -> str:
    """The file of ``y`` (m,) at evenly spaced wavenumbers ``x`` (m,); ``unit``: of y, in words.

    Ordinates are right to 2e-9 of the largest.
    """
    factor = float(f"{max(float(np.max(np.abs(y))), 1e-300) / LARGEST:.{DIGITS}e}") * (1.0 + 10.0**-DIGITS)
    factor = float(f"{factor:.{DIGITS}e}")
    whole = np.rint(y / factor).astype(np.int64)
    digits = max(0, 4 - int(np.floor(np.log10(max(float(x[1] - x[0]), 1e-12)))))
    abscissa = [f"{value:.{digits}f}" for value in x]
    records = [
        ("TITLE", _plain(title)),
        ("JCAMP-DX", "4.24"),
        ("DATA TYPE", "INFRARED SPECTRUM"),
        ("ORIGIN", "ttsuite, computed"),
        ("OWNER", "not stated"),
        *(("COMMENT", _plain(note)) for note in (f"ordinates in {unit}", *notes)),
        ("XUNITS", "1/CM"),
        ("YUNITS", "ARBITRARY UNITS"),
        ("XFACTOR", "1"),
        ("YFACTOR", f"{factor:.{DIGITS}e}".upper()),
        ("FIRSTX", abscissa[0]),
        ("LASTX", abscissa[-1]),
        ("DELTAX", f"{(x[-1] - x[0]) / (len(x) - 1):.{DIGITS}e}".upper()),
        ("NPOINTS", str(len(x))),
        ("FIRSTY", f"{whole[0] * factor:.{DIGITS}e}".upper()),
        ("MAXX", abscissa[int(np.argmax(x))]),
        ("MINX", abscissa[int(np.argmin(x))]),
        ("MAXY", f"{whole.max() * factor:.{DIGITS}e}".upper()),
        ("MINY", f"{whole.min() * factor:.{DIGITS}e}".upper()),
        ("XYDATA", "(X++(Y..Y))"),
    ]
    lines = [part for label, value in records for part in _record(label, value)]
    at = 0
    while at < len(whole):
        line = abscissa[at]
        while at < len(whole) and len(line) + 1 + len(str(whole[at])) <= LINE:
            line += f" {whole[at]}"
            at += 1
        lines.append(line)
    return "\r\n".join([*lines, "##END=", ""])


def _plain(text: str) -> str:
    """A text of ASCII letters alone, without what would begin a record or a comment."""
    ascii_only = text.encode("ascii", "replace").decode()
    return re.sub(r"\s+", " ", ascii_only.replace("$$", "$").replace("##", "#")).strip() or "untitled"


def _record(label: str, value: str) -> list[str]:
    """A labelled data record, cut into lines at blanks."""
    first, *words = value.split(" ")
    lines = [f"##{label}={first}"[:LINE]]
    for word in words:
        if len(lines[-1]) + 1 + len(word) > LINE:
            lines.append(word[:LINE])
        else:
            lines[-1] += f" {word}"
    return lines
