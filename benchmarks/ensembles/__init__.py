"""Several networks as one: what they say is joined, on the grid that they share."""
