"""How far a table of narrow networks may be believed: does the order hold at other widths?"""

from benchmarks.findings.evidence import orders
from benchmarks.findings.evidence.needed_runs import Conditions, of_protocols

SUMMARY = "whether the order at a quarter of the widths foretells that at others"
MODELS = "unet,mod_r2au,sa_unet"

rows, figure = orders.rows, orders.figure_by_cost


def conditions(base: str) -> Conditions:
    """Return the protocol, and its twins at an eighth and at half of the widths."""
    return of_protocols(base, f"{base}_eighth", f"{base}_half")
