"""From records to batches: which samples, in which order, with which targets."""
