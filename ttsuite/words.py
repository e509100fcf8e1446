"""Numbers in words, alike on the terminal and on the pages."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """``75`` as ``1 min 15 s``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def soon(seconds: float | None) -> str:
    """``15.2`` as ``about 15 s``, what is over within half a second as ``any moment now``."""
    if seconds is None:
        return "how long it takes is not known yet"
    return f"about {duration(seconds)}" if seconds >= 0.5 else "any moment now"
