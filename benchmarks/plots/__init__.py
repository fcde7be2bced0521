"""The figures: one function a figure, from a table to a matplotlib `Figure`, without pyplot."""
