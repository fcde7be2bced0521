"""Masks that other tools made, and patients of other sites: scored as runs of our own are."""
