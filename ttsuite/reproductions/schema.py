"""The JSON Schema of collections, made from the models that check them; a copy is shipped beside this file."""

from __future__ import annotations

import json
from pathlib import Path

from ttsuite.reproductions.keys import CollectionKeys
from ttsuite.study.schema import schema_of

SCHEMA = Path(__file__).with_name("schema.json")
NAME = "collection"  # in the place of a kind, on the command line


def collection_schema_text() -> str:
    """The schema as the text of a JSON file."""
    found = schema_of(CollectionKeys, "ttsuite: a collection of runs beside published numbers", optional=("name",))
    return json.dumps(found, indent=1) + "\n"
