"""The public name of `benchmarks.cost.flops`: a Keras model in, its operations by layer out."""

from benchmarks.cost.flops import Count, Row, count

__all__ = ["Count", "Row", "count"]
