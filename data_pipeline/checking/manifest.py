"""What checking a data set found: one record a case, and the fingerprint of them all."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from data_pipeline.cases.case import Case, Dataset
from data_pipeline.errors import UserError
from data_pipeline.files import digests, whole_files

SCHEMA = 2
NAMED = 3  # cases that a sentence names before it only counts


@dataclass(frozen=True)
class CaseRecord:
    """What one case holds, or why it can't be read."""

    name: str
    patient: str
    reason: str | None = None  # why it is quarantined
    shape: tuple[int, ...] | None = None  # (D, H, W, C)
    dtype: str | None = None
    spacing: tuple[float, float, float] | None = None  # mm of (D, H, W); None: not stated
    content: str | None = None  # digest of the decoded voxels and their place, not of the files
    pictures: str | None = None  # digest of the decoded images alone, without names and labels
    files: Mapping[str, str] = field(default_factory=dict)  # SHA-256 of each file's bytes
    label_voxels: Mapping[str, int] = field(default_factory=dict)
    label_ml: Mapping[str, float] | None = None  # None: no voxel size is stated
    tumour_slices: int | None = None
    constant: int | None = None  # blank slices of pictures, blank channels of volumes
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def tumour_voxels(self) -> int:
        """Count the voxels of all labels but the background."""
        return sum(count for name, count in self.label_voxels.items() if name != "background")

    @property
    def burden(self) -> float | None:
        """Give the share of tumour in the volume, by which splits are stratified."""
        if self.shape is None:
            return None
        depth, height, width = self.shape[:3]
        return self.tumour_voxels / (depth * height * width)


@dataclass(frozen=True)
class Manifest:
    """The data set and a record for each of its cases, in the same order."""

    dataset: Dataset
    records: tuple[CaseRecord, ...]

    @cached_property
    def fingerprint(self) -> str:
        """Name the data by content: voxels, labels and ids; not by paths, order or compression."""
        readable = [r for r in self.records if r.reason is None]
        return digests.digest(sorted([r.name, r.patient, r.content] for r in readable))

    @property
    def quarantined(self) -> tuple[CaseRecord, ...]:
        """List the cases that can't be read."""
        return tuple(record for record in self.records if record.reason is not None)

    def usable(self, *, allow_skips: bool = False) -> tuple[Case, ...]:
        """Give the readable cases; unreadable ones are left out only on request."""
        reasons = [record.reason for record in self.quarantined]
        if reasons and (not allow_skips or len(reasons) == len(self.records)):
            more = (
                f" ({len(reasons)} of {len(self.records)} cases are unreadable" if reasons else ""
            )
            raise UserError(
                f"{reasons[0]}{more}; `gliozoo data prepare --allow-skips` leaves such cases out)."
            )
        bad = {record.name for record in self.quarantined}
        return tuple(case for case in self.dataset.cases if case.name not in bad)

    def burdens(self) -> dict[str, float]:
        """Give each readable patient's tumour share, the mean over his examinations."""
        shares: dict[str, list[float]] = {}
        for record in self.records:
            if record.reason is None and record.burden is not None:
                shares.setdefault(record.patient, []).append(record.burden)
        return {patient: sum(values) / len(values) for patient, values in shares.items()}

    def as_json(self) -> dict[str, Any]:
        """Give plain JSON values; what is not known is null, never NaN."""
        dataset = self.dataset
        return {
            "schema": SCHEMA,
            "layout": dataset.layout,
            "version": dataset.version,
            "channels": list(dataset.channels),
            "labels": dict(dataset.labels),
            "regions": {name: list(values) for name, values in dataset.regions.items()},
            "fingerprint": self.fingerprint,
            "warnings": list(dataset.warnings),
            "cases": [
                {"status": "quarantined" if record.reason else "ok", **asdict(record)}
                for record in self.records
            ],
        }

    def write(self, path: Path) -> None:
        """Write it as JSON, whole or not at all."""
        try:
            whole_files.write_json(path, self.as_json())
        except OSError as error:
            raise UserError(
                f"{path}: can't be written ({error.strerror or error}); free some room there or "
                "name another file with --out."
            ) from error

    def summary(self) -> list[str]:
        """Say what was found, in a few lines for people."""
        good = [record for record in self.records if record.reason is None]
        lines = [
            f"{self.dataset.layout}{f' {self.dataset.version}' if self.dataset.version else ''}: "
            f"{len(self.records)} cases of {len({r.patient for r in self.records})} patients, "
            f"channels {', '.join(self.dataset.channels)}",
            f"{sum(r.shape[0] for r in good if r.shape)} slices, "
            f"{sum(r.tumour_slices or 0 for r in good)} with tumour; "
            f"{sum(not r.tumour_voxels for r in good)} cases without",
            *_volumes(good),
        ]
        constant = sum(record.constant or 0 for record in good)
        lines += (
            [f"{constant} blank slices or channels (zero variance: they normalise to 0)"]
            if constant
            else []
        )
        lines += [f"note: {r.name}: {note}" for r in good for note in r.notes]
        lines += [f"warning: {warning}" for warning in self.dataset.warnings]
        lines += _grouped(good)
        lines += [f"quarantined: {record.reason}" for record in self.quarantined]
        return [*lines, f"fingerprint {self.fingerprint}"]


def _volumes(records: list[CaseRecord]) -> list[str]:
    totals: dict[str, list[float]] = {}
    for record in records:
        for name, ml in (record.label_ml or {}).items():
            totals.setdefault(name, []).append(ml)
    named = [f"{n} {sum(v) / len(v):.1f}" for n, v in totals.items() if n != "background"]
    return [f"mean volume in ml: {', '.join(named)}"] if named else []


def _grouped(records: list[CaseRecord]) -> list[str]:
    """One line for a warning that many cases share."""
    told: dict[str, list[str]] = {}
    for record in records:
        for warning in record.warnings:
            file, _, text = warning.partition(": ")
            told.setdefault(text or file, []).append(file)
    return [
        f"warning: {text} ({', '.join(names[:NAMED])}"
        + (f" and {len(names) - NAMED} more)" if len(names) > NAMED else ")")
        for text, names in told.items()
    ]
