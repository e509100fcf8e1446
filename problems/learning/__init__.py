"""What kinds that learn from rows share: their data, their keys, their learners, and fits as independent tasks."""
