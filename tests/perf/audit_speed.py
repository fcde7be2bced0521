"""`make perf-audit`: what the compiler's own count leaves unexplained, on every architecture.

The same audit as `gliozoo profile MODEL --audit`, at the shape of the model's card, without its
timings: nothing is run, so a busy machine changes nothing. README's figure is the largest of these.
"""

import json
import sys
from pathlib import Path
from typing import Any

import zoo
from benchmarks.backends import device
from benchmarks.cost.profiled_model import Subject

OUT = Path("docs/perf/audit.json")


def main() -> int:
    """Audit those that are named, or all; print, and write each beside the others."""
    device.start()
    for name in sys.argv[1:] or zoo.names():
        told = json.loads(OUT.read_text(encoding="utf-8")) | {name: audited(name)}
        print(f"{name}: {told[name]['unexplained_percent']:.2f} % unexplained", file=sys.stderr)
        OUT.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return 0


def audited(name: str) -> dict[str, Any]:
    """Return what was counted at the shape of a card, what XLA found, and the share left open."""
    from benchmarks.cost.flops_audit import reconcile, unexplained

    card = zoo.card(name)
    entries = reconcile(Subject(name, None, card.input_shape, card.classes).build())
    products = entries[:-1]  # the last is all that is no multiply-add
    return {
        "input_shape": card.input_shape,
        "counted_gflops": 1e-9 * sum(entry.counted for entry in products),
        "compiler_gflops": 1e-9 * sum(entry.compiler for entry in products),
        "products_unexplained_percent": 100 * unexplained(products),
        "unexplained_percent": 100 * unexplained(entries),
    }


if __name__ == "__main__":
    sys.exit(main())
