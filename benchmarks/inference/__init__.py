"""A network over a whole scan: in batches, or in windows that slide."""
