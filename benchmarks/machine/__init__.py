"""What this machine is, what a run may use of it, and what is installed."""
