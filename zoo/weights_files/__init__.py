"""Weights files as bytes: what they say of themselves, sealed, on disk."""
