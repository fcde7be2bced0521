"""Prepared records on disk: how voxels are encoded, and how they are read again."""
