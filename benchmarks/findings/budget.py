"""The same compute for everyone, instead of the same share of a paper's widths.

At one width some networks train with seventy times the multiply-adds of others. Here each is as
wide as makes a slice cost the same, and sees the same slices as often.
"""

from benchmarks.findings.evidence import orders
from benchmarks.findings.evidence.needed_runs import EIGHT, Conditions, of_protocols

SUMMARY = "whether the order holds when every network trains with the same multiply-adds"
MODELS = EIGHT

rows, figure = orders.rows, orders.figure


def conditions(base: str) -> Conditions:
    """Return the protocol, and its twin of equal multiply-adds."""
    return of_protocols(base, f"{base}_budget")
