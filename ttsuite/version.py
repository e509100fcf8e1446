"""The version of the suite, in this one place: ``pyproject.toml`` reads it, and so do records and the command line."""

__version__ = "0.1.0"
