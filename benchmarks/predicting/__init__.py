"""A trained network used on scans: found again, run, drawn."""
