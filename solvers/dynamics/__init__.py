"""Evolution in time: dx/dt = factor A x on tensor trains."""
