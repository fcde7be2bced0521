"""`make fidelity`: how far each architecture is from a plain PyTorch form of its source.

The comparison is that of tests/zoo/test_source_forms.py, in float64, and once more in float32. It
needs torch. With names it measures those alone; the table is written anew each time.
"""

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pages

sys.path.insert(0, str(Path(__file__).parents[1] / "zoo"))
sys.path.insert(0, str(Path(__file__).parents[2]))

from sources.listing import forms, named

import zoo

ROOT = Path(__file__).parents[2]
JSON, PAGE = ROOT / "docs/perf/fidelity.json", ROOT / "docs/fidelity.md"
COMMAND = "make fidelity"
FLOATS = ("float64", "float32")
PARTS = ("inference", "training", "gradients")
OWN = "own gradients"  # of the form in float32, from its own in float64: what rounding makes
HEAD = (
    "| architecture | source | parameters: card | ours | form | forms | inference | training "
    "| gradients | float32: inference | training | gradients | the form's own | deviations |",
    "|---|---|--:|--:|--:|---|--:|--:|--:|--:|--:|--:|--:|---|",
)


def main() -> int:
    """Measure those that are named, or all; write each beside the others, and the table."""
    from benchmarks.backends import device

    device.select_backend()
    for name in sys.argv[1:] or zoo.names():
        one = measured(name)
        told = json.loads(JSON.read_text(encoding="utf-8")) if JSON.exists() else {}
        told[name] = one
        JSON.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        print(name, told[name]["forms"], file=sys.stderr, flush=True)
    pages.put(PAGE, COMMAND, table(told))
    return 0


def measured(name: str) -> dict[str, Any]:
    """Count the default at full width, ours and its form's; compare every form at small width."""
    import torch

    source, card = import_module(f"sources.{name}"), zoo.card(name)
    settings = getattr(source, "SETTINGS", {})
    with torch.device("meta"):
        form = source.network(card.input_shape, card.classes, 1.0, None)
    params = zoo.create(name).count_params()
    return {
        "params": params,
        "settings": settings,
        "params_with_settings": zoo.create(name, **settings).count_params() if settings else params,
        "params_of_form": params_of(form),
        "forms": {
            named(form): {
                precision: distances(form, precision)
                for precision in FLOATS
                if precision == "float64" or form[-1] is None
            }
            for form in forms()
            if form[0] == name
        },
    }


def distances(form: tuple, precision: str) -> dict[str, float]:
    """Return the largest differences, as shares of the largest value: two digits of them."""
    import keras
    from sources import comparison

    with comparison.computing(precision):
        two = comparison.both(form)
        found = [comparison.apart(*comparison.answers(two, training)) for training in (False, True)]
        found.append(max(comparison.gradients_apart(comparison.gradients(two)).values()))
        if precision == "float32":
            found.append(max(comparison.gradients_apart(comparison.rounded(two)).values()))
    keras.backend.clear_session()
    parts = (*PARTS, OWN)[: len(found)]
    return {part: float(f"{value:.1e}") for part, value in zip(parts, found, strict=True)}


def params_of(form: Any) -> int:
    """Count the weights and moving statistics of a torch form."""
    ends = [*form.named_parameters(), *form.named_buffers()]
    return sum(value.numel() for name, value in ends if not name.endswith("num_batches_tracked"))


def table(told: dict[str, Any]) -> str:
    """Return the table in Markdown, a row an architecture, the largest over its forms."""
    return "\n".join([*HEAD, *(_row(name, told[name]) for name in zoo.names() if name in told), ""])


def _row(name: str, one: dict[str, Any]) -> str:
    card = zoo.card(name)
    tried = ", ".join(_told(form) for form in forms() if form[0] == name)
    largest = [
        f"{max(each[precision][part] for each in one['forms'].values() if precision in each):.0e}"
        for precision in FLOATS
        for part in (*PARTS, *([OWN] if precision == "float32" else []))
    ]
    counts = [f"{count:,}" for count in (card.reference().params, one["params"])]
    counts.append(f"{one['params_of_form']:,}")
    if one["params_with_settings"] != one["params"]:
        settings = ", ".join(f"{key} {value}" for key, value in one["settings"].items())
        same = one["params_of_form"] == one["params_with_settings"]
        counts[-1] += f" ({settings}, ours {'too' if same else 'not'})"
    words = " ".join(card.deviations)
    return f"| {' | '.join([f'`{name}`', card.source, *counts, tried, *largest, words])} |"


def _told(form: tuple) -> str:
    _, shape, _, variant = form
    return f"{len(shape) - 1}D" + (f" `{variant}`" if variant else "")


if __name__ == "__main__":
    sys.exit(main())
