"""`DataSpec`: everything about the data that two models must share to be compared fairly.

Nothing here names a machine: paths, threads and caches are arguments of `load`.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from data_pipeline import sources
from data_pipeline.errors import UserError
from data_pipeline.grid import voxels
from data_pipeline.plain import LATER, plain

if TYPE_CHECKING:
    from data_pipeline.augmenting.augmentation import Augmentation

TARGETS = ("whole", "labels", "regions")
SLICES = ("all", "tumour", "balanced")


@dataclass(frozen=True)
class Cohort:
    """The phantom patients that are made where the layout is `phantom`."""

    patients: int = 24
    size: int = 64
    seed: int = 0

    def __post_init__(self) -> None:
        _at_least("phantom.patients", self.patients, 3)
        _at_least("phantom.size", self.size, 16)


@dataclass(frozen=True)
class DataSpec:
    """A data set, its preparation, its split and its batches; frozen, hashable, JSON-able.

    `size` is the side of a slice (rank 2) or of a training patch (rank 3). `target` is `whole` (one
    binary channel: any lesion), `labels` (softmax classes, background first) or `regions` (the
    layout's regions, which may overlap, one sigmoid channel each). `spacing` is of the voxels that
    volumes (rank 3) are resampled to, in mm along slices, rows and columns; None: as they are.
    """

    layout: str = "phantom"
    version: str | None = None
    rank: int = 2
    size: tuple[int, ...] = (64, 64)
    channels: tuple[str, ...] = ("t1", "flair", "t1ce")
    target: str = "whole"
    sparse_labels: bool = False
    normalisation: str = "zscore_brain"
    augmentation: Augmentation | None = None
    batch_size: int = 16
    drop_last: bool = False
    slices: str = "all"
    patches_per_volume: int = 2
    foreground_oversampling: float = 1 / 3
    folds: int = 5
    val_fraction: float = 0.15
    split_seed: int = 0
    leaky: bool = False
    shuffled_labels: bool = False
    phantom: Cohort = field(default_factory=Cohort)
    spacing: tuple[float, ...] | None = field(default=None, metadata=LATER)

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", tuple(self.size))
        object.__setattr__(self, "channels", tuple(self.channels))
        if self.layout not in sources.own():  # packages are asked for their layouts only then
            _one_of("layout", self.layout, tuple(sources.names()))
        _one_of("target", self.target, TARGETS)
        _one_of("slices", self.slices, SLICES)
        _one_of("rank", self.rank, (2, 3))
        if self.leaky and self.rank == 3:
            raise UserError("Expected rank 2 for a leaky split, which divides patients by slices.")
        self._check_shapes()
        self._check_spacing()
        self._check_numbers()

    def _check_shapes(self) -> None:
        if len(self.size) != self.rank or not all(isinstance(n, int) and n > 0 for n in self.size):
            raise UserError(
                f"Expected size to hold {self.rank} positive whole numbers, because rank is "
                f"{self.rank}. Received: {self.size}. Write for example {(64,) * self.rank}."
            )
        if not self.channels or len(set(self.channels)) != len(self.channels):
            raise UserError(
                "Expected channels to name one or more modalities, each once. "
                f"Received: {self.channels}. Write for example ('t1', 'flair', 't1ce')."
            )
        if self.sparse_labels and self.target != "labels":
            raise UserError(
                "Expected sparse_labels only where target is 'labels'. "
                f"Received: target {self.target!r}. Leave sparse_labels off."
            )

    def _check_spacing(self) -> None:
        if self.spacing is None:
            return
        given = self.spacing
        if self.rank != 3 or not voxels.are_sizes(given):
            raise UserError(
                "Expected spacing only where rank is 3, as three millimetres above 0. "
                f"Received: {given!r}, rank {self.rank}. Write for example [1, 1, 1]."
            )
        object.__setattr__(self, "spacing", tuple(float(side) for side in given))

    def _check_numbers(self) -> None:
        _at_least("batch_size", self.batch_size, 1)
        _at_least("patches_per_volume", self.patches_per_volume, 1)
        _at_least("folds", self.folds, 2)
        for name in ("val_fraction", "foreground_oversampling"):
            value = getattr(self, name)
            if not 0 <= value <= 1 or (name == "val_fraction" and value in (0, 1)):
                raise UserError(
                    f"Expected {name} to be a fraction between 0 and 1. Received: {value}."
                )

    def as_json(self) -> dict[str, Any]:
        """Give plain dicts, lists, numbers and strings, ready for a record or a digest."""
        return plain(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> DataSpec:
        """Read back what `as_json` gave."""
        known = {f.name for f in dataclasses.fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise UserError(
                f"Expected the fields of a DataSpec. Received unknown ones: {', '.join(unknown)}."
            )
        values = dict(values)
        if isinstance(values.get("phantom"), dict):
            values["phantom"] = Cohort(**values["phantom"])
        if isinstance(values.get("augmentation"), dict):
            values["augmentation"] = _augmentation(values["augmentation"])
        return cls(**values)


def _augmentation(values: dict[str, Any]) -> Augmentation:
    from data_pipeline.augmenting.augmentation import Augmentation

    return Augmentation(**values)


def _one_of(name: str, value: Any, choices: tuple) -> None:
    if value not in choices:
        listed = ", ".join(map(repr, choices))
        raise UserError(f"Expected {name} to be one of {listed}. Received: {value!r}.")


def _at_least(name: str, value: Any, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise UserError(
            f"Expected {name} to be a whole number of at least {least}. Received: {value!r}."
        )
