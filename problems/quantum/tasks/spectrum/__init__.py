"""The lowest states of a Hamiltonian."""
