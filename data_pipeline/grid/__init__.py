"""From a scan's own voxels to the grid that a model sees, and back."""
