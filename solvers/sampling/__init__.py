"""Exact samples of trains, and the maps between a train's density and the uniform one."""
