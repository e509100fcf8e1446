"""Wave packets: oscillators, spin chains and molecules in time."""
