"""The public name of `benchmarks.scoring.metrics`: two masks in, every metric out."""

from benchmarks.scoring.metrics import Counts, count, measure, score

__all__ = ["Counts", "count", "measure", "score"]
