"""`lgg2d_lite` with the same multiply-adds for every network: `gliozoo finding budget`.

The budget is what `sa_unet` costs at its published widths, .413 G a slice of 96x96 (`unet` at a
quarter: .427). The others are as wide as that buys. The encoder of `resnet50_unet` has one size,
and costs more by itself: it stays at a quarter and trains half the epochs, which is as much in all.
"""

from dataclasses import replace
from typing import Any

from benchmarks.errors import UserError
from benchmarks.protocols.protocol import Protocol
from benchmarks.protocols.shipped import lgg2d_lite

PROTOCOL = replace(lgg2d_lite.PROTOCOL, name="lgg2d_lite_budget")
SHARES: dict[str, dict[str, Any]] = {
    "unet": {"width": 0.2456},
    "attention_unet": {"width": 0.2106},
    "mod_r2au": {"width": 0.165},
    "ar2_unet": {"width": 0.137},
    "res_attention_unet": {"width": 0.2112},
    "resnet50_unet": {"epochs": 4},
    "deeplabv3plus": {"width": 0.584},
    "sa_unet": {"width": 1.0},
}


def for_model(model: str) -> Protocol:
    """Return the protocol with the share that a model has of the budget."""
    if model not in SHARES:
        raise UserError(
            f"Expected a model that has a share of the budget: {', '.join(SHARES)}. Received: "
            f"{model!r}. A line in {__name__.rpartition('.')[2]}.py makes one."
        )
    return replace(PROTOCOL, train=replace(PROTOCOL.train, **SHARES[model]))
