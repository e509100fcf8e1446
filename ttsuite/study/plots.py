"""The key ``plots`` of a study: figures for a paper, beside those of the pages."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, PlainValidator

from problems.keys import Keys
from ttsuite.study.lengths import NARROWEST, WIDEST, Format, inches


def _width(value: object) -> str | int | float:
    inches(value)
    assert isinstance(value, str | int | float)
    return value


Width = Annotated[str | int | float, PlainValidator(_width)]


class Plots(Keys):
    """Figures for a paper: written to figures/paper in the run folder, with type of 8 points at their width."""

    width: Width = Field(
        default="3.4 in",
        description="Width of every figure, from 3 to 12 in; type is 8 points at that width.",
        json_schema_extra={
            "values": "a length such as 3.4 in, 86 mm, 8.6 cm, 245 pt",
            "schema": {"anyOf": [{"type": "string"}, {"type": "number", "minimum": NARROWEST, "maximum": WIDEST}]},
        },
    )
    format: Format = Field(default="pdf", description="Format of the files; fonts are embedded in pdf, text is text.")

    @property
    def inches(self) -> float:
        """The width in inches."""
        return inches(self.width)
