"""`page(comparison)`: the comparison as one HTML page that asks the network for nothing."""

from benchmarks.report.page import page

__all__ = ["page"]
