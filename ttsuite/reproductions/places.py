"""Where the collections that come with the suite are, and which files are some; imports nothing that takes time."""

from __future__ import annotations

import re
from pathlib import Path

from ttsuite.study.config import LARGEST

SHIPPED = Path(__file__).resolve().parents[2] / "configs" / "reproductions"


def is_collection(file: str | Path) -> bool:
    """Whether the keys in a YAML file are those of a collection; False where it cannot be read."""
    try:
        with Path(file).open("rb") as stream:
            text = stream.read(LARGEST)
    except OSError:
        return False
    return re.search(rb"^items[ ]*:", text, re.M) is not None and re.search(rb"^problem[ ]*:", text, re.M) is None
