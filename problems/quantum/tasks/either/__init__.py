"""The lowest states or the motion, as the task says."""
