"""Building blocks, functions `x -> x` that serve 2D and 3D alike."""
