"""What is known of an architecture: frozen facts, kept apart from anything measured here."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

# What architectures are listed by, in this order.
FAMILIES = (
    "U-Nets",
    "residual U-Nets",
    "recurrent U-Nets",
    "attention gates",
    "large kernels",
    "transformers",
    "frequencies",
    "ImageNet encoders",
    "others",
)


@dataclass(frozen=True)
class Published:
    """One set of results as its authors printed it: a claim, never ranked with a measurement.

    `leaks` says that slices of one patient stood on both sides of the split.
    """

    dataset: str
    metrics: Mapping[str, float]
    note: str = ""
    leaks: bool = False


@dataclass(frozen=True)
class Reference:
    """A count that follows from a block-by-block description and must come out exactly.

    `gflops` are twice the multiply-adds of convolutions and dense layers, counted per layer call,
    for one input of `input_shape`; `params_convolutions` leaves BatchNorm out, as some papers do.
    """

    input_shape: tuple[int, ...]
    classes: int
    variant: str | None = None
    params: int | None = None
    trainable: int | None = None
    params_convolutions: int | None = None
    gflops: float | None = None


@dataclass(frozen=True)
class Variant:
    """Another published form of the same paper: what differs, as arguments of `build`."""

    summary: str
    settings: Mapping[str, object]


@dataclass(frozen=True)
class Recipe:
    """How the authors trained: a protocol of its own, never ranked with the common ones.

    Numbers stand as the authors print them. `size` is the sides of their inputs, to which a
    smoothing constant belongs (it counts voxels) and a bend in pixels. `differs` says what the
    protocol that is made of this still does otherwise than its authors.
    """

    loss: str
    optimiser: str
    learning_rate: float
    batch_size: int
    epochs: int
    normalisation: str
    augmentation: Mapping[str, float] = field(default_factory=dict)
    loss_settings: Mapping[str, Any] = field(default_factory=dict)
    schedule: Mapping[str, float] | None = None
    early_stopping: int | None = None
    slices: str = "all"
    size: tuple[int, ...] = ()
    monitor: str = "val_dice"
    note: str = ""
    differs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Card:
    """One architecture: where it comes from, what was claimed, what must come out.

    The name is not here: the module's name is the name. `value_range` is what its images are to
    hold: `normalised`, whatever a protocol gives, or `unit`, [0, 1] and nothing else. `exempt` says
    what of the contract a form can't keep: part -> variant ("" the default) -> why. `family` is one
    of FAMILIES, by which lists are grouped.
    """

    title: str
    paper: str
    source: str
    ranks: tuple[int, ...]
    input_shape: tuple[int, ...]
    classes: int
    references: tuple[Reference, ...]
    value_range: str = "normalised"
    recipe: Recipe | None = None
    claims: tuple[Published, ...] = ()
    variants: Mapping[str, Variant] = field(default_factory=dict)
    deviations: tuple[str, ...] = ()
    flaws: tuple[str, ...] = ()
    exempt: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    family: str = "others"

    def reference(self, variant: str | None = None) -> Reference:
        """Return the reference count of a variant at its stated input."""
        return next(entry for entry in self.references if entry.variant == variant)

    def as_dict(self) -> dict:
        """Return the facts as plain values, ready for JSON."""
        return json.loads(json.dumps(asdict(self)))

    def digest(self) -> str:
        """Return the SHA-256 of the facts."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()
