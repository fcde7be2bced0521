"""Preparing one case: its records, its labels, and, last, the line that says they are whole."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import reduce
from io import BytesIO
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from data_pipeline.cases.case import Case, Volume
from data_pipeline.cases.read_case import read_case
from data_pipeline.checking.manifest import CaseRecord
from data_pipeline.errors import UserError
from data_pipeline.files import digests, memory_share, whole_files
from data_pipeline.grid import background, geometry, voxels
from data_pipeline.preparing import normalise
from data_pipeline.preparing.preparation import BYTES_PER_VALUE, Preparation
from data_pipeline.storing import encoding, store_index
from data_pipeline.storing.store import StoredCase

FOREGROUND_SAMPLE = 1024  # lesion voxels kept for each label, to place patches on


def prepared_case(
    case: Case, record: CaseRecord, preparation: Preparation, folder: Path
) -> dict[str, Any]:
    """Write a case's files, unless an earlier run finished them; give its part of the index."""
    stem = f"{_slug(case.name)}-{digests.digest(case.name, 8)}"
    line = folder / f"{stem}.json"
    done = whole_files.read_json(line)
    sound = store_index.case_fits(done, len(preparation.channels)) and done["stem"] == stem
    if sound and all(_whole(folder / name, done, name) for name in done["bytes"]):
        return done
    volume = chosen(read_case(case), preparation.channels)
    if dict(volume.sha256) != dict(record.files):
        raise UserError(f"{case.name}: its files changed since they were checked; run this again.")
    values = _written(case, volume, preparation, folder, stem)
    whole_files.write_json(line, values)
    return values


def _whole(path: Path, done: dict[str, Any], name: str) -> bool:
    state = digests.stamp(path)
    return bool(state) and digests.sha256(path) == done["sha256"][name]


def chosen(volume: Volume, channels: tuple[str, ...]) -> Volume:
    """Pick the channels by name, in the order asked for."""
    order = [volume.channels.index(name) for name in channels]
    if order == list(range(len(volume.channels))):
        return volume
    return replace(volume, image=volume.image[..., order], channels=channels)


def _written(
    case: Case, volume: Volume, preparation: Preparation, folder: Path, stem: str
) -> dict[str, Any]:
    assert volume.label is not None  # what has none is quarantined by the check
    channels = volume.split()
    plan = grid_of(case.name, channels, preparation)
    label = plan.labels_to_model(volume.label)
    prepared = prepared_channels(channels, preparation, plan)
    records, scales = encoding.encode_channels(prepared, len(volume.channels), label)
    contents: dict[str, bytes | memoryview] = {
        f"{stem}.records": memoryview(records.reshape(-1).view(np.uint8)),  # type: ignore[arg-type]
        f"{stem}.labels.npz": _labels(volume.label, label, case.name),
    }
    for name, content in contents.items():
        whole_files.write_whole(folder / name, content)
    return StoredCase(
        name=case.name,
        patient=case.patient,
        stem=stem,
        dtype=records.dtype.name,
        scales=scales,
        geometry=plan,
        spacing=volume.spacing,
        in_mm=volume.in_mm,
        lesion=tuple(map(int, np.count_nonzero(label, axis=(1, 2)))),
        bytes={name: len(content) for name, content in contents.items()},
        sha256={name: hashlib.sha256(content).hexdigest() for name, content in contents.items()},
    ).as_json()


def grid_of(name: str, channels: Sequence[Volume], preparation: Preparation) -> geometry.Geometry:
    """Plan how a scan's channels come onto the grid that a model sees."""
    if preparation.rank == 2:
        return geometry.of_slices(channels[0].image.shape[:3], preparation.size)
    brains = (background.without(channel.image) for channel in channels)
    brain = reduce(np.logical_or, brains)
    plan = geometry.of_brain(brain, preparation.size, _ratio(name, channels[0], preparation))
    if plan.resampled:
        held = max(prod(stop - start for start, stop in plan.box), prod(plan.shape))
        memory_share.require(
            held * BYTES_PER_VALUE, f"{name} with {voxels.text(channels[0].spacing)} mm"
        )
    return plan


def _ratio(name: str, volume: Volume, preparation: Preparation) -> tuple[float, ...]:
    """Return what a scan is resampled by; one that states no voxel size can't be."""
    if preparation.spacing is None:
        return voxels.AS_IT_IS
    if not volume.in_mm:
        raise UserError(
            f"{name}: its files state no voxel size, and voxels of "
            f"{voxels.text(preparation.spacing)} mm are asked for; write the true pixdim and sform "
            "into the header, or ask for none (predict and evaluate: --any-spacing)."
        )
    return voxels.ratio(volume.spacing, preparation.spacing)


def prepared_channels(
    channels: list[Volume], preparation: Preparation, plan: geometry.Geometry
) -> Iterator[np.ndarray]:
    """Yield each channel normalised on the model's grid, and take it out of the list before."""
    name = preparation.normalisation
    if name in normalise.TOGETHER:
        image = np.concatenate([channel.image for channel in channels], axis=-1)
        channels.clear()
        yield from np.moveaxis(plan.to_model(normalise.normalise(image, name)), -1, 0)
    while channels:
        yield plan.to_model(normalise.normalise(channels.pop(0).image, name))[..., 0]


def _labels(reference: np.ndarray, label: np.ndarray, name: str) -> bytes:
    """Pack the reference on its own grid, and where the lesion lies on the model's."""
    draw = np.random.default_rng(int(digests.digest(name, 8), 16))
    rows = []
    for value in np.unique(label[label > 0]):
        where = np.argwhere(label == value)
        if len(where) > FOREGROUND_SAMPLE:
            where = where[np.sort(draw.choice(len(where), FOREGROUND_SAMPLE, replace=False))]
        rows.append(np.insert(where, 0, value, axis=1))
    foreground = np.concatenate(rows) if rows else np.empty((0, 4))
    packed = BytesIO()
    np.savez_compressed(packed, reference=reference, foreground=foreground.astype(np.int16))
    return packed.getvalue()


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:40] or "case"
