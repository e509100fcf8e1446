"""A state in time: its autocorrelation, spectrum and observables."""
