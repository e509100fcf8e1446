"""What is computed of a Hamiltonian."""
