"""From masks to numbers: pure functions of NumPy arrays."""
