"""Trained weights by name: which there are, where they lie, and whether they are whole."""
