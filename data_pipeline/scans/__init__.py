"""Whole scans: those to be predicted, those to be scored, and their masks as files."""
