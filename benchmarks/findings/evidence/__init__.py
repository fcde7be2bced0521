"""What findings stand on: the runs, the ways to score them, paired tests, simulated patients."""
