"""One run: its folder, its life, and what is kept of it."""
