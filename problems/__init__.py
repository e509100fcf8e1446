"""The physics: one folder a family of problems."""
