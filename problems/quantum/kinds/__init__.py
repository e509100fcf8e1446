"""The kinds of quantum problems: their YAML keys."""
