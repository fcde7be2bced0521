"""Figures that one finding or another needs, and no comparison."""
