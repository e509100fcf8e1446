"""From a YAML file to a checked description of one run."""
