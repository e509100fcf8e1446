"""Tensors known at a few entries, completed as tensor trains."""
