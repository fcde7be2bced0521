"""File formats read to their end: NIfTI, TIFF, PNG, and dataset.json."""
