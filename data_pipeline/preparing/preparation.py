"""What is to be prepared: the checked cases, and the settings that change the prepared bytes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil, prod
from typing import Any

from data_pipeline.cases.case import Case, Dataset
from data_pipeline.checking.manifest import CaseRecord, Manifest
from data_pipeline.errors import UserError
from data_pipeline.files import digests, processors
from data_pipeline.grid import voxels
from data_pipeline.plain import LATER, plain
from data_pipeline.spec import DataSpec

# Raise what it concerns where the same settings would give other bytes: all, or one normalisation.
FORMAT = 3
FORMATS = {"gaussian_clahe": 4}
MEMORY = 1_200_000_000  # bytes that the cases prepared at once may take together
# Peak bytes of a voxel and channel (the label counts as one): 8 to 11 were measured on int16 and
# float32 scans of 240 x 240 x 155; the rest is left to 64-bit files.
BYTES_PER_VALUE = 14


@dataclass(frozen=True)
class Preparation:
    """The settings that change the prepared bytes, and no others."""

    rank: int
    size: tuple[int, ...]
    channels: tuple[str, ...]
    normalisation: str
    spacing: tuple[float, ...] | None = field(default=None, metadata=LATER)

    @classmethod
    def of(cls, spec: DataSpec) -> "Preparation":
        """Take a spec's part."""
        return cls(spec.rank, spec.size, spec.channels, spec.normalisation, spec.spacing)

    def __str__(self) -> str:
        size = "x".join(map(str, self.size))
        sides = f" at {voxels.text(self.spacing)} mm" if self.spacing else ""
        return f"{size}{sides} {', '.join(self.channels)} {self.normalisation}"

    def as_json(self) -> dict[str, Any]:
        """Give plain JSON values."""
        return plain(self)

    def of_scans(self, spacings: Iterable[Sequence[float] | None]) -> "Preparation":
        """Leave the spacing out where every scan (None: it states no size) is as it should be."""
        near = (own and voxels.ratio(own, self.spacing) == voxels.AS_IT_IS for own in spacings)
        return replace(self, spacing=None) if all(near) else self


@dataclass(frozen=True)
class Job:
    """The checked cases to prepare, what checking them found, and how to prepare them."""

    cases: tuple[Case, ...]
    records: Mapping[str, CaseRecord]  # by case name
    preparation: Preparation
    about: Mapping[str, Any]  # kept in the index, so that a store can be used without its sources

    @property
    def format(self) -> int:
        """Return the version of the bytes that these settings give."""
        return FORMATS.get(self.preparation.normalisation, FORMAT)

    @property
    def key(self) -> str:
        """Name the store: voxels, labels and their meaning, ids, settings, format in one digest."""
        content = sorted([r.name, r.patient, r.content] for r in self.records.values())
        return digests.digest([self.format, self.preparation.as_json(), dict(self.about), content])

    @property
    def depths(self) -> dict[str, int]:
        """Count the slices of each case, which preparation leaves alone in a flat store."""
        return {record.name: record.shape[0] for record in self.records.values() if record.shape}

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """List the `(D, H, W)` of all cases, or what they are resampled to if that is more."""
        return [
            tuple(
                max(side, ceil(side * times))
                for side, times in zip(record.shape[:3], self._ratio(record), strict=True)
            )
            for record in self.records.values()
            if record.shape
        ]

    def _ratio(self, record: CaseRecord) -> tuple[float, ...]:
        spacing = record.spacing
        return voxels.ratio(spacing, self.preparation.spacing) if spacing else voxels.AS_IT_IS

    @property
    def workers(self) -> int:
        """Count the cases that may be prepared at once within the memory."""
        largest = max(map(prod, self.shapes)) * (len(self.preparation.channels) + 1)
        fitting = MEMORY // (largest * BYTES_PER_VALUE)
        return max(1, min(processors.count(), fitting))


def job_of(manifest: Manifest, preparation: Preparation, *, allow_skips: bool = False) -> Job:
    """Plan the preparation of a checked data set."""
    cases = manifest.usable(allow_skips=allow_skips)
    names = {case.name for case in cases}
    _require_channels(preparation.channels, manifest.dataset)
    dataset = manifest.dataset
    about = {
        "layout": dataset.layout,
        "version": dataset.version,
        "labels": dict(dataset.labels),
        # Pairs, because their order is that of a target's channels and JSON objects are sorted.
        "regions": [[name, list(values)] for name, values in dataset.regions.items()],
        "burdens": manifest.burdens(),
    }
    records = {record.name: record for record in manifest.records if record.name in names}
    spacings = [record.spacing for record in records.values()]
    return Job(cases, records, preparation.of_scans(spacings), about)


def _require_channels(channels: tuple[str, ...], dataset: Dataset) -> None:
    missing = [name for name in channels if name not in dataset.channels]
    if missing:
        raise UserError(
            f"{dataset.root}: there is no channel {', '.join(missing)}; "
            f"it has {', '.join(dataset.channels)}: name those in channels."
        )
